//! Libraries of others are as new as `SECURITY.md` promises, as far as the record of them says.
use super::Complaint;
use crate::tree::Tree;
use crate::updates::{self, DAYS_MAX, Libraries, PATH};

/// Checks the record: that it is one, is about the versions that are used, and that none of them
/// was behind for too long.
pub(super) fn check(tree: &Tree, complaints: &mut Vec<Complaint>) {
    let Some(lock) = tree.text("Cargo.lock") else { return };
    let mut complain = |what: String| complaints.push(Complaint::new(PATH, 0, what));
    let Some(libraries) = tree.text(PATH).and_then(Libraries::parse) else {
        return complain("is no record of libraries: cargo xtask updates".to_owned());
    };
    let locked = updates::locked(lock);
    for it in &libraries.behind {
        if !locked.contains(&(it.name.clone(), it.version.clone())) {
            let (name, version) = (&it.name, &it.version);
            complain(format!("{name} {version} is not in Cargo.lock: cargo xtask updates"));
        }
    }
    for it in libraries.late() {
        let (name, newer) = (&it.name, &it.newer);
        complain(format!("{name} {newer} is known for more than {DAYS_MAX} days: take it"));
    }
}

#[cfg(test)]
mod tests {
    use super::super::complaints_of;
    use super::*;

    #[test]
    fn a_library_that_was_behind_for_too_long_is_found() {
        let lock = "[[package]]\nname = \"a\"\nversion = \"1.0.0\"\n";
        let found = |record: &str| complaints_of(check, &[("Cargo.lock", lock), (PATH, record)]);
        assert!(found("2026-11-29\n").is_empty());
        assert!(found("# why\n2026-11-29\na 1.0.0 1.1.0 2026-08-29\n").is_empty());
        let late = found("2026-11-29\na 1.0.0 1.1.0 2026-08-28\n");
        assert!(late[0].contains("a 1.1.0 is known for more than 92 days"), "{late:?}");
        let other = found("2026-11-29\na 0.9.0 1.1.0 2026-11-01\n");
        assert!(other[0].contains("a 0.9.0 is not in Cargo.lock"), "{other:?}");
        for none in ["", "yesterday\n", "2026-11-29\na 1.0.0\n"] {
            assert!(found(none)[0].contains("is no record"), "{none}");
        }
        let missing = complaints_of(check, &[("Cargo.lock", lock)]);
        assert!(missing[0].contains("is no record"), "{missing:?}");
    }
}
