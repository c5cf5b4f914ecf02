//! `relight doctor`: what would stand in the way on the night of an incident, looked for before it.
//!
//! It switches nothing: no lease is taken, no gate is closed or opened, no proxy is asked for more
//! than its state. Whether a server is there is tried with its lock, for a moment. With `--fix` it
//! closes files of its own and clears away what runs that died left; for all else it names the
//! command.

mod mend;

use std::path::Path;

use clap::Args;
use relight_engine::fetch::late_after;
use relight_engine::silenced::disabled_sources;
use relight_engine::store::{LATE_S, SourceState, Store};
use relight_server::policy_file::Standing;
use relight_server::web::number::Number;
use relight_server::web::texts;
use serde::Serialize;

use crate::cmd::{advisories, edge, policy, sites};
use crate::context::Context;
use crate::failure::{Failure, coded};
use crate::operator;
use crate::register::Register;
use crate::report::{Exit, Report, Style};
use crate::unseen;

/// Free space of the data folder below which it warns, in bytes: a day of evidence of 4,000 sites.
const SPACE_LOW: u64 = 1 << 30;

/// Free space below which an order may not find its place in the journal, in bytes.
const SPACE_GONE: u64 = 64 << 20;

#[derive(Debug, Args)]
pub(crate) struct Doctor {
    #[arg(long)]
    fix: bool,
    #[arg(long, requires = "fix")]
    dry_run: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Health {
    Good,
    Warning,
    Bad,
}

impl Health {
    const fn mark(self) -> (&'static str, Style) {
        match self {
            Self::Good => ("✓", Style::Good),
            Self::Warning => ("!", Style::Warn),
            Self::Bad => ("✗", Style::Bad),
        }
    }
}

/// What one look found.
#[derive(Serialize)]
struct Check {
    /// What was looked at: a word of the catalogue (`doctor-NAME`).
    name: &'static str,
    health: Health,
    /// What it is like, in the reader's language.
    what: String,
    /// The command that mends it; empty when nothing is to be done.
    next: String,
}

#[derive(Serialize)]
struct Document {
    healthy: bool,
    /// Nothing was done: what is said to be mended only would be.
    dry_run: bool,
    mended: Vec<Mended>,
    checks: Vec<Check>,
}

/// One thing that can be mended without a person.
#[derive(Serialize)]
struct Mended {
    path: String,
    /// `close` or `remove`.
    act: &'static str,
    /// Whether it was done; what failed was not, nor anything that is only tried.
    done: bool,
    /// What is done, in the reader's language.
    what: String,
}

impl Doctor {
    pub(crate) fn run(self, context: &Context, report: &mut Report) -> Result<(), Failure> {
        // First: what it mends may be what keeps the register from being read.
        let mended = if self.fix { mend_all(self.dry_run, context, report) } else { Vec::new() };
        // Before it opens the register itself, beside which files lie as long as it is open.
        let open_or_left = mend::found(context);
        let register = Register::open(context)?;
        let mut visit = Visit { context, register: &register, checks: Vec::new() };
        visit.files(&open_or_left);
        visit.store();
        visit.journal()?;
        visit.space();
        visit.advisories()?;
        visit.inventories()?;
        visit.edges()?;
        visit.people();
        visit.policy();
        visit.weak_keys()?;
        visit.controller()?;
        visit.restored();
        let checks = visit.checks;
        let healthy = checks.iter().all(|check| check.health != Health::Bad);
        if !healthy {
            report.raise(Exit::Failed);
        }
        if context.json {
            let dry_run = self.dry_run;
            report.document("relight.doctor/1", &Document { healthy, dry_run, mended, checks });
            return Ok(());
        }
        checks.iter().for_each(|check| tell(check, report));
        Ok(())
    }
}

/// Mends what can be mended without a person, and tells each; what could not be is told too.
fn mend_all(dry_run: bool, context: &Context, report: &mut Report) -> Vec<Mended> {
    let lang = context.lang;
    let mut mended = Vec::new();
    for mend in mend::found(context).into_iter().filter(mend::Mend::is_own) {
        let deed = mend.deed(context);
        let (path, act) = (mend.path(), mend.act());
        let of = |done, what| Mended { path, act, done, what };
        if let Some(error) = (!dry_run).then(|| mend.mend(context).err()).flatten() {
            let failure = Failure::new(mend.fault(context)).because(lang, &error);
            report.fail(&failure.hint(texts::doctor_not_mended_remedy(lang)));
            mended.push(of(false, deed));
            continue;
        }
        if !context.json {
            let label =
                if dry_run { texts::doctor_would(lang) } else { texts::doctor_mended(lang) };
            report.line(&texts::labelled(lang, label, &deed));
        }
        mended.push(of(!dry_run, deed));
    }
    if mended.is_empty() && !context.json {
        report.line(texts::doctor_nothing_to_mend(lang));
    }
    mended
}

/// A path as a shell reads it as one word.
fn quoted(path: &Path) -> String {
    let text = path.display().to_string();
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/._-+%@:,=".contains(&byte);
    if !text.is_empty() && text.bytes().all(is_plain) {
        return text;
    }
    format!("'{}'", text.replace('\'', "'\\''"))
}

fn tell(check: &Check, report: &mut Report) {
    let (mark, style) = check.health.mark();
    let name = texts::by_code(report.lang(), &format!("doctor-{}", check.name));
    let line = texts::labelled(report.lang(), name.unwrap_or(check.name), &check.what);
    let next = if check.next.is_empty() { String::new() } else { format!("  → {}", check.next) };
    report.line(&format!("{} {line}{next}", report.paint(style, mark)));
}

/// One round of looks.
struct Visit<'a> {
    context: &'a Context,
    register: &'a Register,
    checks: Vec<Check>,
}

