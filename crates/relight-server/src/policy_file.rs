//! `policy.toml` and its signature: who may switch, and what makes the file count.
//!
//! The signature stands beside the file. Its key is pinned in the register, so that whoever can
//! write the file cannot bring a key of his own along. Anything wrong leaves the strictest rules;
//! where a key is pinned, so that a signed policy may have been stricter, Command for everything.

use std::fs;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use ed25519_compact::{PublicKey, Signature};
use relight_engine::policy::Policy;
use relight_engine::store::Store;
use relight_model::Digest;
use serde::{Deserialize, Serialize};

use crate::ServerError;
use crate::access::sign_ins::{ShorterSignIns, SignInTimes};
use crate::access::{OidcSettings, RSA_BITS_MIN};
use crate::policy_confirmed::{self, Holding};
use crate::policy_written::Written;
use crate::secret_file::key_pair;

/// The file in the data folder.
pub const POLICY_FILE: &str = "policy.toml";

/// The signature beside it.
pub const SIGNATURE_FILE: &str = "policy.toml.sig";

/// Largest policy or signature, in bytes.
pub const POLICY_BYTES_MAX: u64 = 64 << 10;

/// Where the register keeps the key that may sign.
const KEY_META: &str = "policy-key";

/// Stands before what is signed, so that a signature means nothing else.
const PURPOSE: &[u8] = b"relight.policy/1\0";

const SIGNATURE_SCHEMA: &str = "relight.policy-signature/1";

/// The file of the signature.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SignatureFile {
    schema: String,
    key: String,
    signature: String,
}

/// Whether the file counts, and if not, why. The codes are stable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It is signed by the pinned key.
    Signed,
    /// There is no file.
    Missing,
    /// Nobody signed it.
    Unsigned,
    /// The signature cannot be read.
    Unreadable,
    /// The signature is of another text.
    WrongSignature,
    /// The key is not the one that is pinned, or none is.
    OtherKey,
    /// It is signed, and nobody who decides confirmed it: the rules of before hold.
    Unconfirmed,
}

impl Standing {
    /// True when the pinned key signed it, whether it holds or not.
    pub const fn is_by_the_key(self) -> bool {
        matches!(self, Self::Signed | Self::Unconfirmed)
    }

    /// The stable name used in documents.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Signed => "signed",
            Self::Missing => "missing",
            Self::Unsigned => "unsigned",
            Self::Unreadable => "unreadable",
            Self::WrongSignature => "wrong-signature",
            Self::OtherKey => "other-key",
            Self::Unconfirmed => "unconfirmed",
        }
    }
}

/// The policy of a data folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyFile {
    /// The rules that hold.
    pub policy: Policy,
    /// Why they do.
    pub standing: Standing,
    /// The one operator of a town, who acts from the command line.
    pub single: Option<String>,
    /// The provider of identities. What it says of second factors counts only in a signed file.
    pub oidc: Option<OidcSettings>,
    /// Bits that an RSA key of a passkey or of the provider needs to count. Fewer than
    /// [`RSA_BITS_MIN`] only in a signed file.
    pub rsa_bits_min: u32,
    /// Whether codes of an authenticator app bring back commanders and approvers, too. Only in a
    /// signed file.
    pub totp_for_deciders: bool,
    /// How long sign-ins last. A file that nobody signed counts, too: it only shortens.
    pub sign_ins: SignInTimes,
    /// The pinned key, in hexadecimal.
    pub key: Option<String>,
}

