//! A site has several names, and is dark only under every one of them (INCIDENT 8.1).

use relight_edge::{ProbeResult, ProbeTarget};
use relight_model::Seen;

use super::{EdgeLoop, Eyes, Want};

impl EdgeLoop {
    /// What visitors see of sites that were opened. What another name answered before the order was
    /// never recorded, so all that it can say is that it is still dark.
    pub(super) fn see_lit_again(&mut self, wants: &[&Want]) -> Vec<ProbeResult> {
        self.nonce = self.nonce.wrapping_add(1);
        let look = |targets: &[ProbeTarget]| self.eyes.probe(targets, self.nonce);
        see_names(wants, look, (unless_dark, Seen::Lit))
    }
}

/// What visitors see of sites that must be dark, while `beside` runs: what contradicts that under
/// any name counts. Nobody is asked about a gate that is only read back.
pub(super) fn see_dark(
    eyes: &mut dyn Eyes,
    nonce: &mut u64,
    wants: &[&Want],
    beside: &mut dyn FnMut(),
) -> Vec<ProbeResult> {
    *nonce = nonce.wrapping_add(1);
    let look = |targets: &[ProbeTarget]| eyes.probe_beside(targets, *nonce, beside);
    see_names(wants, look, (under_all, Seen::Dark))
}

fn see_names(
    wants: &[&Want],
    look: impl FnOnce(&[ProbeTarget]) -> Vec<ProbeResult>,
    (judge, read_back): (fn(&[ProbeResult]) -> ProbeResult, Seen),
) -> Vec<ProbeResult> {
    let asked = wants.iter().filter(|want| !want.is_read_back());
    let targets: Vec<ProbeTarget> = asked.flat_map(|want| names(want)).collect();
    let mut seen = look(&targets).into_iter();
    let mut of_site = |want: &&Want| {
        if want.is_read_back() {
            return ProbeResult { seen: read_back, ..ProbeResult::default() };
        }
        let results: Vec<_> = seen.by_ref().take(1 + want.aliases.len()).collect();
        judge(&results)
    };
    wants.iter().map(&mut of_site).collect()
}

fn names(want: &Want) -> impl Iterator<Item = ProbeTarget> {
    let other = |host: &String| {
        let (key, look) = (want.target.key.clone(), want.target.look.clone());
        ProbeTarget { key, host: host.clone(), baseline: None, look }
    };
    std::iter::once(want.target.clone()).chain(want.aliases.iter().map(other))
}

/// Dark where every name is; else the name that any listener shows lit, or the first that is not
/// dark.
fn under_all(results: &[ProbeResult]) -> ProbeResult {
    let lit = results.iter().find(|result| result.shows(Seen::Lit));
    if let Some(lit) = lit {
        return ProbeResult { seen: Seen::Lit, ..*lit };
    }
    let other = results.iter().find(|result| result.seen != Seen::Dark);
    other.or_else(|| results.first()).copied().unwrap_or_default()
}

/// What the canonical name shows, unless any listener shows it, or another one, dark.
fn unless_dark(results: &[ProbeResult]) -> ProbeResult {
    let dark = results.iter().find(|result| result.shows(Seen::Dark));
    let dark = dark.map(|dark| ProbeResult { seen: Seen::Dark, ..*dark });
    dark.or_else(|| results.first().copied()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(judge: fn(&[ProbeResult]) -> ProbeResult, names: &[Seen]) -> Seen {
        let result = |seen: &Seen| ProbeResult { seen: *seen, ..ProbeResult::default() };
        judge(&names.iter().map(result).collect::<Vec<_>>()).seen
    }

    #[test]
    fn dark_takes_every_name_and_lit_is_stopped_by_one_that_is_dark() {
        use Seen::{Dark, Lit, Unknown};
        for (names, dark, lit) in [
            (&[Dark][..], Dark, Dark),
            (&[Lit], Lit, Lit),
            (&[Unknown], Unknown, Unknown),
            (&[Dark, Dark, Dark], Dark, Dark),
            (&[Dark, Dark, Lit], Lit, Dark),
            (&[Dark, Unknown, Dark], Unknown, Dark),
            (&[Unknown, Dark, Lit], Lit, Dark),
            (&[Lit, Unknown, Lit], Lit, Lit),
            (&[Lit, Lit, Dark], Lit, Dark),
            (&[Unknown, Lit], Lit, Unknown),
            (&[], Unknown, Unknown),
        ] {
            assert_eq!(judged(under_all, names), dark, "{names:?}");
            assert_eq!(judged(unless_dark, names), lit, "{names:?}");
        }
    }
}
