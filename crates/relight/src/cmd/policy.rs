//! `relight policy`: who may switch how much, and whether the file that says so counts.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use relight_engine::Engine;
use relight_engine::incident::Authority;
use relight_engine::policy::SITES_ALONE_MAX;
use relight_engine::store::Store;
use relight_server::policy_file::{self, POLICY_FILE, PolicyFile, Standing};
use relight_server::policy_journal;
use relight_server::web::number::{self, rfc3339};
use relight_server::web::texts;
use relight_server::{RSA_BITS_MIN, with_weak_keys_only};
use serde::Serialize;

use crate::cmd::token::unread;
use crate::context::Context;
use crate::failure::{Failure, coded};
use crate::operator;
use crate::report::{Exit, Report};

/// People who are named in a warning; of more of them it says how many.
const WEAK_NAMED_MAX: usize = 10;

/// What to do with the policy.
#[derive(Debug, Args)]
pub(crate) struct Policy {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    Show,
    Check,
    Sign(Sign),
}

#[derive(Debug, Args)]
struct Sign {
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    #[arg(long)]
    new_key: bool,
}

#[derive(Serialize)]
struct Document<'a> {
    standing: &'static str,
    digest: String,
    key: Option<&'a str>,
    one_person_sites: usize,
    two_people_sites: usize,
    single: Option<&'a str>,
    given_beforehand: Vec<GivenDocument<'a>>,
}

/// What is given beforehand, for a rule.
#[derive(Serialize)]
struct GivenDocument<'a> {
    name: &'a str,
    score_min: f64,
    known_exploited: bool,
    sites_max: usize,
    vital: bool,
    order: &'a str,
    legal_basis: &'a str,
    asked_by: &'a str,
    given_by: &'a str,
    expires: String,
}

impl<'a> From<&'a Authority> for GivenDocument<'a> {
    fn from(given: &'a Authority) -> Self {
        let Authority {
            name,
            score_min,
            known_exploited,
            sites_max,
            vital,
            order,
            legal_basis,
            proposer,
            approver,
            expires,
        } = given;
        Self {
            name,
            score_min: f64::from(*score_min) / 10.0,
            known_exploited: *known_exploited,
            sites_max: *sites_max,
            vital: *vital,
            order,
            legal_basis,
            asked_by: proposer,
            given_by: approver,
            expires: rfc3339(*expires),
        }
    }
}

impl Policy {
    pub(crate) fn run(self, context: &Context, report: &mut Report) -> Result<(), Failure> {
        match self.action {
            Action::Show => show(context, report).map(drop),
            Action::Check => {
                let found = show(context, report)?;
                if found.standing != Standing::Signed {
                    report.raise(Exit::Failed);
                }
                Ok(())
            }
            Action::Sign(sign) => sign.run(context, report),
        }
    }
}

/// Tells the rules that hold, and loudly why they are not those of the file.
fn show(context: &Context, report: &mut Report) -> Result<PolicyFile, Failure> {
    let lang = context.lang;
    let store = context.existing_store()?;
    let found = operator::policy(context, &store)?;
    if context.json {
        let (policy, single) = (&found.policy, found.single.as_deref());
        let document = Document {
            standing: found.standing.as_str(),
            digest: policy.digest.to_string(),
            key: found.key.as_deref(),
            one_person_sites: policy.alone_max,
            two_people_sites: policy.two_max,
            single,
            given_beforehand: policy.standing.iter().map(GivenDocument::from).collect(),
        };
        report.document("relight.policy/1", &document);
        return Ok(found);
    }
    if found.policy.alone_max > 0 {
        report.line(&texts::policy_one_person(lang, found.policy.alone_max));
    } else {
        report.line(texts::policy_nobody_alone(lang));
    }
    report.line(&texts::policy_two_people(lang, found.policy.two_max));
    if let Some(name) = &found.single {
        report.line(&texts::policy_single(lang, name, SITES_ALONE_MAX));
    }
    for given in &found.policy.standing {
        tell_given(given, context, report);
    }
    tell_standing(&found, context, report);
    Ok(found)
}

/// What is given beforehand: for which flaws, how far, until when, on what it rests.
fn tell_given(given: &Authority, context: &Context, report: &mut Report) {
    let lang = context.lang;
    let score = number::tenths(lang, u64::from(given.score_min));
    report.line(&texts::policy_given(lang, &given.name, &score, given.sites_max));
    if given.known_exploited {
        report.line(texts::policy_given_exploited(lang));
    }
    if given.vital {
        report.line(texts::policy_given_vital(lang));
    }
    report.line(&texts::policy_given_basis(lang, &given.order, &given.legal_basis));
    let state = if context.now() < given.expires {
        texts::policy_given_until(lang, &given.proposer, &given.approver, &rfc3339(given.expires))
    } else {
        texts::policy_given_over(lang, &rfc3339(given.expires))
    };
    report.line(&state);
}

