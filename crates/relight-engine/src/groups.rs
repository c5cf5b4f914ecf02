//! Which edges may stand behind one name: several proxies in front of the same sites, told
//! together, and dark only where each of them is (INCIDENT 2.1).

use relight_edge::{GROUP, MEMBERS, Target};

use crate::reconcile::BARRIER;

/// Why edges cannot be a group, or an edge not what it is to be in one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GroupFault {
    /// It names fewer than two.
    Few,
    /// It names one of them twice.
    Twice,
    /// No edge has this name.
    Missing,
    /// A group stands in a group.
    Nested,
    /// It has sites of its own.
    HasSites,
    /// It is in another group already.
    Shared,
    /// It is a second barrier, or has one.
    Barred,
}

impl GroupFault {
    /// Every fault.
    pub const ALL: [Self; 7] = [
        Self::Few,
        Self::Twice,
        Self::Missing,
        Self::Nested,
        Self::HasSites,
        Self::Shared,
        Self::Barred,
    ];

    /// Stable code, as the texts have it.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Few => "group-few",
            Self::Twice => "group-twice",
            Self::Missing => "group-missing",
            Self::Nested => "group-nested",
            Self::HasSites => "group-sites",
            Self::Shared => "group-shared",
            Self::Barred => "group-barred",
        }
    }
}

/// The names that a group stands for; none of any other kind of edge.
pub fn members(target: &Target) -> impl Iterator<Item = &str> {
    let named = target.settings.get(MEMBERS).filter(|_| target.kind == GROUP);
    named.into_iter().flat_map(|names| names.split_whitespace())
}

/// The group among `targets` that this edge is in.
pub fn group_of<'a>(name: &str, targets: &'a [Target]) -> Option<&'a Target> {
    targets.iter().find(|it| it.name != name && members(it).any(|member| member == name))
}

/// The edge under whose name sites stand that this one serves: its group, or itself.
pub fn serves_as<'a>(name: &'a str, targets: &'a [Target]) -> &'a str {
    group_of(name, targets).map_or(name, |group| &group.name)
}

/// Gives a group what its members are. One that is not known is there all the same, as an edge
/// that cannot be opened: nothing is proven without it.
pub fn resolve(target: &mut Target, rows: &[Target]) {
    let found = |name: &str| {
        let found = rows.iter().find(|it| it.name == name && it.kind != GROUP).cloned();
        found.unwrap_or_else(|| Target {
            name: name.to_owned(),
            kind: String::new(),
            gate: std::path::PathBuf::new(),
            listeners: Vec::new(),
            verify: None,
            settings: [].into(),
            members: Vec::new(),
        })
    };
    let all: Vec<Target> = members(target).map(found).collect();
    if all.is_empty() {
        return;
    }
    target.listeners = all.iter().flat_map(|it| it.listeners.clone()).collect();
    // Behind the gate all of them lead to the same origins: any way there will do.
    if let Some(member) = all.iter().find(|it| it.verify.is_some()) {
        target.verify.clone_from(&member.verify);
        let names = [relight_edge::TESTER, relight_edge::TESTERS_CA, relight_edge::TESTERS_SHOWN];
        for name in names {
            let value = member.settings.get(name);
            target.settings.extend(value.map(|value| (name.to_owned(), value.clone())));
        }
    }
    target.members = all;
}

