//! Acceptances, exemptions and mitigations, as people ask for them.

mod payloads;

use std::collections::BTreeMap;

use relight_edge::{Target, Testers};
use relight_model::{Criticality, Digest, GateKey, Timestamp, Verdict};

pub use self::payloads::{PAYLOAD_BYTES_MAX, PAYLOADS_MAX, Payloads, Unfit, Unsendable};
use crate::access::Scope;
use crate::engine::Engine;
use crate::error::{EngineError, EngineErrorKind};
use crate::incident::check_end;
use crate::incident::{
    Acceptance, Entry, EvidenceKind, Ground, Mitigation, Phase, Proof, Rejected, Witness,
};
use crate::policy::{Answering, Person, Policy, Refusal};
use crate::switch::site_of;

/// What somebody asks a second person to answer for.
#[derive(Clone, Copy, Debug)]
pub struct Asking<'a> {
    /// The incident.
    pub id: &'a str,
    /// The site.
    pub site: &'a GateKey,
    /// Why.
    pub reason: &'a str,
    /// From when on it would be worth nothing.
    pub expires: Timestamp,
    /// What was known of the site when this was decided; none where nobody says.
    pub about: Option<Digest>,
    /// What a passkey signed for it.
    pub proof: Option<&'a Proof>,
}

/// What somebody agrees to as the second person.
#[derive(Clone, Copy, Debug)]
pub struct Agreeing<'a> {
    /// The incident.
    pub id: &'a str,
    /// The site.
    pub site: &'a GateKey,
    /// The request that was read (`Incident::request`).
    pub seen: Digest,
    /// What a passkey signed for it.
    pub proof: Option<&'a Proof>,
}

/// What goes into the journal beside an acceptance. A signature says what was known; one that does
/// not could be checked by nobody.
fn witness(
    about: Option<Digest>,
    proof: Option<&Proof>,
) -> Result<Option<Box<Witness>>, EngineError> {
    let Some(proof) = proof else { return Ok(None) };
    let about = about.ok_or(Refusal::OtherRequest)?;
    Ok(Some(Box::new(Witness { about, proof: proof.clone() })))
}

/// What a replay of payloads through an edge showed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Replay {
    /// Requests with a payload that were sent.
    pub sent: u32,
    /// How many of them were stopped.
    pub blocked: u32,
}

impl Engine {
    /// Somebody asks a second person to answer for a site, by the rules. `about` is what was known
    /// of it when that was decided (`Incident::about`), where it was read.
    ///
    /// # Errors
    /// A rule forbids it, something else is known by now, or the journal refuses it.
    pub fn ask_acceptance(
        &self,
        policy: &Policy,
        person: &Person,
        asking: &Asking<'_>,
    ) -> Result<(), EngineError> {
        let _one = self.one_act();
        self.may_ask_acceptance(policy, person, asking)?;
        let Asking { id, site, expires, .. } = *asking;
        let witness = witness(asking.about, asking.proof)?;
        let (site, proposer) = (site.clone(), person.name.clone());
        let reason = asking.reason.trim().to_owned();
        let entry = Entry::AcceptanceProposed { site, proposer, reason, expires, witness };
        self.record(&person.name, id, entry)
    }

    /// Whether somebody may ask that, before anything is signed for it.
    ///
    /// # Errors
    /// As [`Engine::ask_acceptance`].
    pub fn may_ask_acceptance(
        &self,
        policy: &Policy,
        person: &Person,
        asking: &Asking<'_>,
    ) -> Result<(), EngineError> {
        let Asking { id, site, reason, about, .. } = *asking;
        let (body, _) = self.answered_for(site);
        self.decide(policy, |desk| desk.ask_acceptance(person, &body, reason))?;
        let known = self.with_ledger(|ledger| Some(ledger.incident(id)?.about(site)));
        if about.is_some() && about != known {
            return Err(EngineError::from(Refusal::OtherRequest));
        }
        // Before somebody signs what the journal would refuse.
        Ok(check_end(asking.expires, self.now())?)
    }

    /// The second person agrees by the rules to the request that was read
    /// (`Incident::request`). True when it was an exemption.
    ///
    /// # Errors
    /// A rule forbids it, nobody asked for it, something else is asked for meanwhile, the same
    /// person asked, or the journal refuses it.
    pub fn agree_acceptance(
        &self,
        policy: &Policy,
        person: &Person,
        agreeing: &Agreeing<'_>,
    ) -> Result<bool, EngineError> {
        let _one = self.one_act();
        self.may_agree_acceptance(policy, person, agreeing)?;
        let Agreeing { id, site, seen, proof } = *agreeing;
        self.agree_proven(&person.name, (id, site, seen), proof)
    }