impl PolicyFile {
    /// Reads the policy of a data folder.
    ///
    /// # Errors
    /// The file is there and cannot be read or understood, or sets what the table does not allow.
    pub fn read(folder: &Path, store: &Store) -> Result<Self, ServerError> {
        let key = store.meta_get(KEY_META).map_err(|error| failed(folder, error))?;
        let Some(bytes) = bytes_of(&folder.join(POLICY_FILE))? else {
            let (policy, standing) = (unsigned(key.as_deref()), Standing::Missing);
            let (rsa_bits_min, sign_ins) = (RSA_BITS_MIN, SignInTimes::default());
            return Ok(Self {
                policy,
                standing,
                single: None,
                oidc: None,
                rsa_bits_min,
                totp_for_deciders: false,
                sign_ins,
                key,
            });
        };
        let path = folder.join(POLICY_FILE);
        let written = parse(&path, &bytes)?;
        let mut standing = standing(folder, &bytes, key.as_deref())?;
        let mut holds = (standing == Standing::Signed).then(|| bytes.clone());
        if let (Standing::Signed, Some(key)) = (standing, &key) {
            let holding = policy_confirmed::holding(store, &bytes, key)?;
            if holding != Holding::This {
                standing = Standing::Unconfirmed;
            }
            holds = match holding {
                Holding::This => holds,
                Holding::Before(text) => Some(text.into_bytes()),
                Holding::Neither => None,
            };
        }
        let is_signed = holds.is_some();
        let (written, policy) = match holds {
            Some(bytes) => {
                let written = parse(&path, &bytes)?;
                let policy = written.rules(digest_of(&bytes));
                (written, policy)
            }
            None => (written, unsigned(key.as_deref())),
        };
        let single = written.operators.map(|it| it.single.trim().to_owned());
        let oidc = written.oidc.map(|it| it.within(folder));
        let oidc = oidc.map(|it| if is_signed { it } else { it.unsigned() });
        let bits = written.keys.map_or(RSA_BITS_MIN, |it| it.rsa_bits_min);
        let rsa_bits_min = if is_signed { bits } else { bits.max(RSA_BITS_MIN) };
        let totp_for_deciders = is_signed && written.recovery.is_some_and(|it| it.totp);
        let sign_ins = written.sign_in.map(ShorterSignIns::times).unwrap_or_default();
        Ok(Self { policy, standing, single, oidc, rsa_bits_min, totp_for_deciders, sign_ins, key })
    }
}

/// The rules without a policy that counts: whoever damages a signed one must not loosen it.
fn unsigned(pinned: Option<&str>) -> Policy {
    if pinned.is_some() { Policy::by_command() } else { Policy::strictest() }
}

/// What signing did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signed {
    /// The public key, in hexadecimal.
    pub key: String,
    /// The key was pinned now.
    pub pinned: bool,
    /// Where the signature stands.
    pub path: PathBuf,
}

/// Signs the policy of a data folder with the key in a file, which is made when it is not there.
/// The first key that signs is pinned; another one is refused, unless it replaces the old one.
///
/// # Errors
/// The policy or the key cannot be read, another key is pinned, or nothing can be written.
pub fn sign(
    folder: &Path,
    store: &Store,
    key_file: &Path,
    replaces_key: bool,
) -> Result<Signed, ServerError> {
    let path = folder.join(POLICY_FILE);
    let Some(bytes) = bytes_of(&path)? else {
        return Err(failed(&path, io::Error::from(io::ErrorKind::NotFound)));
    };
    parse(&path, &bytes)?;
    let pair = key_pair(key_file)?;
    let key = hex(&*pair.pk);
    let pinned = store.meta_get(KEY_META).map_err(|error| failed(folder, error))?;
    let is_new = pinned.as_ref() != Some(&key);
    if is_new && pinned.is_some() && !replaces_key {
        return Err(ServerError::new("another key is pinned in the register"));
    }
    // What is refused leaves no word about what held.
    policy_confirmed::before_signing(folder, store)?;
    let signature = hex(&*pair.sk.sign(message(&bytes), None));
    let schema = SIGNATURE_SCHEMA.to_owned();
    let document = serde_json::to_string(&SignatureFile { schema, key: key.clone(), signature });
    let document = document.map_err(|error| failed(&path, error))?;
    let path = folder.join(SIGNATURE_FILE);
    fs::write(&path, format!("{document}\n")).map_err(|error| failed(&path, error))?;
    if is_new {
        store.meta_put(KEY_META, &key).map_err(|error| failed(folder, error))?;
    }
    policy_confirmed::keep_where_alone(folder, store)?;
    Ok(Signed { key, pinned: is_new, path })
}

fn failed(path: &Path, cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> ServerError {
    ServerError::caused(format!("read the policy {}", path.display()), cause)
}

/// The whole file; `None` when there is none.
fn bytes_of(path: &Path) -> Result<Option<Vec<u8>>, ServerError> {
    let file = match fs::File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed(path, error)),
    };
    let mut bytes = Vec::new();
    let read = file.take(POLICY_BYTES_MAX + 1).read_to_end(&mut bytes);
    read.map_err(|error| failed(path, error))?;
    if bytes.len() as u64 > POLICY_BYTES_MAX {
        return Err(failed(path, io::Error::other("it is larger than 64 KiB")));
    }
    Ok(Some(bytes))
}

