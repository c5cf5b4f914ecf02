//! Who may do what, and where: roles, scopes in the tree of organisations, accounts.
//!
//! Pure rules. How somebody proves to be somebody lives in the server, and how many people a plan
//! needs lives in [`crate::policy`].

use std::fmt;

/// What somebody may do inside of a scope.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Reads.
    Viewer,
    /// Analyses, states what is exploitable, reads the watch.
    Analyst,
    /// Fixes and verifies sites of its own, and uses the rule for one person there.
    SiteOwner,
    /// Opens and closes incidents, and proposes plans.
    Commander,
    /// Approves plans, or refuses them.
    Approver,
    /// Writes what the public reads.
    Publisher,
    /// Reads everything, and exports the audit log.
    Auditor,
    /// Configuration, accounts and edges; never switches and never approves.
    Admin,
}

impl Role {
    /// Every role, in the order in which pages list them.
    pub const ALL: [Self; 8] = [
        Self::Viewer,
        Self::Analyst,
        Self::SiteOwner,
        Self::Commander,
        Self::Approver,
        Self::Publisher,
        Self::Auditor,
        Self::Admin,
    ];

    /// The stable name used in documents and in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Analyst => "analyst",
            Self::SiteOwner => "site-owner",
            Self::Commander => "commander",
            Self::Approver => "approver",
            Self::Publisher => "publisher",
            Self::Auditor => "auditor",
            Self::Admin => "admin",
        }
    }

    /// The role of a stable name.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.as_str() == text)
    }

    /// Granting it takes two people: otherwise an admin invents the second person of a plan.
    pub const fn needs_two_to_grant(self) -> bool {
        matches!(self, Self::Commander | Self::Approver)
    }

    /// One account never holds both, wherever.
    pub const fn excludes(self, other: Self) -> bool {
        matches!(
            (self, other),
            (Self::Admin, Self::Commander | Self::Approver)
                | (Self::Commander | Self::Approver, Self::Admin)
        )
    }
}

/// Most parts of a scope: sector, body, unit.
pub const SCOPE_PARTS_MAX: usize = 3;

/// Longest text of a scope, in bytes.
pub const SCOPE_BYTES_MAX: usize = 400;

/// A path in the tree of organisations: sector, body, unit. The empty path is everything.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Scope(Vec<String>);

impl Scope {
    /// Everything.
    pub const fn root() -> Self {
        Self(Vec::new())
    }

    /// The scope of a body: what its sites are in.
    pub fn of_body(sector: &str, body: &str) -> Self {
        Self(vec![sector.to_owned(), body.to_owned()])
    }

    /// Reads `health/Body`; `%2F` and `%25` stand for a slash and a percent sign in a name, and
    /// the empty text or `/` for everything. `None` when it has empty parts or too many of them.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        if text.is_empty() || text == "/" {
            return Some(Self::root());
        }
        let parts: Vec<String> = text.split('/').map(|part| plain(part.trim())).collect();
        let fits = text.len() <= SCOPE_BYTES_MAX && parts.len() <= SCOPE_PARTS_MAX;
        let good = |part: &String| !part.is_empty() && !part.contains(char::is_control);
        (fits && parts.iter().all(good)).then_some(Self(parts))
    }

    /// Whether it is everything.
    pub fn is_root(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether the other one is this one or lies below it.
    pub fn contains(&self, other: &Self) -> bool {
        other.0.starts_with(&self.0)
    }
}

fn plain(part: &str) -> String {
    part.replace("%2F", "/").replace("%2f", "/").replace("%25", "%")
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_root() {
            return f.write_str("/");
        }
        for (at, part) in self.0.iter().enumerate() {
            let slash = if at == 0 { "" } else { "/" };
            write!(f, "{slash}{}", part.replace('%', "%25").replace('/', "%2F"))?;
        }
        Ok(())
    }
}

/// One role in one scope.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Grant {
    /// What.
    pub role: Role,
    /// Where, and everywhere below.
    pub scope: Scope,
}

/// A person, as far as rules know one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// Its number, never used again.
    pub id: u32,
    /// The unique name under which acts are journalled.
    pub name: String,
    /// What it may do.
    pub grants: Vec<Grant>,
}

impl Account {
    /// Whether it holds a role for a scope: granted there or above.
    pub fn may(&self, role: Role, scope: &Scope) -> bool {
        self.grants.iter().any(|grant| grant.role == role && grant.scope.contains(scope))
    }

    /// Whether it may read about a scope: every role reads where it was granted.
    pub fn reads(&self, scope: &Scope) -> bool {
        self.grants.iter().any(|grant| grant.scope.contains(scope))
    }

    /// Whether it holds a role anywhere.
    pub fn is(&self, role: Role) -> bool {
        self.grants.iter().any(|grant| grant.role == role)
    }