/// What keeps an edge from being registered beside `targets`, because of a group that it is or is
/// in. Gives the name of the edge that it is about.
///
/// # Errors
/// There is such a fault.
pub fn check(
    target: &Target,
    targets: &[Target],
    has_sites: impl Fn(&str) -> bool,
) -> Result<(), (String, GroupFault)> {
    let others: Vec<&Target> = targets.iter().filter(|it| it.name != target.name).collect();
    let is_barrier = |name: &str| others.iter().any(|it| barrier(it) == Some(name));
    let fail = |name: &str, fault| Err((name.to_owned(), fault));
    if let Some(name) = barrier(target).filter(|name| group_of(name, targets).is_some()) {
        return fail(name, GroupFault::Barred);
    }
    if group_of(&target.name, targets).is_some() {
        match () {
            () if target.kind == GROUP => return fail(&target.name, GroupFault::Nested),
            () if barrier(target).is_some() => return fail(&target.name, GroupFault::Barred),
            () => {}
        }
    }
    if target.kind != GROUP {
        return Ok(());
    }
    let names: Vec<&str> = members(target).collect();
    if names.len() < 2 {
        return fail(&target.name, GroupFault::Few);
    }
    for (number, name) in names.iter().enumerate() {
        let in_other = others.iter().any(|it| members(it).any(|member| member == *name));
        let fault = match others.iter().find(|it| it.name == *name) {
            _ if names[..number].contains(name) => GroupFault::Twice,
            _ if *name == target.name => GroupFault::Nested,
            None => GroupFault::Missing,
            Some(member) if member.kind == GROUP => GroupFault::Nested,
            Some(_) if has_sites(name) => GroupFault::HasSites,
            Some(_) if in_other => GroupFault::Shared,
            Some(member) if barrier(member).is_some() || is_barrier(name) => GroupFault::Barred,
            Some(_) if barrier(target) == Some(name) => GroupFault::Barred,
            Some(_) => continue,
        };
        return fail(name, fault);
    }
    Ok(())
}

fn barrier(target: &Target) -> Option<&str> {
    target.settings.get(BARRIER).map(String::as_str)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(name: &str, kind: &str, settings: &[(&str, &str)]) -> Target {
        Target {
            name: name.into(),
            kind: kind.into(),
            gate: format!("/{name}").into(),
            listeners: vec![([127, 0, 0, 1], 80).into()],
            verify: None,
            settings: settings.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect(),
            members: Vec::new(),
        }
    }

    fn group(name: &str, members: &str) -> Target {
        target(name, GROUP, &[(MEMBERS, members)])
    }

    #[test]
    fn only_edges_that_serve_nobody_else_stand_in_a_group() {
        let known = [
            target("a", "builtin", &[]),
            target("b", "builtin", &[]),
            target("c", "builtin", &[]),
            target("d", "builtin", &[]),
            target("sites", "builtin", &[]),
            target("behind", "builtin", &[]),
            target("before", "builtin", &[(BARRIER, "behind")]),
            group("pair", "c d"),
        ];
        let fault = |target: &Target| {
            check(target, &known, |name| name == "sites").err().map(|(name, fault)| {
                assert!(!name.is_empty());
                fault
            })
        };
        for (members, expected) in [
            ("a b", None),
            ("a", Some(GroupFault::Few)),
            ("a a", Some(GroupFault::Twice)),
            ("a nobody", Some(GroupFault::Missing)),
            ("a front", Some(GroupFault::Nested)),
            ("a pair", Some(GroupFault::Nested)),
            ("a sites", Some(GroupFault::HasSites)),
            ("a c", Some(GroupFault::Shared)),
            ("a behind", Some(GroupFault::Barred)),
            ("a before", Some(GroupFault::Barred)),
        ] {
            assert_eq!(fault(&group("front", members)), expected, "{members}");
        }
        // Registered once more, it is not in its own way.
        assert_eq!(fault(&group("pair", "c d")), None);
        assert_eq!(fault(&target("c", "haproxy", &[])), None);
        assert_eq!(fault(&group("c", "a b")), Some(GroupFault::Nested));
        for (name, barrier) in [("c", "a"), ("a", "c")] {
            let barred = target(name, "builtin", &[(BARRIER, barrier)]);
            assert_eq!(fault(&barred), Some(GroupFault::Barred), "{name}");
        }
        assert_eq!((serves_as("c", &known), serves_as("a", &known)), ("pair", "a"));
    }

    #[test]
    fn a_group_knows_its_members_and_one_that_is_missing_cannot_be_opened() {
        let mut a = target("a", "builtin", &[]);
        a.verify = Some("/verify".into());
        let mut front = group("front", "a gone");
        resolve(&mut front, &[a.clone()]);
        assert_eq!((front.listeners.len(), &front.verify), (1, &a.verify));
        assert_eq!(front.members[0], a);
        assert!(relight_edge::open(&front.members[1]).is_err());
    }
}