fn parse(path: &Path, bytes: &[u8]) -> Result<Written, ServerError> {
    let text = std::str::from_utf8(bytes).map_err(|error| failed(path, error))?;
    let written: Written = toml::from_str(text).map_err(|error| failed(path, error))?;
    match written.fault() {
        Some(fault) => Err(failed(path, io::Error::other(fault))),
        None => Ok(written),
    }
}

fn standing(folder: &Path, bytes: &[u8], pinned: Option<&str>) -> Result<Standing, ServerError> {
    let Some(text) = bytes_of(&folder.join(SIGNATURE_FILE))? else {
        return Ok(Standing::Unsigned);
    };
    let Ok(file) = serde_json::from_slice::<SignatureFile>(&text) else {
        return Ok(Standing::Unreadable);
    };
    let key = unhex(&file.key).and_then(|key| PublicKey::from_slice(&key).ok());
    let signature = unhex(&file.signature).and_then(|it| Signature::from_slice(&it).ok());
    let (Some(key), Some(signature)) = (key, signature) else { return Ok(Standing::Unreadable) };
    if file.schema != SIGNATURE_SCHEMA {
        return Ok(Standing::Unreadable);
    }
    if pinned != Some(hex(&*key).as_str()) {
        return Ok(Standing::OtherKey);
    }
    match key.verify(message(bytes), &signature) {
        Ok(()) => Ok(Standing::Signed),
        Err(_) => Ok(Standing::WrongSignature),
    }
}

fn message(bytes: &[u8]) -> Vec<u8> {
    [PURPOSE, bytes].concat()
}

/// The text of the file of the policy; `None` when there is none.
pub(crate) fn text_in(folder: &Path) -> Result<Option<String>, ServerError> {
    let path = folder.join(POLICY_FILE);
    let text = bytes_of(&path)?.map(String::from_utf8).transpose();
    text.map_err(|error| failed(&path, error))
}

/// The digest of the file of the policy; `None` when there is none.
pub(crate) fn digest_in(folder: &Path) -> Result<Option<Digest>, ServerError> {
    Ok(bytes_of(&folder.join(POLICY_FILE))?.map(|bytes| digest_of(&bytes)))
}

fn digest_of(bytes: &[u8]) -> Digest {
    relight_engine::policy::digest_of(bytes)
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

pub(crate) fn unhex(text: &str) -> Option<Vec<u8>> {
    if !text.is_ascii() || !text.len().is_multiple_of(2) {
        return None;
    }
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).ok()).collect()
}

#[cfg(test)]
mod tests {
    use relight_engine::store::{AccountChange, GrantRow};
    use tempfile::TempDir;

    use relight_model::GateKey;

    use super::*;
    use crate::access::RSA_BITS_LEAST;

    struct Place {
        folder: TempDir,
        store: Store,
    }

    impl Place {
        fn new(policy: &str) -> Self {
            let folder = tempfile::tempdir().unwrap();
            let store = Store::open(folder.path()).unwrap();
            fs::write(folder.path().join(POLICY_FILE), policy).unwrap();
            Self { folder, store }
        }

        fn read(&self) -> Result<PolicyFile, ServerError> {
            PolicyFile::read(self.folder.path(), &self.store)
        }

        fn sign(&self, key: &str, replaces: bool) -> Result<Signed, ServerError> {
            let path = self.folder.path().join(key);
            sign(self.folder.path(), &self.store, &path, replaces)
        }

        fn write(&self, name: &str, text: &str) {
            fs::write(self.folder.path().join(name), text).unwrap();
        }
    }

