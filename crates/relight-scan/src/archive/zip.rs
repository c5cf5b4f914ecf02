//! Zip archives, read by their structures (APPNOTE.TXT 6.3.10): jar, war, ear, jmod, wheel, apk
//! and all the others, whatever stands in front of them.
//!
//! Why not the `zip` crate: it keeps one entry a name (a second entry of the same name is a way to
//! hide a jar), it needs a good central directory (we go on without one), and it reads a whole
//! directory before a limit can stop it.

mod directory;
mod end;
mod forward;
mod header;

use relight_model::FlawCode;

pub(crate) use end::{TAIL_BYTES_MAX, directory_place, first_member, has_cut_directory};
pub(crate) use end::{has_directory, may_have_end};
pub(crate) use forward::Forward;

use self::directory::Directory;
use self::end::{find_central, has_another_end};
use self::header::Walk;
use super::{Container, Damage, Entry, IsWanted, Listable};
use crate::limits::DIRECTORY_BYTES_MAX;
use crate::window::Window;

/// Signature of a local header.
const LOCAL: [u8; 4] = *b"PK\x03\x04";

/// Signature of an entry of the central directory.
const CENTRAL: [u8; 4] = *b"PK\x01\x02";

/// Signature of the end record.
const END: [u8; 4] = *b"PK\x05\x06";

/// Size of a local header without name and extra field, in bytes.
const LOCAL_BYTES: u64 = 30;

/// The value of a 32-bit field whose real value stands in the zip64 extra field.
const IN_ZIP64: u64 = 0xffff_ffff;

/// A zip whose bytes can be read at any place.
pub(crate) struct Zip {
    window: Window,
    source: Source,
    /// What is wrong with the archive as a whole.
    damage: Vec<Damage>,
}

/// Where the members are known from.
enum Source {
    /// The central directory.
    Directory(Directory),
    /// The local headers, front to back, because there is no directory that can be believed.
    Walk(Walk),
}

impl Zip {
    /// Lists by the central directory if it is sound, else by the local headers.
    ///
    /// # Errors
    /// Those of the file.
    pub(crate) fn open(window: Window, directory_bytes_max: u64) -> std::io::Result<Self> {
        let walk = |code, bytes| Self {
            source: Source::Walk(Walk::new(&window)),
            window: window.clone(),
            damage: vec![Damage::new(code, bytes)],
        };
        let Some(central) = find_central(&window)? else {
            return Ok(walk(FlawCode::Truncated, window.len()));
        };
        if central.size > directory_bytes_max {
            let mut all = walk(FlawCode::LimitEntries, window.len());
            all.source = Source::Directory(Directory::default());
            return Ok(all);
        }
        let Some(directory) = Directory::read(&window, central)? else {
            return Ok(walk(FlawCode::CorruptEntry, central.size));
        };
        let hidden = directory.hidden_bytes(&window, central)?;
        if hidden > 0 {
            return Ok(walk(FlawCode::CorruptEntry, hidden));
        }
        let mut damage = directory.damage();
        if has_another_end(&window, &central)? {
            damage.push(Damage::new(FlawCode::ZipBoundaryAmbiguous, 0));
        }
        Ok(Self { source: Source::Directory(directory), window, damage })
    }
}

/// The hash of the central directory of an archive; `None` when it has none that is sound.
pub(crate) fn directory_hash(bytes: &[u8]) -> Option<u64> {
    let window = Window::of_memory(bytes.to_vec());
    Zip::open(window, DIRECTORY_BYTES_MAX).ok()?.directory_hash()
}

impl Zip {
    /// Shows every member; false when something is wrong with one.
    pub(crate) fn each(&self, show: &mut dyn FnMut(&Listable<'_>)) -> bool {
        match &self.source {
            Source::Directory(directory) => directory.each(show),
            Source::Walk(_) => false,
        }
    }

    /// The hash of its directory; `None` when something is wrong with that.
    pub(crate) fn directory_hash(&self) -> Option<u64> {
        match &self.source {
            Source::Directory(directory) if self.damage.is_empty() => directory.hash().ok(),
            _ => None,
        }
    }
}

impl Container for Zip {
    fn next(&mut self) -> Option<Result<Entry, Damage>> {
        self.next_of(&|_| true)
    }

    fn next_of(&mut self, is_wanted: &IsWanted<'_>) -> Option<Result<Entry, Damage>> {
        if let Some(damage) = self.damage.pop() {
            return Some(Err(damage));
        }
        let entry = match &mut self.source {
            Source::Directory(directory) => directory.next(&self.window, is_wanted),
            Source::Walk(walk) => walk.next(&self.window),
        };
        entry.map_err(|error| Damage::of(&error)).transpose()
    }

    fn pass(&mut self, take: &mut dyn FnMut(&Listable<'_>) -> bool) {
        if let Source::Directory(directory) = &mut self.source
            && self.damage.is_empty()
        {
            directory.pass(take);
        }
    }

    fn left(&self) -> usize {
        match &self.source {
            Source::Directory(directory) => directory.left(),
            Source::Walk(_) => 0,
        }
    }
}

/// Replaces the values of `fields` that are [`IN_ZIP64`] by those of the zip64 extra field, in
/// order (APPNOTE 4.5.3). False when one is needed and missing.
fn apply_zip64(extra: &[u8], fields: [&mut u64; 3]) -> bool {
    if fields.iter().all(|field| **field != IN_ZIP64) {
        return true;
    }
    let mut values = extra_field(extra, 1).unwrap_or_default();
    for field in fields {
        if *field == IN_ZIP64 {
            if values.len() < 8 {
                return false;
            }
            *field = super::u64_at(values, 0);
            values = &values[8..];
        }
    }
    true
}

/// The extra field with this number.
fn extra_field(extra: &[u8], wanted: u16) -> Option<&[u8]> {
    let mut rest = extra;
    while rest.len() >= 4 {
        let (id, size) = (super::u16_at(rest, 0), usize::from(super::u16_at(rest, 2)));
        let body = &rest[4..(4 + size).min(rest.len())];
        if id == wanted {
            return Some(body);
        }
        rest = &rest[4 + body.len()..];
    }
    None
}
