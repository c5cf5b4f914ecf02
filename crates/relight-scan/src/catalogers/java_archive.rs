//! Java archives: what `pom.properties`, the manifest and the file name say.

use relight_model::{Basis, Catalog, Component, Purl, Scope, Warning};

use crate::cataloger::{Cataloger, File, Kind, Listing, Select};
use crate::evidence::{file_name, folder_of};
use crate::java::CLASS_ENDINGS;

pub(super) const PLUGIN: JavaArchive = JavaArchive {
    selects: &[
        Select::Kind(Kind::Zip),
        Select::Kind(Kind::Jimage),
        Select::Member("pom.properties"),
        Select::Member("MANIFEST.MF"),
    ],
};

/// The class whose removal was the published mitigation of CVE-2021-44228.
const JNDI_LOOKUP: &str = "org/apache/logging/log4j/core/lookup/JndiLookup";

/// Every claim of an archive about itself and about what is merged into it.
pub(super) struct JavaArchive {
    selects: &'static [Select],
}

impl Cataloger for JavaArchive {
    fn name(&self) -> &'static str {
        "java_archive"
    }

    fn selects(&self) -> &'static [Select] {
        self.selects
    }

    fn catalog(&self, file: &File<'_>, out: &mut Catalog) {
        let Some(listing) = file.listing else { return };
        let has = |ending: &str| listing.names().any(|name| name.ends_with(ending));
        let has_classes = listing.names().any(|name| class_stem(name).is_some());
        // A sources jar names the library and is not it.
        if !has_classes && has(".java") {
            return;
        }
        let found = out.components().len();
        for (name, bytes) in &listing.members {
            if file_name(name) == "pom.properties" && name.contains("META-INF/maven/") {
                match read_pom(&format!("{}!/{name}", file.path), bytes) {
                    Ok(purl) => {
                        let claim = installed_at(purl, file.path, Basis::PomProperties);
                        out.push(claim);
                    }
                    Err(warning) => out.warn(warning),
                }
            }
        }
        let parts: Vec<Purl> = out.components()[found..].iter().map(|it| it.purl.clone()).collect();
        name_whole(file.path, listing, has_classes, &parts, out);
        lookup_removed(listing, &mut out.components_mut()[found..]);
    }
}

/// A component in a place that is not the file itself.
pub(super) fn installed_at(purl: Purl, place: &str, basis: Basis) -> Component {
    Component::new(purl, place, basis, Scope::Installed)
}

/// What manifest and file name say about an archive, which describe it as a whole. Where its parts
/// have coordinates of their own, that is only a second, weaker name, unless the whole has a
/// version that none of them has: `guice.jar` holds the coordinates of what was merged into it, and
/// none of its own.
fn name_whole(path: &str, listing: &Listing, has_classes: bool, parts: &[Purl], out: &mut Catalog) {
    let is_manifest = |name: &str| name.eq_ignore_ascii_case("META-INF/MANIFEST.MF");
    let manifest = listing.members.iter().find(|(name, _)| is_manifest(name));
    let manifest = manifest.map(|(_, bytes)| Manifest::read(bytes));
    let claim = manifest.as_ref().and_then(Manifest::claim);
    let is_part = |claim: &Purl, part: &Purl| {
        numbers(&claim.version) == numbers(&part.version)
            || file_stem(path).is_some_and(|stem| stem.starts_with(&part.name))
    };
    let is_other = |claim: &Purl| !parts.iter().any(|part| is_part(claim, part));
    if !parts.is_empty() && !claim.as_ref().is_some_and(is_other) {
        return;
    }
    let is_java = has_classes || claim.is_some();
    let stem = file_stem(path).filter(|_| is_java);
    let named = stem.filter(|_| parts.is_empty()).map(readings).unwrap_or_default();
    let by_file = stem.filter(|_| named.is_empty()).and_then(|stem| {
        let version = manifest.as_ref()?.version()?;
        Some(Purl::new("maven", "", stem, version))
    });
    match (claim, by_file) {
        (Some(claim), by_file) => {
            // A bundle has a name of its own, and advisories know the artifact.
            let other = by_file.filter(|it| is_artifact(&it.name) && it.name != claim.name);
            out.push(installed_at(claim, path, Basis::Manifest));
            let other = other.map(|purl| installed_at(purl, path, Basis::FileName));
            other.into_iter().for_each(|other| out.push(other));
        }
        // `lib/jrt-fs.jar`: the manifest has the version, and only the file has the name.
        (None, Some(by_file)) if is_artifact(&by_file.name) => {
            out.push(installed_at(by_file, path, Basis::Manifest));
        }
        _ => {}
    }
    for (name, version) in named {
        let purl = Purl::new("maven", "", name, version);
        out.push(installed_at(purl, path, Basis::FileName));
    }
}

