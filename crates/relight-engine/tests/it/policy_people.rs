//! People of the property test of the policy.

use relight_engine::access::{Grant, Role, Scope};
use relight_engine::policy::{Means, Person};
use testkit::Rng;

/// The table of roles in other words.
pub(crate) fn may(person: &Person, roles: &[Role], body: &str) -> bool {
    let is_admin = person.grants.iter().any(|grant| grant.role == Role::Admin);
    let here = |grant: &Grant| {
        let at = grant.scope.to_string();
        at == "/" || at == body || body.starts_with(&format!("{at}/"))
    };
    !is_admin && person.grants.iter().any(|grant| roles.contains(&grant.role) && here(grant))
}

/// Somebody with a few roles here and there.
pub(crate) fn person(rng: &mut Rng, at: usize) -> Person {
    let scopes: [&str; 6] = ["/", "/", "health", "health/A", "health/B", "energy/C"];
    let roles = [
        Role::Commander,
        Role::Commander,
        Role::SiteOwner,
        Role::SiteOwner,
        Role::Approver,
        Role::Approver,
        Role::Viewer,
        Role::Admin,
    ];
    let count = 1 + rng.below(3);
    let mut grant = || {
        let role = *rng.pick(&roles);
        Grant { role, scope: Scope::parse(scopes[rng.below(scopes.len())]).unwrap() }
    };
    let grants = (0..count).map(|_| grant()).collect();
    Person { name: format!("person-{at}"), grants, means: Means::Passkey }
}
