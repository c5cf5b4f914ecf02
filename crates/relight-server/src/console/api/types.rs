//! What the endpoints read and write.

use super::document::documents;

documents! {
    /// Opens an incident.
    OpenIncident {
        /// Id of an advisory (`CVE-2021-44228`).
        advisory: String,
    }

    /// Words for the public page.
    UpdateWords {
        /// In French.
        fr: String,
        /// In English.
        en: Option<String>,
        /// In how many minutes the next words are promised.
        next_in_minutes: Option<u64>,
        /// How bad it is: `none`, `minor`, `major` or `critical`.
        impact: Option<String>,
        /// `yes`: they say something about data or a compromise, and Command stands for it.
        about_data: Option<String>,
        /// `yes`: they are the report after it was over.
        report: Option<String>,
    }

    /// That something was done.
    Done {
        /// Always true: what was not done is a problem.
        done: bool,
    }

    /// Looks after one site.
    SiteAct {
        /// Id of the incident; `show` and `hide` need none.
        incident: Option<String>,
        /// `analyse`, `fix`, `verify`, `mitigate`, `exempt`, `accept` (ask a second person),
        /// `agree` (be that person), `show` or `hide` (on the public page, by who publishes).
        /// Whoever has a passkey asks and agrees on the page of the site, which has it signed,
        /// and is refused here.
        act: String,
        /// What is being done, or why; for `mitigate`, the control.
        note: Option<String>,
        /// For `agree`: the id of the request that was read.
        seen: Option<String>,
        /// For how long it is accepted as it is, or a control counts.
        days: Option<u64>,
        /// The page that is asked for behind the gate.
        path: Option<String>,
        /// The status that it must answer.
        status: Option<u64>,
        /// What it must contain.
        text: Option<String>,
        /// Signs of compromise, as a person attests: `none`, `seen` or `unknown`.
        signs: Option<String>,
        /// For `accept`: what was known of the site when it was read (`about` of its case).
        about: Option<String>,
        /// For `mitigate`: what the control must stop, each as it is; at most 1,000 of at most
        /// 4,096 bytes without control characters.
        payloads: Option<Vec<String>>,
        /// For `mitigate`: who answers for the control.
        owner: Option<String>,
    }

    /// Chooses the sites of a plan.
    PlanAsk {
        /// `dark` or `relight`; `close` or `open` for a part of each site, which makes none dark.
        action: String,
        /// The part: `booking`, `@internet`, `@write`.
        part: Option<String>,
        /// Id of the incident; the newest open one without it.
        incident: Option<String>,
        /// `todo`, `affected`, `unknown`, `ready`, `named` or `all`.
        which: Option<String>,
        /// Code of a sector.
        sector: Option<String>,
        /// Short names; every site that fits without them.
        sites: Option<Vec<String>>,
        /// Instead of names, as `--sites` takes it; bare verdicts are those of the incident.
        query: Option<String>,
        /// Why, as the journal keeps it.
        reason: String,
    }

    /// What a plan would do; nothing is asked for yet.
    PlanPreview {
        /// Id of the incident.
        incident: String,
        /// `dark`, `relight`, `close` or `open`.
        action: String,
        /// The part of each site that is closed or opened.
        part: Option<String>,
        /// Sites that would be switched.
        sites: Vec<PlanSiteView>,
        /// Sites that are left alone.
        skipped: Vec<SkippedView>,
        /// Names of the edges.
        edges: Vec<String>,
        /// Seats that have to be filled if this caller asks.
        seats: Vec<String>,
    }

    /// One site of a plan.
    PlanSiteView {
        /// Short name.
        site: String,
        /// What is known about it.
        verdict: String,
        /// 1 (vital) to 4.
        criticality: u64,
        /// The edge that switches it.
        edge: String,
        /// The names under which visitors reach it: what is closed. Empty in plans of before.
        names: Vec<String>,
    }

    /// One site that a plan leaves alone.
    SkippedView {
        /// Short name.
        site: String,
        /// Code of the reason.
        reason: String,
    }

    /// A plan that somebody proposed.
    Action {
        /// What people call it (`A-0112`).
        id: String,
        /// Id of the incident.
        incident: String,
        /// `dark`, `relight`, `close` or `open`.
        action: String,
        /// The part of each site that is closed or opened.
        part: Option<String>,
        /// Hash of the plan: what people sign.
        hash: String,
        /// `waiting`, `expired`, `refused`, `started` or `undone`.
        standing: String,
        /// Who asks.
        proposer: String,
        /// Why.
        reason: String,
        /// When it ends (RFC 3339).
        expires: String,
        /// The seats, and who took them.
        seats: Vec<SeatOf>,
        /// How many sites.
        count: u64,
        /// The sites.
        sites: Vec<PlanSiteView>,
        /// Where people read it, below the address of the console.
        page: String,
    }

    /// One seat of a plan.
    SeatOf {
        /// `operator`, `second` or `command`.
        seat: String,
        /// Who took it.
        by: Option<String>,
        /// When (RFC 3339).
        at: Option<String>,
    }

    /// The plans that are kept, newest first.
    Actions {
        /// The plans.
        plans: Vec<Action>,
    }

    /// What somebody decides about a plan.
    Decide {
        /// `approve`, `refuse` or `undo`.
        decision: String,
        /// Hash of the plan that was read.
        hash: String,
        /// The number of sites, where it has to be given in full.
        typed: Option<u64>,
        /// Why it is refused.
        reason: Option<String>,
    }

    /// The rules that hold.
    PolicyView {
        /// The policy file is signed by the pinned key.
        signed: bool,
        /// Digest of the file; zeros for the strictest rules.
        digest: String,
        /// Most own sites that one person switches within 24 hours.
        one_person_sites: u64,
        /// Most sites that two people switch without Command.
        two_people_sites: u64,
    }
    /// A terminal asks to be let in, as RFC 8628 has it.
    TerminalAsk {
        /// What it calls itself, for its person.
        name: String,
        /// Stable name of the role that its token shall have; the person chooses without one.
        role: Option<String>,
        /// Where (`/`, `health`, `health/Hospital`); `/` without it.
        scope: Option<String>,
        /// For how many days: 1 to 90; 30 without it.
        days: Option<u64>,
    }

    /// What a terminal shows its person, and what it keeps to itself.
    TerminalCodes {
        /// Known to the terminal alone.
        device_code: String,
        /// What the person types.
        user_code: String,
        /// Where.
        verification_uri: String,
        /// For how many seconds both are good.
        expires_in: u64,
        /// So many seconds it waits between two questions.
        interval: u64,
    }

    /// The token that this was asked with is worth nothing any more.
    TokenEnded {
        /// Always.
        ended: bool,
    }

    /// A terminal asks whether it was let in.
    TerminalPoll {
        /// Known to the terminal alone.
        device_code: String,
    }

    /// The token, or why there is none.
    TerminalToken {
        /// `authorization_pending`, `slow_down`, `access_denied` or `expired_token`; none beside a
        /// token.
        error: Option<String>,
        /// For `slow_down`: so many seconds it waits between two questions from now on.
        interval: Option<u64>,
        /// The token; given again for a minute, until it is used.
        access_token: Option<String>,
        /// `Bearer`.
        token_type: Option<String>,
        /// On whose behalf it acts.
        account: Option<String>,
        /// Stable name of its one role.
        role: Option<String>,
        /// Where.
        scope: Option<String>,
        /// When it ends (RFC 3339).
        expires: Option<String>,
    }
}
