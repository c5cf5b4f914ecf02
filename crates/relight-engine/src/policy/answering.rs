//! Who may answer for a site that no evidence calls clear: as strict as a plan that relights it.

use super::desk::check_signer;
use super::{Desk, Person, Refusal};
use crate::access::{Role, Scope};

/// What a second person is asked to answer for.
#[derive(Clone, Copy, Debug)]
pub struct Answering<'a> {
    /// Who asks.
    pub proposer: &'a str,
    /// The body of the site.
    pub body: &'a Scope,
    /// The site is vital.
    pub vital: bool,
}

impl Desk<'_> {
    /// Somebody asks a second person to answer for a site.
    ///
    /// # Errors
    /// The rule that forbids it.
    pub fn ask_acceptance(
        &self,
        person: &Person,
        body: &Scope,
        reason: &str,
    ) -> Result<(), Refusal> {
        check_signer(person)?;
        if ![Role::Commander, Role::SiteOwner].into_iter().any(|role| person.may(role, body)) {
            return Err(Refusal::NotCommander);
        }
        if reason.trim().is_empty() { Err(Refusal::NoReason) } else { Ok(()) }
    }

    /// The second person agrees. For a vital site, and where Command decides about everything, only
    /// the command does.
    ///
    /// # Errors
    /// The rule that forbids it.
    pub fn agree(&self, person: &Person, about: &Answering<'_>) -> Result<(), Refusal> {
        check_signer(person)?;
        if person.is(about.proposer) {
            return Err(Refusal::Proposer);
        }
        let commands = person.may(Role::Commander, about.body);
        if !commands && !person.may(Role::Approver, about.body) {
            return Err(Refusal::NotApprover);
        }
        if !commands && (about.vital || self.policy.two_max == 0) {
            return Err(Refusal::CommandAnswers);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::access::Grant;
    use crate::incident::Actions;
    use crate::policy::{Means, Policy};

    const MEANS: [Means; 7] = [
        Means::Token,
        Means::Named,
        Means::SignedIn,
        Means::Operator,
        Means::Provider,
        Means::Passkey,
        Means::HardwareKey,
    ];

    /// Goal: nobody answers alone, absent, as a program, from the machine, elsewhere, or for a
    /// vital site without the command. Method: every role, place, means and policy, beside the rule
    /// in other words.
    #[test]
    fn every_combination_of_role_place_means_and_policy() {
        let body = Scope::parse("health/A").unwrap();
        let (actions, protected) = (Actions::default(), BTreeSet::new());
        let places = [("/", true), ("health", true), ("health/A", true), ("energy", false)];
        let mut agreed = 0;
        for (role, (at, is_here), means, bits) in Role::ALL.into_iter().flat_map(|role| {
            places.into_iter().flat_map(move |place| {
                MEANS
                    .into_iter()
                    .flat_map(move |it| (0..8).map(move |bits| (role, place, it, bits)))
            })
        }) {
            let (is_own, vital, by_command) = (bits & 1 == 1, bits & 2 == 2, bits & 4 == 4);
            let policy = if by_command { Policy::by_command() } else { Policy::strictest() };
            let desk = Desk { policy: &policy, actions: &actions, protected: &protected, now: 0 };
            let grants = vec![Grant { role, scope: Scope::parse(at).unwrap() }];
            let name = if is_own { " ANNA" } else { "zoe" }.to_owned();
            let person = Person { name, grants, means };
            let about = Answering { proposer: "anna", body: &body, vital };
            let signs = [Means::Provider, Means::Passkey, Means::HardwareKey].contains(&means);
            let commands = is_here && role == Role::Commander;
            let approves = is_here && role == Role::Approver && !vital && !by_command;
            let may = signs && !is_own && (commands || approves);
            let got = desk.agree(&person, &about);
            assert_eq!(got.is_ok(), may, "{role:?} {at} {means:?} {about:?} {got:?}");
            agreed += usize::from(may);
            let asks = signs && is_here && [Role::Commander, Role::SiteOwner].contains(&role);
            assert_eq!(desk.ask_acceptance(&person, &body, "x").is_ok(), asks);
            assert!(desk.ask_acceptance(&person, &body, " ").is_err());
        }
        assert!(agreed > 0);
    }
}
