//! The score of a flaw at one site: what depends on it, and who can reach it, as environmental
//! metrics. It stands beside the base score, never instead of it.

use relight_model::{Criticality, SiteExposure};

use super::{CvssVersion, Metrics, cvss_scores};

/// The score of a vector at a site, in tenths. Metrics that the vector itself defines stay; version
/// 2 and what is no vector give none.
///
/// Lives or many people depend on the two highest criticalities, which ask for high
/// confidentiality, integrity and availability, and hardly anything on the lowest. A site that is
/// not on the internet is attacked from a network beside it (`MAV:A`).
pub(crate) fn site_score(
    vector: &str,
    criticality: Criticality,
    exposure: SiteExposure,
) -> Option<u16> {
    let metrics = Metrics::parse(vector).ok()?;
    if metrics.version == CvssVersion::V2 {
        return None;
    }
    let need = match criticality {
        Criticality::Vital | Criticality::Essential => "H",
        Criticality::Important => "M",
        Criticality::Normal => "L",
    };
    let defined = vector.trim().split('/').filter(|part| !part.ends_with(":X"));
    let mut text: Vec<String> = defined.map(str::to_owned).collect();
    for name in ["CR", "IR", "AR"] {
        if metrics.get(name) == "X" {
            text.push(format!("{name}:{need}"));
        }
    }
    let is_outside = exposure.faces_internet();
    if !is_outside && metrics.get("MAV") == "X" && metrics.get("AV") == "N" {
        text.push("MAV:A".to_owned());
    }
    cvss_scores(&text.join("/")).ok().map(|scores| scores.overall())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Scores worked out by hand from section 7 of the specification of 3.1.
    #[test]
    fn a_site_lowers_or_raises_what_it_says_about_itself() {
        const V31: &str = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:L/I:L/A:L";
        use Criticality::{Important, Normal, Vital};
        use SiteExposure::{Controlled, Internal, Internet, Unknown};
        for (vector, criticality, exposure, wanted) in [
            (V31, Important, Internet, Some(73)),
            (V31, Important, Unknown, Some(73)),
            (V31, Vital, Internet, Some(84)),
            (V31, Normal, Internet, Some(58)),
            (V31, Important, Controlled, Some(63)),
            (V31, Important, Internal, Some(63)),
            ("CVSS:3.1/AV:L/AC:L/PR:N/UI:N/S:U/C:L/I:L/A:L", Important, Internal, Some(59)),
            ("AV:N/AC:L/Au:N/C:C/I:C/A:C", Vital, Internet, None),
            ("CVSS:3.1/AV:N", Vital, Internet, None),
            ("high", Vital, Internet, None),
        ] {
            assert_eq!(site_score(vector, criticality, exposure), wanted, "{vector} {exposure:?}");
        }
        let own = format!("{V31}/CR:X/MAV:P");
        assert_eq!(
            site_score(&own, Important, Internal),
            cvss_scores(&format!("{V31}/MAV:P")).ok().map(|it| it.overall()),
            "what the vector defines stays"
        );
        let four = "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N";
        let of = |exposure| site_score(four, Vital, exposure).unwrap();
        assert!(of(Internal) < of(Internet) && of(Internet) == cvss_scores(four).unwrap().base);
    }
}
