//! A layer of an image as bytes, and back: what was found in it, and what it hides below.
//!
//! As of a file, nothing is kept of a layer with a flaw, or with anything that is only understood
//! together with other layers than those of its package databases.

use std::collections::BTreeMap;

use relight_model::Digest;

use super::record::{CHECK_BYTES, Reader, Writer, check};
use crate::distribution::Distributions;
use crate::image::{KnownLayer, ReadLayer, Trace};
use crate::ownership::Ownership;
use crate::unpack::Found;

/// Writes the record of a layer, if it holds all that was found.
pub(super) fn write(read: &ReadLayer<'_>, key: &Digest) -> Option<Vec<u8>> {
    let ReadLayer { prefix, own, links, meant, rest, trace, files, bytes_read } = read;
    let Found {
        components,
        flaws,
        warnings,
        gaps,
        distributions,
        ownership,
        folder_classes,
        linked,
        listings,
        profiles,
        archives,
        deepest,
        files: file_bytes,
        members,
    } = rest;
    let is_whole = components.is_empty()
        && flaws.is_empty()
        && warnings.is_empty()
        && gaps.is_empty()
        && folder_classes.is_empty()
        && listings.is_empty()
        && profiles.is_empty();
    if !is_whole {
        return None;
    }
    let mut out = Writer { bytes: vec![0; CHECK_BYTES], path: prefix };
    for number in [*bytes_read, *files, *archives, u64::from(*deepest)] {
        out.number(number);
    }
    out.account(file_bytes);
    out.account(members);
    out.number(trace.len() as u64);
    out.bytes.extend_from_slice(trace);
    out.number(own.len() as u64);
    for (path, found) in *own {
        out.text(path);
        out.findings(found)?;
    }
    let links: Vec<_> = links.all().collect();
    out.number(links.len() as u64);
    links.into_iter().flat_map(|(place, target)| [place, target]).for_each(|it| out.text(it));
    out.number(meant.len() as u64);
    for (link, places) in *meant {
        out.text(link);
        out.number(places.len() as u64);
        places.iter().for_each(|place| out.text(place));
    }
    out.number(linked.len() as u64);
    for place in linked {
        out.text(place.strip_prefix(prefix)?);
    }
    let places: Vec<_> = distributions.all().collect();
    out.number(places.len() as u64);
    for ((root, place), (id, version)) in places {
        out.text(root.strip_prefix(prefix)?);
        out.number(*place as u64);
        [id, version].into_iter().for_each(|text| out.text(text));
    }
    out.ownership(ownership)?;
    Some(out.checked(key))
}

/// Reads the record of this key as that of a layer behind `prefix`; `None` when it is damaged.
pub(super) fn read(bytes: &[u8], key: &Digest, prefix: &str) -> Option<KnownLayer> {
    let (sum, rest) = bytes.split_at_checked(CHECK_BYTES)?;
    if sum != check(key, rest) {
        return None;
    }
    let mut input = Reader { bytes: rest, path: prefix };
    let (bytes_read, files, archives) = (input.number()?, input.number()?, input.number()?);
    let deepest = u32::try_from(input.number()?).ok()?;
    let (file_bytes, members) = (input.account()?, input.account()?);
    let trace_len = usize::try_from(input.number()?).ok()?;
    let trace = input.slice(trace_len)?.to_vec();
    // All of it is sound before anything is done by a part of it.
    Trace::each(&trace, |_, _| {})?;
    let own = input.many(|input| Some((input.text()?, input.findings()?)))?;
    let links = input.many(|input| Some((input.text()?, input.text()?)))?;
    let meant = input.many(|input| Some((input.text()?, input.many(Reader::text)?)))?;
    let linked = input.many(Reader::rooted)?;
    let place = |input: &mut Reader<'_>| {
        let (root, place) = (input.rooted()?, usize::try_from(input.number()?).ok()?);
        Some(((root, place), (input.text()?, input.text()?)))
    };
    let distributions = Distributions::of(input.many(place)?);
    let ownership = input.ownership()?;
    let rest = Found {
        distributions,
        ownership,
        linked: linked.into_iter().collect(),
        archives,
        deepest,
        files: file_bytes,
        members,
        ..Found::default()
    };
    let own: BTreeMap<String, Found> = own.into_iter().collect();
    let layer = KnownLayer { own, links, meant, rest, trace, files, bytes_read };
    input.bytes.is_empty().then_some(layer)
}

