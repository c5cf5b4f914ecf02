//! Who may switch from the command line: one operator, named in `policy.toml`, for a town; or
//! whoever plays with a demo folder. Everybody else needs a server that knows identities.

use relight_engine::drill::DrillScope;
use relight_engine::policy::{Policy, Refusal, SITES_ALONE_MAX};
use relight_engine::store::Store;
use relight_engine::{EngineError, EngineErrorKind};
use relight_server::policy_file::{POLICY_FILE, PolicyFile};
use relight_server::web::texts;

use crate::context::Context;
use crate::failure::Failure;
use crate::report::Report;

/// The setting that marks a demo folder.
const DEMO_KEY: &str = "demo";

/// The actor of a demo folder without a policy.
const DEMO_ACTOR: &str = "demo";

/// Who rehearses where nobody is named.
const REHEARSER: &str = "relight drill";

/// The name under which the journal records what is done.
pub(crate) fn actor(context: &Context, store: &Store) -> Result<String, Failure> {
    let failed = |error| context.store_failure(&error);
    let lang = context.lang;
    let is_demo = is_demo(context, store)?;
    let Some(name) = single(context, store)? else {
        if is_demo {
            return Ok(DEMO_ACTOR.to_owned());
        }
        let path = context.data.join(POLICY_FILE).display().to_string();
        return Err(Failure::approval(texts::operator_missing(lang))
            .hint(texts::operator_missing_remedy(lang, &path)));
    };
    let sites = store.sites().map_err(failed)?.len();
    if sites > SITES_ALONE_MAX && !is_demo {
        return Err(Failure::approval(texts::operator_too_many(lang, SITES_ALONE_MAX, sites))
            .hint(texts::operator_too_many_remedy(lang)));
    }
    Ok(name)
}

/// Under which name the register records what is set about advisories: that of the one operator and
/// the account that runs the command, or that of the demo; else the account alone. It
/// switches no site, so that nobody is refused, whatever became of the policy: somebody must be
/// able to publish on a Friday evening.
pub(crate) fn author(
    context: &Context,
    store: &Store,
    report: &mut Report,
) -> Result<String, Failure> {
    let lang = context.lang;
    let name = single(context, store).unwrap_or_else(|_| {
        let path = context.data.join(POLICY_FILE).display().to_string();
        let remedy = texts::policy_unusable_remedy(lang);
        report.warn(&path, texts::operator_unread(lang), remedy);
        None
    });
    let account = format!("uid {}", rustix::process::geteuid().as_raw());
    Ok(match name {
        Some(name) => format!("{name} ({account})"),
        None if is_demo(context, store)? => DEMO_ACTOR.to_owned(),
        None => account,
    })
}

/// Under which name somebody rehearses, in a register of any size: that of the one operator, else
/// that of the command.
pub(crate) fn rehearser(context: &Context, store: &Store) -> String {
    single(context, store).ok().flatten().unwrap_or_else(|| REHEARSER.to_owned())
}

/// Whether a drill may close what somebody marked for it: as many sites as one person may switch,
/// and no vital one, unless a policy that people signed and confirmed names them. Before anybody
/// can sign in there is one person, whom nobody could ask.
pub(crate) fn may_drill(
    context: &Context,
    store: &Store,
    scope: &DrillScope,
) -> Result<(), Failure> {
    if !has_accounts(context, store)? {
        return Ok(());
    }
    let lang = context.lang;
    let unagreed = |policy: &Policy| {
        let found = scope.unagreed(store, policy, context.now());
        found.map_err(|error| Failure::engine(lang, &error))
    };
    // Canaries need nobody, whatever the policy says, and whether or not it can be read.
    if unagreed(&Policy::strictest())?.is_none() {
        return Ok(());
    }
    let policy = policy(context, store)?.policy;
    let Some(found) = unagreed(&policy)? else {
        return Ok(());
    };
    let told = texts::drill_unagreed(lang, policy.alone_max, found.sites, found.vital);
    Err(Failure::approval(told).hint(texts::drill_unagreed_remedy(lang)))
}

/// The rules for the operator of a machine. Before anybody can sign in, and as long as nobody
/// signed a policy, one person is enough for so small a register; otherwise the rules that hold for
/// everybody do.
pub(crate) fn rules(context: &Context, store: &Store) -> Result<Policy, Failure> {
    let file = policy(context, store)?;
    if file.key.is_some() || has_accounts(context, store)? {
        return Ok(file.policy);
    }
    let Policy { digest, two_max, .. } = file.policy;
    Ok(Policy::signed(digest, SITES_ALONE_MAX, two_max))
}

/// Why the operator of a machine is forbidden what takes somebody else.
pub(crate) fn refused(context: &Context, store: &Store, error: &EngineError) -> Failure {
    let lang = context.lang;
    let takes_more = error.kind == EngineErrorKind::Refused(Refusal::NotCommander);
    match has_accounts(context, store) {
        Ok(true) if takes_more => Failure::approval(texts::operator_two_people(lang))
            .hint(texts::operator_two_people_remedy(lang)),
        Ok(false) if takes_more => {
            Failure::approval(texts::operator_alone(lang)).hint(texts::operator_alone_remedy(lang))
        }
        _ => Failure::engine(lang, error),
    }
}

fn has_accounts(context: &Context, store: &Store) -> Result<bool, Failure> {
    let tables = store.account_tables().map_err(|error| context.store_failure(&error))?;
    Ok(!tables.accounts.is_empty())
}

/// Whether the folder holds the fictional province, where everybody may play every part.
pub(crate) fn is_demo(context: &Context, store: &Store) -> Result<bool, Failure> {
    let marked = store.meta_get(DEMO_KEY).map_err(|error| context.store_failure(&error))?;
    Ok(marked.is_some())
}

/// The one operator of the policy file; `None` without such a file.
fn single(context: &Context, store: &Store) -> Result<Option<String>, Failure> {
    Ok(policy(context, store)?.single)
}

/// The policy of the data folder.
pub(crate) fn policy(context: &Context, store: &Store) -> Result<PolicyFile, Failure> {
    PolicyFile::read(&context.data, store).map_err(|error| {
        let lang = context.lang;
        let path = context.data.join(POLICY_FILE).display().to_string();
        Failure {
            exit: crate::report::Exit::Usage,
            ..Failure::new(texts::policy_unusable(lang, &path))
                .because(lang, &error)
                .hint(texts::policy_unusable_remedy(lang))
        }
    })
}