impl Visit<'_> {
    fn add(&mut self, name: &'static str, health: Health, what: String, next: &str) {
        self.checks.push(Check { name, health, what, next: next.to_owned() });
    }

    fn store_of(&self) -> &Store {
        &self.register.store
    }

    /// Files of its own that others may read, and what runs that died left.
    fn files(&mut self, found: &[mend::Mend]) {
        for mend in found {
            let health = if mend.is_grave() { Health::Bad } else { Health::Warning };
            self.add("files", health, mend.fault(self.context), &mend.next());
        }
    }

    fn store(&mut self) {
        let lang = self.context.lang;
        match self.store_of().check() {
            Ok(()) => {
                let sites = self.register.sites.len();
                self.add("store", Health::Good, texts::doctor_sites(lang, sites), "");
            }
            Err(error) => {
                let failure = self.context.store_failure(&error);
                self.add("store", Health::Bad, failure.message, &failure.hint.unwrap_or_default());
            }
        }
    }

    /// The chain of the journal, and the clock against its last entry: evidence is judged by age.
    fn journal(&mut self) -> Result<(), Failure> {
        let lang = self.context.lang;
        let failed = |error| self.context.store_failure(&error);
        let verified = self.store_of().verify_journal().map_err(failed)?;
        let Ok(whole) = verified else {
            let what = texts::doctor_journal_broken(lang).to_owned();
            self.add("journal", Health::Bad, what, "relight audit verify");
            return Ok(());
        };
        let last = self.store_of().journal(whole.entries).map_err(failed)?;
        self.add("journal", Health::Good, texts::doctor_journal_whole(lang, whole.entries), "");
        let behind = last.first().map_or(0, |last| last.time - self.register.now);
        if let Ok(behind @ 1..) = u64::try_from(behind) {
            let what = texts::doctor_clock_behind(lang, behind);
            self.add("clock", Health::Bad, what, "timedatectl set-ntp true");
        } else {
            self.add("clock", Health::Good, texts::doctor_clock_right(lang).to_owned(), "");
        }
        Ok(())
    }

    fn space(&mut self) {
        let lang = self.context.lang;
        let (health, what) = match rustix::fs::statvfs(&self.context.data) {
            Ok(disk) => {
                let free = disk.f_bavail.saturating_mul(disk.f_frsize);
                let health = match free {
                    _ if free < SPACE_GONE => Health::Bad,
                    _ if free < SPACE_LOW => Health::Warning,
                    _ => Health::Good,
                };
                (health, texts::doctor_space_free(lang, free >> 20))
            }
            Err(_) => {
                (Health::Bad, texts::cannot_read(lang, &self.context.data.display().to_string()))
            }
        };
        let data = quoted(&self.context.data);
        let next = if health == Health::Good { String::new() } else { format!("du -xh {data}") };
        self.add("space", health, what, &next);
    }

    /// A source that is late is a warning: what it said still holds. One whose list was refused is
    /// not asked any more, and that is worse.
    fn advisories(&mut self) -> Result<(), Failure> {
        let (lang, now) = (self.context.lang, self.register.now);
        let rows = self.store_of().advisory_sources();
        let rows = rows.map_err(|error| self.context.store_failure(&error))?;
        if rows.is_empty() {
            let what = texts::doctor_no_sources(lang).to_owned();
            self.add(
                "advisories",
                Health::Warning,
                what,
                "relight advisories update --offline DIR",
            );
        }
        let late = late_after(self.store_of());
        let late = late.map_err(|error| self.context.store_failure(&error))?;
        let remedies = advisories::Remedies::of(self.store_of(), self.context)?;
        let disabled = disabled_sources(self.store_of());
        let mut disabled = disabled.map_err(|error| self.context.store_failure(&error))?;
        for row in rows {
            if disabled.remove(&row.name).is_some() {
                self.switched_off(&row.name, Some(row.records));
                continue;
            }
            let state = row.state(now, late.get(&row.name).copied().unwrap_or(LATE_S));
            let health = match state {
                SourceState::Fresh => Health::Good,
                SourceState::Late | SourceState::Never => Health::Warning,
                SourceState::Refused | SourceState::Failing => Health::Bad,
            };
            let next = remedies.next(&row.name, state).unwrap_or_default();
            let word = texts::by_code(lang, &format!("source-state-{}", state.as_str()));
            let word = word.unwrap_or(state.as_str());
            let records = Number::from(row.records).text(lang);
            self.add("advisories", health, format!("{} ({records}), {word}", row.name), &next);
        }
        let groups = self.register.advisories.groups();
        let unread = groups.filter(|group| group.is_unread()).count();
        if unread > 0 {
            let (what, next) = (texts::doctor_unread(lang, unread), "relight advisories update");
            self.add("advisories", Health::Bad, what, next);
        }
        // What ships with the program, and scores, have no row.
        for name in disabled.keys() {
            self.switched_off(name, None);
        }
        Ok(())
    }

    /// Somebody switched it off, and perhaps forgot: what only it says is missing in every answer.
    fn switched_off(&mut self, name: &str, records: Option<u64>) {
        let lang = self.context.lang;
        let records = records.map(|it| format!(" ({})", Number::from(it).text(lang)));
        let word = texts::source_state_disabled(lang);
        let what = format!("{name}{}, {word}", records.unwrap_or_default());
        let next = format!("relight advisories sources enable {name}");
        self.add("advisories", Health::Warning, what, &next);
    }

    fn inventories(&mut self) -> Result<(), Failure> {
        let lang = self.context.lang;
        let wanting = sites::sites_with_gaps(self.register, self.context)?;
        let sites = self.register.sites.len();
        let (health, what, next) = match wanting {
            0 => (Health::Good, texts::doctor_no_gaps(lang, sites), ""),
            _ => (Health::Warning, texts::doctor_gaps(lang, sites, wanting), "relight sites gaps"),
        };
        self.add("inventories", health, what, next);
        Ok(())
    }

    fn edges(&mut self) -> Result<(), Failure> {
        let lang = self.context.lang;
        let edges = edge::troubles(self.register, self.context)?;
        if edges.is_empty() {
            let next = "relight edge add KIND --name NAME --gate DIR --listen ADDRESS";
            self.add("edge", Health::Bad, texts::doctor_no_edge(lang).to_owned(), next);
        }
        for (name, troubles) in edges {
            let (health, next) = match troubles.is_empty() {
                true => (Health::Good, ""),
                false => (Health::Bad, "relight edge check"),
            };
            let mut what = vec![name];
            what.extend(troubles);
            self.add("edge", health, what.join(", "), next);
        }
        // Whether it runs, and with which words, is not in the register.
        for (name, address) in edge::run::open_to_others(self.register, self.context)? {
            let what = texts::doctor_unencrypted(lang, &address.to_string(), &name);
            let next = format!("relight edge run --name {name} --unencrypted");
            self.add("edge", Health::Warning, what, &next);
        }
        for (folder, sites) in edge::run::outdated_pages(self.register, self.context)? {
            let what = texts::doctor_holding_outdated(lang, sites);
            let next = edge::holding::command_for(&folder);
            self.add("edge", Health::Warning, what, &next);
        }
        Ok(())
    }

    /// Whether anybody may switch from this machine.
    fn people(&mut self) {
        match operator::actor(self.context, self.store_of()) {
            Ok(name) => self.add("operator", Health::Good, name, ""),
            Err(failure) => {
                let next = failure.hint.unwrap_or_default();
                self.add("operator", Health::Warning, failure.message, &next);
            }
        }
    }

    /// Whether the file of the policy counts: without a signature two people agree to everything.
    fn policy(&mut self) {
        let lang = self.context.lang;
        let (health, what) = match operator::policy(self.context, self.store_of()) {
            Ok(found) if found.standing == Standing::Signed => {
                (Health::Good, texts::doctor_policy_signed(lang).to_owned())
            }
            // A town with one operator on the command line has nothing to sign.
            Ok(found) if found.single.is_some() => return,
            Ok(found) => {
                let (what, _) =
                    coded(lang, &format!("policy-standing-{}", found.standing.as_str()));
                (Health::Warning, what.to_owned())
            }
            Err(failure) => (Health::Bad, failure.message),
        };
        let next = if health == Health::Good { "" } else { "relight policy check" };
        self.add("policy", health, what, next);
    }

    /// Whether somebody has no passkey but such as do not count; nothing is said where all is well.
    fn weak_keys(&mut self) -> Result<(), Failure> {
        if let Some(what) = policy::weak_keys(self.context, self.store_of())? {
            self.add("keys", Health::Warning, what, texts::weak_keys_remedy(self.context.lang));
        }
        Ok(())
    }

    /// Whether somebody keeps the edges as the journal wants them: that matters once an incident
    /// is open.
    fn controller(&mut self) -> Result<(), Failure> {
        let lang = self.context.lang;
        let control = self.store_of().take_control();
        let nobody = control.map_err(|error| self.context.store_failure(&error))?.is_some();
        let open = self.register.ledger.open().count();
        if let Some(what) = unseen::sentence(self.register, lang) {
            let next = if nobody { "relight serve" } else { texts::unseen_served_remedy(lang) };
            self.add("controller", Health::Bad, what, next);
            return Ok(());
        }
        let (health, what, next) = match (nobody, open) {
            (false, _) => (Health::Good, texts::doctor_controlled(lang).to_owned(), ""),
            (true, 0) => (Health::Good, texts::doctor_no_controller(lang).to_owned(), ""),
            (true, open) => {
                (Health::Warning, texts::doctor_incident_alone(lang, open), "relight serve")
            }
        };
        self.add("controller", health, what, next);
        Ok(())
    }

    /// Whether sites wait because of what is known of them from before the register came back from
    /// a copy; nothing is said where none does.
    fn restored(&mut self) {
        let now = self.register.now;
        let open = self.register.ledger.open();
        let old: usize = open.map(|(_, incident)| incident.held_by_restore(now)).sum();
        if old > 0 {
            let what = texts::restored_holds(self.context.lang, old);
            self.add("restored", Health::Warning, what, "relight incident status");
        }
    }
}
