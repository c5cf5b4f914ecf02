//! The committed table of weights: what a contact says for reconnaissance against a visitor.
//!
//! Each weight is `ln(P(contact | reconnaissance) / P(contact | visitor))` for the first contact
//! of its class at a site. Reconnaissance makes such a contact nearly always (0.9); how rarely a
//! visitor makes it is stated with each constant. Ordinary visits have no weight at all: mixing
//! them in must not lower the sum, or a test like this is defeated at no cost.

use std::collections::BTreeMap;

use relight_model::{Contribution, OrgId, SiteId};

use super::Contact;
use crate::contact::Class;
use crate::pool::Row;

/// False campaigns that sources may cause in a quarter, in the whole pool.
const FALSE_CAMPAIGNS_A_QUARTER: f64 = 0.4;

/// Sources for which that budget must last: each is one test.
const SOURCES_A_QUARTER: f64 = 4e8;

/// Probability of calling a visitor an explorer, for each source tested: 1e-9.
pub const ALPHA: f64 = FALSE_CAMPAIGNS_A_QUARTER / SOURCES_A_QUARTER;

/// Probability of missing an explorer at the moment of decision.
pub const BETA: f64 = 0.01;

/// Wald's upper threshold `ln((1 - β) / α)`, about 20.7.
pub fn likelihood_threshold() -> f64 {
    ((1.0 - BETA) / ALPHA).ln()
}

/// A remote lookup that would have been made: nobody writes one by accident (1e-11).
const EXPLOIT: f64 = 25.0;

/// A lookup that could not have worked: quoted in a search or an article (1e-4).
const ATTEMPT: f64 = 9.1;

/// A door that only somebody opens who uses a known flaw: nobody follows a link there, and nobody
/// mistypes one (8e-10). One decides, as a payload does.
const FLAW: f64 = 20.8;

/// A door of the catalogue: own staff, a mistyped address (1e-3).
const PROBE: f64 = 6.8;

/// A page that is not there, at a site where the source is a stranger: 5.2 % of visitors have
/// one at all, a quarter of these with nothing else at the site (1.3e-2). Five sites decide.
const NOT_FOUND_COLD: f64 = 4.2;

/// Refused as a stranger: blocked crawlers and monitors meet this at many sites (0.4).
const REFUSED_COLD: f64 = 0.8;

/// A host that is an address, or a name of no site that answers: no link leads there. Visitors and
/// monitors with an old setting make one such contact as often as a miss (1.3e-2).
const STRAY: f64 = 4.2;

/// Dropped by a firewall, or a port where nothing answers: late packets, wrong settings and
/// forged addresses make this common (0.4). One port at 26 places decides.
const DROPPED_COLD: f64 = 0.8;

/// The name of a scanner that means well, from an address that a list does not give to it: the
/// curious and their tools borrow such names as rarely as people miss a page (1.3e-2). It counts
/// once.
pub(super) const CLAIMED: f64 = 4.2;

/// What each further contact of a class at the same site is worth, as a factor of the one before.
/// Misses come in bursts (one broken page, one feed reader), so a site gives 4/3 of one miss at
/// most, however many there are: counting misses on one site can never decide.
const MISS_REPEAT: f64 = 0.25;

/// Doors of the catalogue that people try by mistake, for each site at which their common address
/// is at home: as rare as with [`PROBE`], four times over, because the curious come in bursts.
const DOORS_A_HOME: f64 = 4e-3;

/// What of the doors the people behind an address explain.
#[expect(clippy::cast_precision_loss, reason = "a count of sites")]
pub(super) fn explained_by_people(homes: usize) -> f64 {
    PROBE * DOORS_A_HOME * homes as f64
}