    #[test]
    fn only_a_signature_of_the_pinned_key_over_this_text_loosens_anything() {
        let place = Place::new("[switching]\none_person_sites = 3\n");
        let found = place.read().unwrap();
        assert_eq!((found.standing, found.policy), (Standing::Unsigned, Policy::strictest()));
        assert!(place.sign("key", false).unwrap().pinned);
        let found = place.read().unwrap();
        assert_eq!((found.standing, found.policy.alone_max), (Standing::Signed, 3));
        assert_eq!(found.policy.two_max, relight_engine::policy::SITES_WITHOUT_COMMAND_MAX);
        place.write(POLICY_FILE, "[switching]\none_person_sites = 5\n");
        let found = place.read().unwrap();
        assert_eq!((found.standing, found.policy.alone_max), (Standing::WrongSignature, 0));
        let other = place.sign("other", false).unwrap_err().to_string();
        assert!(other.contains("another key"), "{other}");
        assert_eq!(place.read().unwrap().standing, Standing::WrongSignature, "nothing was written");
        assert!(!place.sign("key", false).unwrap().pinned);
        assert_eq!(place.read().unwrap().policy.alone_max, 5);
        assert!(place.sign("other", true).unwrap().pinned);
        assert_eq!(place.read().unwrap().standing, Standing::Signed);
    }

    /// Sites for drills count in what was signed only, and are short names.
    #[test]
    fn sites_for_drills_are_those_of_a_signed_policy() {
        let place = Place::new("[drill]\nsites = [\"care\", \"beds\"]\n");
        assert!(place.read().unwrap().policy.drilled.is_empty());
        place.sign("key", false).unwrap();
        let drilled = place.read().unwrap().policy.drilled;
        assert_eq!(drilled.iter().map(GateKey::as_str).collect::<Vec<_>>(), ["beds", "care"]);
        let wrong = Place::new("[drill]\nsites = [\"/etc\"]\n").read().unwrap_err();
        let why = std::error::Error::source(&wrong).unwrap().to_string();
        assert!(why.contains("drill.sites"), "{why}");
    }

    /// It noted that none held before, so that the old policy, put back as it was signed, did not.
    #[test]
    fn a_signing_that_is_refused_changes_nothing_where_others_decide() {
        let place = Place::new("[switching]\none_person_sites = 3\n");
        place.sign("key", false).unwrap();
        let signed = fs::read_to_string(place.folder.path().join(POLICY_FILE)).unwrap();
        // As a register of before, which has no word about what was confirmed.
        let kept = place.store.meta_get(policy_confirmed::META).unwrap().unwrap();
        place.store.meta_remove(policy_confirmed::META, &kept).unwrap();
        let (role, scope, by) = ("commander".into(), "/".into(), "test".into());
        let grant = GrantRow { account: 0, role, scope, at: 1, by };
        place.store.add_account("chief", 1, &[AccountChange::Grant(grant)]).unwrap();
        place.write(POLICY_FILE, "[switching]\none_person_sites = 5\n");
        assert!(place.sign("other", false).is_err());
        place.write(POLICY_FILE, &signed);
        let found = place.read().unwrap();
        assert_eq!((found.standing, found.policy.alone_max), (Standing::Signed, 3));
    }

    /// A signed policy with 100 for two people became one with 200 when it was damaged.
    #[test]
    fn what_is_wrong_with_a_signed_policy_loosens_nothing() {
        let text = "[switching]\ntwo_people_sites = 100\n";
        let place = Place::new(text);
        place.sign("key", false).unwrap();
        assert_eq!(place.read().unwrap().policy.two_max, 100);
        let signature = fs::read_to_string(place.folder.path().join(SIGNATURE_FILE)).unwrap();
        let holds = |standing| {
            let found = place.read().unwrap();
            assert_eq!((found.standing, found.policy), (standing, Policy::by_command()));
        };
        place.write(POLICY_FILE, &text.replace("100", "101"));
        holds(Standing::WrongSignature);
        place.write(SIGNATURE_FILE, "");
        holds(Standing::Unreadable);
        fs::remove_file(place.folder.path().join(SIGNATURE_FILE)).unwrap();
        holds(Standing::Unsigned);
        fs::remove_file(place.folder.path().join(POLICY_FILE)).unwrap();
        holds(Standing::Missing);
        place.write(POLICY_FILE, text);
        place.write(SIGNATURE_FILE, &signature);
        assert_eq!(place.read().unwrap().policy.two_max, 100);
    }

    const STANDING: &str = "[[standing]]\nname = \"criticality 10\"\norder = \"decree 1\"\n\
        legal_basis = \"section 12\"\nasked_by = \"Anna\"\ngiven_by = \"Zoe\"\n\
        score_min = 10.0\nsites_max = 4000\nexpires = \"2027-12-31\"\n";

