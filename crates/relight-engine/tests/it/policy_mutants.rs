//! Rules of the policy that were broken on purpose, one at a time.

use relight_engine::access::{Grant, Role, Scope};
use relight_engine::policy::{Means, Person, Policy};

use crate::policy::BODIES;

/// What is wrong with the rules under test.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mutant {
    None,
    SlicesNotCounted,
    AloneMaxIgnored,
    TwoMaxIgnored,
    VitalIgnored,
    UnsignedTrusted,
    EverythingIsOwn,
    ProposerApproves,
    SecondSignatureOfOne,
    TokenCounts,
    AbsentCounts,
    AdminSwitches,
    AnybodyProposes,
    AnybodyApproves,
    ScopeIgnored,
    NumberNotTyped,
    CommandNotNeeded,
    ExpiryIgnored,
    HashIgnored,
    ProtectedIgnored,
    RefusalForgotten,
    SeatsNotFilled,
    AnotherName,
    GlassWithoutHardware,
    GlassRelights,
    GlassByAnybody,
    OwnReview,
    MachineCommands,
    MachineApproves,
    MachineBreaksGlass,
    MachineIgnoresAccounts,
    MachineTakesBack,
    UndoneByAnybody,
    UndoneByStranger,
    UndoneFromAfar,
    UndoneLate,
    ClosedByAnybody,
    ClosedByPrograms,
    GivenForAnyFlaw,
    GivenForInside,
    GivenForVital,
    GivenByNobody,
    GivenWithoutBound,
    GivenForEver,
}

impl Mutant {
    pub(crate) const ALL: [Self; 43] = [
        Self::SlicesNotCounted,
        Self::AloneMaxIgnored,
        Self::TwoMaxIgnored,
        Self::VitalIgnored,
        Self::UnsignedTrusted,
        Self::EverythingIsOwn,
        Self::ProposerApproves,
        Self::SecondSignatureOfOne,
        Self::TokenCounts,
        Self::AbsentCounts,
        Self::AdminSwitches,
        Self::AnybodyProposes,
        Self::AnybodyApproves,
        Self::ScopeIgnored,
        Self::NumberNotTyped,
        Self::CommandNotNeeded,
        Self::ExpiryIgnored,
        Self::HashIgnored,
        Self::ProtectedIgnored,
        Self::RefusalForgotten,
        Self::SeatsNotFilled,
        Self::AnotherName,
        Self::GlassWithoutHardware,
        Self::GlassRelights,
        Self::GlassByAnybody,
        Self::OwnReview,
        Self::MachineCommands,
        Self::MachineApproves,
        Self::MachineBreaksGlass,
        Self::MachineIgnoresAccounts,
        Self::MachineTakesBack,
        Self::UndoneByAnybody,
        Self::UndoneByStranger,
        Self::UndoneFromAfar,
        Self::UndoneLate,
        Self::ClosedByAnybody,
        Self::ClosedByPrograms,
        Self::GivenForAnyFlaw,
        Self::GivenForInside,
        Self::GivenForVital,
        Self::GivenByNobody,
        Self::GivenWithoutBound,
        Self::GivenForEver,
    ];

    /// Whoever acts, as these rules see him.
    pub(crate) fn sees(self, person: &Person, is_approval: bool) -> Person {
        let mut seen = person.clone();
        let all = |role| Grant { role, scope: Scope::root() };
        match self {
            Self::TokenCounts if seen.means == Means::Token => seen.means = Means::Passkey,
            Self::AbsentCounts if seen.means == Means::SignedIn => {
                seen.means = Means::Passkey;
            }
            Self::MachineCommands if seen.means == Means::Operator && !is_approval => {
                seen.grants = vec![all(Role::Commander)];
                seen.means = Means::Passkey;
            }
            Self::MachineApproves if seen.means == Means::Operator && is_approval => {
                seen.grants = vec![all(Role::Approver)];
                seen.means = Means::Passkey;
            }
            Self::AdminSwitches => seen.grants.retain(|grant| grant.role != Role::Admin),
            Self::AnybodyProposes if !is_approval => seen.grants = vec![all(Role::Commander)],
            Self::AnybodyApproves if is_approval => seen.grants = vec![all(Role::Approver)],
            Self::CommandNotNeeded if is_approval => {
                let approvers = seen.grants.iter().filter(|it| it.role == Role::Approver);
                let scopes: Vec<Scope> = approvers.map(|it| it.scope.clone()).collect();
                seen.grants
                    .extend(scopes.into_iter().map(|scope| Grant { role: Role::Commander, scope }));
            }
            Self::ScopeIgnored => {
                seen.grants.iter_mut().for_each(|grant| grant.scope = Scope::root());
            }
            Self::EverythingIsOwn => seen.grants.extend(BODIES.map(|(body, _)| Grant {
                role: Role::SiteOwner,
                scope: Scope::parse(body).unwrap(),
            })),
            Self::ProposerApproves if is_approval => seen.name.push('\''),
            _ => {}
        }
        seen
    }

    /// Whoever takes a plan back, as these rules see him: in the place of who signed it first, or
    /// as somebody who is there.
    pub(crate) fn sees_undo(
        self,
        person: &Person,
        commands: bool,
        first: Option<String>,
    ) -> Person {
        let mut seen = person.clone();
        let lends = match self {
            Self::UndoneByAnybody => !commands,
            Self::UndoneByStranger => commands,
            _ => false,
        };
        if lends && !matches!(seen.means, Means::Token | Means::SignedIn) {
            seen.name = first.unwrap_or(seen.name);
        }
        match (self, seen.means) {
            (Self::UndoneFromAfar, Means::SignedIn) | (Self::MachineTakesBack, Means::Operator) => {
                seen.means = Means::Passkey
            }
            _ => {}
        }
        seen
    }

    pub(crate) fn policy(self, policy: &Policy) -> Policy {
        let mut seen = policy.clone();
        match self {
            Self::AloneMaxIgnored if seen.is_signed => seen.alone_max = 1_000,
            Self::TwoMaxIgnored => seen.two_max = usize::MAX,
            Self::UnsignedTrusted => seen.alone_max = 5,
            Self::GivenForVital => seen.standing.iter_mut().for_each(|it| it.vital = true),
            Self::GivenByNobody => seen.is_signed = true,
            Self::GivenWithoutBound => {
                seen.standing.iter_mut().for_each(|it| it.sites_max = usize::MAX);
            }
            Self::GivenForEver => {
                seen.standing.iter_mut().for_each(|it| it.expires += 300 * 86_400);
            }
            _ => {}
        }
        seen
    }
}
