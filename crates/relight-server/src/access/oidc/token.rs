//! An ID token, checked claim by claim (OpenID Connect Core 1.0, 3.1.3.7; RFC 7515, 7519, 8725).

use serde::Deserialize;
use serde_json::{Map, Value};

use super::Fault;
use super::keys::{Algorithm, Key};
use crate::access::secret;

/// Longest token, in bytes.
pub(super) const TOKEN_BYTES_MAX: usize = 16 << 10;

/// How far the clock of a provider may be from ours, in seconds.
pub(super) const SKEW_S_MAX: i64 = 60;

/// How long ago a token may have been made, in seconds, besides the skew: it was asked for just
/// now.
pub(super) const AGE_S_MAX: i64 = 5 * 60;

/// Longest subject, in bytes (Core 1.0, 2: "MUST NOT exceed 255 ASCII characters in length").
pub(super) const SUBJECT_BYTES_MAX: usize = 255;

/// A token in its parts, of which nothing is believed yet.
#[derive(Debug)]
pub(super) struct Unverified<'a> {
    pub(super) algorithm: Algorithm,
    /// The id of the key that made the signature, as it says.
    pub(super) key: Option<String>,
    message: &'a str,
    claims: Vec<u8>,
    signature: Vec<u8>,
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    kid: Option<String>,
    crit: Option<Value>,
    // Keys that a token brings along or points to are never looked at.
}

/// What a token has to say.
#[derive(Clone, Copy, Debug)]
pub(super) struct Expected<'a> {
    pub(super) issuer: &'a str,
    pub(super) client: &'a str,
    pub(super) nonce: &'a str,
    pub(super) now: i64,
    /// How long ago the person may have shown who it is, in seconds.
    pub(super) max_age: i64,
}

/// What a provider says of somebody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Claims {
    /// The person, as the provider names it for ever.
    pub(super) subject: String,
    /// The class of what was shown.
    pub(super) acr: Option<String>,
    /// What was shown (RFC 8176).
    pub(super) amr: Vec<String>,
    /// When.
    pub(super) at: i64,
    /// What else it says.
    pub(super) others: Map<String, Value>,
}

#[derive(Deserialize)]
struct Written {
    iss: String,
    sub: String,
    aud: Value,
    azp: Option<String>,
    exp: Value,
    iat: Value,
    nbf: Option<Value>,
    nonce: String,
    auth_time: Option<Value>,
    acr: Option<Value>,
    amr: Option<Value>,
    #[serde(flatten)]
    others: Map<String, Value>,
}

impl<'a> Unverified<'a> {
    /// Takes a token apart.
    pub(super) fn parse(token: &'a str) -> Result<Self, Fault> {
        if token.len() > TOKEN_BYTES_MAX {
            return Err(Fault::TokenMalformed);
        }
        let (message, signature) = token.rsplit_once('.').ok_or(Fault::TokenMalformed)?;
        let (header, claims) = message.split_once('.').ok_or(Fault::TokenMalformed)?;
        let part = |text: &str| secret::decode(text).ok_or(Fault::TokenMalformed);
        let (header, claims, signature) = (part(header)?, part(claims)?, part(signature)?);
        let header: Header = serde_json::from_slice(&header).map_err(|_| Fault::TokenMalformed)?;
        // Nothing that would have to be understood is.
        if header.crit.is_some() {
            return Err(Fault::TokenMalformed);
        }
        let algorithm = Algorithm::parse(&header.alg).ok_or(Fault::TokenAlgorithm)?;
        Ok(Self { algorithm, key: header.kid, message, claims, signature })
    }

    /// What it says, if one of these keys signed it and it is for us, from here and now.
    pub(super) fn verified(self, keys: &[&Key], expected: Expected<'_>) -> Result<Claims, Fault> {
        if keys.is_empty() {
            return Err(Fault::TokenKey);
        }
        let message = self.message.as_bytes();
        if !keys.iter().any(|key| key.signed(message, &self.signature)) {
            return Err(Fault::TokenSignature);
        }
        // A claim that stands there twice is an error of this reader as well.
        let claims = serde_json::from_slice(&self.claims).map_err(|_| Fault::TokenMalformed)?;
        expected.check(claims)
    }
}

impl Expected<'_> {
    fn check(&self, claims: Written) -> Result<Claims, Fault> {
        if claims.iss != self.issuer {
            return Err(Fault::TokenIssuer);
        }
        self.check_audience(&claims)?;
        self.check_times(&claims)?;
        if !secret::is_equal(claims.nonce.as_bytes(), self.nonce.as_bytes()) {
            return Err(Fault::TokenNonce);
        }
        let is_subject = !claims.sub.is_empty() && claims.sub.len() <= SUBJECT_BYTES_MAX;
        if !is_subject || !claims.sub.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ') {
            return Err(Fault::TokenMalformed);
        }
        // It was asked for with `max_age`, so it has to say when.
        let at = claims.auth_time.as_ref().and_then(seconds).ok_or(Fault::TokenAuthentication)?;
        if at > self.now + SKEW_S_MAX || at < self.now - self.max_age - SKEW_S_MAX {
            return Err(Fault::TokenAuthentication);
        }
        let Written { sub: subject, acr, amr, others, .. } = claims;
        Ok(Claims { subject, acr: text(acr), amr: texts(amr), at, others })
    }

    /// For us, and for nobody else: we trust no other audience.
    fn check_audience(&self, claims: &Written) -> Result<(), Fault> {
        let is_ours = match &claims.aud {
            Value::String(audience) => audience == self.client,
            Value::Array(all) => matches!(&all[..], [Value::String(one)] if one == self.client),
            _ => false,
        };
        if !is_ours || claims.azp.as_deref().is_some_and(|party| party != self.client) {
            return Err(Fault::TokenAudience);
        }
        Ok(())
    }

    fn check_times(&self, claims: &Written) -> Result<(), Fault> {
        let time = |value: &Value| seconds(value).ok_or(Fault::TokenMalformed);
        let (expires, made) = (time(&claims.exp)?, time(&claims.iat)?);
        let begins = claims.nbf.as_ref().map_or(Ok(made), time)?;
        let is_over = expires <= self.now - SKEW_S_MAX;
        let is_early = made > self.now + SKEW_S_MAX || begins > self.now + SKEW_S_MAX;
        let is_old = made < self.now - AGE_S_MAX - SKEW_S_MAX;
        if is_over || is_early || is_old { Err(Fault::TokenTime) } else { Ok(()) }
    }
}

/// A `NumericDate` (RFC 7519, 2), to the second; one that no clock shows is none.
fn seconds(value: &Value) -> Option<i64> {
    const FAR: f64 = 1e12;
    let number = value.as_f64().filter(|number| (0.0..FAR).contains(number))?;
    #[expect(clippy::cast_possible_truncation, reason = "it is below 10^12")]
    Some(number as i64)
}

fn text(value: Option<Value>) -> Option<String> {
    match value {
        Some(Value::String(text)) => Some(text),
        _ => None,
    }
}

fn texts(value: Option<Value>) -> Vec<String> {
    match value {
        Some(Value::Array(all)) => all.into_iter().filter_map(|it| text(Some(it))).collect(),
        _ => Vec::new(),
    }
}

#[cfg(test)]
#[path = "token_tests.rs"]
mod tests;