    /// What is given beforehand is given by the signature, and is gone with it.
    #[test]
    fn only_a_signed_policy_gives_anything_beforehand() {
        let place = Place::new(STANDING);
        assert!(place.read().unwrap().policy.standing.is_empty());
        place.sign("key", false).unwrap();
        let given = place.read().unwrap().policy.standing;
        assert_eq!((given.len(), given[0].score_min, given[0].sites_max), (1, 100, 4_000));
        assert!(!given[0].known_exploited && !given[0].vital, "{given:?}");
        place.write(POLICY_FILE, &STANDING.replace("4000", "5000"));
        assert!(place.read().unwrap().policy.standing.is_empty());
    }

    #[test]
    fn what_is_wrong_with_what_is_given_beforehand_is_told() {
        for (from, to, why) in [
            ("10.0", "8.9", "from 9.0 to 10.0"),
            ("4000", "0", "from 1 to 100000"),
            ("4000", "100001", "from 1 to 100000"),
            ("\"Zoe\"", "\"ANNA\"", "two people"),
            ("\"decree 1\"", "\" \"", "its order"),
            ("2027-12-31", "some day", "is no date"),
            ("score_min = 10.0\n", "", "missing field `score_min`"),
            ("order =", "orders =", "unknown field `orders`"),
        ] {
            let error = Place::new(&STANDING.replace(from, to)).read().unwrap_err();
            let source = std::error::Error::source(&error).unwrap().to_string();
            assert!(source.contains(why), "{to}: {source}");
        }
        let twice = Place::new(&STANDING.repeat(2)).read().unwrap_err();
        assert!(std::error::Error::source(&twice).unwrap().to_string().contains("same name"));
        assert!(Place::new(&STANDING.repeat(17)).read().is_err());
    }

    #[test]
    fn an_unsigned_policy_says_nothing_of_second_factors() {
        let policy = "[oidc]\nname = \"x\"\nissuer = \"https://id.example\"\nclient_id = \"x\"\n\
            client_secret_file = \"secret\"\nsecond_factor_amr = [\"mfa\"]\n\
            [[oidc.group]]\nvalue = \"g\"\nrole = \"viewer\"\nscope = \"health\"\n";
        let place = Place::new(policy);
        let oidc = place.read().unwrap().oidc.unwrap();
        assert!(oidc.group.is_empty(), "nor of groups");
        assert!(oidc.second_factor_amr.is_empty() && oidc.issuer == "https://id.example");
        assert_eq!(oidc.client_secret_file, Some(place.folder.path().join("secret")));
        place.sign("key", false).unwrap();
        let oidc = place.read().unwrap().oidc.unwrap();
        assert_eq!((oidc.second_factor_amr, oidc.group.len()), (vec!["mfa".to_owned()], 1));
        place.write(POLICY_FILE, &policy.replace("mfa", "pwd"));
        assert!(place.read().unwrap().oidc.unwrap().second_factor_amr.is_empty(), "changed since");
    }

    #[test]
    fn only_a_signed_policy_takes_keys_of_fewer_bits() {
        assert_eq!(Place::new("").read().unwrap().rsa_bits_min, RSA_BITS_MIN);
        let place = Place::new("[keys]\nrsa_bits_min = 2048\n");
        assert_eq!(place.read().unwrap().rsa_bits_min, RSA_BITS_MIN, "nobody signed it");
        place.sign("key", false).unwrap();
        assert_eq!(place.read().unwrap().rsa_bits_min, RSA_BITS_LEAST);
        place.write(POLICY_FILE, "[keys]\nrsa_bits_min = 2049\n");
        assert_eq!(place.read().unwrap().rsa_bits_min, RSA_BITS_MIN, "changed since");
        let stricter = Place::new("[keys]\nrsa_bits_min = 4096\n");
        assert_eq!(stricter.read().unwrap().rsa_bits_min, 4_096);
    }

    #[test]
    fn only_a_signed_policy_lets_codes_of_a_clock_bring_back_who_decides() {
        let place = Place::new("[recovery]\ntotp = true\n");
        assert!(!place.read().unwrap().totp_for_deciders, "nobody signed it");
        place.sign("key", false).unwrap();
        assert!(place.read().unwrap().totp_for_deciders);
        place.write(POLICY_FILE, "[recovery]\ntotp = true\n# changed\n");
        assert!(!place.read().unwrap().totp_for_deciders, "changed since");
        let no = Place::new("[recovery]\ntotp = false\n");
        no.sign("key", false).unwrap();
        assert!(!no.read().unwrap().totp_for_deciders);
        assert!(!Place::new("").read().unwrap().totp_for_deciders);
        assert!(Place::new("[recovery]\ntotp = 1\n").read().is_err());
    }

