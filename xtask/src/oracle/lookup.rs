//! `cargo xtask oracle log4j`: random messages, put to log4j-core 2.14.1 itself and to
//! `relight watch decode --exact`. The library resolves nothing there: its JNDI lookup is a
//! recorder. Needs a JDK, and the network once.

use std::fs;
use std::path::{Path, PathBuf};

use super::messages::Messages;
use crate::{process, tree};

/// Messages of one run.
const MESSAGES: usize = 1_000_000;

/// Messages that are put to both sides at a time.
const CHUNK: usize = 100_000;

/// The jars and their digests; any other file is refused.
const JARS: [(&str, &str); 2] = [
    ("log4j-core-2.14.1.jar", "ade7402a70667a727635d5c4c29495f4ff96f061f12539763f6f123973b465b0"),
    ("log4j-api-2.14.1.jar", "8caf58db006c609949a0068110395a33067a2bad707c3da35e959c0473f9a916"),
];

/// A published package that carries both.
const PACKAGE: &str = "apache-flink-libraries==1.14.0";

/// Asks both sides about random messages.
///
/// # Errors
/// When the JDK or the library is not there, or the two sides differ.
pub(super) fn run(options: &[&str]) -> Result<(), String> {
    let usage = || "oracle log4j [--seed N] [--count N] [--jars DIR] [--write-corpus]".to_owned();
    let (mut seed, mut count, mut jars, mut keep) = (1, MESSAGES, None, false);
    let mut words = options.iter();
    while let Some(word) = words.next() {
        let mut value = || words.next().copied().ok_or_else(usage);
        match *word {
            "--seed" => seed = value()?.parse().map_err(|_| usage())?,
            "--count" => count = value()?.parse().map_err(|_| usage())?,
            "--jars" => jars = Some(PathBuf::from(value()?)),
            "--write-corpus" => keep = true,
            _ => return Err(usage()),
        }
    }
    for program in ["java", "javac"] {
        if !process::is_there(program) {
            return Err(format!("there is no {program} here: install a JDK, 11 or later"));
        }
    }
    let oracle = Oracle::new(jars)?;
    let program = super::program()?;
    let differences = ask(&oracle, &program, seed, count)?;
    if keep {
        extend_corpus(&oracle, &differences)?;
    }
    match differences.len() {
        0 => Ok(()),
        many => Err(format!("log4j: {many} messages are judged otherwise")),
    }
}

/// What a side says about a message: whether something would be looked up, and what first.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Answer {
    fires: bool,
    key: String,
}

fn ask(oracle: &Oracle, program: &Path, seed: u64, count: usize) -> Result<Vec<String>, String> {
    let mut messages = Messages::new(seed);
    let (mut differences, mut fired, mut asked) = (Vec::new(), 0, 0);
    while asked < count {
        let chunk: Vec<String> =
            (0..CHUNK.min(count - asked)).map(|_| messages.next_message()).collect();
        let theirs = oracle.answers(&chunk)?;
        let ours = ours(program, &chunk)?;
        for ((message, theirs), ours) in chunk.iter().zip(&theirs).zip(&ours) {
            fired += usize::from(theirs.fires);
            if differ(message, theirs, ours) {
                println!("    {message:?}: the library says {theirs:?}, relight {ours:?}");
                differences.push(message.clone());
            }
        }
        asked += chunk.len();
    }
    println!("log4j, seed {seed}: {asked} messages, {fired} fire, {} different", differences.len());
    Ok(differences)
}

/// Keys with a printed date are compared by their verdict only: the locale prints it.
fn differ(message: &str, theirs: &Answer, ours: &Answer) -> bool {
    let dated = message.to_lowercase().contains("date");
    theirs.fires != ours.fires || !dated && theirs.fires && theirs.key != ours.key
}

/// The library, compiled and ready.
struct Oracle {
    folder: PathBuf,
    class_path: String,
}

impl Oracle {
    fn new(jars: Option<PathBuf>) -> Result<Self, String> {
        let target = std::env::var_os("CARGO_TARGET_DIR").map(PathBuf::from);
        let folder = target.unwrap_or_else(|| tree::root().join("target")).join("oracle");
        fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        let jars = match jars {
            Some(jars) => jars,
            None => fetched(&folder)?,
        };
        let mut class_path = folder.display().to_string();
        for (name, digest) in JARS {
            let path = jars.join(name).display().to_string();
            let found = process::output(&folder, "sha256sum", &[&path])?;
            if !found.starts_with(digest) {
                return Err(format!("{path} is not the published {name}"));
            }
            class_path.push_str(&format!(":{path}"));
        }
        let source = tree::root().join("xtask/oracle/Oracle.java").display().to_string();
        let place = folder.display().to_string();
        let options = ["-nowarn", "-proc:none", "-cp", &class_path, "-d", &place, &source];
        process::output(&folder, "javac", &options)?;
        Ok(Self { folder, class_path })
    }

