//! What a site must answer behind its gate before a fix of it counts as verified (INCIDENT 3.3): a
//! list of requests that only people write.

use std::collections::BTreeMap;
use std::fmt;

use relight_model::{Digest, GateKey, Timestamp};
use rusqlite::{Connection, OptionalExtension, params};

use crate::blob::{digest_of, not_what_was_written};
use crate::register::{Change, note_change, slug_of};
use crate::store::Failure;
use crate::{Store, StoreError, StoreErrorKind};

/// Most checks of one site.
pub const CHECKS_MAX: usize = 32;

/// Longest path and query of a check, in bytes.
pub const CHECK_PATH_BYTES_MAX: usize = 1_024;

/// Longest text that an answer must hold, in bytes.
pub const CHECK_TEXT_BYTES_MAX: usize = 256;

/// Statuses that a site that works answers with.
const STATUSES: std::ops::Range<u16> = 200..500;

/// What stands between a request and what it must give.
const GIVES: &str = "->";

/// One request that changes nothing, and what it must give.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SiteCheck {
    /// HEAD and not GET: only the status is looked at.
    pub is_head: bool,
    /// Path and query.
    pub path: String,
    /// The status that it must give; none for any of a success.
    pub status: Option<u16>,
    /// The text that the body must hold; empty for any.
    pub text: String,
}

/// Why a text is no check, by code (`check-arrow`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BadCheck(pub &'static str);

impl SiteCheck {
    /// Reads `[GET|HEAD] /PATH -> STATUS`, `... -> STATUS TEXT` or `... -> TEXT`.
    ///
    /// # Errors
    /// Which rule the text breaks.
    pub fn parse(text: &str) -> Result<Self, BadCheck> {
        let bad = |code| Err(BadCheck(code));
        let spaced = format!(" {GIVES}");
        let Some((request, gives)) = text.split_once(&spaced) else { return bad("check-arrow") };
        let words: Vec<&str> = request.split_ascii_whitespace().collect();
        let (is_head, path) = match words[..] {
            [path] | ["GET", path] => (false, path),
            ["HEAD", path] => (true, path),
            _ => return bad("check-request"),
        };
        let is_plain = path.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'#');
        if !path.starts_with('/') || !is_plain || path.len() > CHECK_PATH_BYTES_MAX {
            return bad("check-path");
        }
        let gives = gives.trim();
        let (first, rest) = gives.split_once(char::is_whitespace).unwrap_or((gives, ""));
        let is_status = first.len() == 3 && first.bytes().all(|byte| byte.is_ascii_digit());
        let (status, text) = match first.parse().ok().filter(|_| is_status) {
            Some(status) => (Some(status), rest.trim()),
            None => (None, gives),
        };
        if status.is_some_and(|status| !STATUSES.contains(&status)) {
            return bad("check-status");
        }
        if text.len() > CHECK_TEXT_BYTES_MAX || text.chars().any(char::is_control) {
            return bad("check-text");
        }
        if gives.is_empty() {
            return bad("check-arrow");
        }
        if is_head && !text.is_empty() {
            return bad("check-head");
        }
        Ok(Self { is_head, path: path.to_owned(), status, text: text.to_owned() })
    }

    /// The method of the request.
    pub const fn method(&self) -> &'static str {
        if self.is_head { "HEAD" } else { "GET" }
    }
}

impl fmt::Display for SiteCheck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {GIVES}", self.method(), self.path)?;
        if let Some(status) = self.status {
            write!(f, " {status}")?;
        }
        if self.text.is_empty() { Ok(()) } else { write!(f, " {}", self.text) }
    }
}

/// The checks of one site, in the order in which they are asked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SiteChecks(Vec<SiteCheck>);

impl SiteChecks {
    /// A list that is not too long.
    ///
    /// # Errors
    /// There are more than [`CHECKS_MAX`].
    pub fn new(checks: Vec<SiteCheck>) -> Result<Self, BadCheck> {
        if checks.len() > CHECKS_MAX { Err(BadCheck("check-many")) } else { Ok(Self(checks)) }
    }

    /// The checks.
    pub fn all(&self) -> &[SiteCheck] {
        &self.0
    }

    /// Names exactly this list: what was tried is what was asked for.
    pub fn digest(&self) -> Digest {
        digest_of(format!("relight.checks/1\n{self}").as_bytes())
    }

    /// The digest of a list that has checks; none where nothing is asked.
    pub fn required(&self) -> Option<Digest> {
        (!self.0.is_empty()).then(|| self.digest())
    }

