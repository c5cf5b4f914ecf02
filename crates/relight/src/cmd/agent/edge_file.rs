//! Edges in the file of the administrator of an agent's machine, in the words of
//! `relight edge add`: what kind each is, where its gate is, and what its driver has to know. The
//! server knows their names, and nothing of this.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use relight_engine::edge::{AGENT, DRIVERS, DriverKind, GROUP, Target};
use relight_engine::refusals::CONFIG_SETTING;
use relight_server::web::{Lang, texts};
use serde::Deserialize;

/// Most edges of one agent.
pub(super) const AGENT_EDGES_MAX: usize = 16;

/// Longest name of an edge, in bytes.
const NAME_BYTES_MAX: usize = 256;

/// What the file says of one edge.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct EdgeEntry {
    kind: String,
    gate: PathBuf,
    #[serde(default)]
    listen: Vec<SocketAddr>,
    #[serde(default)]
    verify: Option<PathBuf>,
    #[serde(default)]
    config: Option<PathBuf>,
    #[serde(default)]
    set: BTreeMap<String, String>,
}

/// The kinds that an agent drives.
fn kinds() -> impl Iterator<Item = &'static dyn DriverKind> {
    // An agent stands behind no other agent, and a group has its members where the register is.
    DRIVERS.iter().copied().filter(|kind| ![AGENT, GROUP].contains(&kind.name()))
}

impl EdgeEntry {
    /// The kind of its driver.
    pub(super) fn kind(&self) -> &str {
        &self.kind
    }

    /// Where its gate is.
    pub(super) fn gate(&self) -> &Path {
        &self.gate
    }

    /// The edge of this name.
    pub(super) fn target(&self, name: &str) -> Target {
        let Self { kind, gate, listen, verify, config, set } = self.clone();
        let mut settings = set;
        if let Some(file) = config {
            settings.insert(CONFIG_SETTING.to_owned(), file.display().to_string());
        }
        let (name, members) = (name.to_owned(), Vec::new());
        Target { name, kind, gate, listeners: listen, verify, settings, members }
    }

    fn checked(&self, name: &str, lang: Lang) -> Result<(), String> {
        let Some(kind) = kinds().find(|kind| kind.name() == self.kind) else {
            let known: Vec<&str> = kinds().map(DriverKind::name).collect();
            return Err(texts::agent_edge_no_kind(lang, name, &self.kind, &known.join(", ")));
        };
        for path in [Some(&self.gate), self.config.as_ref()].into_iter().flatten() {
            if !path.is_absolute() {
                let place = path.display().to_string();
                return Err(texts::agent_file_no_path(lang, &place, name));
            }
        }
        let target = self.target(name);
        let mut required = kind.settings().iter().filter(|setting| setting.required);
        match required.find(|setting| !target.settings.contains_key(setting.name)) {
            Some(missing) => Err(texts::agent_edge_no_setting(lang, name, missing.name)),
            None => Ok(()),
        }
    }
}

/// Whether these edges can be driven.
pub(super) fn check(edges: &BTreeMap<String, EdgeEntry>, lang: Lang) -> Result<(), String> {
    if edges.len() > AGENT_EDGES_MAX {
        return Err(texts::agent_edges_many(lang, AGENT_EDGES_MAX));
    }
    let mut gates = BTreeSet::new();
    for (name, entry) in edges {
        if name.is_empty() || name.len() > NAME_BYTES_MAX {
            return Err(texts::agent_edge_no_name(lang, name));
        }
        entry.checked(name, lang)?;
        // Two drivers of one gate would undo what the other does.
        if !gates.insert(&entry.gate) {
            return Err(texts::agent_edge_same_gate(lang, name, &entry.gate.display().to_string()));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Deserialize)]
    struct File {
        edges: BTreeMap<String, EdgeEntry>,
    }

    fn read(text: &str) -> Result<Vec<Target>, String> {
        let file = toml::from_str::<File>(text).map_err(|error| error.to_string())?;
        check(&file.edges, Lang::En)?;
        Ok(file.edges.iter().map(|(name, entry)| entry.target(name)).collect())
    }

    #[test]
    fn an_edge_is_said_in_the_words_of_edge_add() {
        let text = r#"
            [edges.north]
            kind = "haproxy"
            gate = "/var/lib/relight/gate"
            listen = ["192.0.2.1:80", "[2001:db8::1]:443"]
            verify = "/run/relight/verify.sock"
            config = "/etc/haproxy/haproxy.cfg"
            [edges.north.set]
            map = "/etc/haproxy/dark.map"
            socket = "/run/haproxy/admin.sock"
        "#;
        let north = read(text).unwrap().remove(0);
        assert_eq!((north.name.as_str(), north.kind.as_str()), ("north", "haproxy"));
        assert_eq!((north.listeners.len(), north.verify.is_some()), (2, true));
        let names: Vec<&str> = north.settings.keys().map(String::as_str).collect();
        assert_eq!(names, [CONFIG_SETTING, "map", "socket"]);
    }

    #[test]
    fn what_cannot_be_driven_is_told_before_anything_is() {
        let edge = |kind: &str, more: &str| format!("[edges.n]\nkind = \"{kind}\"\n{more}");
        let gate = "gate = \"/gate\"\n";
        read(&edge("nginx_file", gate)).unwrap();
        for (bad, why) in [
            (edge("agent", gate), "agent"),
            (edge("group", gate), "group"),
            (edge("abacus", gate), "abacus"),
            (edge("nginx_file", "gate = \"gate\""), "whole path"),
            (edge("haproxy", gate), "map"),
            (edge("nginx_file", ""), "gate"),
            (edge("nginx_file", &format!("{gate}run = \"/bin/sh\"")), "run"),
            (edge("nginx_file", &format!("{gate}listen = [\"nowhere\"]")), "listen"),
        ] {
            let told = read(&bad).unwrap_err();
            assert!(told.contains(why), "{told}");
        }
        let of = |name: &str, gate: &str| {
            format!("[edges.{name}]\nkind = \"builtin\"\ngate = \"/{gate}\"\n")
        };
        let told = read(&(of("a", "same") + &of("b", "same"))).unwrap_err();
        assert!(told.contains("/same"), "{told}");
        let many = |count: usize| -> String {
            (0..count).map(|at| of(&format!("e{at}"), &format!("g{at}"))).collect()
        };
        assert_eq!(read(&many(AGENT_EDGES_MAX)).unwrap().len(), AGENT_EDGES_MAX);
        assert!(read(&many(AGENT_EDGES_MAX + 1)).is_err());
        assert!(read(&of(&"n".repeat(NAME_BYTES_MAX + 1), "g")).is_err());
    }
}
