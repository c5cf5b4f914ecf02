//! Whether the set-up of an edge would leave its sites lit although the gate is closed: asked
//! before every plan that darkens or closes, whoever makes it (INCIDENT 8.3).

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use relight_edge::lint::{self, Dialect, Found};
use relight_edge::{EdgeError, Lint, LintSeverity, Target};
use relight_model::GateKey;

use crate::at_once::at_once;
use crate::edges;
use crate::engine::Engine;
use crate::error::{EngineError, EngineErrorKind};
use crate::plan::Plan;

/// The setting of an edge that names its own configuration.
pub const CONFIG_SETTING: &str = "config";

/// How long a plan waits for what its edges say of their set-up, all together.
const REFUSALS_WAIT_MAX: Duration = Duration::from_secs(3);

/// What is wrong with the configuration of the edge itself, where the register knows it, or of
/// those that a group stands for.
pub fn configuration(target: &Target) -> Vec<Found> {
    target.all().flat_map(own_configuration).collect()
}

/// The same as what a driver finds is told, and where the register names no configuration, or
/// anybody may use the way behind the gate.
pub fn configuration_lints(target: &Target) -> Vec<Lint> {
    let told = |found: Found| Lint {
        severity: found.severity,
        code: found.code,
        place: format!("{}:{}: {}", found.file.display(), found.line, found.what),
    };
    let testers = relight_edge::open_to_others(target);
    configuration(target).into_iter().map(told).chain(unnamed(target)).chain(testers).collect()
}

/// The edges of whose configuration nothing is looked at, although its language is known: what
/// would leave their sites lit is told by nobody.
fn unnamed(target: &Target) -> impl Iterator<Item = Lint> {
    let is_unnamed = |edge: &&Target| {
        Dialect::parse(&edge.kind).is_some() && !edge.settings.contains_key(CONFIG_SETTING)
    };
    target.all().filter(is_unnamed).map(|edge| Lint {
        severity: LintSeverity::Warning,
        code: "config-not-named",
        place: edge.name.clone(),
    })
}

fn own_configuration(target: &Target) -> Vec<Found> {
    let Some(file) = target.settings.get(CONFIG_SETTING).map(Path::new) else { return Vec::new() };
    let unread = |what: String| Found {
        file: file.to_owned(),
        line: 0,
        code: "include-unreadable",
        severity: LintSeverity::Error,
        what,
    };
    let Some(dialect) = Dialect::parse(&target.kind) else { return Vec::new() };
    match lint::examine(dialect, file) {
        Ok(examined) => {
            let unseen = lint::unregistered(&examined.sites, &target.listeners);
            let mut found = lint::with_gate(examined, target);
            found.extend(unseen);
            found
        }
        Err(error) => vec![unread(error.to_string())],
    }
}

/// An error of a set-up that leaves no site lit: it would open what somebody else closed. Drills
/// and `edge check` tell it; no order of an incident waits for it.
const OPENS_OTHERS: &str = "observe-partial";

/// Why a plan for an edge has to be refused, if it has to be: place and code of what would leave
/// its sites lit although the gate is closed.
///
/// # Errors
/// The edge cannot be used at all: its sites will count as exposed, and no other waits for it.
pub fn refusals(target: &Target) -> Result<Vec<(String, &'static str)>, EdgeError> {
    let mut lints = relight_edge::open(target)?.lint()?;
    lints.extend(configuration_lints(target));
    lints.retain(|lint| lint.severity == LintSeverity::Error && lint.code != OPENS_OTHERS);
    Ok(lints.into_iter().map(|lint| (lint.place, lint.code)).collect())
}

/// Why a plan leaves a site alone: the set-up of its edge would leave it lit.
pub(crate) const EDGE_LINT: &str = "edge-lint";

impl Engine {
    /// The plan without the sites of edges whose set-up would leave them lit although the gate is
    /// closed: they are named, and the others do not wait until somebody mends the edge. One of
    /// which nothing would be left stays as it is, and is refused.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn fitted(&self, plan: Plan) -> Result<Plan, EngineError> {
        let refused = self.refused_edges(&plan)?;
        if refused.is_empty() || refused.len() == plan.edges.len() {
            return Ok(plan);
        }
        Ok(plan.leaving(EDGE_LINT, |site| refused.contains(&site.edge)))
    }

    /// What an agreed plan leaves as it is, because the set-up of an edge would leave its sites
    /// lit since the plan was proposed: the others do not wait until somebody mends it. It is never
    /// more than what was agreed to, and what it is less is named.
    ///
    /// # Errors
    /// Nothing would be left of it ([`EngineErrorKind::EdgeRefused`]), or the store cannot be read.
    pub(crate) fn unswitched(&self, plan: &Plan) -> Result<Vec<GateKey>, EngineError> {
        let refused = self.refused_edges(plan)?;
        if refused.len() == plan.edges.len() {
            refuse(&refused)?;
        }
        let left = plan.sites.iter().filter(|site| refused.contains(&site.edge));
        Ok(left.map(|site| site.site.clone()).collect())
    }

    /// Refuses a plan that darkens or closes by an edge whose set-up would leave sites lit: it is
    /// made once more, without them. Glass goes past it.
    ///
    /// # Errors
    /// There is such an edge ([`EngineErrorKind::EdgeRefused`]), or the store cannot be read.
    pub(crate) fn check_edges(&self, plan: &Plan) -> Result<(), EngineError> {
        refuse(&self.refused_edges(plan)?)
    }

    /// The edges of a plan that darkens or closes whose set-up would leave sites lit.
    fn refused_edges(&self, plan: &Plan) -> Result<BTreeSet<String>, EngineError> {
        if !plan.action.is_closing() {
            return Ok(BTreeSet::new());
        }
        let mut targets = edges::from_rows(&self.store.edges()?)?;
        targets.retain(|target| plan.edges.contains(&target.name));
        let names: Vec<String> = targets.iter().map(|target| target.name.clone()).collect();
        // One that cannot be asked is one whose sites will be exposed, and no other waits for it.
        let found = at_once(targets, REFUSALS_WAIT_MAX, |target| {
            refusals(&target).is_ok_and(|found| !found.is_empty())
        });
        let refused = names.into_iter().zip(found).filter(|(_, found)| *found == Some(true));
        Ok(refused.map(|(name, _)| name).collect())
    }
}

