//! Any file that a cataloger selects; the first byte chooses the cataloger.
#![no_main]

use libfuzzer_sys::fuzz_target;
use relight_scan::{CATALOGERS, File, Options, ReadAt, Select, scan_bytes};

/// Bytes that are read by range.
struct Bytes<'a>(&'a [u8]);

impl ReadAt for Bytes<'_> {
    fn size(&self) -> u64 {
        self.0.len() as u64
    }

    fn read_at(&self, start: u64, len: usize) -> std::io::Result<Vec<u8>> {
        let start = usize::try_from(start).unwrap_or(usize::MAX).min(self.0.len());
        Ok(self.0[start..start.saturating_add(len).min(self.0.len())].to_vec())
    }
}

fuzz_target!(|bytes: &[u8]| {
    let Some((first, rest)) = bytes.split_first() else { return };
    let cataloger = CATALOGERS[usize::from(*first) % CATALOGERS.len()];
    for select in cataloger.selects() {
        let path = match select {
            Select::Name(name) | Select::Member(name) => (*name).to_owned(),
            Select::Suffix(end) if end.starts_with('.') => format!("x{end}"),
            Select::Suffix(end) => (*end).to_owned(),
            Select::Folder(folder) => format!("{folder}/x"),
            Select::Named(start, end) => format!("{start}{end}"),
            Select::Start(end, _) => format!("x{end}"),
            Select::Inside(folder, end) => format!("{folder}x/x{end}"),
            Select::Within(folder, name) => format!("{folder}x/{name}"),
            Select::Table(table) => {
                let bytes = Bytes(rest);
                let file = File::of_source(table, &bytes);
                cataloger.catalog(&file, &mut Default::default());
                continue;
            }
            Select::Kind(_) => continue,
        };
        scan_bytes(&path, rest.to_vec(), &Options::default());
    }
});