/// Reads `groupId`, `artifactId` and `version` (written by Maven Archiver; the format is that of
/// `java.util.Properties`, of which only plain `key=value` occurs).
pub(crate) fn read_pom(path: &str, bytes: &[u8]) -> Result<Purl, Warning> {
    let text = String::from_utf8_lossy(bytes);
    let field = |key: &str| {
        let value = text.lines().find_map(|line| {
            let (name, value) = line.split_once(['=', ':'])?;
            (name.trim() == key).then_some(value.trim())
        });
        value.unwrap_or_default()
    };
    let [group, artifact, version] = ["groupId", "artifactId", "version"].map(field);
    let is_word = |text: &str| !text.is_empty() && !text.contains(['$', '/', ' ', '\0', '@']);
    if [group, artifact, version].into_iter().all(is_word) {
        return Ok(Purl::new("maven", group, artifact, version));
    }
    let message = "groupId, artifactId or version is missing or not a coordinate";
    Err(Warning::new("maven-bad-pom-properties", path, message))
}

/// The main section of a manifest (JAR File Specification): lines of at most 72 bytes, a leading
/// space continues the line before.
pub(super) struct Manifest(String);

impl Manifest {
    pub(super) fn read(bytes: &[u8]) -> Self {
        let text = String::from_utf8_lossy(bytes).replace("\r\n", "\n").replace("\n ", "");
        Self(text.split("\n\n").next().unwrap_or_default().to_owned())
    }

    fn field(&self, key: &str) -> Option<&str> {
        let value = self.0.lines().find_map(|line| {
            let (name, value) = line.split_once(':')?;
            name.eq_ignore_ascii_case(key).then_some(value.trim())
        });
        value.filter(|value| !value.is_empty() && !value.contains('$'))
    }

    /// The version that a program wrote for the whole.
    fn version(&self) -> Option<&str> {
        let field = self.field("Implementation-Version").or_else(|| self.field("Bundle-Version"));
        field.filter(|it| is_version(it))
    }

    /// What it says that the archive is.
    pub(super) fn claim(&self) -> Option<Purl> {
        let version =
            self.field("Implementation-Version").or_else(|| self.field("Bundle-Version"))?;
        // The group is taken only together with a title that is an artifact's name: Maven writes
        // both.
        if let Some(title) = self.field("Implementation-Title").filter(|title| is_artifact(title)) {
            let group = self.field("Implementation-Vendor-Id").filter(|group| is_artifact(group));
            return Some(Purl::new("maven", group.unwrap_or_default(), title, version));
        }
        let bundle = self.field("Bundle-SymbolicName")?.split(';').next()?.trim();
        is_artifact(bundle).then(|| Purl::new("maven", "", bundle, version))
    }
}

/// The numbers that a version starts with, without zeros at the end: a bundle calls 1.2 1.2.0.
fn numbers(version: &str) -> Vec<u64> {
    let parts = version.split(['.', '-', '_']).map_while(|part| part.parse().ok());
    let mut numbers: Vec<u64> = parts.collect();
    while numbers.last() == Some(&0) {
        numbers.pop();
    }
    numbers
}

/// A version that a program wrote, and no sentence.
fn is_version(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_digit()) && !text.contains(' ')
}

fn is_artifact(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || "._-".contains(c))
}

/// The name of an archive without its ending; an inner archive's own name.
fn file_stem(path: &str) -> Option<&str> {
    let (stem, ending) = file_name(path).rsplit_once('.')?;
    ["jar", "war", "ear", "aar"].contains(&ending.to_ascii_lowercase().as_str()).then_some(stem)
}

