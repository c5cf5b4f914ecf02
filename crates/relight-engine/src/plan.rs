//! A plan: exactly what would be switched, before anything is; its hash is what people approve.

mod canonical;

use std::collections::BTreeSet;
use std::mem;

use relight_model::{Digest, GateKey, Timestamp};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::incident::wire;
use crate::waves::{WAVE_ERRORS_PERCENT_MAX, Waves};

/// How long a plan may be executed after it was made, in seconds.
pub const PLAN_AGE_MAX_S: i64 = 15 * 60;

/// Most sites a plan may hold.
pub const PLAN_SITES_MAX: usize = 100_000;

/// What a plan does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// Sites go dark.
    Dark,
    /// Sites come back, as far as their evidence permits.
    Relight,
    /// A part of each site is closed; the sites stay as they are.
    Close,
    /// That part is opened again, as far as the evidence of its site permits.
    Open,
}

/// What brings back by itself what a plan closes. It is part of what people agree to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Returns {
    /// Complete and current evidence that a site is clear, and nothing else without another plan.
    ClearEvidence,
}

/// One site of a plan.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct PlanSite {
    /// Its gate key.
    #[serde(with = "wire::key")]
    pub site: GateKey,
    /// The edge that switches it.
    pub edge: String,
    /// What is known about it (`affected`, `unknown`, `clear`).
    pub verdict: String,
    /// Its criticality, 1 (vital) to 4.
    pub criticality: u8,
    /// The body that answers for it, as a path: sector and name.
    #[serde(default)]
    pub org: String,
    /// The names under which visitors reach it: the canonical host, then the others, sorted. None
    /// in plans of before.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub names: Vec<String>,
}

impl PlanSite {
    /// The same, but for its names.
    fn is_same(&self, other: &Self) -> bool {
        let Self { site, edge, verdict, criticality, org, names: _ } = self;
        (site, edge, verdict, criticality, org)
            == (&other.site, &other.edge, &other.verdict, &other.criticality, &other.org)
    }
}

/// One site that the plan leaves alone, and why.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Skipped {
    /// Its gate key.
    #[serde(with = "wire::key")]
    pub site: GateKey,
    /// Code of the reason (`already-so`, `no-edge`, `edge-lint`, `not-verified-yet`).
    pub reason: String,
}

/// A plan, `relight.plan/1`. Lists are sorted, so that equal plans have equal bytes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// `relight.plan/1`.
    pub schema: String,
    /// The incident.
    pub incident: String,
    /// What it does.
    pub action: Action,
    /// The part of each site that is closed or opened: `booking`, `@internet`, `@write`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub part: Option<String>,
    /// Why, as the person wrote it.
    pub reason: String,
    /// The sites to switch, sorted by gate key.
    pub sites: Vec<PlanSite>,
    /// The sites asked for and left alone, sorted by gate key.
    pub skipped: Vec<Skipped>,
    /// Names of the edges that switch, sorted.
    pub edges: Vec<String>,
    /// What brings the sites back by itself; none for what opens, and in plans of before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub returns: Option<Returns>,
    /// How many sites go together, wave by wave; none in plans of before.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub waves: Vec<usize>,
    /// More of those opened that do not come back, in percent, stop the rest; none where what
    /// fails stops nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stops_above_percent: Option<usize>,
    /// Revision of the advisory group.
    #[serde(with = "wire::digest")]
    pub advisory_revision: Digest,
    /// Digest of the policy under which it was made; zeros for the built-in rules.
    #[serde(with = "wire::digest", default)]
    pub policy: Digest,
    /// Who proposes it.
    pub proposer: String,
    /// When it was made.
    pub created: Timestamp,
    /// From when on it may not be executed.
    pub expires: Timestamp,
}

/// Why a plan may not be executed as it was shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PlanStale {
    /// Its end is over.
    Expired,
    /// The world changed: the first field that differs.
    Differs(&'static str),
    /// Visitors reach these sites under other names than those that were shown.
    Renamed(Vec<GateKey>),
}

/// Sites that are named where a plan is refused because they have other names.
pub const RENAMED_TOLD_MAX: usize = 5;

