//! What the templates of sign-in, of one's own account and of all accounts show.

use askama::Template;

use crate::texts;
use crate::views::{Choice, Frame};

/// What a form with a passkey needs: a ticket that goes back, and what the browser is asked for.
#[derive(Clone, Debug, Default)]
pub struct KeyForm {
    /// Goes back with the answer.
    pub ticket: String,
    /// Options of the ceremony, as JSON; bytes are base64url.
    pub options: String,
}

/// The sign-in.
#[derive(Template)]
#[template(path = "sign_in.html", whitespace = "minimize")]
pub struct SignInPage {
    /// Around it.
    pub frame: Frame,
    /// What went wrong; empty at first.
    pub problem: String,
    /// The ceremony.
    pub key: KeyForm,
    /// Where to go afterwards.
    pub next: String,
    /// What people call the provider of identities; empty without one.
    pub provider: String,
    /// The way to it.
    pub leave: String,
}

/// Somebody goes to a provider of identities or came back: the page goes on by itself.
#[derive(Template)]
#[template(path = "arrived.html", whitespace = "minimize")]
pub struct ArrivedPage {
    /// Around it.
    pub frame: Frame,
    /// Where it goes on.
    pub next: String,
}

/// The page behind a link: a first key.
#[derive(Template)]
#[template(path = "start.html", whitespace = "minimize")]
pub struct StartPage {
    /// Around it.
    pub frame: Frame,
    /// What went wrong; empty at first.
    pub problem: String,
    /// The code of the link; empty while it is still asked for.
    pub code: String,
    /// Name of the account; empty when it is the first one, which chooses.
    pub account: String,
    /// Which code is asked for as well; empty when none is.
    pub code_needed: &'static str,
    /// What was chosen before something went wrong.
    pub chosen: String,
    /// What people call the provider of identities; empty where none is offered.
    pub provider: String,
    /// The ceremony; without a ticket the link is worth nothing.
    pub key: KeyForm,
}

/// A passkey is shown again.
#[derive(Template)]
#[template(path = "confirm.html", whitespace = "minimize")]
pub struct ConfirmPage {
    /// Around it.
    pub frame: Frame,
    /// What went wrong; empty at first.
    pub problem: String,
    /// The ceremony.
    pub key: KeyForm,
    /// Where to go afterwards.
    pub next: String,
}