    fn answers(&self, messages: &[String]) -> Result<Vec<Answer>, String> {
        let options = [
            "-Duser.timezone=UTC",
            "-Duser.language=en",
            "-Duser.country=US",
            "-Dlog4j2.StatusLogger.level=OFF",
            "-Dlog4j2.disable.jmx=true",
            "-cp",
            &self.class_path,
            "Oracle",
        ];
        let output = process::filter("java", &options, lines(messages).as_bytes())
            .map_err(|error| format!("{error} (in {})", self.folder.display()))?;
        let text = String::from_utf8_lossy(&output).into_owned();
        let answers: Vec<Answer> = text.split('\n').filter_map(answer).collect();
        matched(answers, messages)
    }
}

fn answer(line: &str) -> Option<Answer> {
    let (fires, rest) = line.split_once('\t')?;
    let (_raised, key) = rest.split_once('\t')?;
    Some(Answer { fires: fires == "fires", key: key.to_owned() })
}

/// The jars out of the published package.
fn fetched(folder: &Path) -> Result<PathBuf, String> {
    if JARS.iter().all(|(name, _)| folder.join(name).exists()) {
        return Ok(folder.to_owned());
    }
    process::output(folder, "pip", &["download", "--quiet", "--no-deps", PACKAGE])?;
    let archive = "apache-flink-libraries-1.14.0.tar.gz";
    let inside = "apache-flink-libraries-1.14.0/deps/lib";
    let members = JARS.map(|(name, _)| format!("{inside}/{name}"));
    let options = ["xzf", archive, "--strip-components=3", &members[0], &members[1]];
    process::output(folder, "tar", &options)?;
    fs::remove_file(folder.join(archive)).map_err(|error| format!("{archive}: {error}"))?;
    Ok(folder.to_owned())
}

fn lines(messages: &[String]) -> String {
    messages.iter().map(|message| format!("{message}\n")).collect()
}

fn matched(answers: Vec<Answer>, messages: &[String]) -> Result<Vec<Answer>, String> {
    if answers.len() == messages.len() {
        return Ok(answers);
    }
    Err(format!("{} answers to {} messages", answers.len(), messages.len()))
}

/// What relight says. Its documents are one a line, and their fields come in one order.
fn ours(program: &Path, messages: &[String]) -> Result<Vec<Answer>, String> {
    let arguments = ["watch", "decode", "--exact", "--quiet"];
    let run = process::feed(program, &arguments, lines(messages).as_bytes())?;
    let answers = run.stdout.lines().map(|line| {
        let fires = line.contains("\"verdict\":\"effective\"");
        Answer { fires, key: string_after(line, "\"key\":\"").unwrap_or_default() }
    });
    matched(answers.collect(), messages).map_err(|error| format!("{error}: {}", run.stderr))
}

/// A JSON string after a mark, unescaped.
fn string_after(line: &str, mark: &str) -> Option<String> {
    let mut chars = line[line.find(mark)? + mark.len()..].chars();
    let mut text = String::new();
    loop {
        match chars.next()? {
            '"' => return Some(text),
            '\\' => match chars.next()? {
                'u' => {
                    let code: String = chars.by_ref().take(4).collect();
                    text.push(char::from_u32(u32::from_str_radix(&code, 16).ok()?)?);
                }
                'n' => text.push('\n'),
                'r' => text.push('\r'),
                't' => text.push('\t'),
                other => text.push(other),
            },
            other => text.push(other),
        }
    }
}

/// Every difference ever found becomes a line that the ordinary tests read, with the library's
/// verdict; so do messages of a fixed seed, half of which fire.
fn extend_corpus(oracle: &Oracle, differences: &[String]) -> Result<(), String> {
    const SEED: u64 = 2_014_001;
    const KEPT: usize = 4_000;
    let path = tree::root().join("crates/relight-watch/corpus/oracle.tsv");
    let old = fs::read_to_string(&path).unwrap_or_default();
    let mut kept: Vec<String> =
        old.lines().filter_map(|line| line.rsplit('\t').next()).map(str::to_owned).collect();
    kept.extend(differences.iter().cloned());
    if old.is_empty() {
        let mut messages = Messages::new(SEED);
        let some: Vec<String> = (0..20 * KEPT).map(|_| messages.next_message()).collect();
        let answers = oracle.answers(&some)?;
        for fires in [true, false] {
            let of_kind = some.iter().zip(&answers).filter(|(_, answer)| answer.fires == fires);
            kept.extend(of_kind.take(KEPT / 2).map(|(message, _)| message.clone()));
        }
    }
    kept.retain(|message| !message.contains('\t'));
    kept.sort();
    kept.dedup();
    let answers = oracle.answers(&kept)?;
    let line = |(message, answer): (&String, &Answer)| {
        format!("{}\t{message}\n", if answer.fires { "fires" } else { "inert" })
    };
    let text: String = kept.iter().zip(&answers).map(line).collect();
    fs::write(&path, text).map_err(|error| format!("{}: {error}", path.display()))
}
