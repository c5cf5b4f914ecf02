//! What the records of a flaw say of one identity, and the verdict over it.

use std::sync::Arc;

use relight_model::Component;

use crate::authority::Rank;
use crate::entry::{Asked, Entry, Told};
use crate::key::Start;
use crate::opinion::{Decision, Stand, Vote, Why, decide};
use crate::package::{Reach, ReleaseTag, Subject};
use crate::standing::Standing;

/// What one entry says of one subject.
pub(crate) type Said<'a> = (&'a Entry, Told<'a>);

/// Entries about one package in one group whose votes are counted without a list of their own.
const QUICK_VOTES_MAX: usize = 8;

/// The answer of a group about one identity, without texts.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Verdict {
    pub(crate) stand: Stand,
    pub(crate) is_mitigated: bool,
    pub(crate) is_disputed: bool,
    pub(crate) by_precedence: bool,
    pub(crate) by_statement: bool,
}

impl Default for Verdict {
    fn default() -> Self {
        let stand = Stand::NotAffected;
        Self {
            stand,
            is_mitigated: false,
            is_disputed: false,
            by_precedence: false,
            by_statement: false,
        }
    }
}

/// What the entries of a group say of a subject: one bucket for each package that it may be.
#[derive(Default)]
pub(crate) struct Heard<'a> {
    pub(crate) buckets: Vec<Vec<Said<'a>>>,
    /// Why it is not certain which of them it is.
    pub(crate) doubt: Option<Why>,
    /// Why nobody could be heard although the package is named.
    pub(crate) missing: Option<Why>,
}

impl<'a> Heard<'a> {
    /// The verdict, and who decided.
    pub(crate) fn verdict(&self) -> (Verdict, Option<Said<'a>>) {
        let (mut verdict, mut decisive) = (Verdict::default(), None);
        for said in &self.buckets {
            let votes: Vec<_> = said.iter().map(|(entry, told)| vote(entry, told)).collect();
            let Some(decision) = decide(&votes) else { continue };
            let Decision { decided_by, is_disputed, by_precedence } = decision;
            let next = self.doubtful(said, votes[decided_by].stand);
            if decisive.is_none() || next.weakness() < verdict.stand.weakness() {
                (verdict.stand, decisive) = (next, said.get(decided_by).copied());
            }
            verdict.is_disputed |= is_disputed;
            verdict.by_precedence |= by_precedence;
        }
        if let Some(why) = self.missing {
            verdict.stand = Stand::Unknown(why);
        }
        (verdict, decisive)
    }

    /// "Affected" becomes unknown when it is not certain that it is this package.
    pub(crate) fn doubtful(&self, said: &[Said<'_>], stand: Stand) -> Stand {
        let any_release = said.iter().all(|(entry, _)| entry.release_name.is_none());
        match (stand, self.doubt) {
            (Stand::Affected, Some(Why::ReleaseUnknown)) if any_release => stand,
            (Stand::Affected, Some(why)) => Stand::Unknown(why),
            (stand, _) => stand,
        }
    }

    /// Whether an advisory of our own means the component and does not say that its version is
    /// outside: who wrote it knows more than a statement about what was known before. One without
    /// a bound leaves every version open.
    pub(crate) fn is_open_by_own(&self) -> bool {
        let mut said = self.buckets.iter().flatten();
        said.any(|(entry, told)| entry.rank == Rank::Own && told.stand != Stand::NotAffected)
    }

    /// Whether a class that an affecting entry names was removed from the component.
    pub(crate) fn is_mitigated(&self, component: &Component) -> bool {
        let said = self.buckets.iter().flatten().filter(|(_, told)| told.stand == Stand::Affected);
        let mut classes = said.flat_map(|(entry, _)| &entry.classes);
        classes.any(|class| component.removed.contains(class))
    }
}

fn vote(entry: &Entry, told: &Told<'_>) -> Vote {
    Vote { rank: entry.rank, stand: told.stand }
}

/// The verdict of a run of entries about a subject's package, for the common subject: of which
/// package and release it is, is certain. `None` for any other, and for more entries than
/// [`QUICK_VOTES_MAX`].
pub(crate) fn quick(entries: &[Arc<Entry>], subject: &Subject, asked: &Asked) -> Option<Verdict> {
    let is_certain = subject.package.release.is_some()
        || entries.iter().all(|entry| entry.release_name.is_none());
    let is_of_builds = subject.build.is_some() || entries.iter().any(|it| it.is_of_builds());
    if subject.reach != Reach::Package || subject.is_backport || is_of_builds || !is_certain {
        return None;
    }
    match subject.standing {
        Standing::Nothing => return Some(Verdict::default()),
        // Whether the flaw is that the package is malicious, the entries alone do not tell.
        Standing::Built => return None,
        Standing::Counts | Standing::Declared => {}
    }
    let mut votes = [NO_VOTE; QUICK_VOTES_MAX];
    let mut count = 0;
    for entry in entries {
        let Some(told) = subject.hears(entry, asked) else { continue };
        *votes.get_mut(count)? = vote(entry, &told);
        count += 1;
    }
    let verdict = verdict(&votes[..count]);
    Some(Verdict { stand: subject.standing.affected(verdict.stand), ..verdict })
}

/// As [`quick`] for an identity of which no more than this counts, see [`Entry::at_a_glance`]:
/// nothing of it is read. `None` where an entry asks for a closer look.
pub(crate) fn at_a_glance(
    entries: &[Arc<Entry>],
    start: &Start,
    release: Option<ReleaseTag>,
) -> Option<Verdict> {
    let mut votes = [NO_VOTE; QUICK_VOTES_MAX];
    let mut count = 0;
    for entry in entries {
        let Some(stand) = entry.at_a_glance(start, release)? else { continue };
        *votes.get_mut(count)? = Vote { rank: entry.rank, stand };
        count += 1;
    }
    Some(verdict(&votes[..count]))
}

const NO_VOTE: Vote = Vote { rank: Rank::Own, stand: Stand::NotAffected };

fn verdict(votes: &[Vote]) -> Verdict {
    let Some(decision) = decide(votes) else { return Verdict::default() };
    let Decision { decided_by, is_disputed, by_precedence } = decision;
    let stand = votes[decided_by].stand;
    Verdict { stand, is_disputed, by_precedence, ..Verdict::default() }
}
