//! The result of one file as bytes, and back.
//!
//! A record starts with a part of the SHA-256 of its key and of everything behind it, so one that
//! is damaged, or that stands in another's place, is known. Evidence that starts with the path of
//! the file is kept without it: the same archive elsewhere has the same record.

use relight_model::{Basis, Component, Digest, Dotnet, FlawCode, Purl, Scope};
use sha2::{Digest as _, Sha256};

use crate::sniff::Gap;
use crate::unpack::{Account, Found};

/// Bytes of the check sum in front.
pub(super) const CHECK_BYTES: usize = 8;

/// What is kept of a file without a flaw.
#[derive(Debug, Default)]
pub(crate) struct Record {
    pub(crate) found: Found,
    /// Bytes that were read from the disk for it.
    pub(crate) bytes_read: u64,
}

/// Writes a record, if it holds all that was found: what has a flaw is never kept, nor what is
/// only understood together with other files.
pub(crate) fn write(found: &Found, bytes_read: u64, key: &Digest, path: &str) -> Option<Vec<u8>> {
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
        files,
        members,
    } = found;
    let whole = flaws.is_empty() && warnings.is_empty();
    let alone = distributions.is_empty()
        && ownership.is_empty()
        && folder_classes.is_empty()
        && linked.is_empty()
        && listings.is_empty()
        && profiles.is_empty();
    if !whole || !alone {
        return None;
    }
    let mut out = Writer { bytes: vec![0; CHECK_BYTES], path };
    out.number(bytes_read);
    out.number(*archives);
    out.number(u64::from(*deepest));
    out.account(files);
    out.account(members);
    out.components(components)?;
    // Most files have none, and their records end here.
    if !gaps.is_empty() {
        out.gaps(gaps)?;
    }
    Some(out.checked(key))
}

/// Reads a record of this key for the file at `path`; `None` when it is damaged.
pub(crate) fn read(bytes: &[u8], key: &Digest, path: &str) -> Option<Record> {
    let (sum, rest) = bytes.split_at_checked(CHECK_BYTES)?;
    if sum != check(key, rest) {
        return None;
    }
    let mut input = Reader { bytes: rest, path };
    let bytes_read = input.number()?;
    let archives = input.number()?;
    let deepest = u32::try_from(input.number()?).ok()?;
    let (files, members) = (input.account()?, input.account()?);
    let components = input.many(Reader::component)?;
    let gaps = if input.bytes.is_empty() { Vec::new() } else { input.many(Reader::gap)? };
    let found = Found { components, gaps, archives, deepest, files, members, ..Found::default() };
    input.bytes.is_empty().then_some(Record { found, bytes_read })
}

pub(super) fn check(key: &Digest, bytes: &[u8]) -> [u8; CHECK_BYTES] {
    let digest = Sha256::new().chain_update(key.0).chain_update(bytes).finalize();
    let mut check = [0; CHECK_BYTES];
    check.copy_from_slice(&digest[..CHECK_BYTES]);
    check
}

/// How an assembly of .NET is kept, and a list of packages.
const ASSEMBLY: &str = "assembly";
const PACKAGES: &str = "packages";

pub(super) struct Writer<'a> {
    pub(super) bytes: Vec<u8>,
    /// What evidence starts with.
    pub(super) path: &'a str,
}

