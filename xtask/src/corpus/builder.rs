//! The corpus while it is made: its folder, its truth, and what had to be left out.
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use super::material::Material;
use super::zip::{self, Member};
use crate::process;

/// What a scanner should say about a sample, for CVE-2021-44228.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Truth {
    /// It holds the flaw.
    Vulnerable,
    /// It does not.
    Safe,
    /// It holds the flaw, and somebody took out or renamed the class.
    Mitigated,
    /// Only robustness is looked at.
    NotScored,
}

impl Truth {
    const ALL: [(Self, &str); 4] = [
        (Self::Vulnerable, "vulnerable"),
        (Self::Safe, "safe"),
        (Self::Mitigated, "mitigated"),
        (Self::NotScored, "not scored"),
    ];

    /// Its name in the truth file.
    pub(crate) fn name(self) -> &'static str {
        Self::ALL.iter().find(|(truth, _)| *truth == self).map_or("", |(_, name)| name)
    }

    fn parse(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, known)| *known == name).map(|(truth, _)| *truth)
    }
}

/// One sample: a folder of the corpus that is scanned by itself.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Sample {
    /// Its folder, relative to the corpus: `category/name`.
    pub id: String,
    /// What a scanner should say.
    pub truth: Truth,
    /// The version of log4j-core in it; empty when there is none or several.
    pub version: String,
    /// What is special about it.
    pub note: String,
}

impl Sample {
    /// The category it belongs to.
    pub(crate) fn category(&self) -> &str {
        self.id.split('/').next().unwrap_or_default()
    }

    fn line(&self) -> String {
        let Self { id, truth, version, note } = self;
        format!("{id}\t{}\t{}\t{version}\t{note}\n", self.category(), truth.name())
    }

    fn parse(line: &str) -> Option<Self> {
        let mut fields = line.split('\t');
        let id = fields.next()?.to_owned();
        let truth = Truth::parse(fields.nth(1)?)?;
        let version = fields.next()?.to_owned();
        Some(Self { id, truth, version, note: fields.next()?.to_owned() })
    }
}

/// The truth file, with its heading.
const TRUTH: &str = "truth.tsv";
const HEADING: &str = "id\tcategory\ttruth\tversion\tnote\n";

/// Reads the truth file of a corpus.
///
/// # Errors
/// When there is none or a line of it cannot be read.
pub(crate) fn read_truth(corpus: &Path) -> Result<Vec<Sample>, String> {
    let path = corpus.join(TRUTH);
    let text = fs::read_to_string(&path).map_err(|e| format!("read {}: {e}", path.display()))?;
    let lines = text.lines().skip(1);
    lines.map(|line| Sample::parse(line).ok_or(format!("{TRUTH}: {line}"))).collect()
}

/// The corpus while it is made.
#[derive(Debug)]
pub(crate) struct Builder {
    /// Its folder.
    pub root: PathBuf,
    /// A folder for what is only needed on the way.
    pub work: PathBuf,
    /// The releases of log4j-core to make samples of.
    pub material: Material,
    /// The samples so far.
    pub samples: Vec<Sample>,
    /// What was left out, and why.
    pub skipped: Vec<String>,
    category: &'static str,
    turn: usize,
}

impl Builder {
    /// An empty corpus in `root`.
    pub(crate) fn new(root: &Path, work: &Path, material: Material) -> Self {
        let (root, work) = (root.to_owned(), work.to_owned());
        let (samples, skipped) = (Vec::new(), Vec::new());
        Self { root, work, material, samples, skipped, category: "", turn: 0 }
    }

    /// Makes the samples of one category; what fails is left out with its reason.
    pub(crate) fn category(&mut self, name: &'static str, make: Make) {
        (self.category, self.turn) = (name, 0);
        if let Err(reason) = make(self) {
            self.skipped.push(format!("{name}: {reason}"));
        }
    }

    /// Leaves one sample out, with its reason, when the tool for it is missing or fails.
    pub(crate) fn attempt(&mut self, what: &str, make: impl FnOnce(&mut Self) -> Done) {
        let before = self.samples.len();
        if let Err(reason) = make(self) {
            self.samples.truncate(before);
            let line = reason.lines().next().unwrap_or_default();
            self.skipped.push(format!("{}/{what}: {line}", self.category));
        }
    }

    /// The next of the vulnerable releases, so that samples differ in their version.
    pub(crate) fn vulnerable_version(&mut self) -> String {
        self.turn += 1;
        let versions = &self.material.vulnerable;
        versions[(self.turn * 7) % versions.len()].clone()
    }

    /// The next of the safe releases.
    pub(crate) fn safe_version(&mut self) -> String {
        self.turn += 1;
        let versions = &self.material.safe;
        versions[(self.turn * 5) % versions.len()].clone()
    }

    /// The bytes of a release.
    pub(crate) fn jar(&self, version: &str) -> Result<Vec<u8>, String> {
        self.material.jar(version)
    }

