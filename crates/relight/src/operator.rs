//! Who may switch from the command line: one operator, named in `policy.toml`, for a town; or
//! whoever plays with a demo folder. Everybody else needs a server that knows identities.

use std::fs;

use relight_engine::store::Store;
use relight_server::web::texts;
use serde::Deserialize;

use crate::context::Context;
use crate::failure::Failure;

/// Most sites of a register that one operator may switch alone.
pub(crate) const SITES_ALONE_MAX: usize = 5;

/// The file in the data folder.
const POLICY_FILE: &str = "policy.toml";

/// The setting that marks a demo folder.
const DEMO_KEY: &str = "demo";

/// The actor of a demo folder without a policy.
const DEMO_ACTOR: &str = "demo";

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Policy {
    operators: Operators,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Operators {
    single: String,
}

/// The name under which the journal records what is done.
pub(crate) fn actor(context: &Context, store: &Store) -> Result<String, Failure> {
    let failed = |error| context.store_failure(&error);
    let lang = context.lang;
    let is_demo = is_demo(context, store)?;
    let Some(name) = single(context)? else {
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

/// Whether the folder holds the fictional province, where everybody may play every part.
pub(crate) fn is_demo(context: &Context, store: &Store) -> Result<bool, Failure> {
    let marked = store.meta_get(DEMO_KEY).map_err(|error| context.store_failure(&error))?;
    Ok(marked.is_some())
}

/// The one operator of the policy file; `None` without such a file.
fn single(context: &Context) -> Result<Option<String>, Failure> {
    let path = context.data.join(POLICY_FILE);
    let lang = context.lang;
    let unusable = |error: &(dyn std::error::Error + 'static)| Failure {
        exit: crate::report::Exit::Usage,
        ..Failure::new(texts::policy_unusable(lang, &path.display().to_string()))
            .because(lang, error)
            .hint(texts::policy_unusable_remedy(lang))
    };
    let text = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(unusable(&error)),
    };
    let policy: Policy = toml::from_str(&text).map_err(|error| unusable(&error))?;
    let name = policy.operators.single.trim();
    if name.is_empty() {
        return Err(unusable(&std::io::Error::other("operators.single is empty")));
    }
    Ok(Some(name.to_owned()))
}
