//! What each record says of one version, and which of them decides.
//!
//! Sources are kept apart, ranked, and disagreement is shown: two large ones are wrong about
//! Log4j itself. Silence is never an opinion, and what is unknown at the top never becomes "not
//! affected" through somebody below.

use relight_model::{Digest, FindingState};

use crate::authority::Rank;

/// What one record says of one version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opinion {
    /// The source of the record.
    pub source: String,
    /// The record's own id.
    pub record: String,
    /// Digest of the document.
    pub revision: Digest,
    /// How much its word counts.
    pub rank: Rank,
    /// What it says.
    pub stand: Stand,
    /// By which rule.
    pub rule: Rule,
    /// The interval or the listed version that decided; empty when none did.
    pub interval: String,
    /// On what the end of the interval rests (`fixed`, `last-affected`, …); empty without one.
    pub basis: &'static str,
    /// What else a reader should know.
    pub flags: Vec<Flag>,
}

impl Opinion {
    const fn vote(&self) -> Vote {
        Vote { rank: self.rank, stand: self.stand }
    }
}

/// Affected, not affected, or unknown with the reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stand {
    /// The version is affected.
    Affected,
    /// It is not, for certain.
    NotAffected,
    /// Nobody can tell.
    Unknown(Why),
}

impl Stand {
    /// The stable name used in documents.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Affected => "affected",
            Self::NotAffected => "not-affected",
            Self::Unknown(_) => "unknown",
        }
    }

    /// Affected before unknown, what lies with the component before what lies with the record.
    pub(crate) const fn weakness(self) -> u8 {
        match self {
            Self::Affected => 0,
            Self::Unknown(why) if !why.is_unresolved() => 1,
            Self::Unknown(_) => 2,
            Self::NotAffected => 3,
        }
    }

    /// The state of a finding; `None` when there is none.
    pub const fn state(self) -> Option<FindingState> {
        match self {
            Self::Affected => Some(FindingState::Affected),
            Self::NotAffected => None,
            Self::Unknown(Why::DeclaredOnly) => Some(FindingState::DeclaredOnly),
            Self::Unknown(why) if why.is_of_record() => Some(FindingState::RangeUnresolved),
            Self::Unknown(_) => Some(FindingState::PossibleMatch),
        }
    }
}

/// Declares [`Why`], [`Rule`] and [`Flag`]: a closed list, each with its stable name.
macro_rules! named {
    ($(#[$meta:meta])* $name:ident { $($(#[$doc:meta])* $item:ident = $text:literal,)+ }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name { $($(#[$doc])* $item,)+ }

        impl $name {
            /// Every one, in order.
            pub const ALL: &'static [Self] = &[$(Self::$item,)+];

            /// The stable name used in documents.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$item => $text,)+ }
            }
        }
    };
}

named! {
    /// Why nobody can tell. First what lies with the component, then the record.
    Why {
        /// The component has no version.
        VersionMissing = "version-missing",
        /// The version names no place in the order of its ecosystem.
        VersionUnordered = "version-unordered",
        /// It has a place outside every interval, and the place is a guess.
        OrderInexact = "order-inexact",
        /// The epoch may have been lost, and another one would give another answer.
        EpochMissing = "epoch-missing",
        /// The release of the distribution is not known.
        ReleaseUnknown = "release-unknown",
        /// The record is about some of this release, or about one that cannot be compared with it.
        ReleasePerhaps = "release-perhaps",
        /// Only a part of the package's name is known.
        NameOnly = "name-only",
        /// A backport, and the suite that it was built from has no column.
        BackportBase = "backport-base",
        /// A build of a module stream that is not known.
        StreamUnknown = "stream-unknown",
        /// A pseudo-version of a module whose releases the record numbers itself.
        PseudoVersion = "pseudo-version",
        /// The component may be one of several versions, and they differ.
        SeveralVersions = "several-versions",
        /// The record is about a product on a platform that nobody stated.
        PlatformUnseen = "platform-unseen",
        /// Only a lock file or a build document names the component: what is installed may be
        /// another version.
        DeclaredOnly = "declared-only",
        /// The record names the package and nothing usable.
        NoRange = "no-range",
        /// It gives commits only.
        GitOnly = "git-only",
        /// It gives a text that is no version.
        FreeText = "free-text",
        /// It matches every version without saying so (`*`, `-`).
        AllVersions = "all-versions",
        /// A kind of range that this program does not know.
        UnknownRange = "unknown-range",
        /// Nobody trusts who says of these versions alone that they are affected.
        IssuerUntrusted = "issuer-untrusted",
        /// The publisher is still looking.
        Undetermined = "undetermined",
        /// The publisher says of this version that nobody knows.
        StatedUnknown = "stated-unknown",
        /// A bound that cannot be ordered would decide.
        BoundUnordered = "bound-unordered",
        /// Above the last version that is known to be affected, where nothing is promised.
        AboveLastKnown = "above-last-known",
    }
}