impl Writer<'_> {
    /// The record, with its check sum.
    pub(super) fn checked(mut self, key: &Digest) -> Vec<u8> {
        let check = check(key, &self.bytes[CHECK_BYTES..]);
        self.bytes[..CHECK_BYTES].copy_from_slice(&check);
        self.bytes
    }

    /// What was found in one file of a layer; `None` where that is not all that can be kept.
    pub(super) fn findings(&mut self, found: &Found) -> Option<()> {
        let Found { components, flaws, warnings, gaps, folder_classes, profiles, .. } = found;
        let is_whole = flaws.is_empty()
            && warnings.is_empty()
            && folder_classes.is_empty()
            && profiles.is_empty();
        is_whole.then_some(())?;
        self.components(components)?;
        self.gaps(gaps)
    }

    fn components(&mut self, components: &[Component]) -> Option<()> {
        self.number(components.len() as u64);
        components.iter().try_for_each(|component| self.component(component))
    }

    /// Programs that do not say what is in them; of other code that nobody reads, nothing is kept.
    fn gaps(&mut self, gaps: &[(Gap, String)]) -> Option<()> {
        self.number(gaps.len() as u64);
        for (gap, evidence) in gaps {
            self.text(match gap {
                Gap::Unlisted(code) => code.as_str(),
                Gap::Dotnet(Dotnet::Assembly) => ASSEMBLY,
                Gap::Dotnet(Dotnet::Packages) => PACKAGES,
                Gap::Dex | Gap::NativeImage => return None,
            });
            self.text(evidence.strip_prefix(self.path)?);
        }
        Some(())
    }

    /// A number, seven bits a byte, the lowest first.
    pub(super) fn number(&mut self, mut number: u64) {
        while number > 0x7f {
            self.bytes.push((number as u8 & 0x7f) | 0x80);
            number >>= 7;
        }
        self.bytes.push(number as u8);
    }

    pub(super) fn account(&mut self, account: &Account) {
        let Account { bytes, read, listed, opaque, flawed } = account;
        [bytes, read, listed, opaque, flawed].into_iter().for_each(|bytes| self.number(*bytes));
    }

    pub(super) fn text(&mut self, text: &str) {
        self.number(text.len() as u64);
        self.bytes.extend_from_slice(text.as_bytes());
    }

    fn texts(&mut self, texts: &[String]) {
        self.number(texts.len() as u64);
        texts.iter().for_each(|text| self.text(text));
    }

    pub(super) fn purl(&mut self, purl: &Purl) {
        let Purl { kind, namespace, name, version, qualifiers } = purl;
        [kind, namespace, name, version].into_iter().for_each(|part| self.text(part));
        self.number(qualifiers.len() as u64);
        for (key, value) in qualifiers {
            self.text(key);
            self.text(value);
        }
    }

    fn component(&mut self, component: &Component) -> Option<()> {
        let Component {
            purl,
            evidence,
            basis,
            also,
            candidates,
            conflict,
            scope,
            removed,
            owned_by,
            hashes,
            in_use,
        } = component;
        self.purl(purl);
        self.text(evidence.strip_prefix(self.path)?);
        self.text(basis.as_str());
        self.number(also.len() as u64);
        also.iter().for_each(|basis| self.text(basis.as_str()));
        self.texts(candidates);
        self.number(u64::from(*conflict));
        self.text(scope.as_str());
        self.texts(removed);
        self.number(u64::from(owned_by.is_some()));
        owned_by.iter().for_each(|owner| self.purl(owner));
        self.number(hashes.len() as u64);
        hashes.iter().for_each(|digest| self.bytes.extend_from_slice(&digest.0));
        self.texts(in_use);
        Some(())
    }
}

pub(super) struct Reader<'a> {
    pub(super) bytes: &'a [u8],
    /// What evidence starts with.
    pub(super) path: &'a str,
}

impl<'a> Reader<'a> {
    /// What was found in one file of a layer.
    pub(super) fn findings(&mut self) -> Option<Found> {
        let components = self.many(Self::component)?;
        Some(Found { components, gaps: self.many(Self::gap)?, ..Found::default() })
    }