    /// It only shortens, so nobody has to sign it.
    #[test]
    fn a_policy_shortens_sign_ins() {
        let short = SignInTimes { lasts_s: 4 * 3_600, ..SignInTimes::default() };
        assert_eq!(Place::new("[sign_in]\nhours_max = 4\n").read().unwrap().sign_ins, short);
        assert!(Place::new("[sign_in]\nhours_max = 13\n").read().is_err());
    }

    #[test]
    fn a_signature_that_comes_with_its_own_key_is_not_enough() {
        let place = Place::new("");
        let elsewhere = Place::new("");
        elsewhere.sign("key", false).unwrap();
        let text = fs::read_to_string(elsewhere.folder.path().join(SIGNATURE_FILE)).unwrap();
        place.write(SIGNATURE_FILE, &text);
        assert_eq!(place.read().unwrap().standing, Standing::OtherKey);
        assert_eq!(place.read().unwrap().policy, Policy::strictest());
        for text in ["", "{}", "\u{0}", &text.replace("signature/1", "signature/2")] {
            place.write(SIGNATURE_FILE, text);
            assert_eq!(place.read().unwrap().standing, Standing::Unreadable, "{text}");
        }
    }

    #[test]
    fn what_is_wrong_is_told_and_never_ignored() {
        for (policy, why) in [
            ("[operators]\nsingle = \" \"\n", "operators.single is empty"),
            ("[operators]\nsingle = \"A\"\nsecond = \"B\"\n", "unknown field `second`"),
            ("[switching]\none_person_sites = 6\n", "at most 5"),
            ("[switching]\ntwo_people_sites = 201\n", "at most 200"),
            ("[switching]\none_person_sites = -1\n", "invalid value"),
            ("[switch]\n", "unknown field `switch`"),
            ("[keys]\nrsa_bits_min = 1024\n", "keys.rsa_bits_min is 2048 to 8192"),
            ("[keys]\nrsa_bits_min = 8193\n", "keys.rsa_bits_min is 2048 to 8192"),
            ("[oidc]\nname = \"x\"\n", "missing field `issuer`"),
            (
                "[oidc]\nname = \"x\"\nissuer = \"http://id.example\"\nclient_id = \"x\"\n",
                "oidc.issuer",
            ),
            ("[oidc]\nclient_secret = \"x\"\n", "unknown field `client_secret`"),
            (
                "[[oidc.group]]\nvalue = \"x\"\nrole = \"commander\"\nscope = \"/\"\n",
                "line 3, column 8\n  |\n3 | role = \"commander\"",
            ),
            (
                "[[oidc.group]]\nvalue = \"x\"\nrole = \"admin\"\nscope = \"/\"\n",
                "no group of a provider gives the role `admin`, only one of viewer, analyst",
            ),
            ("[", "TOML parse error"),
        ] {
            let place = Place::new(policy);
            let error = place.read().unwrap_err();
            let source = std::error::Error::source(&error).unwrap().to_string();
            assert!(source.contains(why), "{policy}: {source}");
            assert!(place.sign("key", false).is_err(), "{policy}");
            assert!(!place.folder.path().join("key").exists(), "no key for what is refused");
        }
        let long = Place::new(&"#".repeat(POLICY_BYTES_MAX as usize + 1));
        assert!(long.read().is_err());
        let none = Place::new("");
        fs::remove_file(none.folder.path().join(POLICY_FILE)).unwrap();
        assert_eq!(none.read().unwrap().standing, Standing::Missing);
        let town = Place::new("[operators]\nsingle = \" A. Tremblay \"\n").read().unwrap();
        assert_eq!(town.single.as_deref(), Some("A. Tremblay"));
    }

    #[test]
    fn a_key_is_readable_by_its_owner_alone() {
        use std::os::unix::fs::PermissionsExt as _;
        let place = Place::new("");
        place.sign("key", false).unwrap();
        let mode = fs::metadata(place.folder.path().join("key")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        place.write("short", "not a seed");
        assert!(place.sign("short", true).is_err());
    }
}
