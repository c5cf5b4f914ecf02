//! Signing in through a provider of identities (OpenID Connect): the authorization code flow with
//! PKCE (RFC 7636), state and nonce.
//!
//! Written here on `ring` and the HTTP client that is here anyway: the usual library brings 79
//! more crates, among them a second implementation of each signature. What is left out of the
//! standard (other flows, encrypted tokens, registration, the address of a user) is not needed to
//! learn one thing: which account of ours this is. Roles stay ours, but for those that the signed
//! policy gives to groups of the provider for one sign-in.

mod fetch;
mod flow;
mod groups;
mod keys;
mod settings;
mod token;

use std::sync::Arc;

use relight_model::Timestamp;
use serde::Deserialize;
use tokio::sync::{Mutex, Semaphore};

use self::fetch::{Fetcher, Form, Place};
use self::keys::KeySet;
use self::token::{Claims, Expected, Unverified};
use super::sign_ins::SignInTimes;
use super::{Address, encode_bytes};
use crate::page::encode;
use crate::{ServerError, secret_file};

pub(crate) use self::flow::{Back, Wish, away_cookie, identity_id, next_of};
pub use self::groups::GroupRole;
pub(crate) use self::groups::{BySignIn, OfGroups};
pub use self::settings::OidcSettings;

/// How long what a provider says about itself is believed, in seconds.
const METADATA_S_MAX: i64 = 3_600;

/// How long its keys are believed, in seconds.
const KEYS_S_MAX: i64 = 3_600;

/// After this long keys are asked for again because a token names one that is not known, in
/// seconds: whoever sends tokens must not make us send requests.
const KEYS_AGAIN_S: i64 = 60;

/// How long a provider that did not answer is not asked again, in seconds.
const FAILED_S: i64 = 5;

/// Codes that are exchanged at one time; more are told to try again.
const EXCHANGES_MAX: usize = 16;

/// Longest secret that a provider gives us, in bytes.
const SECRET_BYTES_MAX: usize = 4_096;

/// What is wrong with a provider, or with what it says of somebody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// It does not answer.
    Unreachable,
    /// It answers something else than the standard says.
    Unusable,
    /// It did not let the person in, or the person did not want to.
    Declined,
    /// It does not know the code.
    Code,
    /// The token is none, or is not understood.
    TokenMalformed,
    /// It is signed in a way that does not count.
    TokenAlgorithm,
    /// It is signed with a key that the provider does not have.
    TokenKey,
    /// That key is of RSA, and has fewer bits than count here.
    TokenWeakKey,
    /// The signature is another one.
    TokenSignature,
    /// It is from another provider.
    TokenIssuer,
    /// It is for somebody else.
    TokenAudience,
    /// It is too old, or not yet good.
    TokenTime,
    /// It answers another question.
    TokenNonce,
    /// It does not say when the person was there, or that was too long ago.
    TokenAuthentication,
    /// It does not say that a second factor was shown, in a word that the signed policy names.
    SecondFactor,
}

impl Fault {
    /// Every one of them.
    #[cfg(test)]
    pub(crate) const ALL: [Self; 15] = [
        Self::Unreachable,
        Self::Unusable,
        Self::Declined,
        Self::Code,
        Self::TokenMalformed,
        Self::TokenAlgorithm,
        Self::TokenKey,
        Self::TokenWeakKey,
        Self::TokenSignature,
        Self::TokenIssuer,
        Self::TokenAudience,
        Self::TokenTime,
        Self::TokenNonce,
        Self::TokenAuthentication,
        Self::SecondFactor,
    ];

    /// The stable name: in the journal, and in the key of the sentence for people.
    pub(crate) const fn code(self) -> &'static str {
        match self {
            Self::Unreachable => "provider-unreachable",
            Self::Unusable => "provider-unusable",
            Self::Declined => "provider-declined",
            Self::Code => "provider-code",
            Self::TokenMalformed => "id-token-malformed",
            Self::TokenAlgorithm => "id-token-algorithm",
            Self::TokenKey => "id-token-key",
            Self::TokenWeakKey => "id-token-weak-key",
            Self::TokenSignature => "id-token-signature",
            Self::TokenIssuer => "id-token-issuer",
            Self::TokenAudience => "id-token-audience",
            Self::TokenTime => "id-token-time",
            Self::TokenNonce => "id-token-nonce",
            Self::TokenAuthentication => "id-token-authentication",
            Self::SecondFactor => "second-factor",
        }
    }
}