impl Why {
    /// The record lacks what would decide, not the component.
    pub const fn is_of_record(self) -> bool {
        self as u8 >= Self::NoRange as u8
    }

    /// Nothing in the record can be evaluated: it is silent where another one can. That nobody
    /// knows yet is no silence where the publisher says so.
    pub(crate) const fn is_unresolved(self) -> bool {
        self.is_of_record() && (self as u8) < Self::Undetermined as u8
    }

    /// From the words of the record.
    pub(crate) const fn of(why: relight_model::Why) -> Self {
        use relight_model::Why as Told;
        match why {
            Told::GitOnly => Self::GitOnly,
            Told::NoRange => Self::NoRange,
            Told::FreeText => Self::FreeText,
            Told::AllVersions => Self::AllVersions,
            Told::UnknownRange => Self::UnknownRange,
            Told::Untrusted => Self::IssuerUntrusted,
            Told::Undetermined => Self::Undetermined,
        }
    }
}

named! {
    /// By which rule a record came to its opinion.
    Rule {
        /// The version is in the list of the record.
        Listed = "listed",
        /// It is inside an interval.
        Interval = "interval",
        /// It is in no interval and no list.
        Outside = "outside",
        /// It is what the record says of every version that nothing covers.
        Rest = "rest",
        /// The record says that the package is not affected in any version.
        Tombstone = "tombstone",
        /// A reviewed binding says that the package is not the product.
        Binding = "binding",
        /// Its commit is one of the events.
        Commit = "commit",
        /// A statement about exactly this version.
        Statement = "statement",
        /// Something that would decide is missing.
        Missing = "missing",
    }
}

named! {
    /// What else a reader should know.
    Flag {
        /// A source that counts says something else than the one that decided.
        SourcesDisagree = "sources-disagree",
        /// Not affected by a heavier source, affected by a lighter one.
        ByPrecedence = "by-precedence",
        /// The version list and the ranges of one record differ about this version.
        ListRangeDisagree = "list-range-disagree",
        /// A binding decided.
        ByBinding = "by-binding",
        /// A range of the record holds an interval without any version.
        EmptyInterval = "empty-interval",
        /// A range of the record holds events that change nothing.
        EventsIgnored = "events-ignored",
        /// A statement decided.
        ByStatement = "by-statement",
        /// Trusted issuers contradict each other.
        StatementsContradict = "statements-contradict",
        /// The distribution says of the package that it belongs to that the flaw is fixed there.
        ByOwner = "by-owner",
    }
}

/// The answer of a group about one package and one version, with everything it rests on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Judgement {
    /// Which of the opinions decided; `None` when every record is silent.
    pub decided_by: Option<usize>,
    /// Sorted.
    pub flags: Vec<Flag>,
    /// By rank, source and id.
    pub opinions: Vec<Opinion>,
    verdict: Option<Stand>,
}

impl Judgement {
    /// What the sources say together. Their order means nothing.
    pub fn of(mut opinions: Vec<Opinion>) -> Self {
        opinions.sort_by(|a, b| {
            let key = |it: &Opinion| (it.rank, it.source.clone(), it.record.clone(), it.stand);
            key(a).cmp(&key(b))
        });
        let votes: Vec<_> = opinions.iter().map(Opinion::vote).collect();
        let Some(decision) = decide(&votes) else {
            return Self { opinions, ..Self::default() };
        };
        let Decision { decided_by, is_disputed, by_precedence } = decision;
        let verdict = opinions[decided_by].stand;
        let mut flags = opinions[decided_by].flags.clone();
        flags.extend(is_disputed.then_some(Flag::SourcesDisagree));
        flags.extend(by_precedence.then_some(Flag::ByPrecedence));
        flags.sort();
        flags.dedup();
        Self { decided_by: Some(decided_by), flags, opinions, verdict: Some(verdict) }
    }

    /// One answer about a component that may be several packages.
    pub(crate) fn merged(all: Vec<Self>) -> Self {
        let mut merged = Self::default();
        for Self { decided_by, flags, opinions, verdict } in all {
            let offset = merged.opinions.len();
            let (old, new) = (merged.stand(), verdict.unwrap_or(Stand::NotAffected));
            if merged.verdict.is_none() || new.weakness() < old.weakness() {
                merged.verdict = verdict;
                merged.decided_by = decided_by.map(|at| at + offset);
            }
            merged.flags.extend(flags);
            merged.opinions.extend(opinions);
        }
        merged.flags.sort();
        merged.flags.dedup();
        merged
    }