impl Action {
    /// The stable name used in documents.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Dark => "dark",
            Self::Relight => "relight",
            Self::Close => "close",
            Self::Open => "open",
        }
    }

    /// True for what takes something away from visitors.
    pub const fn is_closing(self) -> bool {
        matches!(self, Self::Dark | Self::Close)
    }

    /// True for what switches whole sites, and no part of them.
    pub const fn is_whole(self) -> bool {
        matches!(self, Self::Dark | Self::Relight)
    }
}

impl Plan {
    /// A plan from what was asked; sorts, and derives the edges and the expiry.
    pub fn new(ask: PlanAsk, mut sites: Vec<PlanSite>, mut skipped: Vec<Skipped>) -> Self {
        sites.sort();
        skipped.sort();
        let edges = edges_of(&sites);
        let waves = waves(ask.action, &sites);
        let stops = (ask.action == Action::Relight).then_some(WAVE_ERRORS_PERCENT_MAX);
        Self {
            schema: "relight.plan/1".to_owned(),
            incident: ask.incident,
            action: ask.action,
            part: ask.part,
            reason: ask.reason,
            sites,
            skipped,
            edges,
            returns: ask.action.is_closing().then_some(Returns::ClearEvidence),
            waves,
            stops_above_percent: stops,
            advisory_revision: ask.advisory_revision,
            policy: ask.policy,
            proposer: ask.proposer,
            created: ask.created,
            expires: ask.created.saturating_add(PLAN_AGE_MAX_S),
        }
    }

    /// The same plan without the sites for which `leaves` holds: they are named with a reason.
    pub(crate) fn leaving(mut self, reason: &str, leaves: impl Fn(&PlanSite) -> bool) -> Self {
        let all = mem::take(&mut self.sites).into_iter();
        let (left, sites): (Vec<PlanSite>, Vec<PlanSite>) = all.partition(leaves);
        let skip = |it: PlanSite| Skipped { site: it.site, reason: reason.to_owned() };
        self.skipped.extend(left.into_iter().map(skip));
        self.skipped.sort();
        (self.edges, self.waves) = (edges_of(&sites), waves(self.action, &sites));
        Self { sites, ..self }
    }

    /// The hash that people approve: SHA-256 of the canonical JSON.
    ///
    /// # Errors
    /// Never for this type; the serializer's type says it could.
    pub fn hash(&self) -> Result<Digest, serde_json::Error> {
        Ok(Digest(Sha256::digest(self.canonical()?.as_bytes()).into()))
    }

    /// What was asked for, to ask for it again.
    pub(crate) fn ask(&self) -> PlanAsk {
        PlanAsk {
            incident: self.incident.clone(),
            action: self.action,
            part: self.part.clone(),
            reason: self.reason.clone(),
            advisory_revision: self.advisory_revision,
            policy: self.policy,
            proposer: self.proposer.clone(),
            created: self.created,
        }
    }

    /// The sites that it was asked about, those that it leaves alone among them.
    pub(crate) fn asked(&self) -> impl Iterator<Item = &GateKey> {
        let sites = self.sites.iter().map(|site| &site.site);
        sites.chain(self.skipped.iter().map(|skipped| &skipped.site))
    }

    /// The sites alone, in order.
    pub fn keys(&self) -> Vec<GateKey> {
        self.sites.iter().map(|site| site.site.clone()).collect()
    }

    /// Compares a plan that was shown with the same plan rebuilt from the world as it is now.
    ///
    /// # Errors
    /// The plan is too old, or the first field that differs.
    pub fn check(&self, rebuilt: &Self, now: Timestamp) -> Result<(), PlanStale> {
        if now >= self.expires {
            return Err(PlanStale::Expired);
        }
        // All of what goes dark goes at once, however a version of before counted that: a plan for
        // dark that waits is not made again for it.
        let has_other_sites = self.sites.len() != rebuilt.sites.len()
            || !self.sites.iter().zip(&rebuilt.sites).all(|(shown, now)| shown.is_same(now));
        let has_other_waves = self.action == Action::Relight && self.waves != rebuilt.waves;
        let differs = [
            ("incident", self.incident != rebuilt.incident),
            ("action", self.action != rebuilt.action),
            ("part", self.part != rebuilt.part),
            ("sites", has_other_sites),
            ("skipped", self.skipped != rebuilt.skipped),
            ("edges", self.edges != rebuilt.edges),
            ("returns", self.returns != rebuilt.returns),
            ("waves", has_other_waves),
            ("stops_above_percent", self.stops_above_percent != rebuilt.stops_above_percent),
            ("policy", self.policy != rebuilt.policy),
            ("advisory_revision", self.advisory_revision != rebuilt.advisory_revision),
            ("reason", self.reason != rebuilt.reason),
            ("proposer", self.proposer != rebuilt.proposer),
        ];
        if let Some((field, _)) = differs.into_iter().find(|(_, differs)| *differs) {
            return Err(PlanStale::Differs(field));
        }
        let renamed = self.renamed(rebuilt);
        if renamed.is_empty() { Ok(()) } else { Err(PlanStale::Renamed(renamed)) }
    }

