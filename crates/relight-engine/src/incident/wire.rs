//! How model types stand in journal bodies, plans and evidence: as plain text.

use relight_model::{Digest, Epoch, GateKey, Light, SitePart, UnknownReason, Verdict};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::entry::Entry;

/// Canonical JSON: keys sorted (a `Value` keeps its keys in a tree), no blanks.
pub(crate) fn canonical<T: Serialize>(value: &T) -> Result<String, serde_json::Error> {
    serde_json::to_string(&serde_json::to_value(value)?)
}

impl Entry {
    /// The body of the journal record: canonical JSON (RFC 8785; all our numbers are integers and
    /// all keys ASCII, so sorted keys without blanks are canonical).
    ///
    /// # Errors
    /// Never for the entries above; the serializer's type says it could.
    pub fn to_body(&self) -> Result<String, serde_json::Error> {
        canonical(self)
    }

    /// Reads a body back.
    ///
    /// # Errors
    /// The body is not one of the entries above.
    pub fn from_body(body: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(body)
    }
}

/// Declares a module for `#[serde(with = …)]` from a printer and a parser.
macro_rules! text {
    ($name:ident: $type:ty, $print:expr, $parse:expr) => {
        pub(crate) mod $name {
            use super::*;

            pub(crate) fn serialize<S: Serializer>(value: &$type, s: S) -> Result<S::Ok, S::Error> {
                s.serialize_str(&($print)(value))
            }

            pub(crate) fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<$type, D::Error> {
                let text = String::deserialize(d)?;
                ($parse)(text.as_str()).ok_or_else(|| {
                    D::Error::custom(format!("`{text}` is no {}", stringify!($name)))
                })
            }
        }
    };
}

text!(digest: Digest, Digest::to_string, Digest::parse);
text!(key: GateKey, GateKey::to_string, |text| GateKey::new(text).ok());
text!(part: SitePart, SitePart::to_string, |text| SitePart::parse(text).ok());
text!(
    light: Light,
    |light: &Light| if *light == Light::Dark { "dark" } else { "lit" }.to_owned(),
    |text| match text {
        "dark" => Some(Light::Dark),
        "lit" => Some(Light::Lit),
        _ => None,
    }
);
text!(verdict: Verdict, |verdict: &Verdict| verdict.as_str().to_owned(), Verdict::parse);
text!(
    epoch: Epoch,
    |epoch: &Epoch| format!("{}-{}", epoch.term, epoch.seq),
    |text: &str| {
        let (term, seq) = text.split_once('-')?;
        Some(Epoch { term: term.parse().ok()?, seq: seq.parse().ok()? })
    }
);

/// Whether a digest stands for nothing: documents leave it out.
pub(crate) fn is_no_digest(digest: &Digest) -> bool {
    *digest == Digest::default()
}

/// A digest that may be missing: `null`.
pub(crate) mod digest_option {
    use super::*;

    pub(crate) fn serialize<S: Serializer>(
        value: &Option<Digest>,
        s: S,
    ) -> Result<S::Ok, S::Error> {
        value.map(|digest| digest.to_string()).serialize(s)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<Option<Digest>, D::Error> {
        let text = Option::<String>::deserialize(d)?;
        text.map(|text| Digest::parse(&text).ok_or_else(|| D::Error::custom("not a digest")))
            .transpose()
    }
}

/// A list of gate keys.
pub(crate) mod keys {
    use super::*;

    pub(crate) fn serialize<S: Serializer>(value: &[GateKey], s: S) -> Result<S::Ok, S::Error> {
        s.collect_seq(value.iter().map(GateKey::as_str))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<Vec<GateKey>, D::Error> {
        let texts = Vec::<String>::deserialize(d)?;
        texts.iter().map(|text| GateKey::new(text).map_err(D::Error::custom)).collect()
    }
}

/// A list of reasons.
pub(crate) mod reasons {
    use super::*;

    pub(crate) fn serialize<S: Serializer>(
        value: &[UnknownReason],
        s: S,
    ) -> Result<S::Ok, S::Error> {
        s.collect_seq(value.iter().map(|reason| reason.as_str()))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        d: D,
    ) -> Result<Vec<UnknownReason>, D::Error> {
        let texts = Vec::<String>::deserialize(d)?;
        texts
            .iter()
            .map(|text| UnknownReason::parse(text).ok_or_else(|| D::Error::custom("no reason")))
            .collect()
    }
}
