//! Who acts: a name, what was granted to it and where, and how it showed who it is.

use std::collections::BTreeSet;

use crate::access::{Grant, Role, Scope};
use crate::incident::same;
use crate::plan::Plan;

/// How somebody showed who it is, for this one act.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Means {
    /// A token of a program: never a person.
    Token,
    /// A sign-in through a provider without a second factor that counts here: it names somebody,
    /// and whoever runs the provider, or knows a password, can come in as that person.
    Named,
    /// A sign-in whose passkey was shown too long ago.
    SignedIn,
    /// The one operator whom the policy names, on the machine itself: the rule for one person holds
    /// for him, and he is nobody's second.
    Operator,
    /// A second factor, shown lately to a provider whose word the policy takes.
    Provider,
    /// A passkey that was shown lately: how lately is up to the caller.
    Passkey,
    /// A key of hardware that was shown lately.
    HardwareKey,
}

/// Whoever acts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    /// The name of the account: what the journal records, and what makes two people two.
    pub name: String,
    /// What was granted to it.
    pub grants: Vec<Grant>,
    /// How it showed who it is.
    pub means: Means,
}

impl Person {
    /// The one operator of a machine, who owns the sites of these bodies.
    pub fn operator(name: &str, bodies: impl Iterator<Item = Scope>) -> Self {
        let grants = bodies.map(|scope| Grant { role: Role::SiteOwner, scope }).collect();
        Self { name: name.to_owned(), grants, means: Means::Operator }
    }

    /// The same where nobody can sign in: nobody else could have the command of an incident.
    pub fn in_command(mut self) -> Self {
        self.grants.push(Grant { role: Role::Commander, scope: Scope::root() });
        self
    }

    /// True when a role was granted for a scope. Whoever configures neither commands nor approves
    /// nor switches sites of his own, whatever else was granted to the account.
    pub fn may(&self, role: Role, scope: &Scope) -> bool {
        let is_admin = self.grants.iter().any(|grant| grant.role == Role::Admin);
        let switches = matches!(role, Role::Commander | Role::Approver | Role::SiteOwner);
        let is_granted = |it: &Grant| it.role == role && it.scope.contains(scope);
        !(is_admin && switches) && self.grants.iter().any(is_granted)
    }

    /// True when a role was granted for every site of a plan.
    pub fn may_for(&self, role: Role, plan: &Plan) -> bool {
        bodies(plan).iter().all(|body| self.may(role, body))
    }

    /// True when every site of a plan belongs to a body that is this person's own: one that a
    /// grant names, and not a sector or everything.
    pub fn owns(&self, plan: &Plan) -> bool {
        let names = |role: Role, body: &Scope| {
            self.grants.iter().any(|it| it.role == role && it.scope == *body)
        };
        let is_own = |body: &Scope| {
            let mut roles = [Role::SiteOwner, Role::Commander].into_iter();
            !body.is_root() && roles.any(|role| self.may(role, body) && names(role, body))
        };
        bodies(plan).iter().all(is_own)
    }

    /// True when a person was there lately: what a signature needs.
    pub fn is_present(&self) -> bool {
        matches!(
            self.means,
            Means::Operator | Means::Provider | Means::Passkey | Means::HardwareKey
        )
    }

    /// True when a key was shown just now, or somebody sits at the machine itself: what one person
    /// alone needs.
    pub fn has_key(&self) -> bool {
        matches!(self.means, Means::Operator | Means::Passkey | Means::HardwareKey)
    }

    /// True when two names mean one account.
    pub fn is(&self, name: &str) -> bool {
        same(&self.name, name)
    }
}

/// The bodies of the sites of a plan. One whose path cannot be read is everything: only who may
/// act everywhere may act there.
fn bodies(plan: &Plan) -> BTreeSet<Scope> {
    let paths: BTreeSet<&str> = plan.sites.iter().map(|site| site.org.as_str()).collect();
    paths.into_iter().map(|path| Scope::parse(path).unwrap_or_default()).collect()
}

#[cfg(test)]
mod tests {
    use relight_model::{Digest, GateKey};

    use super::*;
    use crate::plan::{Action, PlanAsk, PlanSite};

    fn plan(orgs: &[&str]) -> Plan {
        let ask = PlanAsk {
            incident: "CVE-2021-44228".into(),
            action: Action::Dark,
            part: None,
            reason: "Log4Shell".into(),
            advisory_revision: Digest::default(),
            policy: Digest::default(),
            proposer: "anna".into(),
            created: 0,
        };
        let site = |(at, org): (usize, &&str)| PlanSite {
            site: GateKey::new(&format!("s{at}")).unwrap(),
            edge: "east".into(),
            verdict: "affected".into(),
            criticality: 2,
            org: (*org).to_owned(),
            names: Vec::new(),
        };
        Plan::new(ask, orgs.iter().enumerate().map(site).collect(), Vec::new())
    }

    fn person(grants: &[(Role, &str)]) -> Person {
        let grant =
            |(role, at): &(Role, &str)| Grant { role: *role, scope: Scope::parse(at).unwrap() };
        Person {
            name: "anna".into(),
            grants: grants.iter().map(grant).collect(),
            means: Means::Passkey,
        }
    }

    #[test]
    fn who_configures_neither_commands_nor_approves_nor_owns() {
        let mut all: Vec<(Role, &str)> = Role::ALL.map(|role| (role, "/")).into();
        for role in Role::ALL {
            let switches = matches!(role, Role::Commander | Role::Approver | Role::SiteOwner);
            assert_eq!(person(&all).may(role, &Scope::root()), !switches, "{role:?}");
        }
        all.retain(|(role, _)| *role != Role::Admin);
        for role in Role::ALL {
            assert_eq!(person(&all).may(role, &Scope::root()), role != Role::Admin, "{role:?}");
        }
    }

    #[test]
    fn own_is_a_body_that_a_grant_names() {
        for (role, at, orgs, owns) in [
            (Role::SiteOwner, "health/A", &["health/A"][..], true),
            (Role::Commander, "health/A", &["health/A"], true),
            (Role::Approver, "health/A", &["health/A"], false),
            (Role::SiteOwner, "health/A", &["health/A", "health/B"], false),
            (Role::SiteOwner, "health", &["health/A"], false),
            (Role::SiteOwner, "/", &["health/A"], false),
            (Role::SiteOwner, "health/A/unit", &["health/A"], false),
            (Role::SiteOwner, "/", &[""], false),
            (Role::SiteOwner, "health/A", &["health/A//"], false),
        ] {
            let owner = person(&[(role, at)]);
            assert_eq!(owner.owns(&plan(orgs)), owns, "{role:?} {at} {orgs:?}");
        }
        let both = person(&[(Role::SiteOwner, "health/A"), (Role::Admin, "/")]);
        assert!(!both.owns(&plan(&["health/A"])));
    }

    #[test]
    fn a_role_for_a_plan_is_one_for_each_of_its_bodies() {
        let commander = person(&[(Role::Commander, "health")]);
        assert!(commander.may_for(Role::Commander, &plan(&["health/A", "health/B"])));
        assert!(!commander.may_for(Role::Commander, &plan(&["health/A", "energy/C"])));
        assert!(!commander.may_for(Role::Approver, &plan(&["health/A"])));
        assert!(!commander.may_for(Role::Commander, &plan(&["not//a path"])));
        let chief = person(&[(Role::Commander, "/")]);
        assert!(chief.may_for(Role::Commander, &plan(&["not//a path", ""])));
        assert!(chief.is(" Anna ") && !chief.is("anne"));
    }
}