/// Refuses a plan for these edges, if there are any.
fn refuse(edges: &BTreeSet<String>) -> Result<(), EngineError> {
    if edges.is_empty() {
        return Ok(());
    }
    let names: Vec<&str> = edges.iter().map(String::as_str).collect();
    let kind = EngineErrorKind::EdgeRefused(names.join(", "));
    Err(EngineError::new(kind, "the set-up of an edge would leave sites lit"))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use relight_edge::Stage;
    use relight_edge::config::COMMAND_EXAMPLE;
    use relight_model::{Epoch, GateKey};

    use super::*;

    /// Goal: an edge whose configuration nobody looks at is named, and no plan is refused for that.
    /// Method: each kind without the setting, one with it, and a group of both.
    #[test]
    fn an_edge_without_its_configuration_is_named_and_refuses_nothing() {
        let of = |kind: &str, config: Option<&str>| Target {
            name: kind.to_owned(),
            kind: kind.to_owned(),
            gate: "/gate".into(),
            listeners: Vec::new(),
            verify: None,
            settings: config
                .map(|file| (CONFIG_SETTING.to_owned(), file.to_owned()))
                .into_iter()
                .collect(),
            members: Vec::new(),
        };
        let told = |target: &Target| {
            let lints = configuration_lints(target).into_iter();
            lints.filter(|it| it.code == "config-not-named").collect::<Vec<_>>()
        };
        for kind in ["nginx_file", "haproxy", "apache", "caddy"] {
            let [lint] = told(&of(kind, None)).try_into().unwrap();
            assert_eq!((lint.severity, lint.place.as_str()), (LintSeverity::Warning, kind));
            assert_eq!(told(&of(kind, Some("/etc/x.conf"))), []);
        }
        for kind in ["builtin", "traefik", "gateway_api", "command", "agent"] {
            assert_eq!(told(&of(kind, None)), [], "{kind}");
        }
        let members = vec![of("nginx_file", None), of("caddy", Some("/etc/caddy.json"))];
        let group = Target { members, ..of("group", None) };
        assert_eq!(told(&group)[0].place, "nginx_file");
        assert_eq!(told(&group).len(), 1);
    }

    /// Goal: an edge that tells only of what it is asked is told, and darkens all the same. Method:
    /// the example program made so, with one site dark.
    #[test]
    fn an_edge_that_tells_not_all_that_is_dark_refuses_no_order() {
        let folder = tempfile::tempdir().unwrap();
        let [script, state] = ["edge.py", "state.json"].map(|name| folder.path().join(name));
        let partial = COMMAND_EXAMPLE.replace("in sorted(told)", "in request[\"keys\"]");
        fs::write(&script, partial).unwrap();
        let argv = |action: &str| {
            let words = ["/usr/bin/python3", script.to_str().unwrap(), action];
            serde_json::json!([words[0], words[1], words[2], state.to_str()]).to_string()
        };
        let target = Target {
            name: "north".into(),
            kind: "command".into(),
            gate: folder.path().join("gate"),
            listeners: Vec::new(),
            verify: None,
            settings: ["observe", "apply"].map(|action| (action.to_owned(), argv(action))).into(),
            members: Vec::new(),
        };
        let mut driver = relight_edge::open(&target).unwrap();
        let before = refusals(&target).unwrap();
        let dark = [GateKey::new("a").unwrap()].into();
        for stage in [Stage::Durable, Stage::Runtime] {
            driver.apply(Epoch { term: 1, seq: 1 }, stage, &dark).unwrap();
        }
        let told = driver.lint().unwrap();
        assert!(told.iter().any(|lint| lint.code == OPENS_OTHERS), "{told:?}");
        assert_eq!(refusals(&target).unwrap(), before);
        assert!(before.is_empty(), "{before:?}");
    }
}