    /// The verdict; a package that no record names is not affected.
    pub fn stand(&self) -> Stand {
        self.verdict.unwrap_or(Stand::NotAffected)
    }

    /// The opinion that decided.
    pub fn decisive(&self) -> Option<&Opinion> {
        self.opinions.get(self.decided_by?)
    }

    /// Whether a flag is set.
    pub fn has(&self, flag: Flag) -> bool {
        self.flags.contains(&flag)
    }

    /// An opinion that lies above all others.
    pub(crate) fn defer_to(&mut self, opinion: Opinion) {
        let stand = opinion.stand;
        self.decided_by = Some(self.opinions.len());
        self.opinions.push(opinion);
        self.overrule(stand, Some(Flag::ByOwner));
        self.overrule(stand, Some(Flag::ByPrecedence));
    }

    /// Another verdict for a reason that lies outside of the records.
    pub(crate) fn overrule(&mut self, stand: Stand, flag: Option<Flag>) {
        self.verdict = Some(stand);
        self.flags.extend(flag);
        self.flags.sort();
        self.flags.dedup();
    }
}

/// Who decides, and whether anybody that counts says something else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Decision {
    pub(crate) decided_by: usize,
    pub(crate) is_disputed: bool,
    /// Not affected, and a lighter source says affected.
    pub(crate) by_precedence: bool,
}

/// One vote: who, and for what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Vote {
    pub(crate) rank: Rank,
    pub(crate) stand: Stand,
}

impl Vote {
    const fn is_resolved(self) -> bool {
        !matches!(self.stand, Stand::Unknown(why) if why.is_unresolved())
    }

    fn is_foreign(self) -> bool {
        self.rank != Rank::Own
    }

    fn is_own_clear(self) -> bool {
        !self.is_foreign() && self.stand == Stand::NotAffected
    }
}

/// Which votes count: a record that cannot be evaluated is silent beside one that can, and an
/// advisory of our own clears nothing.
#[derive(Clone, Copy, Debug)]
struct Chamber {
    is_resolvable: bool,
    is_own_only: bool,
}

impl Chamber {
    fn of(votes: &[Vote]) -> Self {
        Self {
            is_resolvable: votes.iter().any(|it| it.is_resolved() && !it.is_own_clear()),
            is_own_only: !votes.iter().any(|it| it.is_foreign()),
        }
    }

    fn hears(self, vote: Vote) -> bool {
        (vote.is_resolved() || !self.is_resolvable) && (!vote.is_own_clear() || self.is_own_only)
    }
}

/// The heaviest rank that speaks decides; within a rank affected comes before unknown, and
/// unknown before not affected. Our own record, and anybody below an unknown, may add "affected".
pub(crate) fn decide(votes: &[Vote]) -> Option<Decision> {
    let chamber = Chamber::of(votes);
    let speaking = || (0..votes.len()).filter(|&at| chamber.hears(votes[at]));
    let foreign = speaking().filter(|&at| votes[at].is_foreign());
    let heaviest = foreign.map(|at| votes[at].rank).min();
    let rank = heaviest.or_else(|| speaking().map(|at| votes[at].rank).min())?;
    let of_rank = speaking().filter(|&at| votes[at].rank == rank);
    let first = of_rank.min_by_key(|&at| (votes[at].stand.weakness(), at))?;
    let may_add = |at: &usize| match votes[first].stand {
        Stand::Affected => false,
        Stand::Unknown(_) => true,
        Stand::NotAffected => !votes[*at].is_foreign(),
    };
    let adds = speaking().filter(may_add).find(|&at| votes[at].stand == Stand::Affected);
    let decided_by = adds.unwrap_or(first);
    let verdict = votes[decided_by].stand;
    let others = || speaking().map(|at| votes[at].stand);
    Some(Decision {
        decided_by,
        is_disputed: others().any(|stand| stand.as_str() != verdict.as_str()),
        by_precedence: verdict == Stand::NotAffected && others().any(|it| it == Stand::Affected),
    })
}

#[cfg(test)]
mod tests {
    use testkit::Rng;

    use super::*;