    /// Whether somebody may agree to that, before anything is signed for it: what is agreed to
    /// then, and the name of what is known of the site.
    ///
    /// # Errors
    /// As [`Engine::agree_acceptance`].
    pub fn may_agree_acceptance(
        &self,
        policy: &Policy,
        person: &Person,
        agreeing: &Agreeing<'_>,
    ) -> Result<(Acceptance, Digest), EngineError> {
        let Agreeing { id, site, seen, .. } = *agreeing;
        let proposer =
            self.with_ledger(|ledger| Some(ledger.incident(id)?.proposed(site)?.proposer.clone()));
        let (body, vital) = self.answered_for(site);
        let name = proposer.as_deref().unwrap_or_default();
        let about = Answering { proposer: name, body: &body, vital };
        self.decide(policy, |desk| desk.agree(person, &about))?;
        // What was asked about other files, or on other news, waits no more.
        proposer.as_ref().ok_or(Refusal::OtherRequest)?;
        self.asked_for(id, site, seen)
    }

    /// The request that was read, and what it is about; refused where another one waits.
    fn asked_for(
        &self,
        id: &str,
        site: &GateKey,
        seen: Digest,
    ) -> Result<(Acceptance, Digest), EngineError> {
        let (asked, request) = self.with_ledger(|ledger| {
            let incident = ledger.incident(id);
            let asked = incident.and_then(|it| Some((it.proposed(site)?.clone(), it.about(site))));
            (asked, incident.and_then(|it| it.request(site)))
        });
        let asked = asked.ok_or_else(|| {
            let context = format!("nobody asked to accept {site}");
            EngineError::new(EngineErrorKind::NotFound, context)
        })?;
        if request != Some(seen) {
            return Err(EngineError::from(Refusal::OtherRequest));
        }
        Ok(asked)
    }

    /// The body that answers for a site, the root where it cannot be read; and whether it is vital.
    fn answered_for(&self, site: &GateKey) -> (Scope, bool) {
        let state = self.read();
        let Some(site) = site_of(&state, site) else { return (Scope::root(), true) };
        let body = state.orgs.get(&site.org).and_then(|path| Scope::parse(path));
        (body.unwrap_or_default(), site.criticality == Criticality::Vital)
    }

    /// Asks a second person to answer for a site that no evidence calls clear, without rules: for
    /// a demonstration alone.
    ///
    /// # Errors
    /// There is no such incident, or the journal refuses it.
    pub fn propose_acceptance(
        &self,
        actor: &str,
        id: &str,
        site: &GateKey,
        reason: &str,
        expires: Timestamp,
    ) -> Result<(), EngineError> {
        let (site, proposer, reason) = (site.clone(), actor.to_owned(), reason.to_owned());
        let entry = Entry::AcceptanceProposed { site, proposer, reason, expires, witness: None };
        self.record(actor, id, entry)
    }

    /// The second person agrees to the request that was read, with what a passkey signed for it: a
    /// site behind a control, or one that is unknown, may return; one that is online may stay. True
    /// when it was an exemption.
    ///
    /// # Errors
    /// Nobody asked for it, something else is asked for meanwhile, the same person asked, or the
    /// journal refuses it.
    fn agree_proven(
        &self,
        actor: &str,
        (id, site, seen): (&str, &GateKey, Digest),
        proof: Option<&Proof>,
    ) -> Result<bool, EngineError> {
        let (proposed, about) = self.asked_for(id, site, seen)?;
        let witness = witness(Some(about), proof)?;
        let acceptance = Acceptance { approver: actor.to_owned(), ..proposed };
        let is_online = self.phase(id, site).is_none_or(|phase| phase == Phase::Online);
        let site = site.clone();
        let entry = if is_online {
            Entry::Exempted { site, ground: Ground::Acceptance(acceptance), witness }
        } else {
            Entry::AcceptanceSigned { site, acceptance, witness, weighed: true }
        };
        self.record(actor, id, entry)?;
        Ok(is_online)
    }

    /// Lets a site stay online because current evidence calls it clear. What is not clear is
    /// refused before it is journalled as evidence: bad news about a lit site darkens it, and
    /// whoever asks to keep one online must not switch it off by asking.
    ///
    /// # Errors
    /// No evidence does, or the journal cannot be written.
    pub fn exempt(&self, actor: &str, id: &str, site: &GateKey) -> Result<(), EngineError> {
        if self.verdict_of(id, site)? != Some(Verdict::Clear) {
            let context = format!("no current evidence calls {site} clear");
            return Err(EngineError::new(EngineErrorKind::NotClear, context));
        }
        self.attach_evidence(actor, id, std::slice::from_ref(site), EvidenceKind::Scan)?;
        let now = self.now();
        // It opens nothing: the site is lit.
        let named = self.with_ledger(|ledger| {
            let incident = ledger.incident(id).filter(|it| it.permits(site, now))?;
            incident.case(site)?.evidence_id()
        });
        let evidence = named.ok_or_else(|| {
            let context = format!("no current evidence calls {site} clear");
            EngineError::new(EngineErrorKind::NotClear, context)
        })?;
        let (site, ground) = (site.clone(), Ground::Evidence(evidence));
        let entry = Entry::Exempted { site, ground, witness: None };
        self.record(actor, id, entry)
    }

