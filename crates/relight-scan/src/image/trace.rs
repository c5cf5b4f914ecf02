//! What a layer hides of the layers below it, path by path: kept with what was found in it, so
//! that it need not be read again for another image.

/// Bytes of the notes of one layer. One with more is read each time.
const TRACE_BYTES_MAX: usize = 4 << 20;

/// What is hidden below a layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Hides {
    /// Whatever is at a path, a folder with everything in it.
    All,
    /// A file at a path; a folder stays.
    File,
    /// Everything in a folder.
    Inside,
}

/// All of it, in order. A path has no more bytes here than it differs from the one before.
#[derive(Clone, Debug, Default)]
pub(crate) struct Trace {
    bytes: Vec<u8>,
    last: String,
    is_over: bool,
}

impl Trace {
    /// Notes what is hidden.
    pub(crate) fn note(&mut self, hides: Hides, path: &str) {
        let same = self.last.bytes().zip(path.bytes()).take_while(|(one, other)| one == other);
        let same = path.floor_char_boundary(same.count());
        let rest = &path[same..];
        self.is_over |= self.bytes.len() + rest.len() > TRACE_BYTES_MAX;
        if self.is_over {
            return;
        }
        self.bytes.push(hides as u8);
        for number in [same, rest.len()] {
            self.bytes.extend_from_slice(&(number as u32).to_le_bytes()[..3]);
        }
        self.bytes.extend_from_slice(rest.as_bytes());
        self.last.truncate(same);
        self.last.push_str(rest);
    }

    /// The notes; `None` when there were more than are kept.
    pub(crate) fn bytes(&self) -> Option<&[u8]> {
        (!self.is_over).then_some(&self.bytes)
    }

    /// Reads notes, one after the other; `None` when one is damaged.
    pub(crate) fn each(bytes: &[u8], mut done: impl FnMut(Hides, &str)) -> Option<()> {
        let (mut rest, mut path) = (bytes, String::new());
        while let Some((kind, behind)) = rest.split_first() {
            let hides = [Hides::All, Hides::File, Hides::Inside].get(usize::from(*kind))?;
            let (numbers, behind) = behind.split_at_checked(6)?;
            let number = |at: usize| {
                let [low, middle, high] = [numbers[at], numbers[at + 1], numbers[at + 2]];
                u32::from_le_bytes([low, middle, high, 0]) as usize
            };
            let (text, behind) = behind.split_at_checked(number(3))?;
            let text = std::str::from_utf8(text).ok()?;
            path.is_char_boundary(number(0)).then(|| path.truncate(number(0)))?;
            path.push_str(text);
            done(*hides, &path);
            rest = behind;
        }
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8]) -> Option<Vec<(Hides, String)>> {
        let mut notes = Vec::new();
        Trace::each(bytes, |hides, path| notes.push((hides, path.to_owned())))?;
        Some(notes)
    }

    #[test]
    fn notes_read_back_and_damaged_ones_are_refused() {
        let mut trace = Trace::default();
        let notes = [
            (Hides::File, "usr"),
            (Hides::All, "usr/lib/é.so"),
            (Hides::All, "usr/lib/è.so"),
            (Hides::Inside, ""),
            (Hides::All, "usr/lib/è.so"),
        ];
        notes.iter().for_each(|(hides, path)| trace.note(*hides, path));
        let bytes = trace.bytes().unwrap();
        let back = read(bytes).unwrap();
        assert_eq!(back, notes.map(|(hides, path)| (hides, path.to_owned())));
        for cut in 0..bytes.len() {
            let is_less = read(&bytes[..cut]).is_none_or(|it| it.len() < notes.len());
            assert!(is_less, "{cut}");
        }
        assert!(read(&[7, 0, 0, 0, 0, 0, 0]).is_none());
        assert!(read(&[0, 1, 0, 0, 0, 0, 0]).is_none(), "more than there was before");
        assert!(read(&[0, 0, 0, 0, 1, 0, 0, 0xff]).is_none(), "no text");
    }

    #[test]
    fn more_than_is_kept_is_not_kept_at_all() {
        let mut trace = Trace::default();
        for number in 0..20 {
            trace.note(Hides::All, &number.to_string().repeat(300_000));
        }
        assert!(trace.bytes().is_none());
    }
}
