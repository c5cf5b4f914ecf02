//! The header of an RPM package, as databases and package files hold it.

use relight_model::Purl;

/// Entries of the index: rpm writes some hundred.
const ENTRIES_MAX: usize = 65_536;

/// Tags that are read (`rpmtag.h`).
pub(crate) const NAME: u32 = 1000;
const VERSION: u32 = 1001;
const RELEASE: u32 = 1002;
const EPOCH: u32 = 1003;
const ARCH: u32 = 1022;
const SOURCE: u32 = 1044;
const DIR_INDEXES: u32 = 1116;
const BASE_NAMES: u32 = 1117;
const DIR_NAMES: u32 = 1118;
const MODULARITY_LABEL: u32 = 5096;

/// A number of four bytes, and kinds of text.
const INT32: u32 = 4;
const TEXTS: [u32; 3] = [6, 8, 9];

/// An index of tags, and the bytes they point into.
pub(crate) struct Header<'a> {
    entries: Vec<[u32; 4]>,
    data: &'a [u8],
}

impl<'a> Header<'a> {
    /// Reads a header without its mark, as databases store it; `None` when it is none.
    pub(crate) fn parse(bytes: &'a [u8]) -> Option<Self> {
        let number = |at: usize| Some(u32::from_be_bytes(bytes.get(at..at + 4)?.try_into().ok()?));
        let (count, len) = (number(0)? as usize, number(4)? as usize);
        if count == 0 || count > ENTRIES_MAX {
            return None;
        }
        let start = 8 + 16 * count;
        let entry = |index: usize| {
            let at = 8 + 16 * index;
            Some([number(at)?, number(at + 4)?, number(at + 8)?, number(at + 12)?])
        };
        let entries = (0..count).map(entry).collect::<Option<_>>()?;
        Some(Self { entries, data: bytes.get(start..start.checked_add(len)?)? })
    }

    /// Kind, data from its place on, and count of a tag.
    fn find(&self, tag: u32) -> Option<(u32, &'a [u8], usize)> {
        let [_, kind, at, count] = self.entries.iter().find(|entry| entry[0] == tag)?;
        Some((*kind, self.data.get(*at as usize..)?, *count as usize))
    }

    /// A text; empty when it is not there.
    pub(crate) fn text(&self, tag: u32) -> String {
        self.texts(tag).next().unwrap_or_default()
    }

    fn texts(&self, tag: u32) -> impl Iterator<Item = String> + use<'a> {
        let found = self.find(tag).filter(|(kind, ..)| TEXTS.contains(kind));
        let (bytes, count) = found.map_or((&[][..], 0), |(_, bytes, count)| (bytes, count));
        let parts = bytes.split(|byte| *byte == 0).take(count);
        parts.map(|part| String::from_utf8_lossy(part).into_owned())
    }

    /// The numbers of a tag.
    pub(crate) fn numbers(&self, tag: u32) -> impl Iterator<Item = u32> + use<'a> {
        let found = self.find(tag).filter(|(kind, ..)| *kind == INT32);
        let (bytes, count) = found.map_or((&[][..], 0), |(_, bytes, count)| (bytes, count));
        let (numbers, _) = bytes.as_chunks::<4>();
        numbers.iter().take(count).map(|bytes| u32::from_be_bytes(*bytes))
    }

    /// The package; `None` when it has no name or no version.
    pub(crate) fn purl(&self) -> Option<Purl> {
        let (name, version) = (self.text(NAME), self.text(VERSION));
        let epoch = self.numbers(EPOCH).next().map(|epoch| epoch.to_string());
        let purl = Purl::new("rpm", "", &name, &format!("{version}-{}", self.text(RELEASE)))
            .with_qualifier("arch", &self.text(ARCH))
            .with_qualifier("epoch", &epoch.unwrap_or_default())
            .with_qualifier("rpmmod", &self.text(MODULARITY_LABEL))
            .with_qualifier("upstream", &self.text(SOURCE));
        (!name.is_empty() && !version.is_empty()).then_some(purl)
    }

    /// Bytes that [`Self::files`] holds: the names of the folders.
    pub(crate) fn held_for_files(&self) -> usize {
        self.texts(DIR_NAMES).map(|folder| size_of::<String>() + 16 + folder.len()).sum()
    }

    /// The files of the package: each has a name and the number of its folder.
    pub(crate) fn files(&self) -> impl Iterator<Item = String> + use<'a> {
        let folders: Vec<String> = self.texts(DIR_NAMES).collect();
        let numbers = self.numbers(DIR_INDEXES);
        let join = move |(name, number): (String, u32)| {
            Some(format!("{}{name}", folders.get(number as usize)?))
        };
        self.texts(BASE_NAMES).zip(numbers).filter_map(join)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A header with these texts.
    fn header(texts: &[(u32, &str)]) -> Vec<u8> {
        let (mut index, mut data) = (Vec::new(), Vec::new());
        for (tag, text) in texts {
            for number in [*tag, TEXTS[0], data.len() as u32, 1] {
                index.extend(number.to_be_bytes());
            }
            data.extend(text.bytes().chain([0]));
        }
        let sizes = [texts.len() as u32, data.len() as u32].map(u32::to_be_bytes);
        [sizes.concat(), index, data].concat()
    }

    #[test]
    fn a_package_tells_the_stream_of_its_module() {
        let plain = [(NAME, "nodejs"), (VERSION, "18.9.1"), (RELEASE, "1.el8"), (ARCH, "noarch")];
        let label = (MODULARITY_LABEL, "nodejs:18:8060020220523160029:ad008a3a");
        let modular = [&plain[..], &[label]].concat();
        for (texts, wanted) in [(&plain[..], None), (&modular, Some(label.1))] {
            let bytes = header(texts);
            let purl = Header::parse(&bytes).and_then(|it| it.purl()).unwrap();
            assert_eq!(purl.version, "18.9.1-1.el8");
            assert_eq!(purl.qualifier("rpmmod"), wanted);
        }
    }
}
