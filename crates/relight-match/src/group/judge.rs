//! What a flaw means for one component, in what encloses it.

use std::collections::BTreeSet;

use relight_model::{Component, Digest, Finding};

use super::Group;
use super::words::{mitigated, rule_text};
use crate::authority::Rank;
use crate::bracket::{self, Reading};
use crate::heard::{Heard, Said, Verdict};
use crate::opinion::{Flag, Judgement, Stand};
use crate::package::Subject;
use crate::vex::{Enclosure, Overlay};

impl Group {
    /// What the group says of a component; `None` when it is not affected.
    pub fn judge(&self, component: &Component) -> Option<Finding> {
        self.judge_in(component, &Enclosure::default())
    }

    /// As [`Group::judge`], of a component in what encloses it: a statement about an image speaks
    /// of what is in that image, and of nothing else.
    pub fn judge_in(&self, component: &Component, enclosure: &Enclosure) -> Option<Finding> {
        self.judge_subject(&Subject::of(component), component, enclosure)
    }

    /// The images of containers that trusted statements about this flaw name: what is in one of
    /// them is to be asked with [`Group::judge_in`].
    pub fn images(&self) -> BTreeSet<Digest> {
        self.statements().filter(|it| it.is_trusted).flat_map(|it| it.images()).collect()
    }

    /// How the candidates of a component that is open are read.
    fn reading(&self, component: &Component) -> Reading {
        let package = Subject::of(component).package;
        let names_classes = self.entries_of(&package).iter().any(|it| !it.classes.is_empty());
        Reading::of(component, names_classes)
    }

    /// The answer about a component with every opinion that it rests on.
    pub fn judgement(&self, component: &Component) -> Judgement {
        self.judgement_in(component, &Enclosure::default())
    }

    /// As [`Group::judgement`], of a component in what encloses it.
    fn judgement_in(&self, component: &Component, enclosure: &Enclosure) -> Judgement {
        if bracket::is_open(component) {
            let single = |it: &Component| self.judgement_in(it, enclosure);
            return bracket::judgement(component, self.reading(component), single);
        }
        let subject = Subject::of(component);
        let asked = subject.asked();
        let heard = self.heard(&subject, &asked);
        let opinions = |said: &[Said<'_>]| {
            said.iter().map(|(entry, told)| entry.opinion(*told, &asked)).collect::<Vec<_>>()
        };
        let mut judgements = Vec::new();
        for said in &heard.buckets {
            let mut judgement = Judgement::of(opinions(said));
            let stand = heard.doubtful(said, judgement.stand());
            if stand != judgement.stand() {
                judgement.overrule(stand, None);
            }
            judgements.push(judgement);
        }
        let mut judgement = Judgement::merged(judgements);
        if let Some(why) = heard.missing {
            judgement.overrule(Stand::Unknown(why), None);
        }
        if judgement.decided_by.is_some()
            && let Some(fixed) = self.fixed_in_owner(component, &heard, judgement.stand())
        {
            judgement.defer_to(fixed);
        }
        self.lay((component, enclosure), judgement, heard.is_open_by_own())
    }

    /// Whether a component, in what encloses it, is cleared on grounds that an incident does not
    /// accept: the word of a supplier that nobody signed, or a lighter source than distribution,
    /// vendor or assigner against one that says affected.
    pub fn is_weakly_clear(&self, component: &Component, enclosure: &Enclosure) -> bool {
        let judgement = self.judgement_in(component, enclosure);
        let rank = judgement.decisive().map(|opinion| opinion.rank);
        let by_weight = judgement.has(Flag::ByPrecedence) && rank > Some(Rank::Vendor);
        judgement.stand() == Stand::NotAffected && (by_weight || judgement.has(Flag::ByStatement))
    }

    /// The statements of suppliers that apply to a component, with what encloses it.
    pub fn overlay(&self, component: &Component, enclosure: &Enclosure) -> Overlay {
        Overlay::of(self.statements(), component, enclosure)
    }

    fn lay(
        &self,
        (component, enclosure): (&Component, &Enclosure),
        mut judgement: Judgement,
        is_open: bool,
    ) -> Judgement {
        let overlay = self.overlay(component, enclosure);
        // A statement about a package that no record names is no finding.
        if judgement.decided_by.is_none() {
            return judgement;
        }
        let (stand, laid) = overlay.apply(judgement.stand(), is_open);
        if laid.is_refused {
            judgement.overrule(stand, Some(Flag::SourcesDisagree));
        }
        judgement.overrule(stand, laid.by_statement.then_some(Flag::ByStatement));
        if overlay.contradicts {
            judgement.overrule(stand, Some(Flag::StatementsContradict));
        }
        judgement
    }

    pub(crate) fn judge_subject(
        &self,
        subject: &Subject,
        component: &Component,
        enclosure: &Enclosure,
    ) -> Option<Finding> {
        if bracket::is_open(component) {
            let single = |it: &Component| self.judge_in(it, enclosure);
            return bracket::judge(component, self.reading(component), single);
        }
        let asked = subject.asked();
        let heard = self.heard(subject, &asked);
        let (Verdict { stand, is_mitigated, .. }, decisive) =
            self.laid(&heard, component, enclosure);
        let state = stand.state()?;
        let opinion = decisive.map(|(entry, told)| entry.opinion(told, &asked));
        Some(Finding {
            id: self.id.clone(),
            aliases: self.aliases.clone(),
            state: if is_mitigated { mitigated(state) } else { state },
            rule: opinion.map(|it| rule_text(&it, stand)).unwrap_or_default(),
            score: self.score,
            known_exploited: self.known_exploited,
        })
    }

    /// The verdict with removed classes and the statements of suppliers.
    pub(super) fn laid<'a>(
        &self,
        heard: &Heard<'a>,
        component: &Component,
        enclosure: &Enclosure,
    ) -> (Verdict, Option<Said<'a>>) {
        let (mut verdict, decisive) = heard.verdict();
        verdict.is_mitigated = heard.is_mitigated(component);
        if decisive.is_some() && self.fixed_in_owner(component, heard, verdict.stand).is_some() {
            (verdict.stand, verdict.by_precedence) = (Stand::NotAffected, true);
        }
        if !self.statements.is_empty() && decisive.is_some() {
            let overlay = self.overlay(component, enclosure);
            let (stand, laid) = overlay.apply(verdict.stand, heard.is_open_by_own());
            verdict.stand = stand;
            verdict.is_mitigated |= laid.is_mitigated;
            verdict.by_statement = laid.by_statement;
            verdict.is_disputed |= laid.is_refused;
        }
        (verdict, decisive)
    }
}
