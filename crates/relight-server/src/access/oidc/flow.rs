//! Away to a provider and back. Nothing is kept here meanwhile: the browser carries what it began
//! with in a cookie, and the state that comes back is a sealed ticket for exactly that cookie.
//!
//! So an answer counts in the browser that asked, once, within five minutes, and nobody can fill
//! our memory by asking.

use std::fmt;

use axum::http::{HeaderMap, header};
use relight_engine::store::{AccountChange, IDENTITIES_MAX, IdentityRow, SignInRow};
use relight_model::Digest;
use serde::Deserialize;

use super::{Asking, Fault, Got, Identity, Provider};
use crate::access::ceremony::Refusal;
use crate::access::form::Sender;
use crate::access::limit::Trial;
use crate::access::passkey;
use crate::access::signed_in::{Factor, SignedIn};
use crate::access::ticket::{Purpose, TICKET_S_MAX};
use crate::access::{Door, Noted, digest_of, secret};

/// The cookie of a browser that is away. `Lax`: it has to come along when the provider sends the
/// browser back, which the cookie of a sign-in must not.
const FLOW_COOKIE: &str = "__Host-rl-away";

/// Longest address to go to afterwards, in bytes.
const NEXT_BYTES_MAX: usize = 1_000;

/// Under which number trials are counted: apart from those of every account, and from those of
/// keys that nobody registered.
const TRIALS_OF: u32 = u32::MAX;

/// The same for those who only leave: whoever comes back is not held up by them.
const LEAVES_OF: u32 = u32::MAX - 1;

/// Bytes of the secret of a browser that is away.
const SECRET_BYTES: usize = 32;

/// What somebody goes to a provider for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Wish {
    /// To sign in; the sign-in before ends then.
    SignIn(Option<Digest>),
    /// To bind an identity to the account of this sign-in.
    Link(Digest),
    /// To bind one to the account of this link, and to sign in.
    Enter(Digest),
}

/// What a browser that is away carries.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Away {
    secret: [u8; SECRET_BYTES],
    wish: Wish,
    next: String,
}

/// What a provider sends a browser back with.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Back {
    #[serde(default)]
    state: String,
    #[serde(default)]
    code: String,
    /// Set when it did not let the person in.
    error: Option<String>,
    /// Who it is (RFC 9207).
    iss: Option<String>,
}

/// Somebody is back, and a provider says who it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Returned {
    identity: Identity,
    wish: Wish,
    /// Where to go on.
    pub(crate) next: String,
}

/// Where a browser goes.
pub(crate) struct Going {
    pub(crate) location: String,
    /// The header that sets the cookie.
    pub(crate) cookie: String,
}

impl Away {
    fn bytes(&self) -> Vec<u8> {
        let (kind, holder) = match &self.wish {
            Wish::SignIn(before) => (0, before.unwrap_or_default()),
            Wish::Link(sign_in) => (1, *sign_in),
            Wish::Enter(link) => (2, *link),
        };
        [&self.secret[..], &[kind], &holder.0, self.next.as_bytes()].concat()
    }

    fn parse(bytes: &[u8]) -> Option<Self> {
        let (secret, rest) = bytes.split_first_chunk::<SECRET_BYTES>()?;
        let ([kind], rest) = rest.split_first_chunk::<1>()?;
        let (holder, next) = rest.split_first_chunk::<32>()?;
        let holder = Digest(*holder);
        let wish = match kind {
            0 => Wish::SignIn((holder != Digest::default()).then_some(holder)),
            1 => Wish::Link(holder),
            2 => Wish::Enter(holder),
            _ => return None,
        };
        let next = std::str::from_utf8(next).ok().filter(|next| next.len() <= NEXT_BYTES_MAX)?;
        Some(Self { secret: *secret, wish, next: next.to_owned() })
    }

    /// What proves to the provider that the code comes from whoever asked for it: 256 bits that
    /// only this browser and we can make.
    fn verifier(&self) -> String {
        secret::encode(&digest_of(&[&b"relight verifier"[..], &self.secret].concat()).0)
    }
}

/// The header that sets the cookie of a browser that is away, or takes it away.
pub(crate) fn away_cookie(value: &str) -> String {
    let seconds = if value.is_empty() { 0 } else { TICKET_S_MAX };
    format!("{FLOW_COOKIE}={value}; Path=/; Max-Age={seconds}; Secure; HttpOnly; SameSite=Lax")
}

/// What a browser carries, whole.
fn away_of(headers: &HeaderMap) -> Option<Vec<u8>> {
    let texts = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs = texts.flat_map(|text| text.split(';')).filter_map(|pair| pair.split_once('='));
    let (_, value) = pairs.find(|(name, _)| name.trim() == FLOW_COOKIE)?;
    secret::decode(value.trim())
}

