//! Zstandard with any number of frames, as `zstd`, `pzstd` and log shippers write it (RFC 8878, section 3.1).

use ruzstd::decoding::errors::{FrameDecoderError, ReadFrameHeaderError};
use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};
use std::io::{self, BufRead, Read};

/// The largest window of a frame: `zstd --long` uses 128 MB by default, and everything else at most 8.
const MAX_WINDOW: u64 = 128 << 20;

/// Returns whether bytes begin with a skippable frame (0x184D2A5?, little endian).
pub(super) fn is_skippable(start: &[u8]) -> bool {
    matches!(start, [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..])
}

/// The content of all frames, one after the other.
pub(super) struct Frames<R: BufRead> {
    state: State<R>,
}

enum State<R: BufRead> {
    /// Between two frames.
    Between(R),
    /// In a frame.
    Within(R, Box<FrameDecoder>),
    Over,
}

impl<R: BufRead> Frames<R> {
    pub(super) fn new(source: R) -> Self {
        Self { state: State::Between(source) }
    }
}

impl<R: BufRead> Read for Frames<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        loop {
            self.state = match std::mem::replace(&mut self.state, State::Over) {
                State::Over => return Ok(0),
                State::Between(source) => match begin(source)? {
                    Some(state) => state,
                    None => return Ok(0),
                },
                State::Within(mut source, mut decoder) => {
                    while decoder.can_collect() == 0 && !decoder.is_finished() {
                        decoder.decode_blocks(&mut source, BlockDecodingStrategy::UptoBlocks(1)).map_err(damaged)?;
                    }
                    match decoder.read(buffer)? {
                        0 => State::Between(source),
                        read => {
                            self.state = State::Within(source, decoder);
                            return Ok(read);
                        }
                    }
                }
            };
        }
    }
}

/// Begins the next frame; `None` at the end.
fn begin<R: BufRead>(mut source: R) -> io::Result<Option<State<R>>> {
    if source.fill_buf()?.is_empty() {
        return Ok(None);
    }
    let mut decoder = FrameDecoder::new();
    decoder.set_max_window_size(MAX_WINDOW);
    match decoder.init(&mut source) {
        Ok(()) => {}
        Err(FrameDecoderError::ReadFrameHeaderError(ReadFrameHeaderError::SkipFrame { length, .. })) => {
            let skipped = io::copy(&mut source.by_ref().take(u64::from(length)), &mut io::sink())?;
            if skipped < u64::from(length) {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            return Ok(Some(State::Between(source)));
        }
        Err(error) => return Err(damaged(error)),
    }
    Ok(Some(State::Within(source, Box::new(decoder))))
}

fn damaged(error: FrameDecoderError) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, error.to_string())
}