    /// The members of a release.
    pub(crate) fn members(&self, version: &str) -> Result<Vec<Member>, String> {
        zip::read(&self.jar(version)?)
    }

    /// A new sample: its folder, empty.
    pub(crate) fn sample(
        &mut self,
        truth: Truth,
        name: &str,
        version: &str,
        note: &str,
    ) -> Result<PathBuf, String> {
        let mut id = format!("{}/{name}", self.category);
        if self.samples.iter().any(|sample| sample.id == id) {
            let _ = write!(id, "-{}", self.samples.len());
        }
        let folder = self.root.join(&id);
        fs::create_dir_all(&folder).map_err(|e| format!("make {}: {e}", folder.display()))?;
        let (version, note) = (version.to_owned(), note.to_owned());
        self.samples.push(Sample { id, truth, version, note });
        Ok(folder)
    }

    /// A new sample of one file.
    pub(crate) fn one(
        &mut self,
        truth: Truth,
        [name, file, version, note]: [&str; 4],
        bytes: &[u8],
    ) -> Done {
        let folder = self.sample(truth, name, version, note)?;
        write(&folder.join(file), bytes)
    }

    /// An empty folder for what is only needed on the way.
    pub(crate) fn scratch(&self, name: &str) -> Result<PathBuf, String> {
        let folder = self.work.join(self.category).join(name);
        empty(&folder)?;
        Ok(folder)
    }

    /// The release unpacked into `folder`.
    pub(crate) fn unpack(&self, version: &str, folder: &Path) -> Done {
        make_folder(folder)?;
        let jar = self.material.path(version)?;
        let jar = jar.to_string_lossy();
        process::output(folder, "unzip", &["-qo", &jar]).map(drop)
    }

    /// Writes the truth file.
    pub(crate) fn write_truth(&self) -> Done {
        let lines: String = self.samples.iter().map(Sample::line).collect();
        write(&self.root.join(TRUTH), format!("{HEADING}{lines}").as_bytes())
    }
}

/// The result of a step that leaves files behind.
pub(crate) type Done = Result<(), String>;

/// Makes the samples of one category.
pub(crate) type Make = fn(&mut Builder) -> Done;

/// Writes a file and the folders above it.
pub(crate) fn write(path: &Path, bytes: &[u8]) -> Done {
    if let Some(folder) = path.parent() {
        make_folder(folder)?;
    }
    fs::write(path, bytes).map_err(|error| format!("write {}: {error}", path.display()))
}

/// Makes a folder and those above it.
pub(crate) fn make_folder(folder: &Path) -> Done {
    fs::create_dir_all(folder).map_err(|error| format!("make {}: {error}", folder.display()))
}

/// Makes a folder, without what was in it.
pub(crate) fn empty(folder: &Path) -> Done {
    if folder.exists() {
        fs::remove_dir_all(folder).map_err(|e| format!("empty {}: {e}", folder.display()))?;
    }
    make_folder(folder)
}

/// Reads a file.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>, String> {
    fs::read(path).map_err(|error| format!("read {}: {error}", path.display()))
}

/// What deflate makes of the bytes, without a frame.
pub(crate) fn deflate(bytes: &[u8]) -> Result<Vec<u8>, String> {
    let framed = process::filter("gzip", &["-nc6"], bytes)?;
    let bare = framed.get(10..framed.len().saturating_sub(8));
    bare.map(<[u8]>::to_vec).ok_or_else(|| "gzip wrote no frame".into())
}

/// A deflated member.
pub(crate) fn deflated(name: &str, bytes: &[u8]) -> Result<Member, String> {
    Ok(Member::packed(name, 8, bytes, deflate(bytes)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_the_truth_file_is_read_back() {
        let sample = Sample {
            id: "plain/one".into(),
            truth: Truth::NotScored,
            version: "2.15.0".into(),
            note: "a note".into(),
        };
        let line = sample.line();
        assert_eq!(line, "plain/one\tplain\tnot scored\t2.15.0\ta note\n");
        assert_eq!(Sample::parse(line.trim_end_matches('\n')), Some(sample));
        assert_eq!(Sample::parse("plain/one\tplain\tperhaps\t\t"), None);
        assert_eq!(Sample::parse("plain/one"), None);
    }

    #[test]
    fn a_deflated_member_is_what_other_programs_read() {
        let folder = std::env::temp_dir().join(format!("corpus-deflate-{}", std::process::id()));
        let file = folder.join("a.zip");
        let text = "again and again ".repeat(50);
        let member = deflated("a.txt", text.as_bytes()).unwrap();
        write(&file, &zip::archive(&[member])).unwrap();
        let shown = process::output(&folder, "unzip", &["-p", "a.zip"]);
        fs::remove_dir_all(&folder).unwrap();
        // Without the tool there is nothing to compare with.
        if process::is_there("unzip") {
            assert_eq!(shown, Ok(text));
        }
    }
}
