//! Objects of the bucket, read in blocks from a thread that may wait.

use bytes::Bytes;
use perennial_imports::input::ReaderAt;
use perennial_store::archive::incoming::{Arrived, Incoming};
use std::io;
use std::sync::{Mutex, PoisonError};
use tokio::runtime::Handle;

/// The bytes that are read at once.
const BLOCK: u64 = 4 << 20;

/// An object.
pub(crate) struct ObjectBytes {
    incoming: Incoming,
    file: Arrived,
    runtime: Handle,
    /// The block that was read last, with its position.
    block: Mutex<(u64, Bytes)>,
}

impl ObjectBytes {
    /// Returns the bytes of `file`. Called within a runtime.
    pub(crate) fn new(incoming: Incoming, file: Arrived) -> Self {
        Self { incoming, file, runtime: Handle::current(), block: Mutex::default() }
    }
}

impl ReaderAt for ObjectBytes {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        if offset >= self.file.size || buffer.is_empty() {
            return Ok(0);
        }
        let mut block = self.block.lock().unwrap_or_else(PoisonError::into_inner);
        let is_there = offset >= block.0 && offset < block.0 + block.1.len() as u64;
        if !is_there {
            let range = offset..(offset + BLOCK).min(self.file.size);
            let read = self.runtime.block_on(self.incoming.read(&self.file, range));
            *block = (offset, read.map_err(io::Error::other)?);
        }
        let start = usize::try_from(offset - block.0).unwrap_or_default();
        let there = block.1.get(start..).unwrap_or_default();
        let count = there.len().min(buffer.len());
        buffer[..count].copy_from_slice(&there[..count]);
        Ok(count)
    }
}