/// Where a browser that is away wants to go on: only to be shown, for nothing vouches for it.
pub(crate) fn next_of(headers: &HeaderMap) -> String {
    let away = away_of(headers).and_then(|bytes| Away::parse(&bytes));
    away.map(|away| away.next).unwrap_or_default()
}

impl Door {
    /// Where somebody goes to sign in elsewhere.
    ///
    /// # Errors
    /// There is no provider, it does not answer, or there were too many whom it did not.
    pub(crate) async fn leave(
        &self,
        wish: Wish,
        next: &str,
        (lang, is_again): (&str, bool),
        from: &Sender,
    ) -> Result<Going, (Refusal, Trial)> {
        self.counted(LEAVES_OF, from, self.going(wish, next, (lang, is_again))).await
    }

    /// Counts a trial before anything is read, kept or sent; what goes well costs none, because a
    /// whole office may share an address.
    async fn counted<T>(
        &self,
        of: u32,
        from: &Sender,
        trying: impl Future<Output = Result<T, Refusal>>,
    ) -> Result<T, (Refusal, Trial)> {
        let trial = self.limits.count(of, &from.address, self.now());
        if trial != Trial::Allowed {
            return Err((Refusal::TooMany, trial));
        }
        let done = trying.await.map_err(|refusal| (refusal, trial))?;
        self.limits.forgive(of, &from.address);
        Ok(done)
    }

    async fn going(
        &self,
        wish: Wish,
        next: &str,
        (lang, is_again): (&str, bool),
    ) -> Result<Going, Refusal> {
        let provider = self.provider().ok_or(Refusal::Rule("not-there"))?;
        let next = if next.len() <= NEXT_BYTES_MAX { next.to_owned() } else { "/".to_owned() };
        let away = Away { secret: secret::random()?, wish, next };
        let carried = away.bytes();
        let ticket = self.ticket(Purpose::Provider(&digest_of(&carried)))?;
        let verifier = away.verifier();
        let (state, nonce) = (ticket.text.as_str(), ticket.challenge.as_str());
        let asking = Asking { state, nonce, verifier: &verifier, lang, is_again };
        let location = provider.authorization(&asking, self.now()).await?;
        Ok(Going { location, cookie: away_cookie(&secret::encode(&carried)) })
    }

    /// Takes somebody back: checks that the answer belongs to this browser, and who it names.
    ///
    /// # Errors
    /// The answer does not count, or the provider does not answer.
    pub(crate) async fn come_back(
        &self,
        back: &Back,
        headers: &HeaderMap,
        from: &Sender,
    ) -> Result<Returned, (Refusal, Trial)> {
        self.counted(TRIALS_OF, from, self.returning(back, headers)).await
    }

    async fn returning(&self, back: &Back, headers: &HeaderMap) -> Result<Returned, Refusal> {
        let provider = self.provider().ok_or(Refusal::Rule("not-there"))?;
        let expired = || Refusal::Key(passkey::Fault::Expired);
        let carried = away_of(headers).ok_or_else(expired)?;
        let away = Away::parse(&carried).ok_or_else(expired)?;
        let ticket = self.returned(Purpose::Provider(&digest_of(&carried)), &back.state)?;
        self.answer(&ticket)?;
        let is_ours = |issuer: &String| *issuer == provider.settings.issuer;
        if !back.iss.as_ref().is_none_or(is_ours) {
            return Err(Fault::TokenIssuer.into());
        }
        if back.error.is_some() || back.code.is_empty() {
            return Err(Fault::Declined.into());
        }
        let identity = self.exchange(provider, (&back.code, &away), &ticket.challenge).await?;
        Ok(Returned { identity, wish: away.wish, next: away.next })
    }

    /// Exchanges a code, within the limit of what goes on at one time.
    async fn exchange(
        &self,
        provider: &Provider,
        (code, away): (&str, &Away),
        nonce: &[u8],
    ) -> Result<Identity, Refusal> {
        let _seat = provider.seats.try_acquire().map_err(|_| Refusal::TooMany)?;
        let (verifier, nonce) = (away.verifier(), secret::encode(nonce));
        let got = Got { code, verifier: &verifier, nonce: &nonce };
        Ok(provider.identity(&got, self.now()).await?)
    }