/// Words that belong to the version in front of them, also where a number follows.
const QUALIFIERS: [&str; 35] = [
    "alpha",
    "android",
    "b",
    "beta",
    "brew",
    "build",
    "cr",
    "dev",
    "ea",
    "eap",
    "final",
    "fuse",
    "ga",
    "hadoop",
    "hotfix",
    "incubating",
    "java",
    "jbossorg",
    "jdk",
    "jre",
    "m",
    "milestone",
    "p",
    "patch",
    "pre",
    "preview",
    "r",
    "rc",
    "redhat",
    "release",
    "rev",
    "scala",
    "snapshot",
    "sp",
    "spark",
];

/// Words that only artifacts of their own end with: nobody calls a changed library so.
const ENDS_OF_NAMES: [&str; 2] = ["api", "spec"];

/// `commons-io-2.11.0` is `commons-io` and `2.11.0`: the version starts at the first digit behind
/// a dash, unless `api` or `spec` with a version of its own follows it: `log4j-1.2-api-2.17.1` is
/// `log4j-1.2-api`.
pub(crate) fn split_version(stem: &str) -> Option<(&str, &str)> {
    readings(stem).into_iter().next()
}

/// As [`split_version`], where the name of the file may mean nothing else.
pub(crate) fn only_version(stem: &str) -> Option<(&str, &str)> {
    let [one] = readings(stem)[..] else { return None };
    Some(one)
}

/// What the name of a file may mean, the shortest name first. Behind a word that says nothing, a
/// second number may be the version of another artifact (`a-1.2-bridge-3.4`) or belong to who
/// changed the library (`log4j-core-2.14.1-acme-1.0`): it is both.
fn readings(stem: &str) -> Vec<(&str, &str)> {
    let starts_so = |rest: &str| rest.starts_with(|c: char| c.is_ascii_digit());
    let mut dashes = stem.match_indices('-').map(|(at, _)| at);
    let Some(first) = dashes.find(|at| starts_so(&stem[at + 1..])) else { return Vec::new() };
    let mut cuts = vec![first];
    let mut before = first;
    for next in dashes {
        let word = stem[before + 1..next].to_ascii_lowercase();
        let is_word = !word.is_empty() && word.chars().all(|c| c.is_ascii_alphabetic());
        let number = stem[next + 1..].split('-').next().unwrap_or_default();
        if is_word && starts_so(number) && number.contains('.') {
            let is_next = stem[first..before].rfind('-') == Some(0);
            if is_next && ENDS_OF_NAMES.contains(&word.as_str()) {
                cuts.clear();
            }
            if !QUALIFIERS.contains(&word.as_str()) {
                cuts.push(next);
            }
        }
        before = next;
    }
    let split = cuts.into_iter().map(|at| (&stem[..at], &stem[at + 1..]));
    split.filter(|(name, version)| is_artifact(name) && !version.contains(['%', ' '])).collect()
}

/// The path of a class without its ending.
fn class_stem(name: &str) -> Option<&str> {
    CLASS_ENDINGS.iter().find_map(|ending| name.strip_suffix(ending)?.strip_suffix('.'))
}

/// Where the package of the lookup is there and the class is not, it was taken out. For releases
/// that were learnt, the fingerprints say so as well; this is for all others.
fn lookup_removed(listing: &Listing, claims: &mut [Component]) {
    let is_core = |component: &Component| {
        component.purl.name == "log4j-core" && component.basis == Basis::PomProperties
    };
    if !claims.iter().any(is_core) {
        return;
    }
    let stems = || listing.names().filter_map(class_stem);
    let is_lookup = |stem: &str| stem.ends_with("core/lookup/JndiLookup");
    // Without a lookup package there is no telling: metadata only, or a part of the library.
    let has_package = || stems().any(|stem| folder_of(stem).ends_with("log4j/core/lookup/"));
    if !listing.complete || stems().any(is_lookup) || !has_package() {
        return;
    }
    for component in claims.iter_mut().filter(|component| is_core(component)) {
        if has_jndi_lookup(&component.purl.version) {
            component.removed.push(JNDI_LOOKUP.to_owned());
        }
    }
}

/// Every 2.x since 2.0-beta9 has the class; 3.x has not.
fn has_jndi_lookup(version: &str) -> bool {
    let early = version.strip_prefix("2.0-beta").and_then(|rest| rest.parse::<u32>().ok());
    version.starts_with("2.")
        && !version.starts_with("2.0-alpha")
        && early.is_none_or(|beta| beta >= 9)
}
