//! Inventories with everything that the model can hold, for tests of formats.

use relight_model::{Basis, Component, Digest, Flaw, FlawCode, Purl, Sbom, Scope};
use testkit::Rng;

/// An inventory with everything that the model can hold.
pub(crate) fn any_sbom(seed: u64) -> Sbom {
    let mut rng = Rng::new(seed);
    let mut sbom = Sbom { tool: "relight 0.1.0".into(), ..Sbom::default() };
    for number in 0..rng.below(8) {
        let version = if rng.chance(20) { String::new() } else { format!("{number}.0+é %") };
        let group = rng.pick::<&str>(&["", "org.example"]);
        let purl = Purl::new("maven", group, "a@b/c", &version);
        let purl = purl.with_qualifier("classifier", rng.pick::<&str>(&["", "sources"]));
        let evidence = *rng.pick(&["", "a.war", "a.war!/b c.jar", "a.war!/b c.jar!/d", "\n\"\\"]);
        let basis = *rng.pick(&Basis::ALL);
        let mut also = vec![*rng.pick(&Basis::ALL), *rng.pick(&Basis::ALL)];
        also.sort();
        also.truncate(rng.below(3));
        let mut some = |items: [&str; 2]| match rng.chance(30) {
            true => items.map(str::to_owned).to_vec(),
            false => Vec::new(),
        };
        let (removed, candidates) = (some(["a/B", "a/C"]), some(["2.4", "2.10"]));
        sbom.components.push(Component {
            also,
            candidates,
            conflict: rng.chance(30),
            removed,
            owned_by: rng.chance(30).then(|| Purl::new("deb", "debian", "a b", "1")),
            hashes: if rng.chance(30) { vec![Digest([3; 32])] } else { vec![] },
            in_use: if rng.chance(30) { vec!["a.service root".into()] } else { vec![] },
            ..Component::new(purl, evidence, basis, *rng.pick(&Scope::ALL))
        });
    }
    if rng.chance(50) {
        let purl = Purl::new("deb", "debian", "a b", "1");
        let status = "var/lib/dpkg/status";
        sbom.components.push(Component::new(
            purl,
            status,
            Basis::PackageDatabase,
            Scope::Installed,
        ));
    }
    for _ in 0..rng.below(3) {
        let code = *rng.pick(&FlawCode::ALL);
        let evidence = (*rng.pick(&["", "x y.jar!/z "])).to_owned();
        sbom.flaws.push(Flaw { code, evidence, bytes: rng.next() });
    }
    if rng.chance(30) {
        sbom.images.push(Purl::new("oci", "", "app", "sha256:12").with_qualifier("arch", "amd64"));
    }
    sbom.artifact = rng.chance(50).then_some(Digest([7; 32]));
    sbom.normalise();
    sbom
}