    fn read(text: &str) -> Result<Self, BadCheck> {
        Self::new(text.lines().map(SiteCheck::parse).collect::<Result<_, _>>()?)
    }
}

/// One check a line.
impl fmt::Display for SiteChecks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, check) in self.0.iter().enumerate() {
            if at > 0 {
                f.write_str("\n")?;
            }
            write!(f, "{check}")?;
        }
        Ok(())
    }
}

impl Store {
    /// What a site must answer behind its gate; an empty list where nobody said anything.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn checks_of(&self, site: &GateKey) -> Result<SiteChecks, StoreError> {
        self.read("reading the checks of a site", |database| {
            let mut query =
                database.prepare_cached("SELECT checks FROM site_check WHERE slug = ?1")?;
            let found = query.query_row([site.as_str()], |row| checks_at(row, 0)).optional()?;
            Ok(found.unwrap_or_default())
        })
    }

    /// The checks of every site that has some.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn checks(&self) -> Result<BTreeMap<GateKey, SiteChecks>, StoreError> {
        self.read("reading the checks of sites", |database| {
            let mut query = database.prepare_cached("SELECT slug, checks FROM site_check")?;
            let rows = query.query_map([], |row| Ok((slug_of(row, 0)?, checks_at(row, 1)?)))?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    /// Says what sites must answer, all or none; an empty list takes the one of before away. The
    /// same again changes nothing.
    ///
    /// # Errors
    /// A site is not registered (`NotFound`), or the database cannot be written.
    pub fn set_checks(
        &self,
        lists: &BTreeMap<GateKey, SiteChecks>,
        now: Timestamp,
        actor: &str,
    ) -> Result<(), StoreError> {
        self.write("writing the checks of sites", |transaction| {
            for (site, list) in lists {
                if !is_registered(transaction, site)? {
                    let context = format!("no site is called {site}");
                    return Err(Failure::Rule(StoreError::new(StoreErrorKind::NotFound, context)));
                }
                let before: Option<String> = transaction
                    .prepare_cached("SELECT checks FROM site_check WHERE slug = ?1")?
                    .query_row([site.as_str()], |row| row.get(0))
                    .optional()?;
                let (before, after) = (before.unwrap_or_default(), list.to_string());
                if before == after {
                    continue;
                }
                if after.is_empty() {
                    let clear = "DELETE FROM site_check WHERE slug = ?1";
                    transaction.execute(clear, [site.as_str()])?;
                } else {
                    let put = "INSERT INTO site_check (slug, checks) VALUES (?1, ?2)
                               ON CONFLICT (slug) DO UPDATE SET checks = excluded.checks";
                    transaction.execute(put, params![site.as_str(), after])?;
                }
                let what = format!("checks of site {site}");
                let change = Change { at: now, actor, what: &what };
                note_change(transaction, change, &before, &after)?;
            }
            Ok(())
        })
    }
}

fn is_registered(database: &Connection, site: &GateKey) -> Result<bool, rusqlite::Error> {
    let mut query = database.prepare_cached("SELECT 1 FROM site WHERE slug = ?1")?;
    query.exists([site.as_str()])
}

/// A list that breaks its own rules is damage: no site comes back with half of its checks.
fn checks_at(row: &rusqlite::Row<'_>, column: usize) -> Result<SiteChecks, rusqlite::Error> {
    let text: String = row.get(column)?;
    SiteChecks::read(&text).map_err(|BadCheck(why)| not_what_was_written(column, why))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{behind, open_with_sites};

    fn list(lines: &[&str]) -> SiteChecks {
        SiteChecks::read(&lines.join("\n")).unwrap()
    }

    #[test]
    fn a_check_reads_back_as_it_was_understood() {
        for (text, understood) in [
            ("/ -> 200", "GET / -> 200"),
            ("GET  /a?b=c  ->  404", "GET /a?b=c -> 404"),
            ("HEAD /health -> 204", "HEAD /health -> 204"),
            ("/ -> 200 Prenez rendez-vous", "GET / -> 200 Prenez rendez-vous"),
            ("/ -> Bienvenue à tous", "GET / -> Bienvenue à tous"),
            ("/ -> 1234 places", "GET / -> 1234 places"),
            ("/ -> 200 a -> b", "GET / -> 200 a -> b"),
        ] {
            let check = SiteCheck::parse(text).unwrap();
            assert_eq!(check.to_string(), understood);
            assert_eq!(SiteCheck::parse(understood).unwrap(), check);
        }
        let any = SiteCheck::parse("/ -> Bienvenue").unwrap();
        assert_eq!((any.status, any.text.as_str(), any.method()), (None, "Bienvenue", "GET"));
    }

    /// Nothing but a request that changes nothing, of the site itself, and an answer of a site that
    /// works.
    #[test]
    fn what_is_no_check_says_which_rule_it_breaks() {
        let path = |bytes: usize| format!("/{} -> 200", "a".repeat(bytes - 1));
        let text = |bytes: usize| format!("/ -> 200 {}", "a".repeat(bytes));
        for (text, code) in [
            ("", "check-arrow"),
            ("/", "check-arrow"),
            ("/ ->", "check-arrow"),
            ("-> 200", "check-arrow"),
            ("/->200", "check-arrow"),
            ("POST / -> 200", "check-request"),
            ("get / -> 200", "check-request"),
            ("GET / HTTP/1.1 -> 200", "check-request"),
            ("https://other.qc/ -> 200", "check-path"),
            ("a -> 200", "check-path"),
            ("/é -> 200", "check-path"),
            ("/a#b -> 200", "check-path"),
            ("/ -> 503", "check-status"),
            ("/ -> 101", "check-status"),
            ("/ -> 200 a\tb\u{7}", "check-text"),
            ("HEAD / -> 200 text", "check-head"),
            (&path(CHECK_PATH_BYTES_MAX + 1), "check-path"),
            (&text(CHECK_TEXT_BYTES_MAX + 1), "check-text"),
        ] {
            assert_eq!(SiteCheck::parse(text), Err(BadCheck(code)), "{text:?}");
        }
        assert!(SiteCheck::parse(&path(CHECK_PATH_BYTES_MAX)).is_ok());
        assert!(SiteCheck::parse(&text(CHECK_TEXT_BYTES_MAX)).is_ok());
        let many = |count| vec![SiteCheck::parse("/ -> 200").unwrap(); count];
        assert!(SiteChecks::new(many(CHECKS_MAX)).is_ok());
        assert_eq!(SiteChecks::new(many(CHECKS_MAX + 1)), Err(BadCheck("check-many")));
    }

    #[test]
    fn lists_are_kept_noted_and_taken_away_all_or_none() {
        let (_folder, store) = open_with_sites(2);
        let [a, b] = [0, 1].map(|at| store.sites().unwrap()[at].slug.clone());
        let from = store.register_changes(1).unwrap().len() as u64 + 1;
        let set = |lists: &[(&GateKey, SiteChecks)], now| {
            let lists = lists.iter().map(|(site, list)| ((*site).clone(), list.clone())).collect();
            store.set_checks(&lists, now, "anna").map_err(|error| error.kind())
        };
        let (one, two) = (list(&["/ -> 200"]), list(&["/ -> 200 a", "HEAD /b -> 204"]));
        let nobody = GateKey::new("nobody").unwrap();
        assert_eq!(
            set(&[(&a, one.clone()), (&nobody, one.clone())], 1),
            Err(StoreErrorKind::NotFound)
        );
        assert_eq!(store.checks_of(&a).unwrap(), SiteChecks::default(), "all or none");
        for _ in 0..2 {
            set(&[(&a, one.clone()), (&b, two.clone())], 2).unwrap();
        }
        assert_eq!(store.checks_of(&b).unwrap(), two);
        let all: Vec<_> = store.checks().unwrap().into_iter().collect();
        assert_eq!(all, [(a.clone(), one.clone()), (b, two.clone())]);
        set(&[(&a, SiteChecks::default())], 3).unwrap();
        assert_eq!(store.checks().unwrap().len(), 1);
        let changes = store.register_changes(from).unwrap();
        let told: Vec<_> = changes.iter().map(|it| (it.at, it.after.as_str())).collect();
        assert_eq!(told, [(2, "GET / -> 200"), (2, "GET / -> 200 a\nHEAD /b -> 204"), (3, "")]);
        assert_eq!(SiteChecks::default().required(), None);
        assert_eq!(one.required(), Some(one.digest()));
        let digests = [one.digest(), two.digest(), list(&["/ -> 201"]).digest()];
        assert!(digests.iter().all(|it| digests.iter().filter(|other| it == *other).count() == 1));
    }

    /// A site whose list is damaged is not one without a list.
    #[test]
    fn a_list_that_nobody_wrote_is_damage() {
        let (_folder, store) = open_with_sites(1);
        let site = store.sites().unwrap()[0].slug.clone();
        let damage = "INSERT INTO site_check VALUES (?1, 'POST / -> 200')";
        behind(&store).execute(damage, [site.as_str()]).unwrap();
        assert_eq!(store.checks_of(&site).unwrap_err().kind(), StoreErrorKind::Corrupt);
    }
}