fn weight(class: Class) -> f64 {
    match class {
        Class::Exploit => EXPLOIT,
        Class::Attempt => ATTEMPT,
        Class::Flaw => FLAW,
        Class::Probe => PROBE,
        Class::NotFoundCold => NOT_FOUND_COLD,
        Class::RefusedCold => REFUSED_COLD,
        Class::Stray => STRAY,
        Class::DroppedCold => DROPPED_COLD,
        Class::NotFoundWarm
        | Class::RefusedWarm
        | Class::InUse
        | Class::StrayKnown
        | Class::DroppedWarm => 0.0,
    }
}

/// The sum for `count` distinct contacts of a class at one site. Different doors are better
/// evidence than different misses: they follow the harmonic series.
fn site_weight(class: Class, count: u32) -> f64 {
    let mut factor = 1.0;
    let mut sum = 0.0;
    for number in 1..=count {
        sum += factor;
        factor = match class {
            Class::NotFoundCold | Class::RefusedCold | Class::Stray | Class::DroppedCold => {
                factor * MISS_REPEAT
            }
            _ => 1.0 / f64::from(number + 1),
        };
    }
    weight(class) * sum
}

/// The sum over rows of one source, without names: what [`contributions`] adds up to.
pub(super) fn likelihood(rows: &[Row]) -> f64 {
    let mut places: Vec<(Class, u32, u32)> = rows
        .iter()
        .filter(|row| row.counts())
        .map(|row| (row.class(), row.place(), row.door()))
        .collect();
    places.sort_unstable();
    let by_place = places.chunk_by(|one, other| (one.0, one.1) == (other.0, other.1));
    let count = |of_place: &[(Class, u32, u32)]| u32::try_from(of_place.len()).unwrap_or(u32::MAX);
    by_place.map(|of_place| site_weight(of_place[0].0, count(of_place))).sum()
}

/// What each class adds, largest first; classes without weight are left out.
pub(super) fn contributions(contacts: &[Contact<'_>]) -> Vec<Contribution> {
    let mut counts: BTreeMap<(Class, OrgId, Option<SiteId>), u32> = BTreeMap::new();
    for contact in contacts {
        *counts.entry((contact.class, contact.org, contact.site)).or_default() += 1;
    }
    let mut classes: BTreeMap<Class, (u32, f64)> = BTreeMap::new();
    for ((class, _, _), count) in counts {
        let (contacts, likelihood) = classes.entry(class).or_default();
        *contacts += count;
        *likelihood += site_weight(class, count);
    }
    let mut contributions: Vec<_> = classes
        .into_iter()
        .filter(|(_, (_, likelihood))| *likelihood > 0.0)
        .map(|(class, (contacts, likelihood))| Contribution {
            class: class.as_str(),
            contacts,
            likelihood,
        })
        .collect();
    contributions.sort_by(|one, other| other.likelihood.total_cmp(&one.likelihood));
    contributions
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn misses_on_one_site_never_decide() {
        let misses = [Class::NotFoundCold, Class::RefusedCold, Class::Stray, Class::DroppedCold];
        let all: f64 = misses.into_iter().map(|class| site_weight(class, 100_000)).sum();
        assert!(all < likelihood_threshold() * 2.0 / 3.0, "{all}");
    }

    #[test]
    fn a_few_strange_sites_decide() {
        let sites = |class, sites: u32| f64::from(sites) * site_weight(class, 1);
        assert!(sites(Class::NotFoundCold, 4) < likelihood_threshold());
        assert!(sites(Class::NotFoundCold, 5) > likelihood_threshold());
        assert!(sites(Class::Probe, 3) < likelihood_threshold());
        assert!(sites(Class::Probe, 4) > likelihood_threshold());
        assert!(sites(Class::Flaw, 1) > likelihood_threshold());
        assert!(sites(Class::DroppedCold, 20) < likelihood_threshold());
        assert!(sites(Class::Stray, 4) < likelihood_threshold());
    }

    #[test]
    fn the_budget_lasts() {
        assert!((ALPHA / 1e-9 - 1.0).abs() < 1e-9);
        assert!((likelihood_threshold() - 20.71).abs() < 0.01);
    }
}