    /// Journals a control in front of an affected site, with what a replay of payloads through its
    /// edge showed. A control that let one of them through is refused.
    ///
    /// # Errors
    /// The site or its edge is not known, the edge does not answer, or the journal refuses it.
    pub fn mitigate(
        &self,
        actor: &str,
        id: &str,
        site: &GateKey,
        control: Mitigation,
        payloads: &Payloads,
    ) -> Result<Replay, EngineError> {
        // Nothing is sent for a control that could not be journalled.
        if !matches!(self.phase(id, site), Some(Phase::Affected | Phase::Fixing)) {
            return Err(Rejected("a control stands in front of an affected site").into());
        }
        let (target, host, _) = self.edge_of(site)?;
        let replay = replay_payloads(&target, &host, payloads)?;
        let mitigation = Mitigation { replayed: replay.sent, blocked: replay.blocked, ..control };
        if replay.sent > 0 && replay.sent == replay.blocked {
            self.record(actor, id, Entry::Mitigated { site: site.clone(), mitigation })?;
        }
        Ok(replay)
    }
}

/// Sends each payload behind the gate in three places: the query, a header as it is, and the user
/// name of Basic authentication, where a rule against strings finds nothing (0 of 20, measured).
/// One that is stopped counts only where harmless words of the same length are not.
///
/// # Errors
/// The edge has no verification path or does not answer, or even a harmless request is stopped:
/// then nothing can be said about the control.
pub fn replay_payloads(
    target: &Target,
    host: &str,
    payloads: &Payloads,
) -> Result<Replay, EngineError> {
    let testers = Testers::of(target)?.ok_or_else(|| {
        let context = format!("edge {} has no verification path", target.name);
        EngineError::new(EngineErrorKind::NoPath, context)
    })?;
    let ask = |uri: &str, headers: &[(&str, &str)]| -> Result<u16, EngineError> {
        Ok(testers.connect()?.request("GET", host, uri, headers)?.status)
    };
    let in_place = |place: Place, word: &str| -> Result<u16, EngineError> {
        match place {
            Place::Query => ask(&format!("/?q={}", percent(word)), &[]),
            Place::Header => ask("/", &[("User-Agent", word)]),
            Place::Basic => {
                let basic = format!("Basic {}", base64(format!("{word}:x").as_bytes()));
                ask("/", &[("Authorization", &basic)])
            }
        }
    };
    // What stops a harmless word there is the site, not the control.
    for place in Place::ALL {
        let status = in_place(place, "x")?;
        if !passes(status) {
            let context = format!("{host} answers {status} to a harmless request");
            return Err(EngineError::new(EngineErrorKind::Untried, context));
        }
    }
    let (mut replay, mut harmless) = (Replay::default(), BTreeMap::new());
    for payload in payloads.iter() {
        for place in Place::ALL {
            replay.sent += 1;
            if !is_stopped(in_place(place, payload)?) {
                continue;
            }
            // Whatever is as long is refused: that is an edge with a limit, and no control.
            let length = place.length(payload);
            let is_free = match harmless.get(&(place, length)) {
                Some(is_free) => *is_free,
                None => passes(in_place(place, &"x".repeat(length))?),
            };
            harmless.insert((place, length), is_free);
            replay.blocked += u32::from(is_free);
        }
    }
    Ok(replay)
}

/// Where a payload is put.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Place {
    Query,
    Header,
    Basic,
}

impl Place {
    const ALL: [Self; 3] = [Self::Query, Self::Header, Self::Basic];

    /// How many harmless letters are as long there.
    fn length(self, payload: &str) -> usize {
        match self {
            Self::Query => percent(payload).len(),
            Self::Header | Self::Basic => payload.len(),
        }
    }
}

fn passes(status: u16) -> bool {
    (200..400).contains(&status)
}

/// 413, 414 and 431 say that a request was long, not what it held.
fn is_stopped(status: u16) -> bool {
    (400..500).contains(&status) && ![413, 414, 431].contains(&status)
}

fn percent(text: &str) -> String {
    let byte = |byte: u8| match byte {
        b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' => char::from(byte).to_string(),
        byte => format!("%{byte:02X}"),
    };
    text.bytes().map(byte).collect()
}

/// RFC 4648, with padding.
fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let at = |index: usize| u32::from(chunk.get(index).copied().unwrap_or(0));
        let word = (at(0) << 16) | (at(1) << 8) | at(2);
        for place in 0..4 {
            let digit = DIGITS[(word >> (18 - 6 * place)) as usize & 63];
            text.push(if place <= chunk.len() { char::from(digit) } else { '=' });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc_4648() {
        for (plain, coded) in [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
            ("fooba", "Zm9vYmE="),
            ("foobar", "Zm9vYmFy"),
        ] {
            assert_eq!(base64(plain.as_bytes()), coded);
        }
        assert_eq!(percent("${a}b é"), "%24%7Ba%7Db%20%C3%A9");
    }
}