    /// The sites of which other names were shown. A plan of before showed none.
    fn renamed(&self, rebuilt: &Self) -> Vec<GateKey> {
        let pairs = self.sites.iter().zip(&rebuilt.sites);
        let other =
            pairs.filter(|(shown, now)| !shown.names.is_empty() && shown.names != now.names);
        other.map(|(shown, _)| shown.site.clone()).collect()
    }
}

/// The edges that switch sites, by name.
fn edges_of(sites: &[PlanSite]) -> Vec<String> {
    let names: BTreeSet<&String> = sites.iter().map(|site| &site.edge).collect();
    names.into_iter().cloned().collect()
}

/// How many sites go together: those that relight by waves; what darkens or closes goes all at
/// once, after each edge tried its canary, which is no site.
fn waves(action: Action, sites: &[PlanSite]) -> Vec<usize> {
    let mut sizes = match action {
        Action::Relight => Waves::new(sites).sizes(),
        Action::Dark | Action::Close | Action::Open => vec![sites.len()],
    };
    sizes.retain(|size| *size > 0);
    sizes
}

/// What was asked for, before sites are chosen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlanAsk {
    /// The incident.
    pub incident: String,
    /// What to do.
    pub action: Action,
    /// To which part of each site; none for whole sites.
    pub part: Option<String>,
    /// Why.
    pub reason: String,
    /// Revision of the advisory group.
    pub advisory_revision: Digest,
    /// Digest of the policy in force.
    pub policy: Digest,
    /// Who proposes it.
    pub proposer: String,
    /// When.
    pub created: Timestamp,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::incident::first_named;

    fn plan(slugs: &[&str]) -> Plan {
        let ask = PlanAsk {
            incident: "CVE-2021-44228".into(),
            action: Action::Dark,
            part: None,
            reason: "Log4Shell".into(),
            advisory_revision: Digest([1; 32]),
            policy: Digest::default(),
            proposer: "A. Tremblay".into(),
            created: 1_000,
        };
        let site = |slug: &&str| PlanSite {
            site: GateKey::new(slug).unwrap(),
            edge: format!("edge-{}", slug.len()),
            verdict: "affected".into(),
            criticality: 1,
            org: "health/CHU A".into(),
            names: vec![format!("{slug}.example")],
        };
        Plan::new(ask, slugs.iter().map(site).collect(), Vec::new())
    }

    #[test]
    fn equal_plans_have_equal_hashes_whatever_the_order() {
        assert_eq!(plan(&["a", "bb"]).hash().unwrap(), plan(&["bb", "a"]).hash().unwrap());
        assert_ne!(plan(&["a", "bb"]).hash().unwrap(), plan(&["a"]).hash().unwrap());
        assert_eq!(plan(&["bb", "a", "b"]).edges, ["edge-1", "edge-2"]);
    }

    /// Goal: what people agree to has the name that it always had. Method: plans with and without
    /// each field that may be missing, beside their canonical form by way of a tree.
    #[test]
    fn the_canonical_form_is_that_of_the_tree() {
        let whole = Plan {
            part: Some("booking".into()),
            reason: "\u{e9}t\u{e9} \"x\" \n\u{1}".into(),
            skipped: vec![Skipped {
                site: GateKey::new("c").unwrap(),
                reason: "already-so".into(),
            }],
            stops_above_percent: Some(1),
            ..plan(&["a", "bb"])
        };
        let bare = Plan { returns: None, waves: Vec::new(), ..plan(&[]) };
        let nameless = Plan { sites: vec![nameless(&plan(&["a"]).sites[0])], ..plan(&["a"]) };
        for plan in [whole, bare, nameless, plan(&["a"])] {
            assert_eq!(plan.canonical().unwrap(), wire::canonical(&plan).unwrap());
        }
    }

    fn nameless(site: &PlanSite) -> PlanSite {
        PlanSite { names: Vec::new(), ..site.clone() }
    }

    /// Goal: what people agreed to is closed under the names that they were shown, or nothing is.
    /// Method: one of two sites gets another name; and a plan of before, which showed none.
    #[test]
    fn what_people_sign_says_under_which_names_sites_go_dark() {
        let shown = plan(&["a", "bb"]);
        let mut now = shown.clone();
        now.sites[1].names.push("old.example".into());
        assert_ne!(now.hash().unwrap(), shown.hash().unwrap());
        let renamed = vec![GateKey::new("bb").unwrap()];
        assert_eq!(shown.check(&now, 1_001), Err(PlanStale::Renamed(renamed)));
        let before = Plan { sites: shown.sites.iter().map(nameless).collect(), ..shown.clone() };
        assert!(!before.canonical().unwrap().contains("names"), "its hash is what it was");
        assert_eq!(before.check(&now, 1_001), Ok(()));
        let told = |count| first_named(&vec![now.sites[0].site.clone(); count], RENAMED_TOLD_MAX);
        assert_eq!((told(1), told(5)), ("a".into(), "a, a, a, a, a".into()));
        assert_eq!(told(RENAMED_TOLD_MAX + 1), "a, a, a, a, a, …");
        assert_eq!(shown.check(&plan(&["a", "cc"]), 1_001), Err(PlanStale::Differs("sites")));
    }

    /// Two people agreed to "dark", and nothing that they signed said that sites come back by
    /// themselves, nor in which order.
    #[test]
    fn what_people_sign_says_how_sites_come_back_and_in_which_order() {
        let dark = plan(&["a", "bb", "b"]);
        assert_eq!((dark.returns, &*dark.waves), (Some(Returns::ClearEvidence), &[3][..]));
        assert_eq!(dark.stops_above_percent, None);
        let hash = dark.hash().unwrap();
        let others = [
            Plan { returns: None, ..dark.clone() },
            Plan { stops_above_percent: Some(1), ..dark.clone() },
        ];
        for (other, field) in others.iter().zip(["returns", "stops_above_percent"]) {
            assert_ne!(other.hash().unwrap(), hash, "{field}");
            assert_eq!(dark.check(other, 1_001), Err(PlanStale::Differs(field)));
        }
        let before = Plan { waves: vec![2, 1], ..dark.clone() };
        assert_ne!(before.hash().unwrap(), hash);
        assert_eq!(before.check(&dark, 1_001), Ok(()), "it goes dark at once, as it did then");
        let ask = PlanAsk {
            incident: dark.incident.clone(),
            action: Action::Relight,
            part: None,
            reason: dark.reason.clone(),
            advisory_revision: dark.advisory_revision,
            policy: dark.policy,
            proposer: dark.proposer.clone(),
            created: dark.created,
        };
        let site = |number: u16| PlanSite {
            site: GateKey::new(&format!("s{number}")).unwrap(),
            ..dark.sites[0].clone()
        };
        let relight = Plan::new(ask, (0..40).map(site).collect(), Vec::new());
        assert_eq!(relight.waves, [1, 1, 8, 30]);
        let at_once = Plan { waves: vec![40], ..relight.clone() };
        assert_eq!(relight.check(&at_once, 1_001), Err(PlanStale::Differs("waves")));
        assert_eq!((relight.returns, relight.stops_above_percent), (None, Some(1)));
        // The names of plans of before stay what they were.
        let before = Plan { returns: None, waves: Vec::new(), ..dark };
        let text = wire::canonical(&before).unwrap();
        assert!(!text.contains("returns") && !text.contains("waves") && !text.contains("stops"));
    }

    #[test]
    fn a_plan_names_the_first_field_that_changed() {
        let shown = plan(&["a"]);
        assert_eq!(shown.check(&plan(&["a"]), 1_001), Ok(()));
        assert_eq!(shown.check(&plan(&["b"]), 1_001), Err(PlanStale::Differs("sites")));
        let revised = Plan { advisory_revision: Digest([2; 32]), ..plan(&["a"]) };
        assert_eq!(shown.check(&revised, 1_001), Err(PlanStale::Differs("advisory_revision")));
        let late = 1_000 + PLAN_AGE_MAX_S;
        assert_eq!(shown.check(&plan(&["a"]), late), Err(PlanStale::Expired));
    }
}
