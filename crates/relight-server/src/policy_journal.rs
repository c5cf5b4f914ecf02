//! What the journal tells of the policy: under which text, key and signature it came to hold, and
//! who signed it. Whoever owns the data folder replaces it alone, so that it must not go unseen.

use std::collections::BTreeMap;
use std::path::Path;

use relight_engine::Engine;
use relight_engine::incident::Entry;
use relight_engine::store::Store;

use crate::ServerError;
use crate::policy_confirmed;
use crate::policy_file::{self, PolicyFile, Standing};

/// What the register keeps of the policy that was journalled last: standing, digest and key.
const TOLD_META: &str = "policy-told";

/// Who signed last, after the digest of what was signed.
const SIGNER_META: &str = "policy-signer";

/// The act of the entry.
pub const REPLACED: &str = "policy-replaced";

/// Who did what nobody signed here: a file that was put into the folder.
const UNKNOWN: &str = "unknown";

/// What stands for a policy or a key that is not there.
const NONE: &str = "none";

/// Keeps who signs the policy of a data folder, for the entry about it. Called before the signature
/// is written, and once more after it, which tells a server that runs.
///
/// # Errors
/// The policy cannot be read, or the register cannot be written.
pub fn signs(folder: &Path, store: &Store, who: &str) -> Result<(), ServerError> {
    let Some(digest) = policy_file::digest_in(folder)? else { return Ok(()) };
    let kept = store.meta_put(SIGNER_META, &format!("{digest} {who}"));
    kept.map_err(|error| ServerError::caused("write who signs the policy", error))
}

/// Journals a policy that is another one than was journalled last, or whose key or standing is;
/// says whether it was. Where no key was ever pinned, no policy loosens anything.
///
/// # Errors
/// The policy cannot be read, or the journal or the register cannot be written.
pub fn note(folder: &Path, engine: &Engine) -> Result<bool, ServerError> {
    let store = engine.store();
    let get = |key| {
        let value = store.meta_get(key);
        value.map_err(|error| ServerError::caused("read what is known of the policy", error))
    };
    let found = PolicyFile::read(folder, store)?;
    let Some(key) = found.key else { return Ok(false) };
    if found.standing == Standing::Signed {
        policy_confirmed::keep_where_alone(folder, store)?;
    }
    let digest = policy_file::digest_in(folder)?;
    let digest = digest.map_or_else(|| NONE.to_owned(), |digest| digest.to_string());
    let (now, before) = (format!("{} {digest} {key}", found.standing.as_str()), get(TOLD_META)?);
    if before.as_ref() == Some(&now) {
        return Ok(false);
    }
    let signer = signer(store, &digest)?.filter(|_| found.standing.is_by_the_key());
    let mut facts = BTreeMap::from([
        ("digest".to_owned(), digest),
        ("key".to_owned(), key),
        ("standing".to_owned(), found.standing.as_str().to_owned()),
    ]);
    let was = before.iter().flat_map(|before| before.split(' ').skip(1));
    for (name, value) in ["was-digest", "was-key"].into_iter().zip(was) {
        facts.insert(name.to_owned(), value.to_owned());
    }
    let entry = Entry::Access { act: REPLACED.to_owned(), account: String::new(), facts };
    let actor = signer.as_deref().unwrap_or(UNKNOWN);
    let appended = engine.append(actor, vec![(String::new(), entry)]);
    appended.map_err(|error| ServerError::caused("write to the journal", error))?;
    let told = store.meta_put(TOLD_META, &now);
    told.map_err(|error| ServerError::caused("write what is known of the policy", error))?;
    Ok(true)
}

/// Journals that somebody who decides confirmed the policy with this digest and key.
pub(crate) fn confirmed(
    engine: &Engine,
    by: &str,
    (digest, key): (&str, &str),
) -> Result<(), ServerError> {
    let fact = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let facts = BTreeMap::from([fact("digest", digest), fact("key", key)]);
    let act = policy_confirmed::CONFIRMED.to_owned();
    let entry = Entry::Access { act, account: by.to_owned(), facts };
    let appended = engine.append(by, vec![(String::new(), entry)]);
    appended.map(drop).map_err(|error| ServerError::caused("write to the journal", error))
}

/// Who signed the policy with this digest, where that is known.
pub(crate) fn signer(store: &Store, digest: &str) -> Result<Option<String>, ServerError> {
    let kept = store.meta_get(SIGNER_META);
    let kept =
        kept.map_err(|error| ServerError::caused("read what is known of the policy", error))?;
    Ok(kept.and_then(|kept| Some(kept.strip_prefix(digest)?.trim().to_owned())))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::sync::Arc;

    use relight_engine::{EngineOptions, INVENTORY_TTL_S};

    use super::*;
    use crate::policy_file::{POLICY_FILE, sign};

    /// Actor, standing, and whether digest and key are those of before.
    type Told = (String, String, Option<(bool, bool)>);

    /// What the journal tells.
    fn told(store: &Store) -> Vec<Told> {
        let records = store.journal(1).unwrap();
        let line = |(actor, body): (String, String)| match Entry::from_body(&body) {
            Ok(Entry::Access { act, facts, .. }) if act == REPLACED => {
                let is_as_was =
                    |name: &str| facts.get(&format!("was-{name}")).map(|was| *was == facts[name]);
                let was = is_as_was("digest").zip(is_as_was("key"));
                Some((actor, facts["standing"].clone(), was))
            }
            _ => None,
        };
        records.into_iter().filter_map(|it| line((it.actor, it.body))).collect()
    }

    #[test]
    fn each_policy_that_comes_to_hold_is_told_once_with_who_signed_it() {
        let folder = tempfile::tempdir().unwrap();
        let store = Arc::new(Store::open(folder.path()).unwrap());
        let clock = || 1_800_000_000_000;
        let options =
            EngineOptions { holder: "test".into(), clock, inventory_ttl_s: INVENTORY_TTL_S };
        let engine = Engine::open(Arc::clone(&store), options).unwrap();
        let path = folder.path().join(POLICY_FILE);
        assert!(!note(folder.path(), &engine).unwrap(), "there is none");
        fs::write(&path, "[switching]\none_person_sites = 1\n").unwrap();
        assert!(!note(folder.path(), &engine).unwrap(), "nobody signed one, it loosens nothing");
        let signed_by = |who: &str, key: &str| {
            signs(folder.path(), &store, who).unwrap();
            sign(folder.path(), &store, &folder.path().join(key), true).unwrap();
            assert!(note(folder.path(), &engine).unwrap());
            assert!(!note(folder.path(), &engine).unwrap(), "once");
        };
        signed_by("anna", "key");
        signed_by("max", "other");
        fs::write(&path, "[switching]\none_person_sites = 5\n").unwrap();
        assert!(note(folder.path(), &engine).unwrap());
        signed_by("max", "other");
        let all = told(&store);
        let all: Vec<_> = all.iter().map(|(who, how, was)| (&**who, &**how, *was)).collect();
        let wanted = [
            ("anna", "signed", None),
            ("max", "signed", Some((true, false))),
            ("unknown", "wrong-signature", Some((false, true))),
            ("max", "signed", Some((true, true))),
        ];
        assert_eq!(all, wanted);
    }
}