impl Writer<'_> {
    /// Which packages own which files. The files are many, and their order says nothing.
    fn ownership(&mut self, ownership: &Ownership) -> Option<()> {
        let (owners, files) = ownership.parts();
        self.number(owners.len() as u64);
        for (root, owner) in owners {
            self.text(root.strip_prefix(self.path)?);
            self.purl(owner);
        }
        self.number(files.len() as u64);
        for (path, number, is_shared) in files {
            self.bytes.extend_from_slice(&path.to_le_bytes());
            self.number(u64::from(number) << 1 | u64::from(is_shared));
        }
        Some(())
    }
}

impl Reader<'_> {
    fn ownership(&mut self) -> Option<Ownership> {
        let owners = self.many(|input| Some((input.rooted()?, input.purl()?)))?;
        let file = |input: &mut Self| {
            let path = u64::from_le_bytes(input.slice(8)?.try_into().ok()?);
            let number = input.number()?;
            Some((path, u32::try_from(number >> 1).ok()?, number & 1 == 1))
        };
        let files = self.many(file)?;
        Ownership::of_parts(owners, files)
    }

    /// A path behind the prefix.
    fn rooted(&mut self) -> Option<String> {
        let prefix = self.path;
        Some(format!("{prefix}{}", self.text()?))
    }
}

#[cfg(test)]
mod tests {
    use relight_model::{Basis, Component, FlawCode, Owned, Purl, Scope};

    use super::*;
    use crate::archive::Links;
    use crate::image::Hides;

    const KEY: Digest = Digest([7; 32]);

    /// Everything that a record has, behind a prefix.
    struct Sample {
        own: BTreeMap<String, Found>,
        links: Links,
        rest: Found,
        trace: Trace,
    }

    fn sample() -> Sample {
        let purl = Purl::new("maven", "g", "a", "1");
        let component = Component::new(purl, "p!/a.jar", Basis::FileName, Scope::Installed);
        let found = Found { components: vec![component], ..Found::default() };
        let mut rest = Found { archives: 3, deepest: 2, ..Found::default() };
        rest.link("p!/app/Main.class".to_owned());
        rest.distributions.read("p!/etc/os-release", b"ID=debian\nVERSION_ID=12\n");
        let owner = Purl::new("deb", "", "liba", "");
        let paths = vec!["/usr/a.jar".to_owned(), "/lib/b.jar".to_owned()];
        rest.ownership.add("p!/var/lib/dpkg/info/liba.list", Owned { owner, paths });
        let mut links = Links::default();
        links.insert("b.jar".to_owned(), "a.jar".to_owned());
        let mut trace = Trace::default();
        trace.note(Hides::All, "a.jar");
        trace.note(Hides::Inside, "a");
        Sample { own: BTreeMap::from([("a.jar".to_owned(), found)]), links, rest, trace }
    }

    fn record(sample: &Sample) -> Option<Vec<u8>> {
        let Sample { own, links, rest, trace } = sample;
        let trace = trace.bytes()?;
        let places = vec!["links".to_owned(), "store/1".to_owned()];
        let meant = &[("c.jar".to_owned(), places)];
        let (prefix, files, bytes_read) = ("p!/", 4, 5_000);
        let read = ReadLayer { prefix, own, links, meant, rest, trace, files, bytes_read };
        write(&read, &KEY)
    }