    pub(super) fn number(&mut self) -> Option<u64> {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let (byte, rest) = self.bytes.split_first()?;
            self.bytes = rest;
            number |= u64::from(byte & 0x7f).checked_shl(shift)?;
            if byte & 0x80 == 0 {
                return Some(number);
            }
        }
        None
    }

    pub(super) fn account(&mut self) -> Option<Account> {
        let (bytes, read, listed) = (self.number()?, self.number()?, self.number()?);
        Some(Account { bytes, read, listed, opaque: self.number()?, flawed: self.number()? })
    }

    pub(super) fn slice(&mut self, len: usize) -> Option<&'a [u8]> {
        let (slice, rest) = self.bytes.split_at_checked(len)?;
        self.bytes = rest;
        Some(slice)
    }

    pub(super) fn text(&mut self) -> Option<String> {
        let len = usize::try_from(self.number()?).ok()?;
        String::from_utf8(self.slice(len)?.to_vec()).ok()
    }

    pub(super) fn many<T>(
        &mut self,
        mut one: impl FnMut(&mut Self) -> Option<T>,
    ) -> Option<Vec<T>> {
        let count = self.number()?;
        // Nothing is allocated by a number that was read.
        (0..count).map(|_| one(self)).collect()
    }

    pub(super) fn purl(&mut self) -> Option<Purl> {
        let (kind, namespace) = (self.text()?, self.text()?);
        let (name, version) = (self.text()?, self.text()?);
        let qualifiers = self.many(|input| Some((input.text()?, input.text()?)))?;
        Some(Purl { kind, namespace, name, version, qualifiers })
    }

    fn basis(&mut self) -> Option<Basis> {
        Basis::parse(&self.text()?)
    }

    fn gap(&mut self) -> Option<(Gap, String)> {
        let gap = match self.text()?.as_str() {
            ASSEMBLY => Gap::Dotnet(Dotnet::Assembly),
            PACKAGES => Gap::Dotnet(Dotnet::Packages),
            code => Gap::Unlisted(FlawCode::parse(code).filter(|code| code.hides().is_some())?),
        };
        let rest = self.text()?;
        Some((gap, format!("{}{rest}", self.path)))
    }

    fn component(&mut self) -> Option<Component> {
        let purl = self.purl()?;
        let rest = self.text()?;
        let evidence = format!("{}{rest}", self.path);
        let basis = self.basis()?;
        Some(Component {
            purl,
            evidence,
            basis,
            also: self.many(Self::basis)?,
            candidates: self.many(Self::text)?,
            conflict: self.number()? == 1,
            scope: Scope::parse(&self.text()?)?,
            removed: self.many(Self::text)?,
            owned_by: self.many(Self::purl)?.pop(),
            hashes: self.many(|input| Some(Digest(input.slice(32)?.try_into().ok()?)))?,
            in_use: self.many(Self::text)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use relight_model::Flaw;

    use super::*;

    const KEY: Digest = Digest([7; 32]);

    fn found() -> Found {
        let purl = Purl::parse("pkg:maven/g/a@1?x=y").unwrap();
        let mut full =
            Component::new(purl, "a.jar!/b.jar", Basis::FingerprintPartial, Scope::Build);
        full.also = vec![Basis::Manifest, Basis::FileName];
        full.candidates = vec!["1".into(), "2".into()];
        full.conflict = true;
        full.removed = vec!["C".into()];
        full.owned_by = Some(Purl::parse("pkg:deb/debian/liba@1").unwrap());
        full.hashes = vec![Digest([1; 32]), Digest([2; 32])];
        full.in_use = vec!["unit user".into()];
        let plain = Component::new(
            Purl::new("npm", "", "x", ""),
            "a.jar",
            Basis::FileName,
            Scope::Installed,
        );
        let components = vec![full, plain];
        Found { components, archives: 300, deepest: 2, ..Found::default() }
    }

    #[test]
    fn a_record_reads_back_at_any_path() {
        let bytes = write(&found(), u64::MAX, &KEY, "a.jar").unwrap();
        let back = read(&bytes, &KEY, "a.jar").unwrap();
        assert_eq!(back.found.components, found().components);
        assert_eq!((back.found.archives, back.found.deepest, back.bytes_read), (300, 2, u64::MAX));
        let elsewhere = read(&bytes, &KEY, "srv/a.jar").unwrap();
        assert_eq!(elsewhere.found.components[0].evidence, "srv/a.jar!/b.jar");
        let gaps = |at: &str| {
            let go = Gap::Unlisted(FlawCode::GoUnlisted);
            let dotnet = [Dotnet::Assembly, Dotnet::Packages].map(Gap::Dotnet);
            let all = [go].into_iter().chain(dotnet);
            all.map(|gap| (gap, format!("{at}a.jar!/x"))).collect::<Vec<_>>()
        };
        let with = Found { gaps: gaps(""), ..found() };
        let bytes = write(&with, 1, &KEY, "a.jar").unwrap();
        assert_eq!(read(&bytes, &KEY, "srv/a.jar").unwrap().found.gaps, gaps("srv/"));
    }

    #[test]
    fn what_is_not_whole_is_not_kept() {
        let mut flawed = found();
        flawed.flaw(FlawCode::Truncated, "a.jar", 1);
        assert!(write(&flawed, 1, &KEY, "a.jar").is_none());
        let unreadable = Found { gaps: vec![(Gap::Dex, "a.jar!/x".into())], ..found() };
        assert!(write(&unreadable, 1, &KEY, "a.jar").is_none());
        assert_eq!(
            flawed.flaws,
            [Flaw { code: FlawCode::Truncated, evidence: "a.jar".into(), bytes: 1 }]
        );
        assert!(
            write(&found(), u64::MAX, &KEY, "b.jar").is_none(),
            "evidence that stands elsewhere"
        );
    }

    #[test]
    fn damage_is_noticed_at_every_byte() {
        let bytes = write(&found(), u64::MAX, &KEY, "a.jar").unwrap();
        for at in 0..bytes.len() {
            let mut bad = bytes.clone();
            bad[at] ^= 1;
            assert!(read(&bad, &KEY, "a.jar").is_none(), "byte {at}");
            assert!(read(&bytes[..at], &KEY, "a.jar").is_none(), "cut at {at}");
        }
        assert!(read(&bytes, &Digest([8; 32]), "a.jar").is_none(), "the record of another key");
    }

    /// A right check sum does not make a record of hostile bytes harmless: nothing may panic, nor
    /// allocate by a number that stands in it.
    #[test]
    fn hostile_records_are_refused() {
        for seed in 0..2_000 {
            let mut rng = testkit::Rng::new(seed);
            let mut bytes = write(&found(), u64::MAX, &KEY, "a.jar").unwrap();
            for _ in 0..=rng.below(3) {
                let at = CHECK_BYTES + rng.below(bytes.len() - CHECK_BYTES);
                bytes[at] = *rng.pick(&[0, 1, 0x7f, 0x80, 0xff]);
            }
            let sum = check(&KEY, &bytes[CHECK_BYTES..]);
            bytes[..CHECK_BYTES].copy_from_slice(&sum);
            if let Some(record) = read(&bytes, &KEY, "a.jar") {
                assert!(record.found.flaws.is_empty(), "{seed}");
            }
        }
    }
}
