//! Lines of a file, of a packed file or of standard input, one at a time and none without limit.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use relight_engine::LOG_BYTES_MAX;
use relight_engine::watch::harmless_lines;
use relight_formats::limited::{Limits, open_stream};
use relight_server::web::texts;

use crate::context::Context;
use crate::failure::Failure;

/// Unpacked bytes of a log for each packed byte; real logs stay below 100.
const RATIO_MAX: u64 = 1_000;

/// Bytes that are read at once: many lines, and few enough to stay near the processor.
const BLOCK_BYTES: usize = 256 << 10;

/// See the head of the file.
pub(super) struct LineSource {
    reader: BufReader<Box<dyn Read>>,
    name: String,
    bytes: Vec<u8>,
    number: u64,
    bytes_max: usize,
}

/// One line without its end.
pub(super) struct Line<'a> {
    /// From 1.
    pub(super) number: u64,
    pub(super) bytes: &'a [u8],
    /// There was more of it than the limit.
    pub(super) cut: bool,
    /// Bytes that are not in `bytes`: beyond the limit, or of the line end.
    pub(super) dropped: u64,
}

impl LineSource {
    /// The lines of `file`, or of standard input when it is none or `-`, each up to `bytes_max`.
    pub(super) fn open(
        file: Option<&Path>,
        bytes_max: usize,
        context: &Context,
    ) -> Result<Self, Failure> {
        let file = file.filter(|file| file.as_os_str() != "-");
        let name = file.map_or_else(|| "-".to_owned(), |file| file.display().to_string());
        let limits = Limits { bytes_max: LOG_BYTES_MAX, ratio_max: RATIO_MAX };
        let stream = match file {
            Some(file) => File::open(file).map(|file| open_stream(file, limits)),
            None => Ok(open_stream(io::stdin(), limits)),
        };
        let stream = stream.map_err(|error| unreadable(&name, &error, context))?;
        let reader = stream.map_err(|error| unreadable(&name, &error, context))?;
        let reader = BufReader::with_capacity(BLOCK_BYTES, reader);
        Ok(Self { reader, name, bytes: Vec::new(), number: 0, bytes_max })
    }

    /// Passes over the next lines that can hold no attempt, as far as they are whole in what was
    /// read, and says how many they are.
    ///
    /// # Errors
    /// As [`Self::next`].
    pub(super) fn skip_harmless(&mut self, context: &Context) -> Result<u64, Failure> {
        let before = self.number;
        loop {
            let block = self.reader.fill_buf();
            let (bytes, lines) = match block.map(harmless_lines) {
                Ok((0, _)) => return Ok(self.number - before),
                Ok(skipped) => skipped,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(self.unreadable(&error, context)),
            };
            self.reader.consume(bytes);
            self.number += lines;
        }
    }

    /// The next line; `None` at the end.
    ///
    /// # Errors
    /// The source cannot be read on, or is packed and damaged; the lines before that stand.
    pub(super) fn next(&mut self, context: &Context) -> Result<Option<Line<'_>>, Failure> {
        match self.read() {
            Ok(Some((cut, dropped))) => {
                self.number += 1;
                Ok(Some(Line { number: self.number, bytes: &self.bytes, cut, dropped }))
            }
            Ok(None) => Ok(None),
            Err(error) => Err(self.unreadable(&error, context)),
        }
    }

    fn unreadable(&self, error: &io::Error, context: &Context) -> Failure {
        unreadable(&format!("{}:{}", self.name, self.number), error, context)
    }

    fn read(&mut self) -> io::Result<Option<(bool, u64)>> {
        self.bytes.clear();
        let most = self.bytes_max as u64 + 2;
        let read = self.reader.by_ref().take(most).read_until(b'\n', &mut self.bytes)?;
        if read == 0 {
            return Ok(None);
        }
        let whole = self.bytes.last() == Some(&b'\n');
        let mut all = read;
        if whole {
            self.bytes.pop();
            all -= 1;
        } else if read as u64 == most {
            all += self.reader.skip_until(b'\n')?.saturating_sub(1);
        }
        if whole && self.bytes.last() == Some(&b'\r') {
            self.bytes.pop();
        }
        let cut = self.bytes.len() > self.bytes_max;
        self.bytes.truncate(self.bytes_max);
        Ok(Some((cut, (all - self.bytes.len()) as u64)))
    }
}

fn unreadable(
    place: &str,
    error: &(dyn std::error::Error + 'static),
    context: &Context,
) -> Failure {
    Failure::new(texts::cannot_read(context.lang, place))
        .because(context.lang, error)
        .hint(texts::cannot_read_remedy(context.lang))
}
