//! The zone of a clock, by its offset or by its name in the system's tables of zones.

use std::cell::Cell;
use std::fs::File;
use std::io::Read as _;
use std::path::{Component, Path, PathBuf};

use relight_engine::watch::Zone;
use tz::TimeZone;

/// Where the tables are, unless `TZDIR` names another place.
const FOLDER: &str = "/usr/share/zoneinfo";

/// Largest table, in bytes: real ones have a few thousand.
const TABLE_BYTES_MAX: u64 = 64 << 10;

/// `-05:00`, `UTC` or `America/Montreal`; `None` when it is no zone that is known here.
pub(super) fn zone(text: &str) -> Option<Zone> {
    let folder = std::env::var_os("TZDIR").map_or_else(|| PathBuf::from(FOLDER), PathBuf::from);
    Zone::parse(text).or_else(|| named(&folder, text))
}

fn named(folder: &Path, name: &str) -> Option<Zone> {
    let is_plain = |part: Component<'_>| matches!(part, Component::Normal(_));
    if name.is_empty() || !Path::new(name).components().all(is_plain) {
        return None;
    }
    let mut table = Vec::new();
    let file = File::open(folder.join(name)).ok()?;
    let length = file.take(TABLE_BYTES_MAX + 1).read_to_end(&mut table).ok()?;
    if length as u64 > TABLE_BYTES_MAX {
        return None;
    }
    let zone = TimeZone::from_tz_data(&table).ok()?;
    // A table without a last line says nothing of what comes after it: taken for UTC, that would
    // put each line of a log at a wrong time without a word.
    let is_told = Cell::new(true);
    let ahead = |at| {
        let local = zone.find_local_time_type(at);
        is_told.set(is_told.get() && local.is_ok());
        local.map_or(0, |local| i64::from(local.ut_offset()))
    };
    let read = Zone::of(ahead);
    is_told.get().then_some(read)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A table in the form of RFC 9636 that says everything in its last line.
    fn table(rule: &str) -> Vec<u8> {
        let counts = [0_u32, 0, 0, 0, 1, 4].map(u32::to_be_bytes).concat();
        let block = [&b"TZif2"[..], &[0; 15], &counts, &(-18_000_i32).to_be_bytes(), &[0, 0]];
        let block = [&block.concat()[..], b"EST\0"].concat();
        [&block[..], &block, format!("\n{rule}\n").as_bytes()].concat()
    }

    /// A table whose one line is of 1951 and that says nothing of what comes later.
    fn old_table() -> Vec<u8> {
        let block = |at: &[u8]| {
            let counts = [0_u32, 0, 0, 1, 1, 4].map(u32::to_be_bytes).concat();
            let kind = [&32_400_i32.to_be_bytes()[..], &[0, 0]].concat();
            [&b"TZif2"[..], &[0; 15], &counts, at, &[0], &kind, b"JST\0"].concat()
        };
        let at = -577_962_000;
        [block(&i32::to_be_bytes(at)), block(&i64::from(at).to_be_bytes()), b"\n\n".to_vec()]
            .concat()
    }

    #[test]
    fn a_table_that_says_nothing_of_today_is_no_zone() {
        let table = old_table();
        let zone = TimeZone::from_tz_data(&table).unwrap();
        let ahead = |at| zone.find_local_time_type(at).map(|local| local.ut_offset()).ok();
        assert_eq!([ahead(-600_000_000), ahead(1_800_000_000)], [Some(32_400), None]);
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("Old"), table).unwrap();
        assert_eq!(named(folder.path(), "Old"), None);
    }

    #[test]
    fn a_zone_has_an_offset_or_a_table() {
        let folder = tempfile::tempdir().unwrap();
        let rule = "EST5EDT,M3.2.0,M11.1.0";
        std::fs::create_dir(folder.path().join("America")).unwrap();
        for (name, bytes) in [
            ("America/Here", table(rule)),
            ("Fixed", table("EST5")),
            ("Torn", table(rule)[..60].to_vec()),
            ("Text", b"no table".to_vec()),
            ("Large", [table(rule), vec![b' '; TABLE_BYTES_MAX as usize]].concat()),
        ] {
            std::fs::write(folder.path().join(name), bytes).unwrap();
        }
        let named = |name| named(folder.path(), name);
        assert_eq!(named("Fixed"), Zone::parse("-05:00"));
        // 2021: summer from the second Sunday of March to the first one of November.
        let summer = [1_615_705_200, 1_636_264_800];
        let is_summer = |at: i64| (summer[0]..summer[1]).contains(&at);
        let here = named("America/Here").unwrap();
        for at in [summer[0] - 1, summer[0], summer[1] - 1, summer[1] + 3_600] {
            let ahead = if is_summer(at) { -14_400 } else { -18_000 };
            assert_eq!(here.utc(at + ahead), at);
        }
        for name in ["", "America", "Torn", "Text", "Large", "None", "../Fixed", "/etc/passwd"] {
            assert_eq!(named(name), None, "{name}");
        }
        assert_eq!(zone("+01:00"), Zone::parse("+01:00"));
    }
}