/// What a provider says about itself (OpenID Connect Discovery 1.0, 3).
#[derive(Clone, Debug, Deserialize)]
struct Metadata {
    issuer: String,
    authorization_endpoint: String,
    token_endpoint: String,
    jwks_uri: String,
    /// Without them: the first way of the standard.
    token_endpoint_auth_methods_supported: Option<Vec<String>>,
}

/// What is known of a provider, and since when.
#[derive(Debug, Default)]
struct Cache {
    metadata: Option<(Arc<Metadata>, Timestamp)>,
    keys: Option<(KeySet, Timestamp)>,
    /// What failed last, and when.
    failed: Option<(Fault, Timestamp)>,
}

/// A provider of identities.
pub(crate) struct Provider {
    settings: OidcSettings,
    issuer: Place,
    /// What it gave us to prove that we are we.
    secret: Option<String>,
    /// Bits that its RSA keys need to count.
    rsa_bits_min: u32,
    /// How long ago somebody may have shown it who it is when signing in, in seconds: as long as a
    /// sign-in of ours lasts.
    authenticated_s_max: i64,
    /// Where it sends people back.
    redirect: String,
    fetcher: Fetcher,
    /// Held while it is asked: it is asked once, however many wait for the answer.
    cache: Mutex<Cache>,
    seats: Semaphore,
}

/// A person as a provider knows him.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Identity {
    pub(crate) issuer: String,
    pub(crate) subject: String,
    /// When the person showed the provider who it is.
    pub(crate) at: Timestamp,
    /// What the groups of that person give for a sign-in.
    pub(crate) groups: OfGroups,
}

impl Provider {
    /// Reads the files of the settings; asks nobody.
    ///
    /// # Errors
    /// A setting cannot be used, or a file cannot be read.
    pub(crate) fn open(
        settings: OidcSettings,
        console: &Address,
        rsa_bits_min: u32,
        sign_ins: SignInTimes,
    ) -> Result<Self, ServerError> {
        let wrong =
            |what: &str| ServerError::new(format!("use the provider of identities: {what}"));
        if let Some(fault) = settings.fault() {
            return Err(wrong(fault));
        }
        let place = Place::parse(&settings.issuer, true).ok_or_else(|| wrong("oidc.issuer"))?;
        let secret = match &settings.client_secret_file {
            Some(path) => Some(secret_in(path)?),
            None => None,
        };
        Ok(Self {
            fetcher: Fetcher::new(&place, settings.ca_file.as_deref())?,
            redirect: format!("{}/sign-in/oidc/back", console.origin),
            issuer: place,
            settings,
            secret,
            rsa_bits_min,
            authenticated_s_max: sign_ins.lasts_s,
            cache: Mutex::default(),
            seats: Semaphore::new(EXCHANGES_MAX),
        })
    }

    /// What people call it.
    pub(crate) fn name(&self) -> &str {
        &self.settings.name
    }

    /// What it says about itself.
    async fn metadata(&self, now: Timestamp) -> Result<Arc<Metadata>, Fault> {
        let mut cache = self.cache.lock().await;
        if let Some((metadata, _)) =
            cache.metadata.as_ref().filter(|it| is_young(it.1, now, METADATA_S_MAX))
        {
            return Ok(Arc::clone(metadata));
        }
        cache.check_failed(now)?;
        let fetched = self.fetch_metadata().await.map(Arc::new);
        let metadata = cache.kept(fetched, now)?;
        cache.metadata = Some((Arc::clone(&metadata), now));
        Ok(metadata)
    }

    async fn fetch_metadata(&self) -> Result<Metadata, Fault> {
        let url = format!(
            "{}/.well-known/openid-configuration",
            self.settings.issuer.trim_end_matches('/')
        );
        let place = Place::parse(&url, self.issuer.is_plain()).ok_or(Fault::Unusable)?;
        let metadata: Metadata = self.fetch(&place, None).await?;
        let MetadataPlaces { .. } = self.places(&metadata)?;
        // Discovery 1.0, 4.3: exactly the one that was asked for.
        if metadata.issuer != self.settings.issuer { Err(Fault::Unusable) } else { Ok(metadata) }
    }

    /// Where it is asked; all of it under TLS, if the issuer is.
    fn places(&self, metadata: &Metadata) -> Result<MetadataPlaces, Fault> {
        let place = |url: &str| Place::parse(url, self.issuer.is_plain()).ok_or(Fault::Unusable);
        place(&metadata.authorization_endpoint)?;
        Ok(MetadataPlaces {
            token: place(&metadata.token_endpoint)?,
            keys: place(&metadata.jwks_uri)?,
        })
    }

