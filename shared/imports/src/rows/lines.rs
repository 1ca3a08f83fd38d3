//! Physical lines of bounded length.

use super::MAX_ROW_BYTES;
use std::collections::VecDeque;
use std::fmt;
use std::io::{self, BufRead};

/// A line, without its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Line {
    /// From 1.
    pub(super) number: u64,
    /// At most [`MAX_ROW_BYTES`].
    pub(super) bytes: Vec<u8>,
    /// `true` if the rest of it was left out.
    pub(super) cut: bool,
}

/// The lines of a text, which end with `\n`, `\r\n` or `\r`. Lines that are put back are returned first.
pub(super) struct Lines {
    bytes: Box<dyn BufRead + Send>,
    back: VecDeque<Line>,
    next: u64,
    /// `true` if the last line ended with `\r`, so that a `\n` belongs to its end.
    after_return: bool,
}

impl fmt::Debug for Lines {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lines").field("next", &self.next).finish_non_exhaustive()
    }
}

impl Lines {
    pub(super) fn new(bytes: Box<dyn BufRead + Send>) -> Self {
        Self { bytes, back: VecDeque::new(), next: 1, after_return: false }
    }

    /// Returns the number of the line that comes next.
    pub(super) fn number(&self) -> u64 {
        self.back.front().map_or(self.next, |line| line.number)
    }

    /// Puts lines back, in their order, before everything else.
    pub(super) fn put_back(&mut self, lines: impl DoubleEndedIterator<Item = Line>) {
        for line in lines.rev() {
            self.back.push_front(line);
        }
    }

    /// Returns the next line; `None` at the end.
    pub(super) fn next(&mut self) -> io::Result<Option<Line>> {
        if let Some(line) = self.back.pop_front() {
            return Ok(Some(line));
        }
        let mut line = Line { number: self.next, bytes: Vec::new(), cut: false };
        let mut is_there = false;
        loop {
            let mut chunk = self.bytes.fill_buf()?;
            if std::mem::take(&mut self.after_return) && chunk.first() == Some(&b'\n') {
                self.bytes.consume(1);
                chunk = self.bytes.fill_buf()?;
            }
            if chunk.is_empty() {
                if !is_there {
                    return Ok(None);
                }
                break;
            }
            is_there = true;
            let end = memchr::memchr2(b'\n', b'\r', chunk);
            let part = &chunk[..end.unwrap_or(chunk.len())];
            let room = MAX_ROW_BYTES - line.bytes.len();
            line.cut |= part.len() > room;
            line.bytes.extend_from_slice(&part[..part.len().min(room)]);
            let used = part.len() + usize::from(end.is_some());
            let ended_with = end.map(|at| chunk[at]);
            self.bytes.consume(used);
            if let Some(sign) = ended_with {
                self.after_return = sign == b'\r';
                break;
            }
        }
        self.next += 1;
        Ok(Some(line))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use std::io::{BufReader, Cursor};

    fn lines(text: &[u8], buffer: usize) -> Vec<(u64, String, bool)> {
        let mut lines = Lines::new(Box::new(BufReader::with_capacity(buffer, Cursor::new(text.to_vec()))));
        std::iter::from_fn(|| lines.next().unwrap())
            .map(|line| (line.number, String::from_utf8(line.bytes).unwrap(), line.cut))
            .collect()
    }

    #[test]
    fn every_end_of_line_ends_one_line_wherever_a_buffer_ends() {
        for buffer in 1..8 {
            let found: Vec<String> =
                lines(b"a\r\nb\rc\n\nd\r\r\ne", buffer).into_iter().map(|(_, text, _)| text).collect();
            assert_eq!(found, ["a", "b", "c", "", "d", "", "e"], "{buffer}");
        }
        assert_eq!(lines(b"a\n", 9).len(), 1);
        assert_eq!(lines(b"", 9).len(), 0);
    }

    #[test]
    fn long_line_is_cut_and_the_next_one_is_whole() {
        let text = [vec![b'x'; MAX_ROW_BYTES + 5], b"\nnext".to_vec()].concat();
        let found = lines(&text, 4096);
        assert_eq!((found[0].1.len(), found[0].2), (MAX_ROW_BYTES, true));
        assert_eq!(found[1], (2, "next".to_owned(), false));
    }
}