/// A terminal asks to be let in: the question for its code, and what is behind that.
#[derive(Template)]
#[template(path = "terminal.html", whitespace = "minimize")]
pub struct TerminalPage {
    /// Around it.
    pub frame: Frame,
    /// What went wrong; empty when nothing did.
    pub problem: String,
    /// What was done; empty before.
    pub done: String,
    /// The code; empty while it is asked for.
    pub code: String,
    /// Who asks, from where, since when: name and value.
    pub facts: Vec<(&'static str, String)>,
    /// Roles to choose from, where the terminal named none.
    pub roles: Vec<Choice>,
    /// The role that is granted, and where, as a form writes it.
    pub role: String,
    /// What is granted and for how long, as a sentence.
    pub granted: String,
    /// The ceremony that grants it; without a ticket nothing can be granted yet.
    pub key: KeyForm,
}

/// A key, a sign-in or a token of one's own.
#[derive(Clone, Debug)]
pub struct OwnRow {
    /// How a form names it.
    pub id: String,
    /// What it is called.
    pub name: String,
    /// What else is known, in the order of the columns.
    pub facts: Vec<String>,
    /// It is the one in use: it has no button.
    pub current: bool,
}

/// One's own keys, sign-ins and tokens.
#[derive(Template)]
#[template(path = "me.html", whitespace = "minimize")]
pub struct MePage {
    /// Around it.
    pub frame: Frame,
    /// What went wrong; empty when nothing did.
    pub problem: String,
    /// Roles with their scopes.
    pub roles: Vec<String>,
    /// Why groups of the provider give none; empty when they are known.
    pub groups_unknown: &'static str,
    /// Keys.
    pub keys: Vec<OwnRow>,
    /// Sign-ins.
    pub sign_ins: Vec<OwnRow>,
    /// Tokens.
    pub tokens: Vec<OwnRow>,
    /// The passkey was shown lately: what needs that is offered.
    pub fresh: bool,
    /// The ceremony of another key.
    pub key: KeyForm,
    /// Roles of which a token can have one.
    pub token_roles: Vec<Choice>,
    /// Longest life of a token, in days.
    pub days_max: i64,
    /// Admins find the accounts behind a link.
    pub sees_accounts: bool,
    /// Admins and auditors find the agents behind a link.
    pub sees_agents: bool,
    /// How many codes for recovery are left, as a sentence.
    pub codes: String,
    /// The authenticator app.
    pub app: AppSection,
    /// Identities at providers.
    pub identities: Vec<OwnRow>,
    /// What people call the provider of identities; empty without one.
    pub provider: String,
    /// What its person should know and has not seen: when, what, and where to read on; that may be
    /// empty.
    pub notices: Vec<(String, String, String)>,
    /// When the newest of that was, in seconds since 1970.
    pub notices_until: i64,
}

/// One's own authenticator app.
#[derive(Clone, Copy, Debug)]
pub struct AppSection {
    /// What there is, as a sentence.
    pub state: &'static str,
    /// There is one, which can be removed.
    pub is_set: bool,
    /// One can be set up.
    pub is_offered: bool,
    /// A secret was shown and waits for its first code.
    pub waits: bool,
}

/// A role in a scope that an account holds.
#[derive(Clone, Debug)]
pub struct HeldRow {
    /// How a form names the role.
    pub role: &'static str,
    /// Its word.
    pub word: String,
    /// The scope.
    pub scope: String,
    /// When and by whom, as a sentence.
    pub by: String,
}

/// An account.
#[derive(Clone, Debug)]
pub struct AccountCard {
    /// Its name.
    pub name: String,
    /// One line about its keys and its last sign-in.
    pub line: String,
    /// What it may do.
    pub held: Vec<HeldRow>,
    /// It is over.
    pub ended: bool,
    /// It is that of the reader.
    pub own: bool,
    /// The reader may take something away of what it may do.
    pub acts: bool,
}

/// A grant that waits for a second person.
#[derive(Clone, Debug)]
pub struct WaitingRow {
    /// How a form names it.
    pub id: u32,
    /// Who proposes what for whom, as a sentence.
    pub sentence: String,
    /// The reader may answer.
    pub mine: bool,
}

/// Which part of a long list a page shows, and the ways to the others.
#[derive(Clone, Debug)]
pub struct Part {
    /// What is looked for; empty for all.
    pub words: String,
    /// What the address of this part has after its language.
    pub kept: String,
    /// Which of how many, in words; empty where there is only one.
    pub page: String,
    /// Address of the part before; empty at the first.
    pub previous: String,
    /// Address of the next one; empty at the last.
    pub next: String,
}

impl Part {
    /// Words are asked for: there is more than one part, or they were asked for.
    pub fn is_asked_for(&self) -> bool {
        !(self.page.is_empty() && self.words.is_empty())
    }
}

/// Accounts, and what waits.
#[derive(Template)]
#[template(path = "accounts.html", whitespace = "minimize")]
pub struct AccountsPage {
    /// Around it.
    pub frame: Frame,
    /// What went wrong; empty when nothing did.
    pub problem: String,
    /// What was done; empty when nothing was.
    pub done: String,
    /// Accounts, those that ended last.
    pub accounts: Vec<AccountCard>,
    /// Which part of them that is.
    pub part: Part,
    /// Grants that wait.
    pub waiting: Vec<WaitingRow>,
    /// How many more wait; empty for none.
    pub waiting_more: String,
    /// Names to choose from; none where they are too many.
    pub names: Vec<String>,
    /// Roles to choose from.
    pub roles: Vec<Choice>,
    /// The reader is an admin.
    pub admin: bool,
    /// The passkey was shown lately.
    pub fresh: bool,
}

/// Something that is shown once: a link or a token.
#[derive(Template)]
#[template(path = "secret.html", whitespace = "minimize")]
pub struct SecretPage {
    /// Around it.
    pub frame: Frame,
    /// What it is and how long it is good for.
    pub text: String,
    /// It.
    pub secret: String,
    /// Where to go on.
    pub back: &'static str,
}