/// Journals the policy where it is another one, and what it gives beforehand, before anybody rests
/// on it. A disk without room keeps no server from going on, as what darkens must: it is given when
/// it is asked for. Why it could not be journalled, which was told.
pub(crate) fn give_beforehand(
    context: &Context,
    engine: &Engine,
    report: &mut Report,
) -> Option<Failure> {
    // One that cannot be read gives nothing, which was told.
    let found = match operator::policy(context, engine.store()) {
        Ok(found) => found,
        Err(unread) => return Some(unread),
    };
    let untold = note(context, engine).err();
    if let Some(failure) = &untold {
        report.fail(failure);
    }
    if let Err(error) = engine.give_beforehand(&found.policy) {
        report.fail(&Failure::engine(context.lang, &error));
    }
    untold
}

/// Warns where the strictest rules hold because of how the file of the policy is, and of people
/// whose keys do not count. One that cannot be read keeps no server from starting: what needs it is
/// refused.
pub(crate) fn tell_unless_signed(context: &Context, store: &Store, report: &mut Report) {
    match operator::policy(context, store) {
        // A town with one operator on the command line has nothing to sign.
        Ok(found) if found.standing == Standing::Signed || found.single.is_some() => {}
        Ok(found) => tell_standing(&found, context, report),
        Err(failure) => report.fail(&failure),
    }
    tell_weak_keys(context, store, report);
}

/// Journals that another policy or key came to hold.
///
/// # Errors
/// The policy cannot be read, or the journal cannot be written: then that is noted later.
pub(crate) fn note(context: &Context, engine: &Engine) -> Result<(), Failure> {
    operator::policy(context, engine.store())?;
    let noted = policy_journal::note(&context.data, engine);
    noted.map(drop).map_err(|error| unread(context.lang, &error))
}

/// Warns of people whose passkeys do not count any more, before one of them stands before it.
fn tell_weak_keys(context: &Context, store: &Store, report: &mut Report) {
    match weak_keys(context, store) {
        Ok(None) => {}
        Ok(Some(what)) => {
            let folder = context.data.display().to_string();
            report.warn(&folder, &what, texts::weak_keys_remedy(context.lang));
        }
        Err(failure) => report.fail(&failure),
    }
}

/// Whose passkeys do not count, in words, and how many they are.
pub(crate) fn weak_keys(context: &Context, store: &Store) -> Result<Option<String>, Failure> {
    let lang = context.lang;
    // One that cannot be read was told, and lets no weaker key count.
    let bits = operator::policy(context, store).map_or(RSA_BITS_MIN, |found| found.rsa_bits_min);
    let names = with_weak_keys_only(store, bits).map_err(|error| unread(lang, &error))?;
    if names.is_empty() {
        return Ok(None);
    }
    let (count, shown) = (names.len(), names.len().min(WEAK_NAMED_MAX));
    let mut named = names[..shown].join(", ");
    if shown < count {
        named.push_str(", …");
    }
    Ok(Some(texts::weak_keys(lang, count, &named)))
}

/// Says that the strictest rules hold, and what to do.
pub(crate) fn tell_standing(found: &PolicyFile, context: &Context, report: &mut Report) {
    let path = context.data.join(POLICY_FILE).display().to_string();
    match found.standing {
        Standing::Signed => {
            let key = found.key.as_deref().unwrap_or_default();
            report.line(&texts::policy_is_signed(context.lang, key));
        }
        standing => {
            let key = format!("policy-standing-{}", standing.as_str());
            let (what, remedy) = coded(context.lang, &key);
            report.warn(&path, what, remedy);
        }
    }
}

impl Sign {
    fn run(self, context: &Context, report: &mut Report) -> Result<(), Failure> {
        let lang = context.lang;
        let store = context.existing_store()?;
        let failed = |error| {
            Failure::new(texts::policy_not_signed(lang))
                .because(lang, &error)
                .hint(texts::policy_not_signed_remedy(lang))
        };
        let who = operator::author(context, &store, report)?;
        let keep = || policy_journal::signs(&context.data, &store, &who).map_err(failed);
        keep()?;
        let signed = policy_file::sign(&context.data, &store, &self.key, self.new_key);
        let signed = signed.map_err(failed)?;
        keep()?;
        // A server that runs sees it and journals it: it alone writes to the journal.
        if context.refuse_beside_server(&store).is_ok() {
            let engine = context.engine()?;
            if let Err(failure) = note(context, &engine) {
                report.fail(&failure);
            }
        }
        if context.json {
            return show(context, report).map(drop);
        }
        report.line(&texts::policy_signed(lang, &signed.path.display().to_string()));
        if signed.pinned {
            report.line(&texts::policy_key_pinned(lang, &signed.key));
            report.note(texts::policy_key_apart(lang));
        }
        Ok(())
    }
}