    /// `2a` is an opinion of rank 2: affected; `n` not affected, `u` unknown for the component,
    /// `s` without usable range. Ranks 1 to 5, and 0 for our own.
    fn opinion(text: &str) -> Opinion {
        let (rank, stand) = text.split_at(1);
        let stand = match stand {
            "a" => Stand::Affected,
            "n" => Stand::NotAffected,
            "u" => Stand::Unknown(Why::BoundUnordered),
            "w" => Stand::Unknown(Why::Undetermined),
            _ => Stand::Unknown(Why::NoRange),
        };
        let rank = match rank {
            "0" => Rank::Own,
            "1" => Rank::Distribution,
            "2" => Rank::Vendor,
            "3" => Rank::Reviewed,
            "4" => Rank::Community,
            _ => Rank::Nvd,
        };
        Opinion {
            source: "test".into(),
            record: text.into(),
            revision: Digest::default(),
            rank,
            stand,
            rule: Rule::Outside,
            interval: String::new(),
            basis: "",
            flags: Vec::new(),
        }
    }

    fn shown(text: &str) -> String {
        let judgement = Judgement::of(text.split_whitespace().map(opinion).collect());
        let flags: Vec<_> = judgement.flags.iter().map(|flag| flag.as_str()).collect();
        let by = judgement.decisive().map_or("nobody", |it| &it.record);
        format!("{} by {by} {}", judgement.stand().as_str(), flags.join(" ")).trim_end().to_owned()
    }

    #[test]
    fn who_decides() {
        for (opinions, wanted) in [
            ("", "not-affected by nobody"),
            ("2a", "affected by 2a"),
            ("2n 3n", "not-affected by 2n"),
            ("2n 3a", "not-affected by 2n sources-disagree by-precedence"),
            ("2a 3n 4n", "affected by 2a sources-disagree"),
            ("3n 3a", "affected by 3a sources-disagree"),
            ("3n 3u", "unknown by 3u sources-disagree"),
            ("2u 3n", "unknown by 2u sources-disagree"),
            ("2w 3n", "unknown by 2w sources-disagree"),
            ("2w 3a", "affected by 3a sources-disagree"),
            ("2u 4a", "affected by 4a sources-disagree"),
            ("2n 3u", "not-affected by 2n sources-disagree"),
            ("2s 3n", "not-affected by 3n"),
            ("2s 3a", "affected by 3a"),
            ("2s 3u", "unknown by 3u"),
            ("2s 3s", "unknown by 2s"),
            ("2n 4s", "not-affected by 2n"),
            ("5a", "affected by 5a"),
            ("0a", "affected by 0a"),
            ("0n", "not-affected by 0n"),
            ("0s", "unknown by 0s"),
            ("0n 4a", "affected by 4a"),
            ("0a 1n", "affected by 0a sources-disagree"),
            ("0n 4s", "unknown by 4s"),
            ("0s 2n", "not-affected by 2n"),
            ("0a 2s", "affected by 0a"),
        ] {
            assert_eq!(shown(opinions), wanted, "{opinions}");
        }
    }

    /// Laws over every small set of opinions, in two orders: order of arrival means nothing; an
    /// unknown at the top is never cleared; an affected of our own always stands.
    #[test]
    fn laws_of_precedence() {
        let mut rng = Rng::new(7);
        for _ in 0..20_000 {
            let count = rng.below(5);
            let mut word = || format!("{}{}", rng.below(6), rng.pick(&["a", "n", "u", "s"]));
            let mut words: Vec<String> = (0..count).map(|_| word()).collect();
            let before = shown(&words.join(" "));
            words.reverse();
            assert_eq!(shown(&words.join(" ")), before, "{words:?}");
            let judgement = Judgement::of(words.iter().map(|it| opinion(it)).collect());
            let (stand, has) = (judgement.stand(), |it: &str| words.contains(&it.to_owned()));
            if has("0a") {
                assert_eq!(stand, Stand::Affected, "{words:?}");
            }
            let foreign = words.iter().filter(|it| !it.starts_with('0') && !it.ends_with('s'));
            if let Some(top) = foreign.map(|it| &it[..1]).min() {
                if has(&format!("{top}a")) {
                    assert_eq!(stand, Stand::Affected, "{words:?}");
                }
                if has(&format!("{top}u")) {
                    assert_ne!(stand, Stand::NotAffected, "{words:?}");
                }
            }
            if stand == Stand::NotAffected {
                let affected = words.iter().any(|it| it.ends_with('a'));
                assert_eq!(judgement.has(Flag::ByPrecedence), affected, "{words:?}");
            }
        }
    }

    #[test]
    fn names_are_unique() {
        let mut names: Vec<_> = Why::ALL.iter().map(|it| it.as_str()).collect();
        names.extend(Rule::ALL.iter().map(|it| it.as_str()));
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count);
        assert!(Why::NoRange.is_of_record() && !Why::SeveralVersions.is_of_record());
    }
}
