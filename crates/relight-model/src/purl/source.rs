//! Source packages: what the packages of a distribution are built from, and trackers name.

use std::borrow::Cow;

use super::Purl;

/// Architectures for which Debian signs what boots.
const SIGNED_FOR: [&str; 6] = ["amd64", "arm64", "armhf", "i386", "ppc64el", "s390x"];

/// A source package and, where it is stated, its version.
pub type Upstream<'a> = (Cow<'a, str>, Option<Cow<'a, str>>);

impl Purl {
    /// The source package that the qualifier `upstream` names, and the version of that where it is
    /// stated: `glibc`, `glibc@2.36-9`, or for RPM the name of a file (`bind-9.11-3.el8.src.rpm`).
    ///
    /// Kernels and boot loaders are signed in source packages of their own
    /// (`linux-signed-amd64@6.1.55+1`), about which no tracker says a word: for them it is the one
    /// that was signed (`linux@6.1.55-1`).
    pub fn upstream(&self) -> Option<Upstream<'_>> {
        let stated = self.stated_upstream();
        let is_deb = self.kind == "deb";
        let signed = is_deb.then(|| {
            let (name, version) = stated.unwrap_or((&self.name, None));
            self.signed(name, version.unwrap_or(&self.version))
        });
        if let Some((name, version)) = signed.flatten() {
            return Some((name, Some(version)));
        }
        stated.map(|(name, version)| (name.into(), version.map(Into::into)))
    }

    fn stated_upstream(&self) -> Option<(&str, Option<&str>)> {
        let stated = self.qualifier("upstream")?;
        if let Some((name, version)) = stated.split_once('@') {
            return Some((name, Some(version)));
        }
        let file = stated.strip_suffix(".src.rpm").or_else(|| stated.strip_suffix(".nosrc.rpm"));
        let Some(file) = file.filter(|_| self.kind == "rpm") else { return Some((stated, None)) };
        let at = file.match_indices('-').map(|(at, _)| at).nth_back(1)?;
        Some((&file[..at], Some(&file[at + 1..])))
    }

    /// What was signed, and its version, where a source package holds nothing but signed copies.
    /// Packages of kernels have the version of the kernel, whatever that of the signed source is.
    fn signed(&self, source: &str, version: &str) -> Option<(Cow<'_, str>, Cow<'_, str>)> {
        let own = self.version.as_str();
        if let Some(flavour) = source.strip_prefix("linux-signed") {
            let flavour = without_architecture(flavour).unwrap_or(flavour);
            let is_one = flavour.is_empty() || flavour.starts_with('-');
            return is_one.then(|| (format!("linux{flavour}").into(), own.into()));
        }
        if source == "shim-signed" && self.namespace == "debian" {
            // The package has both versions: `1.39+15.7-1` of `shim-signed 1.39`.
            let of_shim = own.strip_prefix(version)?.strip_prefix('+')?;
            return Some(("shim".into(), of_shim.into()));
        }
        match without_architecture(source.strip_suffix("-signed")?)? {
            "grub-efi" => Some(("grub2".into(), unsigned(version.split_once('+')?.1).into())),
            // The loader has been a source of its own, with an epoch, since Debian 12.
            "fwupd" if version.contains(':') => {
                Some(("fwupd-efi".into(), unsigned(version).into()))
            }
            "fwupd" => Some(("fwupd".into(), unsigned(version).into())),
            _ => None,
        }
    }
}

fn without_architecture(name: &str) -> Option<&str> {
    let (before, last) = name.rsplit_once('-')?;
    SIGNED_FOR.contains(&last).then_some(before)
}

/// `2.06-13+deb12u1` of `2.06+13+deb12u1`: a version that only a sign before its revision tells
/// from that of what was signed.
fn unsigned(version: &str) -> String {
    let is_revision = |at: &usize| version[at + 1..].starts_with(|c: char| c.is_ascii_digit());
    let mut signs = version.match_indices('+').map(|(at, _)| at);
    match signs.find(is_revision).filter(|_| !version.contains('-')) {
        Some(at) => format!("{}-{}", &version[..at], &version[at + 1..]),
        None => version.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_signed_counts() {
        for (purl, wanted) in [
            (
                "linux-image-6.1.0-13-amd64@6.1.55-1?upstream=linux-signed-amd64@6.1.55%2B1",
                "linux@6.1.55-1",
            ),
            ("a@6.1.55-1?upstream=linux-signed-6.1-arm64@6.1.55%2B1", "linux-6.1@6.1.55-1"),
            ("a@5.15.0-91.101?upstream=linux-signed", "linux@5.15.0-91.101"),
            ("a@5.15.0-91.101?upstream=linux-signed-hwe-5.15", "linux-hwe-5.15@5.15.0-91.101"),
            ("linux-signedness@1-1", "none"),
            ("grub-efi-amd64-signed@1%2B2.06%2B13%2Bdeb12u1", "grub2@2.06-13+deb12u1"),
            (
                "grub-efi-arm64-signed@1%2B2.02%2Bdfsg1%2B20%2Bdeb10u4",
                "grub2@2.02+dfsg1-20+deb10u4",
            ),
            ("grub-efi-amd64-signed@1.187.6%2B2.06-2ubuntu14.4", "grub2@2.06-2ubuntu14.4"),
            ("fwupd-amd64-signed@1:1.4%2B1", "fwupd-efi@1:1.4-1"),
            ("fwupd-amd64-signed@1.5.7%2B4", "fwupd@1.5.7-4"),
            (
                "shim-signed@1.5~1%2Bdeb12u1%2B16.1-2?upstream=shim-signed@1.5~1%2Bdeb12u1",
                "shim@16.1-2",
            ),
            ("libc6@2.36-9?upstream=glibc", "glibc@"),
            ("libc6@2.36-9?upstream=glibc@2.36-8", "glibc@2.36-8"),
            ("libc6@2.36-9", "none"),
        ] {
            let purl = Purl::parse(&format!("pkg:deb/debian/{purl}")).unwrap();
            let found = purl
                .upstream()
                .map(|(name, version)| format!("{name}@{}", version.unwrap_or_default()));
            assert_eq!(found.as_deref().unwrap_or("none"), wanted, "{purl}");
        }
        let rpm = Purl::parse("pkg:rpm/a/b@1-1?upstream=linux-signed-1-3.src.rpm").unwrap();
        assert_eq!(rpm.upstream(), Some(("linux-signed".into(), Some("1-3".into()))));
    }
}
