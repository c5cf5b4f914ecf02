//! How long an edge is left alone between two rounds.

use std::time::{Duration, Instant};

use relight_model::{GateKey, Light};

use super::millis;
use crate::incident::Gate;
use crate::reconcile::{Round, Want};

/// Whatever is journalled meanwhile, an edge rests: a round looks at every site, and somebody else
/// may wait for the next.
#[derive(Default)]
pub(super) enum Rest {
    #[default]
    None,
    /// A settled edge rests until it is read back again, unless another light is wanted of it; one
    /// of which nothing is wanted, until it is asked which process serves.
    Settled(Instant),
    /// One that does not answer is asked again then, or once something else is wanted.
    Silent(Instant, Vec<Asked>, Vec<bool>),
}

impl Rest {
    /// `over` is what was not permitted when the round began.
    pub(super) fn after(round: &Round, wants: &[Want], over: Vec<bool>, pause: Duration) -> Self {
        match round.again_ms {
            Some(ms) => Self::Silent(Instant::now() + millis(ms), lights(wants).collect(), over),
            None if round.settled || wants.is_empty() => Self::Settled(Instant::now() + pause),
            None => Self::None,
        }
    }

    pub(super) const fn is_settled(&self) -> bool {
        matches!(self, Self::Settled(_))
    }

    /// How much of it is left; none when there is something to do.
    pub(super) fn left(&self, wants: &[Want], permits: Permits<'_>) -> Option<Duration> {
        let has_it = |want: &Want| match want.light {
            Light::Dark => want.gate == Gate::Proven,
            Light::Lit => want.gate == Gate::Open,
        };
        let (until, is_same) = match self {
            Self::None => return None,
            Self::Settled(until) => (until, wants.iter().all(has_it)),
            Self::Silent(until, before, over) => {
                let is_same = lights(wants).eq(before.iter().cloned());
                (until, is_same && not_permitted(wants, permits) == *over)
            }
        };
        let left = until.saturating_duration_since(Instant::now());
        (!left.is_zero() && is_same).then_some(left)
    }
}

/// Whether a site may be opened at this instant.
pub(super) type Permits<'a> = &'a dyn Fn(&GateKey) -> bool;

/// A site, the names under which it is asked for, and what visitors must see there.
pub(super) type Asked = (GateKey, Vec<String>, Light);

pub(super) fn lights(wants: &[Want]) -> impl Iterator<Item = Asked> {
    wants.iter().map(|want| {
        let names = want.names().map(str::to_owned).collect();
        (want.target.key.clone(), names, want.light)
    })
}

/// Which sites are closed again in the next round, since they are not open yet and may not be
/// opened any more.
pub(super) fn not_permitted(wants: &[Want], permits: Permits<'_>) -> Vec<bool> {
    let is_opening = |want: &Want| want.light == Light::Lit && want.gate != Gate::Open;
    wants.iter().map(|want| is_opening(want) && !permits(&want.target.key)).collect()
}