    /// Does what somebody went away for; gives the header that sets the cookie of a new sign-in.
    ///
    /// # Errors
    /// The identity is nobody's here or somebody else's, what allowed it is over, or something
    /// failed.
    pub(crate) fn arrive(
        &self,
        returned: &Returned,
        from: &Sender,
    ) -> Result<Option<String>, Refusal> {
        let _changing = self.changing();
        let identity = &returned.identity;
        let arrived = match returned.wish {
            Wish::SignIn(before) => self.sign_in_by(identity, before, from).map(Some),
            Wish::Link(sign_in) => self.link_by(identity, &sign_in, from).map(|()| None),
            Wish::Enter(link) => self.enter_by(identity, &link, from).map(Some),
        };
        arrived.map_err(|refusal| match refusal {
            // Journalled already, with its subject.
            Refusal::Rule("unknown-identity") => refusal,
            refusal => self.refuse(refusal, Trial::Allowed, self.holder(&returned.wish), from),
        })
    }

    /// The account of the sign-in or link with which somebody went away; 0 without one.
    fn holder(&self, wish: &Wish) -> u32 {
        match wish {
            Wish::SignIn(_) => 0,
            Wish::Link(sign_in) => self.by_digest(sign_in).map_or(0, |signed| signed.account.id),
            Wish::Enter(link) => {
                let known = self.known();
                let mut rows = known.tables.invitations.iter();
                rows.find(|row| row.digest == *link).map_or(0, |row| row.account)
            }
        }
    }

    fn sign_in_by(
        &self,
        identity: &Identity,
        before: Option<Digest>,
        from: &Sender,
    ) -> Result<String, Refusal> {
        let row = self.known().identity(&identity.issuer, &identity.subject).cloned();
        let row = row.filter(|row| self.known().row(row.account).is_some());
        let Some(row) = row else { return Err(self.unknown(identity, from)) };
        let account = row.account;
        let (sign_in, cookie) = self.sign_in_row(account, identity, from)?;
        let used = IdentityRow { used: self.now(), ..row };
        let mut changes = vec![AccountChange::SignIn(sign_in), AccountChange::Identify(used)];
        changes.extend(before.map(AccountChange::SignOut));
        let name = self.known().name(account).to_owned();
        let (factor, groups) = (Factor::Oidc.as_str(), identity.groups.told());
        let mut facts: Vec<(&str, &dyn fmt::Display)> =
            vec![("address", &from.address), ("factor", &factor), ("subject", &identity.subject)];
        if !groups.is_empty() {
            facts.push(("groups", &groups));
        }
        self.record(&name, Noted { act: "signed-in", account: &name, facts: &facts }, &changes)?;
        Ok(cookie)
    }

    /// Refuses somebody whom nobody bound to an account. The journal names the subject, so that an
    /// admin can tell who it was.
    fn unknown(&self, identity: &Identity, from: &Sender) -> Refusal {
        let refusal = Refusal::Rule("unknown-identity");
        let Some(untold) = self.unknown.tells(Trial::Allowed, self.now()) else { return refusal };
        let why = refusal.code();
        let facts: [(&str, &dyn fmt::Display); 4] = [
            ("address", &from.address),
            ("subject", &identity.subject),
            ("untold", &untold),
            ("why", &why),
        ];
        match self.note("unknown", Noted { act: "sign-in-refused", account: "", facts: &facts }) {
            Ok(()) => refusal,
            Err(error) => error.into(),
        }
    }

    /// A new sign-in; its person was there when the provider says so, and it has the roles of that
    /// person's groups.
    fn sign_in_row(
        &self,
        account: u32,
        identity: &Identity,
        from: &Sender,
    ) -> Result<(SignInRow, String), Refusal> {
        let (row, cookie) = self.new_sign_in(account, Factor::Oidc, from)?;
        let shown = identity.at.min(self.now());
        self.groups.put(row.digest, identity.groups.clone());
        Ok((SignInRow { shown, ..row }, cookie))
    }

    fn link_by(&self, identity: &Identity, sign_in: &Digest, from: &Sender) -> Result<(), Refusal> {
        let signed = self.by_digest(sign_in).ok_or(Refusal::Rule("not-signed-in"))?;
        self.must_be_fresh(&signed)?;
        let account = signed.account.id;
        let row = self.new_identity(account, identity)?;
        let name = &signed.account.name;
        let facts: [(&str, &dyn fmt::Display); 3] = [
            ("address", &from.address),
            ("issuer", &identity.issuer),
            ("subject", &identity.subject),
        ];
        let noted = Noted { act: "identity-added", account: name, facts: &facts };
        Ok(self.record(name, noted, &[AccountChange::Identify(row)])?)
    }