    /// An answer that is a document.
    async fn fetch<T: serde::de::DeserializeOwned>(
        &self,
        place: &Place,
        form: Option<Form>,
    ) -> Result<T, Fault> {
        let answer = self.fetcher.ask(place, form).await?;
        if !answer.status.is_success() {
            let is_theirs = answer.status.is_server_error();
            return Err(if is_theirs { Fault::Unreachable } else { Fault::Unusable });
        }
        serde_json::from_slice(&answer.body).map_err(|_| Fault::Unusable)
    }

    /// The address where a browser is sent.
    async fn authorization(&self, asking: &Asking<'_>, now: Timestamp) -> Result<String, Fault> {
        let metadata = self.metadata(now).await?;
        let endpoint = &metadata.authorization_endpoint;
        let mut fields = vec![
            ("response_type", "code".to_owned()),
            ("client_id", self.settings.client_id.clone()),
            ("redirect_uri", self.redirect.clone()),
            // Nothing of the person but who it is.
            ("scope", "openid".to_owned()),
            ("state", asking.state.to_owned()),
            ("nonce", asking.nonce.to_owned()),
            ("code_challenge", encode_bytes(&super::digest_of(asking.verifier.as_bytes()).0)),
            ("code_challenge_method", "S256".to_owned()),
            ("max_age", self.authenticated_s_max.to_string()),
            ("ui_locales", asking.lang.to_owned()),
        ];
        if !self.settings.second_factor_acr.is_empty() {
            fields.push(("acr_values", self.settings.second_factor_acr.join(" ")));
        }
        if asking.is_again {
            fields.push(("prompt", "login".to_owned()));
        }
        let fields: Vec<String> =
            fields.iter().map(|(name, value)| format!("{name}={}", encode(value))).collect();
        let sign = if endpoint.contains('?') { '&' } else { '?' };
        Ok(format!("{endpoint}{sign}{}", fields.join("&")))
    }

    /// Exchanges a code, and says who it stands for.
    async fn identity(&self, got: &Got<'_>, now: Timestamp) -> Result<Identity, Fault> {
        let metadata = self.metadata(now).await?;
        let places = self.places(&metadata)?;
        let token = self.exchange(&places.token, &metadata, got).await?;
        let unverified = Unverified::parse(&token)?;
        let expected = Expected {
            issuer: &self.settings.issuer,
            client: &self.settings.client_id,
            nonce: got.nonce,
            now,
            max_age: self.authenticated_s_max,
        };
        let claims = self.verified(unverified, expected, &places.keys).await?;
        if !self.is_strong(&claims) {
            return Err(Fault::SecondFactor);
        }
        let groups = OfGroups::read(&self.settings, &claims.others);
        let Claims { subject, at, .. } = claims;
        Ok(Identity { issuer: self.settings.issuer.clone(), subject, at, groups })
    }

    async fn exchange(
        &self,
        place: &Place,
        metadata: &Metadata,
        got: &Got<'_>,
    ) -> Result<String, Fault> {
        #[derive(Deserialize)]
        struct Tokens {
            id_token: Option<String>,
        }
        let answer = self.fetcher.ask(place, Some(self.form(metadata, got))).await?;
        if answer.status.is_client_error() {
            return Err(refused(&answer.body));
        }
        if !answer.status.is_success() {
            return Err(Fault::Unreachable);
        }
        let tokens: Tokens = serde_json::from_slice(&answer.body).map_err(|_| Fault::Unusable)?;
        tokens.id_token.ok_or(Fault::Unusable)
    }

    /// What is sent for a token, with the secret where the provider wants it (RFC 6749, 2.3.1).
    fn form(&self, metadata: &Metadata, got: &Got<'_>) -> Form {
        let client = encode(&self.settings.client_id);
        let mut fields = vec![
            "grant_type=authorization_code".to_owned(),
            format!("code={}", encode(got.code)),
            format!("redirect_uri={}", encode(&self.redirect)),
            format!("code_verifier={}", encode(got.verifier)),
        ];
        let methods = metadata.token_endpoint_auth_methods_supported.as_deref();
        let takes = |way: &str| methods.is_some_and(|all| all.iter().any(|it| it == way));
        let mut authorization = None;
        match &self.secret {
            None => fields.push(format!("client_id={client}")),
            Some(secret) if takes("client_secret_post") && !takes("client_secret_basic") => {
                fields.push(format!("client_id={client}"));
                fields.push(format!("client_secret={}", encode(secret)));
            }
            Some(secret) => {
                let pair = format!("{client}:{}", encode(secret));
                authorization =
                    Some(format!("Basic {}", super::secret::encode_padded(pair.as_bytes())));
            }
        }
        Form { body: fields.join("&"), authorization }
    }