    #[test]
    fn a_record_reads_back_behind_any_prefix() {
        let sample = sample();
        let back = read(&record(&sample).unwrap(), &KEY, "q!/r!/").unwrap();
        assert_eq!(back.own["a.jar"].components[0].evidence, "q!/r!/a.jar");
        assert_eq!((back.files, back.bytes_read), (4, 5_000));
        assert_eq!(back.links, [("b.jar".to_owned(), "a.jar".to_owned())]);
        let places = vec!["links".to_owned(), "store/1".to_owned()];
        assert_eq!(back.meant, [("c.jar".to_owned(), places)]);
        assert!(back.rest.has_links_in("q!/r!/app/"));
        assert_eq!((back.rest.archives, back.rest.deepest), (3, 2));
        assert_eq!(Some(&back.trace[..]), sample.trace.bytes());
        let status = "q!/r!/var/lib/dpkg/status";
        let database = Purl::new("deb", "", "liba", "5");
        let mut all = ["usr/a.jar", "usr/lib/b.jar", "lib/b.jar", "opt/c.jar"].map(|place| {
            let purl = Purl::new("maven", "g", "a", "1");
            Component::new(purl, format!("q!/r!/{place}"), Basis::FileName, Scope::Installed)
        });
        let stated = Component::new(database, status, Basis::PackageDatabase, Scope::Installed);
        let mut stated = [stated];
        back.rest.distributions.apply(&mut stated);
        assert_eq!(stated[0].purl.to_string(), "pkg:deb/debian/liba@5?distro=debian-12");
        let mut components = [&mut all[..], &mut stated].concat();
        back.rest.ownership.apply(&mut components);
        let owned: Vec<bool> = components.iter().map(|it| it.owned_by.is_some()).collect();
        assert_eq!(owned, [true, true, true, false, false]);
    }

    #[test]
    fn what_is_not_whole_is_not_kept() {
        let with = |change: &dyn Fn(&mut Sample)| {
            let mut sample = sample();
            change(&mut sample);
            record(&sample).is_some()
        };
        assert!(with(&|_| {}));
        assert!(!with(&|it| it.rest.flaw(FlawCode::Truncated, "p!/a", 1)));
        let own = |it: &mut Sample, change: &dyn Fn(&mut Found)| {
            it.own.values_mut().for_each(change);
        };
        assert!(!with(&|it| own(it, &|found| found.flaw(FlawCode::Truncated, "p!/a", 1))));
        let elsewhere = |found: &mut Found| found.components[0].evidence = "a.jar".to_owned();
        assert!(!with(&|it| own(it, &elsewhere)));
        assert!(!with(&|it| it.rest.link("a".to_owned())), "behind another prefix");
    }

    /// Goal: a damaged record is known to be one, and one of hostile bytes with a right sum harms
    /// nothing. Method: each byte changed, and many at a time.
    #[test]
    fn damaged_and_hostile_records_are_refused() {
        let bytes = record(&sample()).unwrap();
        for at in 0..bytes.len() {
            let mut bad = bytes.clone();
            bad[at] ^= 1;
            assert!(read(&bad, &KEY, "").is_none(), "byte {at}");
            assert!(read(&bytes[..at], &KEY, "").is_none(), "cut at {at}");
        }
        assert!(read(&bytes, &Digest([8; 32]), "").is_none(), "the record of another key");
        for seed in 0..3_000 {
            let mut rng = testkit::Rng::new(seed);
            let mut bad = bytes.clone();
            for _ in 0..=rng.below(3) {
                let at = CHECK_BYTES + rng.below(bytes.len() - CHECK_BYTES);
                bad[at] = *rng.pick(&[0, 1, 0x7f, 0x80, 0xff]);
            }
            let sum = check(&KEY, &bad[CHECK_BYTES..]);
            bad[..CHECK_BYTES].copy_from_slice(&sum);
            if let Some(known) = read(&bad, &KEY, "") {
                assert!(known.rest.flaws.is_empty(), "{seed}");
            }
        }
    }
}
