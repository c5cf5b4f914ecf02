//! The same gate on a listener under TLS: each program runs the configuration that we print for it,
//! and dark is proven under the certificate of the site only.

use std::fs;
use std::path::Path;

use relight_edge::config::{CANARY_HOST, CANARY_KEY, Secured};
use relight_edge::{EdgeErrorKind, ProbeResult, ProbeTarget, Prober, exec};
use relight_model::{GateKey, Seen};

use crate::support::{Kind, Rig, key, set};

/// The name in the certificate of the fixtures.
pub(crate) const HOST: &str = "site.example";

fn fixture(name: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/tls");
    fs::read_to_string(folder.join(name)).unwrap()
}

/// An edge with a listener in plain text and one under TLS.
pub(crate) fn start(kind: Kind) -> Rig {
    let mut rig = Rig::start(kind, 2);
    let (address, certificates) = (exec::free_address().unwrap(), rig.path().join("tls"));
    fs::create_dir(&certificates).unwrap();
    let both = fixture("site.pem") + &fixture("key.pem");
    fs::write(certificates.join(format!("{HOST}.pem")), both).unwrap();
    let ca = rig.path().join("ca.pem");
    fs::write(&ca, fixture("ca.pem")).unwrap();
    rig.restart_with(|config| {
        config.sites.truncate(1);
        (config.sites[0].host, config.sites[0].aliases) = (HOST.to_owned(), Vec::new());
        config.listen.push(address);
        config.tls = Some(Secured { listeners: vec![address], certificates });
    });
    rig.target.listeners.push(address);
    let settings = [("tls", address.to_string()), ("ca", ca.display().to_string())];
    rig.target.settings.extend(settings.map(|(name, value)| (name.to_owned(), value)));
    rig
}

/// What each listener shows of a host under a key: in plain text, then under TLS.
fn seen(rig: &Rig, key: &GateKey, host: &str) -> Vec<ProbeResult> {
    let target = [ProbeTarget::site(key.clone(), host.to_owned(), None)];
    let probers = Prober::all(&rig.target).unwrap();
    probers.into_iter().map(|mut prober| prober.probe(&target, 1)[0]).collect()
}

fn lights(rig: &Rig, key: &GateKey, host: &str) -> Vec<Seen> {
    seen(rig, key, host).iter().map(|result| result.seen).collect()
}

#[test]
fn the_gate_closes_and_opens_under_tls_as_in_plain_text() {
    for kind in [Kind::Nginx, Kind::Haproxy, Kind::Apache, Kind::Caddy] {
        let mut rig = start(kind);
        let canary = GateKey::new(CANARY_KEY).unwrap();
        assert_eq!(lights(&rig, &key(0), HOST), [Seen::Lit; 2], "{kind:?}");
        assert_eq!(lights(&rig, &canary, CANARY_HOST), [Seen::Lit; 2], "{kind:?}");
        let mut dark = set([0]);
        dark.insert(canary.clone());
        rig.close(1, &dark);
        assert_eq!(lights(&rig, &key(0), HOST), [Seen::Dark; 2], "{kind:?}");
        assert_eq!(lights(&rig, &canary, CANARY_HOST), [Seen::Dark; 2], "{kind:?}");
        // A name without a certificate of its own proves nothing, whatever is shown for it.
        let nobody = seen(&rig, &key(1), "nobody.example")[1];
        assert_eq!(nobody.seen, Seen::Unknown, "{kind:?}");
        let whys = [EdgeErrorKind::Certificate, EdgeErrorKind::Unreachable];
        assert!(nobody.trouble.is_some_and(|why| whys.contains(&why)), "{kind:?}: {nobody:?}");
        rig.open(2, &set([]));
        assert_eq!(lights(&rig, &key(0), HOST), [Seen::Lit; 2], "{kind:?}");
    }
}
