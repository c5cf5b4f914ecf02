//! What the pages show on which people act: a plan before it is asked for, its approval, the list
//! of plans, and why something was refused.

use askama::Template;

use crate::door_views::KeyForm;
use crate::texts;
use crate::views::{Choice, Frame};

/// What a plan does and how far it reaches: the same on the page that makes it and on the one
/// that approves it.
#[derive(Clone, Debug, Default)]
pub struct PlanView {
    /// What is done, in one word.
    pub action: String,
    /// Code of it (`dark`, `relight`).
    pub code: &'static str,
    /// How many sites, for reading.
    pub number: String,
    /// The word after the number.
    pub sites_word: String,
    /// Verdicts and bodies, in one sentence.
    pub summary: String,
    /// Name, reach and trouble of each edge.
    pub edges: Vec<EdgeRow>,
    /// Vital sites, by name.
    pub vital: Vec<String>,
    /// Sites left alone and why.
    pub skipped: Vec<(String, String)>,
    /// How many more are left alone.
    pub skipped_more: String,
    /// The first sites of the plan: slug, verdict, edge.
    pub sites: Vec<(String, String, String)>,
    /// How many more there are.
    pub sites_more: String,
    /// What visitors will see.
    pub visitors: &'static str,
    /// What brings its sites back by itself; empty where nothing has to.
    pub returns: &'static str,
    /// In which order it goes.
    pub waves: String,
    /// How long it can be taken back.
    pub undo: String,
    /// What else it touches.
    pub notes: Vec<String>,
}

/// One edge of a plan.
#[derive(Clone, Debug)]
pub struct EdgeRow {
    /// Its name.
    pub name: String,
    /// How many sites.
    pub count: String,
    /// What is wrong with it; empty when nothing is.
    pub trouble: String,
}

/// Where a plan is made: sites are chosen, and what would happen is shown before it is asked for.
#[derive(Template)]
#[template(path = "plan.html", whitespace = "minimize")]
pub struct PlanPage {
    /// Around it.
    pub frame: Frame,
    /// Title.
    pub title: &'static str,
    /// Code of the action (`dark`, `relight`, `close`, `open`).
    pub code: &'static str,
    /// A part of each site is meant.
    pub is_of_parts: bool,
    /// Its name, as typed.
    pub part: String,
    /// The incident.
    pub incident: String,
    /// Which of them, where several are open.
    pub incidents: Vec<Choice>,
    /// Which verdicts are chosen.
    pub verdicts: Vec<Choice>,
    /// Which sectors are chosen.
    pub sectors: Vec<Choice>,
    /// Short names that were typed.
    pub slugs: String,
    /// Why, as typed.
    pub reason: String,
    /// What went wrong, and what to do; empty when nothing did.
    pub problem: (String, String),
    /// What would happen; nothing was chosen yet without it.
    pub plan: Option<PlanView>,
    /// Name of what was shown: asking is only for that.
    pub seen: String,
    /// When what is shown was made, in seconds since 1970.
    pub made: String,
    /// The ceremony in which a passkey signs it; an empty ticket where none does.
    pub key: KeyForm,
    /// Who would have to agree.
    pub needs: String,
    /// Where a passkey is shown before asking; empty when it was shown lately.
    pub step_up: String,
    /// The token of the form; empty for those who may not ask.
    pub token: String,
}

/// One seat of a plan.
#[derive(Clone, Debug)]
pub struct SeatView {
    /// Its name.
    pub role: &'static str,
    /// Who took it; empty while it is vacant.
    pub name: String,
    /// When.
    pub at: String,
    /// What stands behind it; empty while it is vacant, and where it was given beforehand.
    pub by: &'static str,
}

/// The approval of a plan: full screen, readable on a phone.
#[derive(Template)]
#[template(path = "approve.html", whitespace = "minimize")]
pub struct ApprovePage {
    /// Around it.
    pub frame: Frame,
    /// What people call it (`A-0112`).
    pub id: String,
    /// The incident, with its title.
    pub incident: String,
    /// Where it stands, in one sentence.
    pub standing: String,
    /// Code of that (`waiting`, `expired`, `refused`, `started`, `undone`).
    pub standing_code: &'static str,
    /// Who asks.
    pub proposer: String,
    /// When it was asked.
    pub proposed: String,
    /// Why.
    pub reason: String,
    /// Hash of the plan.
    pub hash: String,
    /// When it ends.
    pub expires: String,
    /// Reach and order.
    pub plan: PlanView,
    /// The seats.
    pub seats: Vec<SeatView>,
    /// Why this reader cannot approve; empty when he can.
    pub barrier: (String, String),
    /// Where somebody without a passkey shows once more who it is; empty for everybody else.
    pub step_up: String,
    /// The ceremony in which a passkey signs the plan; without a ticket there is none.
    pub key: KeyForm,
    /// The ceremony in which a key breaks the glass; without a ticket nobody may.
    pub glass: KeyForm,
    /// The number of sites has to be typed.
    pub typed: bool,
    /// This reader may approve.
    pub may_approve: bool,
    /// This reader may refuse it.
    pub may_refuse: bool,
    /// A reason that the address brought along.
    pub wanted: String,
    /// This reader may take it back.
    pub may_undo: bool,
    /// What just went wrong, and what to do.
    pub problem: (String, String),
    /// The token of the forms; empty for those who may not act.
    pub token: String,
}

