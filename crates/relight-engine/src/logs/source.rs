//! Lines of a log, a few at a time, up to the end of a segment.

use std::io::{self, Read};

use super::block::{Block, More};

/// An open log, and what was read of it and not yet taken.
pub(super) struct Source<'a> {
    stream: &'a mut dyn Read,
    block: &'a mut Block,
    more: More,
    /// Why it could not be read any further: told when what was read before is taken.
    failed: Option<io::Error>,
}

/// What comes next of a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// So many bytes are lines with their ends; or they are a part of a line that is longer than a
    /// segment, because nothing grows without limit.
    Lines(usize),
    /// No further line fits into it.
    Full,
    /// There is no more, but for a line that has no end yet.
    End,
}

impl<'a> Source<'a> {
    pub(super) fn new(stream: &'a mut dyn Read, block: &'a mut Block) -> Self {
        Self { stream, block, more: More::MayCome, failed: None }
    }

    /// What was read and not yet taken.
    pub(super) fn bytes(&self) -> &[u8] {
        self.block.bytes()
    }

    /// The first bytes are taken.
    pub(super) fn drain(&mut self, until: usize) {
        self.block.drain(until);
    }

    /// What comes next of a segment of at most `max` bytes of which so many were taken.
    ///
    /// # Errors
    /// The stream cannot be read. What was read before that is there.
    pub(super) fn next(&mut self, taken: usize, max: usize) -> io::Result<Next> {
        let room = max - taken;
        loop {
            if let Some(end) = self.block.lines_end(room) {
                return Ok(Next::Lines(end));
            }
            if self.block.bytes().len() >= room {
                return Ok(if taken == 0 { Next::Lines(room) } else { Next::Full });
            }
            if let Some(error) = self.failed.take() {
                return Err(error);
            }
            if self.more == More::None {
                return Ok(Next::End);
            }
            match self.block.fill(self.stream) {
                Ok(more) => self.more = more,
                Err(error) => self.failed = Some(error),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The segments of a log, and what is left.
    fn cut(log: &[u8], max: usize) -> (Vec<String>, String) {
        let (mut stream, mut block) = (log, Block::default());
        let mut source = Source::new(&mut stream, &mut block);
        let mut segments = Vec::new();
        loop {
            let mut segment = Vec::new();
            let next = loop {
                match source.next(segment.len(), max).unwrap() {
                    Next::Lines(end) => {
                        segment.extend_from_slice(&source.bytes()[..end]);
                        source.drain(end);
                    }
                    next => break next,
                }
            };
            if !segment.is_empty() {
                segments.push(String::from_utf8(segment).unwrap());
            }
            if next == Next::End {
                return (segments, String::from_utf8(source.bytes().to_vec()).unwrap());
            }
        }
    }

    fn names(segments: &[&str]) -> Vec<String> {
        segments.iter().map(|segment| (*segment).to_owned()).collect()
    }

    #[test]
    fn a_segment_ends_with_the_last_line_that_fits() {
        for (log, segments, rest) in [
            ("", &[][..], ""),
            ("a\nbc\n", &["a\nbc\n"], ""),
            ("a\nbc\nde", &["a\nbc\n"], "de"),
            ("abcdefg\nh\n", &["abcdefg\n", "h\n"], ""),
            ("abcd\nefg\nh\n", &["abcd\n", "efg\nh\n"], ""),
            ("a\nbcdefghij\nk\n", &["a\n", "bcdefghi", "j\nk\n"], ""),
            ("abcdefghijklmnopq", &["abcdefgh", "ijklmnop"], "q"),
            ("abcdefgh", &["abcdefgh"], ""),
            ("\n\n\n\n\n\n\n\n\n", &["\n\n\n\n\n\n\n\n", "\n"], ""),
        ] {
            let (found, left) = cut(log.as_bytes(), 8);
            assert_eq!((found, left.as_str()), (names(segments), rest), "{log:?}");
        }
    }
}
