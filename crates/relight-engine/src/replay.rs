//! A difference between the list that followed each change and a full match, written down so that
//! it can be matched again: the store keeps every revision and every inventory.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::path::Path;

use relight_match::{Advisories, Difference, MATCHER_REVISION, Match};
use relight_model::{Component, Timestamp};
use relight_store::{IdentityId, Index};
use serde_json::{Value, json};

/// The file in the data folder.
pub const DIFFERENCES_FILE: &str = "match-differences.jsonl";

/// Largest file of them, in bytes: the first ones tell most.
const FILE_BYTES_MAX: u64 = 1 << 20;

/// Packages of one side that a line names.
const PACKAGES_MAX: usize = 64;

/// A line of JSON for each flaw.
pub(crate) fn lines(
    differences: &[Difference],
    advisories: &Advisories,
    index: &Index,
    now: Timestamp,
) -> Vec<String> {
    let component = |number| index.identity(IdentityId(number)).cloned();
    differences.iter().map(|it| line(it, advisories, component, now).to_string()).collect()
}

fn line(
    difference: &Difference,
    advisories: &Advisories,
    component: impl Fn(u32) -> Option<Component>,
    now: Timestamp,
) -> Value {
    let side = |list: &[Match]| -> Vec<Value> {
        let one = |it: &Match| {
            let Match { identity, stand, is_mitigated, is_disputed, by_statement } = it;
            let held = component(*identity);
            let purl = held.as_ref().map(|it| it.purl.to_string());
            json!({
                "identity": identity, "purl": purl, "basis": held.map(|it| it.basis.as_str()),
                "stand": stand.as_str(), "mitigated": is_mitigated, "disputed": is_disputed,
                "by_statement": by_statement,
            })
        };
        list.iter().take(PACKAGES_MAX).map(one).collect()
    };
    let Difference { flaw, pushed, full } = difference;
    let revision = advisories.group(flaw).map(|group| group.revision().to_string());
    json!({
        "at": now, "matcher": MATCHER_REVISION, "flaw": flaw, "revision": revision,
        "pushed": side(pushed), "pushed_count": pushed.len(),
        "full": side(full), "full_count": full.len(),
    })
}

/// Writes lines behind those of before, as long as there is room.
///
/// # Errors
/// Those of the file.
pub fn keep(folder: &Path, lines: &[String]) -> io::Result<()> {
    let path = folder.join(DIFFERENCES_FILE);
    let mut size = fs::metadata(&path).map_or(0, |it| it.len());
    let mut file = OpenOptions::new().create(true).append(true).open(path)?;
    for line in lines {
        size += line.len() as u64 + 1;
        if size > FILE_BYTES_MAX {
            break;
        }
        file.write_all(format!("{line}\n").as_bytes())?;
    }
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use relight_match::Stand;
    use relight_model::{Advisory, Basis, Purl, Scope};

    use super::*;

    #[test]
    fn a_line_names_what_has_to_be_matched_again() {
        let advisories =
            Advisories::new(vec![Advisory { id: "CVE-2031-1".into(), ..Advisory::default() }]);
        let revision = advisories.group("CVE-2031-1").unwrap().revision().to_string();
        let one = |identity| Match {
            identity,
            stand: Stand::Affected,
            is_mitigated: false,
            is_disputed: true,
            by_statement: false,
        };
        let purl = Purl::parse("pkg:npm/a@1").unwrap();
        let held = Component::new(purl, "x", Basis::Manifest, Scope::Installed);
        let component = |number| (number < 100).then(|| held.clone());
        let (pushed, full) = (vec![one(7)], (100..300).map(one).collect());
        let difference = Difference { flaw: "CVE-2031-1".into(), pushed, full };
        let line = line(&difference, &advisories, component, 9);
        assert_eq!((&line["at"], &line["flaw"]), (&9.into(), &"CVE-2031-1".into()));
        assert_eq!(line["revision"], revision.as_str());
        assert_eq!(line["pushed"][0]["purl"], "pkg:npm/a@1");
        assert_eq!(line["full"][0]["purl"], Value::Null);
        assert_eq!(line["full"].as_array().unwrap().len(), PACKAGES_MAX);
        assert_eq!((&line["pushed_count"], &line["full_count"]), (&1.into(), &200.into()));
    }

    #[test]
    fn the_file_keeps_the_first_lines() {
        let folder = tempfile::tempdir().unwrap();
        let kept = || fs::read_to_string(folder.path().join(DIFFERENCES_FILE)).unwrap();
        keep(folder.path(), &["a".to_owned()]).unwrap();
        keep(folder.path(), &["b".to_owned(), "c".to_owned()]).unwrap();
        assert_eq!(kept(), "a\nb\nc\n");
        let long = "x".repeat(usize::try_from(FILE_BYTES_MAX).unwrap());
        keep(folder.path(), &[long, "d".to_owned()]).unwrap();
        assert_eq!(kept(), "a\nb\nc\n");
        assert!(keep(&folder.path().join("nowhere"), &[]).is_err());
    }
}