    /// Checks a token with the keys that are known; with those of now, when it names another one.
    async fn verified(
        &self,
        token: Unverified<'_>,
        expected: Expected<'_>,
        place: &Place,
    ) -> Result<Claims, Fault> {
        let now = expected.now;
        let mut cache = self.cache.lock().await;
        let (algorithm, id) = (token.algorithm, token.key.clone());
        let knows =
            |(keys, _): &(KeySet, Timestamp)| !keys.fitting(algorithm, id.as_deref()).is_empty();
        let is_known =
            cache.keys.as_ref().is_some_and(|it| knows(it) && is_young(it.1, now, KEYS_S_MAX));
        let is_recent = cache.keys.as_ref().is_some_and(|it| is_young(it.1, now, KEYS_AGAIN_S));
        if !is_known && !is_recent {
            cache.check_failed(now)?;
            let fetched = self.fetch_keys(place).await;
            let keys = cache.kept(fetched, now)?;
            cache.keys = Some((keys, now));
        }
        let known = cache.keys.as_ref();
        let fitting = known.map_or_else(Vec::new, |it| it.0.fitting(algorithm, id.as_deref()));
        if fitting.iter().any(|key| key.rsa_bits().is_some_and(|it| it < self.rsa_bits_min)) {
            return Err(Fault::TokenWeakKey);
        }
        token.verified(&fitting, expected)
    }

    async fn fetch_keys(&self, place: &Place) -> Result<KeySet, Fault> {
        let answer = self.fetcher.ask(place, None).await?;
        match answer.status.is_success() {
            true => KeySet::parse(&answer.body),
            false => Err(Fault::Unusable),
        }
    }

    /// Whether what was shown counts as a second factor. Only what the policy names does: what a
    /// provider says of itself is worth what its operators are worth.
    fn is_strong(&self, claims: &Claims) -> bool {
        let OidcSettings { second_factor_acr, second_factor_amr, .. } = &self.settings;
        let by_class = claims.acr.as_ref().is_some_and(|acr| second_factor_acr.contains(acr));
        by_class || claims.amr.iter().any(|way| second_factor_amr.contains(way))
    }
}

/// Where a provider is asked.
struct MetadataPlaces {
    token: Place,
    keys: Place,
}

/// What a browser is sent away with.
struct Asking<'a> {
    state: &'a str,
    nonce: &'a str,
    verifier: &'a str,
    lang: &'a str,
    /// The person has to show who it is once more.
    is_again: bool,
}

/// What it comes back with.
struct Got<'a> {
    code: &'a str,
    verifier: &'a str,
    nonce: &'a str,
}

impl Cache {
    /// Whoever did not answer a moment ago is not asked again.
    fn check_failed(&self, now: Timestamp) -> Result<(), Fault> {
        match self.failed {
            Some((fault, at)) if is_young(at, now, FAILED_S) => Err(fault),
            _ => Ok(()),
        }
    }

    /// Notes whether asking went well.
    fn kept<T>(&mut self, fetched: Result<T, Fault>, now: Timestamp) -> Result<T, Fault> {
        self.failed = fetched.as_ref().err().map(|fault| (*fault, now));
        fetched
    }
}

/// Why a provider gives no token (RFC 6749, 5.2): the code is worth nothing to it; all else is a
/// fault of the settings, here or there.
fn refused(body: &[u8]) -> Fault {
    #[derive(Deserialize)]
    struct Problem {
        error: String,
    }
    match serde_json::from_slice::<Problem>(body) {
        Ok(problem) if problem.error == "invalid_grant" => Fault::Code,
        _ => Fault::Unusable,
    }
}

fn is_young(at: Timestamp, now: Timestamp, most: i64) -> bool {
    (at..at + most).contains(&now)
}

/// The secret in a file, without the end of its line.
fn secret_in(path: &std::path::Path) -> Result<String, ServerError> {
    let doing = || format!("read the secret in {}", path.display());
    let bytes = secret_file::read(path, SECRET_BYTES_MAX + 2)
        .map_err(|error| ServerError::caused(doing(), error))?;
    let text = String::from_utf8(bytes).map_err(|error| ServerError::caused(doing(), error))?;
    let text = text.trim_end_matches(['\r', '\n']);
    let is_secret = !text.is_empty() && text.len() <= SECRET_BYTES_MAX;
    if !is_secret || text.chars().any(char::is_control) {
        return Err(ServerError::caused(doing(), "it is empty, too long, or several lines"));
    }
    Ok(text.to_owned())
}

#[cfg(test)]
#[path = "oidc/provider_tests.rs"]
mod tests;
