//! The file of the administrator of an agent's machine: which sites are on it, and in which
//! folders. Nothing that the server says gets into it.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::thread;
use std::time::Duration;

use relight_model::GateKey;
use relight_server::agents::wishes::AGENT_SITES_MAX;
use relight_server::web::{Lang, texts};
use serde::Deserialize;

use super::edge_file::{self, EdgeEntry};
use crate::context::Context;
use crate::failure::Failure;

/// The name of the file, in the data folder of the agent.
const AGENT_FILE: &str = "agent.toml";

/// Longest file, in bytes.
const FILE_BYTES_MAX: u64 = 256 << 10;

/// How long it has to stay as it is before a change counts.
const READ_EVERY: Duration = Duration::from_millis(250);

/// Most times that it is read at one turn, to see whether it stays as it is.
const READINGS_MAX: u32 = 4;

/// What the file says.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AgentFile {
    /// Folders by site.
    #[serde(default)]
    pub(super) sites: BTreeMap<String, PathBuf>,
    /// Edges by name.
    #[serde(default)]
    pub(super) edges: BTreeMap<String, EdgeEntry>,
}

impl AgentFile {
    /// Reads the file; a machine without one has no site.
    pub(super) fn read(context: &Context) -> Result<Self, Failure> {
        Kept::read(context).map(|kept| kept.file)
    }

    fn parsed(text: Option<&[u8]>, context: &Context) -> Result<Self, Failure> {
        let Some(text) = text else { return Ok(Self::default()) };
        let lang = context.lang;
        let parsed = toml::from_str::<Self>(&String::from_utf8_lossy(text));
        let parsed = parsed.map_err(|error| error.to_string());
        let parsed = parsed.and_then(|file| file.checked(lang));
        parsed.map_err(|why| {
            let place = path(context).display().to_string();
            let mut failure = Failure::usage(texts::agent_bad_file(lang, &place));
            let lines = why.trim_end().lines().map(|line| format!("  {line}"));
            failure.below.extend(lines);
            failure.hint(texts::agent_bad_file_remedy(lang))
        })
    }

    fn checked(self, lang: Lang) -> Result<Self, String> {
        if self.sites.len() > AGENT_SITES_MAX {
            return Err(texts::agent_file_many(lang, AGENT_SITES_MAX));
        }
        for (site, folder) in &self.sites {
            if GateKey::new(site).is_err() {
                return Err(texts::agent_file_no_name(lang, site));
            }
            if !folder.is_absolute() {
                let place = folder.display().to_string();
                return Err(texts::agent_file_no_path(lang, &place, site));
            }
        }
        edge_file::check(&self.edges, lang)?;
        Ok(self)
    }

    /// The names of the sites.
    pub(super) fn names(&self) -> Vec<String> {
        self.sites.keys().cloned().collect()
    }
}

/// Where it is.
pub(super) fn path(context: &Context) -> PathBuf {
    context.data.join(AGENT_FILE)
}

/// The text of the file; `None` where there is no file.
fn text(context: &Context) -> Result<Option<Vec<u8>>, Failure> {
    let path = path(context);
    if !path.try_exists().unwrap_or(true) {
        return Ok(None);
    }
    context.read_file(&path, FILE_BYTES_MAX).map(Some)
}

/// The file of an agent that runs, which is read again when it says something else.
pub(super) struct Kept {
    /// What is in force.
    pub(super) file: AgentFile,
    /// What was read last, in force or not.
    text: Option<Vec<u8>>,
    /// Why it could not be read the last time.
    unread: Option<String>,
}

impl Kept {
    /// Reads it for the first time.
    pub(super) fn read(context: &Context) -> Result<Self, Failure> {
        let text = text(context)?;
        let file = AgentFile::parsed(text.as_deref(), context)?;
        Ok(Self { file, text, unread: None })
    }

    /// Reads it again; says how many sites it has when it says something else. What is wrong is
    /// told once, and what it said before stays in force.
    pub(super) fn again(&mut self, context: &Context) -> Option<Result<usize, Failure>> {
        match self.news(context) {
            Ok(news) => {
                self.unread = None;
                self.text = news?;
                let parsed = AgentFile::parsed(self.text.as_deref(), context);
                Some(parsed.map(|file| {
                    self.file = file;
                    self.file.sites.len()
                }))
            }
            Err(failure) => {
                let why = Some(failure.why().to_owned());
                (self.unread != why).then(|| {
                    self.unread = why;
                    Err(failure)
                })
            }
        }
    }

    /// What it says when that is something else. Editors empty it, or take it away, before they
    /// write it, and without a site an agent gives all of its sites away: it counts when it said
    /// the same twice.
    fn news(&self, context: &Context) -> Result<Option<Option<Vec<u8>>>, Failure> {
        let mut before = text(context)?;
        for _ in 0..READINGS_MAX {
            if before == self.text {
                return Ok(None);
            }
            // Nobody tells when it is written.
            thread::sleep(READ_EVERY);
            let now = text(context)?;
            if now == before {
                return Ok(Some(now));
            }
            before = now;
        }
        // It is still being written: the next turn looks again.
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use super::*;

    fn read(text: &str) -> Result<Vec<String>, String> {
        let parsed = toml::from_str::<AgentFile>(text).map_err(|error| error.to_string());
        parsed.and_then(|file| file.checked(Lang::En)).map(|file| file.names())
    }

    #[test]
    fn what_is_wrong_is_told_in_the_language_of_the_reader() {
        let told = |text: &str| {
            let file = || toml::from_str::<AgentFile>(text).unwrap();
            Lang::ALL.map(|lang| file().checked(lang).unwrap_err())
        };
        let many: String = (0..=AGENT_SITES_MAX).map(|at| format!("s{at} = \"/srv\"\n")).collect();
        for text in ["a = \"srv\"", "\"A B\" = \"/srv\"", &many] {
            let [first, second] = told(&format!("[sites]\n{text}"));
            assert_ne!(first, second);
        }
        let [french, english] = told("[sites]\na = \"srv\"");
        assert!(french.contains("chemin complet") && english.contains("whole path"));
    }

    #[test]
    fn a_file_names_sites_and_whole_paths_and_nothing_else() {
        assert_eq!(read("").unwrap(), Vec::<String>::new());
        let good = "[sites]\nsan-001 = \"/srv/a\"\n\"mun-001\" = \"/srv/b\"";
        assert_eq!(read(good).unwrap(), ["mun-001", "san-001"]);
        for bad in [
            "[sites]\na = \"srv\"",
            "[sites]\n\"A B\" = \"/srv\"",
            "[sites]\na = 1",
            "[run]\na = \"/bin/sh\"",
            "sites = \"/srv\"",
        ] {
            assert!(read(bad).is_err(), "{bad}");
        }
        let mut many = "[sites]\n".to_owned();
        for number in 0..AGENT_SITES_MAX {
            writeln!(many, "s{number} = \"/srv\"").unwrap();
        }
        assert_eq!(read(&many).unwrap().len(), AGENT_SITES_MAX);
        many.push_str("more = \"/srv\"\n");
        assert!(read(&many).is_err());
    }
}
