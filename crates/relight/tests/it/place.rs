//! A folder in which the real program runs, and what it says.

use std::fs;
use std::io::{Cursor, Write};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use expect_test::expect_file;
use relight_engine::edge::http::Client;
use tempfile::TempDir;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

/// A visitor of an edge, a console or a public page, with patience: the machine may be busy.
pub(crate) fn visitor(address: SocketAddr) -> Client {
    let mut client = Client::connect(address).unwrap();
    client.answer_wait_max = Duration::from_secs(30);
    client
}

/// What one run gave; the path of the folder reads `DIR`.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) status: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Outcome {
    /// The document on stdout.
    pub(crate) fn json(&self) -> serde_json::Value {
        assert!(self.stdout.starts_with("{\n  \"schema\": \"relight."), "{self:?}");
        serde_json::from_str(&self.stdout).unwrap()
    }

    /// Both streams and the status, as one text.
    pub(crate) fn text(&self) -> String {
        format!("{}--- stderr\n{}--- status {}\n", self.stdout, self.stderr, self.status)
    }

    /// Both streams and the status are those of the transcript of this name.
    pub(crate) fn matches(&self, transcript: &str) {
        expect_file![format!("transcripts/{transcript}.txt")].assert_eq(&self.text());
    }
}

/// A folder with a data folder in it.
pub(crate) struct Place {
    folder: TempDir,
}

impl Place {
    pub(crate) fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    /// A path in the folder.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a file, with the folders above it.
    pub(crate) fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, bytes).unwrap();
        path
    }

    /// How often bytes stand in the files of the data folder, in their free pages too.
    pub(crate) fn times_kept(&self, what: &[u8]) -> usize {
        let files = fs::read_dir(self.path("data")).unwrap().map(|it| it.unwrap().path());
        let files = files.filter(|path| path.is_file()).map(|path| fs::read(path).unwrap());
        files.map(|bytes| bytes.windows(what.len()).filter(|it| *it == what).count()).sum()
    }

    /// The program, in this folder, with an empty environment but for these variables.
    #[expect(clippy::disallowed_methods, reason = "the transcripts are of the real program")]
    pub(crate) fn command(&self, arguments: &[&str], variables: &[(&str, &str)]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_relight"));
        command
            .args(arguments)
            .current_dir(self.folder.path())
            .env_clear()
            .env("RELIGHT_DATA", self.path("data"))
            .envs(variables.iter().copied())
            .stdin(Stdio::null());
        command
    }

    /// The id of the first campaign.
    pub(crate) fn campaign(&self) -> String {
        let document = self.expect(0, &["watch", "campaigns", "--json"]).json();
        document["campaigns"][0]["id"].as_str().unwrap().to_owned()
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Outcome {
        self.run_with(arguments, &[])
    }

    pub(crate) fn run_with(&self, arguments: &[&str], variables: &[(&str, &str)]) -> Outcome {
        let output = self.command(arguments, variables).output().unwrap();
        self.outcome(output)
    }

    /// As [`Place::run`], with this standard input.
    pub(crate) fn feed(&self, arguments: &[&str], input: &[u8]) -> Outcome {
        let mut command = self.command(arguments, &[]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        // A command that refuses its arguments reads nothing, and closes the pipe.
        let _ = child.stdin.take().unwrap().write_all(input);
        self.outcome(child.wait_with_output().unwrap())
    }

    fn outcome(&self, output: Output) -> Outcome {
        let folder = self.folder.path().display().to_string();
        let text = |bytes| String::from_utf8(bytes).unwrap().replace(&folder, "DIR");
        let outcome = Outcome {
            status: output.status.code().unwrap(),
            stdout: text(output.stdout),
            stderr: text(output.stderr),
        };
        crate::schema_check::check(&outcome.stdout);
        outcome
    }

    /// As [`Place::run`], and the run must have ended with this status.
    pub(crate) fn expect(&self, status: i32, arguments: &[&str]) -> Outcome {
        let outcome = self.run(arguments);
        assert_eq!(outcome.status, status, "{arguments:?}: {}", outcome.text());
        outcome
    }

    /// Three sites of two bodies.
    pub(crate) fn with_sites() -> Self {
        let place = Self::new();
        place.write("sites.csv", SITES);
        place.expect(0, &["sites", "import", "sites.csv"]);
        place
    }
}

/// A CSV file as a spreadsheet in French writes it.
pub(crate) const SITES: &str = "\u{feff}\
    slug;name_fr;name_en;origin;organisation;sector;criticality;edge;public\r\n\
    san-001;Clinique;Clinic;https://san1.example;Santé Nord;health;2;north;oui\r\n\
    san-002;Laboratoire;Laboratory;https://san2.example;Santé Nord;health;3;north;oui\r\n\
    mun-001;Mairie;Town hall;https://mun1.example;Ville de X;municipal;4;north;non\r\n";

/// A zip archive with these members, deflated.
pub(crate) fn archive(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in members {
        writer.start_file(*name, SimpleFileOptions::default()).unwrap();
        writer.write_all(bytes).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

/// The smallest class file that there is, of a class `A`.
const CLASS: &[u8] =
    b"\xca\xfe\xba\xbe\0\0\0\x34\0\x05\x01\0\x01A\x07\0\x01\x01\0\x10java/lang/Object\
    \x07\0\x03\0\x21\0\x02\0\x04\0\0\0\0\0\0\0\0";

/// A jar of log4j-core with this version.
pub(crate) fn log4j(version: &str) -> Vec<u8> {
    let properties =
        format!("groupId=org.apache.logging.log4j\nartifactId=log4j-core\nversion={version}\n");
    archive(&[
        (
            "META-INF/maven/org.apache.logging.log4j/log4j-core/pom.properties",
            properties.as_bytes(),
        ),
        ("org/apache/logging/log4j/core/lookup/JndiLookup.class", CLASS),
    ])
}