/// One plan in the list.
#[derive(Clone, Debug)]
pub struct PlanRow {
    /// What people call it.
    pub id: String,
    /// What it does, to how many sites.
    pub what: String,
    /// Who asked.
    pub proposer: String,
    /// When.
    pub at: String,
    /// Where it stands.
    pub standing: String,
    /// It waits.
    pub waits: bool,
}

/// Broken glass that waits for a review, or had one.
#[derive(Clone, Debug)]
pub struct GlassRow {
    /// Hash of the plan.
    pub plan: String,
    /// Who broke it, when, why.
    pub what: String,
    /// Who looked at it; empty while it waits.
    pub reviewed: String,
    /// The time for it is over.
    pub late: bool,
}

/// The plans, newest first, and broken glass.
#[derive(Template)]
#[template(path = "plans.html", whitespace = "minimize")]
pub struct PlansPage {
    /// Around it.
    pub frame: Frame,
    /// The plans.
    pub rows: Vec<PlanRow>,
    /// Broken glass.
    pub glass: Vec<GlassRow>,
    /// The rules that hold, and why.
    pub policy: String,
    /// The strictest rules hold, because the policy is not signed.
    pub strict: bool,
    /// The token of the forms; empty for those who may not act.
    pub token: String,
    /// A policy that waits for somebody who decides.
    pub waits: PolicyWaits,
}

/// A policy that was signed and waits for somebody who decides.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PolicyWaits {
    /// Digest of its text; empty where none waits.
    pub digest: String,
    /// The key that signed it.
    pub key: String,
    /// Who signed it, where that is known.
    pub by: String,
    /// All that it says.
    pub text: String,
    /// This reader may confirm it.
    pub may_confirm: bool,
    /// Where a passkey is shown first; empty where it was shown.
    pub step_up: String,
}

/// What goes with words for the public page, in a form.
#[derive(Clone, Debug, Default)]
pub struct PublishMore {
    /// In how many minutes the next words may be promised.
    pub next: Vec<Choice>,
    /// How bad it is.
    pub impact: Vec<Choice>,
    /// They say something about data.
    pub about_data: bool,
    /// This reader may stand for that.
    pub command: bool,
    /// They are the report after it was over.
    pub report: bool,
}

/// Words before they are published, in both languages side by side.
#[derive(Template)]
#[template(path = "preview.html", whitespace = "minimize")]
pub struct PreviewPage {
    /// Around it.
    pub frame: Frame,
    /// The incident they are about.
    pub incident: String,
    /// In French.
    pub fr: String,
    /// In English; empty where nobody wrote any.
    pub en: String,
    /// The public page is in English as well.
    pub english: bool,
    /// What goes with them.
    pub more: PublishMore,
    /// Why they are not published, and what to do; empty where nothing is wrong.
    pub unfit: (String, String),
}

/// What somebody signs who answers for a site, as the one who asks or as the second person.
#[derive(Template)]
#[template(path = "accept.html", whitespace = "minimize")]
pub struct AcceptPage {
    /// Around it.
    pub frame: Frame,
    /// Why the passkey did not count; empty before it was shown.
    pub problem: String,
    /// What is signed, line by line.
    pub facts: Vec<(&'static str, String)>,
    /// What the signature is for.
    pub note: &'static str,
    /// On the button.
    pub sign: &'static str,
    /// The page of the site.
    pub back: String,
    /// What comes back with the signature.
    pub fields: Vec<(&'static str, String)>,
    /// The ceremony.
    pub key: KeyForm,
}

/// Why an act was refused, with nothing lost.
#[derive(Template)]
#[template(path = "told.html", whitespace = "minimize")]
pub struct ToldPage {
    /// Around it.
    pub frame: Frame,
    /// What happened.
    pub what: String,
    /// What to do.
    pub remedy: String,
    /// Where to go on.
    pub back: String,
}