    /// A role that it holds and that excludes this one.
    pub fn excluded_by(&self, role: Role) -> Option<Role> {
        self.grants.iter().map(|grant| grant.role).find(|held| held.excludes(role))
    }
}

/// Longest name of an account, in bytes.
pub const NAME_BYTES_MAX: usize = 64;

/// Whether a text can be the name of an account: `[a-z0-9][a-z0-9._@-]*`, so that it stands in a
/// log, in an address and beside another name without being mistaken for one.
pub fn is_name(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let inner = |byte: u8| plain(byte) || b"._@-".contains(&byte);
    text.len() <= NAME_BYTES_MAX
        && text.bytes().next().is_some_and(plain)
        && text.bytes().all(inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scope(text: &str) -> Scope {
        Scope::parse(text).unwrap()
    }

    fn account(grants: &[(Role, &str)]) -> Account {
        let grant = |(role, at): &(Role, &str)| Grant { role: *role, scope: scope(at) };
        Account { id: 1, name: "anna".into(), grants: grants.iter().map(grant).collect() }
    }

    #[test]
    fn names_of_roles_are_read_back() {
        for role in Role::ALL {
            assert_eq!(Role::parse(role.as_str()), Some(role));
        }
        assert_eq!(Role::parse("root"), None);
        assert_eq!(Role::parse("Admin"), None);
    }

    #[test]
    fn admin_excludes_those_who_switch_and_nobody_else() {
        let pairs = Role::ALL.into_iter().flat_map(|a| Role::ALL.map(|b| (a, b)));
        for (a, b) in pairs {
            let switches = |role| matches!(role, Role::Commander | Role::Approver);
            let admin = |role| role == Role::Admin;
            let wanted = admin(a) && switches(b) || admin(b) && switches(a);
            assert_eq!(a.excludes(b), wanted, "{a:?} {b:?}");
        }
        let anna = account(&[(Role::Admin, "health"), (Role::Auditor, "/")]);
        assert_eq!(anna.excluded_by(Role::Approver), Some(Role::Admin), "in any scope");
        assert_eq!(anna.excluded_by(Role::Viewer), None);
    }

    #[test]
    fn a_scope_contains_itself_and_what_is_below() {
        for (outer, inner, wanted) in [
            ("/", "health/CHU/lab", true),
            ("health", "health/CHU", true),
            ("health/CHU", "health/CHU", true),
            ("health/CHU", "health", false),
            ("health/CHU", "health/CHUM", false),
            ("health/CHU", "energy/CHU", false),
            ("health", "/", false),
        ] {
            assert_eq!(scope(outer).contains(&scope(inner)), wanted, "{outer} {inner}");
        }
    }

    #[test]
    fn scopes_are_read_back_as_written() {
        for text in ["/", "health", "health/CHU", "health/a%2Fb 100%25/unit"] {
            assert_eq!(scope(text).to_string(), text);
        }
        assert_eq!(Scope::of_body("health", "a/b").to_string(), "health/a%2Fb");
        assert_eq!(scope(""), Scope::root());
        let long = "x".repeat(SCOPE_BYTES_MAX + 1);
        for bad in ["a//b", "/a", "a/", "a/b/c/d", "a\nb", "a/ /b", &long] {
            assert_eq!(Scope::parse(bad), None, "{bad}");
        }
        assert!(Scope::parse(&"x".repeat(SCOPE_BYTES_MAX)).is_some());
    }

    #[test]
    fn a_role_counts_where_it_was_granted_and_below() {
        let anna = account(&[(Role::Commander, "health"), (Role::Viewer, "energy/Hydro")]);
        assert!(anna.may(Role::Commander, &scope("health/CHU")));
        assert!(!anna.may(Role::Commander, &Scope::root()));
        assert!(!anna.may(Role::Commander, &scope("energy/Hydro")));
        assert!(!anna.may(Role::Viewer, &scope("health")), "one role is not another");
        assert!(anna.reads(&scope("health/CHU")) && anna.reads(&scope("energy/Hydro")));
        assert!(!anna.reads(&scope("energy")) && !anna.reads(&scope("justice")));
        assert!(anna.is(Role::Viewer) && !anna.is(Role::Admin));
        assert!(!account(&[]).reads(&scope("health")), "no role reads nothing");
    }

    #[test]
    fn names_of_accounts() {
        for good in ["anna", "a", "anna.roy@sante.example", "0x", &"a".repeat(NAME_BYTES_MAX)] {
            assert!(is_name(good), "{good}");
        }
        for bad in ["", "Anna", "-a", "a b", "a\n", "é", "a/b", &"a".repeat(NAME_BYTES_MAX + 1)] {
            assert!(!is_name(bad), "{bad}");
        }
    }
}