    fn enter_by(
        &self,
        identity: &Identity,
        link: &Digest,
        from: &Sender,
    ) -> Result<String, Refusal> {
        let now = self.now();
        let (account, name) = {
            let known = self.known();
            let mut rows = known.tables.invitations.iter();
            let row = rows.find(|row| row.digest == *link && now < row.expires);
            let row = row.and_then(|row| known.row(row.account));
            row.map(|row| (row.id, row.name.clone())).ok_or(Refusal::Rule("no-link"))?
        };
        // Whoever runs the provider is not who holds the codes.
        if self.needs_code(account) {
            return Err(Refusal::Rule("wrong-code"));
        }
        let row = self.new_identity(account, identity)?;
        let (sign_in, cookie) = self.sign_in_row(account, identity, from)?;
        let changes = [
            AccountChange::Uninvite(*link),
            AccountChange::Identify(row),
            AccountChange::SignIn(sign_in),
        ];
        let groups = identity.groups.told();
        let mut facts: Vec<(&str, &dyn fmt::Display)> = vec![
            ("address", &from.address),
            ("issuer", &identity.issuer),
            ("subject", &identity.subject),
        ];
        if !groups.is_empty() {
            facts.push(("groups", &groups));
        }
        self.record(&name, Noted { act: "link-used", account: &name, facts: &facts }, &changes)?;
        Ok(cookie)
    }

    /// A row for an identity that no other account has.
    fn new_identity(&self, account: u32, identity: &Identity) -> Result<IdentityRow, Refusal> {
        let known = self.known();
        let Identity { issuer, subject, .. } = identity;
        if known.identity(issuer, subject).is_some() {
            return Err(Refusal::Rule("identity-known"));
        }
        let own = known.tables.identities.iter().filter(|row| row.account == account);
        if own.count() >= IDENTITIES_MAX {
            return Err(Refusal::Rule("too-many-identities"));
        }
        let (issuer, subject, now) = (issuer.clone(), subject.clone(), self.now());
        Ok(IdentityRow { issuer, subject, account, created: now, used: now })
    }

    /// Unbinds an identity of one's own.
    ///
    /// # Errors
    /// It is not there, or the passkey was not shown lately.
    pub(crate) fn remove_identity(&self, signed: &SignedIn, id: &str) -> Result<(), Refusal> {
        let _changing = self.changing();
        self.must_be_fresh(signed)?;
        let account = signed.account.id;
        let mut changes = self.known().others(account, &signed.sign_in);
        let found = {
            let known = self.known();
            let mut own = known.tables.identities.iter().filter(|row| row.account == account);
            own.find(|row| identity_id(row) == id).cloned()
        };
        let IdentityRow { issuer, subject, .. } = found.ok_or(Refusal::Rule("not-there"))?;
        let name = &signed.account.name;
        let facts: [(&str, &dyn fmt::Display); 2] = [("issuer", &issuer), ("subject", &subject)];
        let noted = Noted { act: "identity-removed", account: name, facts: &facts };
        changes
            .push(AccountChange::Unidentify { issuer: issuer.clone(), subject: subject.clone() });
        Ok(self.record(name, noted, &changes)?)
    }
}

/// How a form names an identity.
pub(crate) fn identity_id(row: &IdentityRow) -> String {
    digest_of(format!("{}\0{}", row.issuer, row.subject).as_bytes()).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_browser_carries_is_read_back_and_nothing_else_is() {
        let [a, zero] = [Digest([7; 32]), Digest::default()];
        for wish in [Wish::SignIn(None), Wish::SignIn(Some(a)), Wish::Link(a), Wish::Enter(zero)] {
            let away = Away { secret: [3; 32], wish, next: "/sites?lang=fr".into() };
            let bytes = away.bytes();
            assert_eq!(Away::parse(&bytes), Some(away));
            for at in 0..65 {
                assert_eq!(Away::parse(&bytes[..at]), None, "cut at {at}");
            }
            let long = [&bytes[..65], &[b'x'; NEXT_BYTES_MAX + 1]].concat();
            assert_eq!(Away::parse(&long), None);
            assert!(Away::parse(&long[..65 + NEXT_BYTES_MAX]).is_some());
            let other = [&bytes[..32], &[9], &bytes[33..]].concat();
            assert_eq!(Away::parse(&other), None, "a wish of another kind");
        }
    }

    #[test]
    fn the_verifier_is_of_the_length_of_the_standard_and_not_the_cookie() {
        let away = |secret| Away { secret, wish: Wish::SignIn(None), next: String::new() };
        let (one, other) = (away([1; 32]).verifier(), away([2; 32]).verifier());
        assert_eq!(one.len(), 43);
        assert!(one != other && one != secret::encode(&[1; 32]));
    }

    #[test]
    fn what_the_cookie_asks_of_browsers() {
        let cookie = away_cookie("x");
        for part in
            ["__Host-rl-away=x;", "Path=/;", "Max-Age=300;", "Secure", "HttpOnly", "SameSite=Lax"]
        {
            assert!(cookie.contains(part), "{cookie}");
        }
        assert!(away_cookie("").contains("Max-Age=0;"));
    }
}
