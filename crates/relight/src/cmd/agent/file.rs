//! The file of the administrator of an agent's machine: which sites are on it, and in which
//! folders. Nothing that the server says gets into it.

use std::collections::BTreeMap;
use std::path::PathBuf;

use relight_model::GateKey;
use relight_server::agents::wishes::AGENT_SITES_MAX;
use relight_server::web::texts;
use serde::Deserialize;

use crate::context::Context;
use crate::failure::Failure;

/// The name of the file, in the data folder of the agent.
const AGENT_FILE: &str = "agent.toml";

/// Longest file, in bytes.
const FILE_BYTES_MAX: u64 = 256 << 10;

/// What the file says.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AgentFile {
    /// Folders by site.
    #[serde(default)]
    pub(super) sites: BTreeMap<String, PathBuf>,
}

impl AgentFile {
    /// Reads the file; a machine without one has no site.
    pub(super) fn read(context: &Context) -> Result<Self, Failure> {
        let path = context.data.join(AGENT_FILE);
        if !path.try_exists().unwrap_or(true) {
            return Ok(Self::default());
        }
        let bytes = context.read_file(&path, FILE_BYTES_MAX)?;
        let parsed = toml::from_str::<Self>(&String::from_utf8_lossy(&bytes));
        let parsed = parsed.map_err(|error| error.to_string()).and_then(Self::checked);
        parsed.map_err(|why| {
            let (lang, place) = (context.lang, path.display().to_string());
            let mut failure = Failure::usage(texts::agent_bad_file(lang, &place));
            let lines = why.trim_end().lines().map(|line| format!("  {line}"));
            failure.below.extend(lines);
            failure.hint(texts::agent_bad_file_remedy(lang))
        })
    }

    fn checked(self) -> Result<Self, String> {
        if self.sites.len() > AGENT_SITES_MAX {
            return Err(format!("more than {AGENT_SITES_MAX} sites"));
        }
        for (site, folder) in &self.sites {
            if GateKey::new(site).is_err() {
                return Err(format!("{site}: not the short name of a site"));
            }
            if !folder.is_absolute() {
                return Err(format!("{site}: {} is not an absolute path", folder.display()));
            }
        }
        Ok(self)
    }

    /// The names of the sites.
    pub(super) fn names(&self) -> Vec<String> {
        self.sites.keys().cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use super::*;

    fn read(text: &str) -> Result<Vec<String>, String> {
        let parsed = toml::from_str::<AgentFile>(text).map_err(|error| error.to_string());
        parsed.and_then(AgentFile::checked).map(|file| file.names())
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
