//! Testers who come to an address on loopback: both sides show a certificate, and nobody else gets
//! behind the gate.

use std::fs;
use std::net::{SocketAddr, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use relight_engine::edge::config::MutualTls;
use relight_engine::edge::http::Client;
use relight_engine::edge::{EdgeErrorKind, TESTER, TESTERS_CA, Target, Testers, exec};
use relight_server::edge_proxy::{EdgeProxy, EdgeProxyConfig};

use crate::support::{Folders, World, key, route};

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../relight-edge/fixtures/mtls").join(name)
}

/// What the edge shows: a copy that nobody else can read, as a key has to be.
fn shown(folders: &Folders, from: &str) -> MutualTls {
    let certificate = folders.path(from);
    fs::copy(fixture(from), &certificate).unwrap();
    fs::set_permissions(&certificate, fs::Permissions::from_mode(0o600)).unwrap();
    MutualTls { certificate, authorities: fixture("ca.pem") }
}

/// The way of a tester who shows this certificate.
fn tester(verify: &Path, certificate: &str) -> Testers {
    let files = [(TESTER, certificate), (TESTERS_CA, "ca.pem")];
    let settings = files.map(|(name, file)| (name.to_owned(), fixture(file).display().to_string()));
    let target = Target {
        name: "north".into(),
        kind: "builtin".into(),
        gate: "/gate".into(),
        listeners: Vec::new(),
        verify: Some(verify.to_owned()),
        settings: settings.into(),
        members: Vec::new(),
    };
    Testers::of(&target).unwrap().unwrap()
}

#[test]
fn testers_with_a_certificate_reach_a_dark_site_and_nobody_else_does() {
    let world = World::start();
    let folders = Folders::new();
    folders.set_dark(&["a"]);
    let verify: PathBuf = exec::free_address().unwrap().to_string().into();
    let routes = vec![route("a", world.origin.address())];
    let config = folders.config(routes);
    let edge = EdgeProxy::start(EdgeProxyConfig {
        verify: Some(verify.clone()),
        testers: Some(shown(&folders, "edge.pem")),
        ..config
    })
    .unwrap();
    let known = tester(&verify, "tester.pem");
    assert_eq!(known.ask("GET", "a.qc", "/").unwrap().status, 200);
    assert_eq!(known.ask("HEAD", "www.a.qc", "/booking").unwrap().status, 200);
    assert_eq!(known.ask("GET", "x.qc", "/").unwrap().status, 421);
    let counted = || {
        let counters = edge.counters(&key("a")).unwrap();
        (counters.forwarded, counters.verified)
    };
    assert_eq!(counted(), (0, 2), "testers are counted apart");
    // A stranger's certificate, plain text, and a visitor of the public listener.
    assert!(tester(&verify, "stranger.pem").ask("GET", "a.qc", "/").is_err());
    let address = verify.to_str().unwrap().parse().unwrap();
    let plain = Client::connect(address).and_then(|mut client| client.get("a.qc", "/"));
    assert!(plain.is_err(), "{plain:?}");
    let visitor = Client::connect(edge.addresses()[0]).unwrap().get("a.qc", "/").unwrap();
    assert_eq!(visitor.status, 503);
    assert_eq!(counted(), (0, 2), "nothing reached the origin");
}

/// Any account of the machine may open connections to an address on loopback: those that show
/// nothing took every place, and no fix could be verified.
#[test]
fn connections_that_show_nothing_keep_no_tester_out() {
    let world = World::start();
    let folders = Folders::new();
    let verify: PathBuf = exec::free_address().unwrap().to_string().into();
    let config = folders.config(vec![route("a", world.origin.address())]);
    let _edge = EdgeProxy::start(EdgeProxyConfig {
        verify: Some(verify.clone()),
        testers: Some(shown(&folders, "edge.pem")),
        ..config
    })
    .unwrap();
    let address: SocketAddr = verify.to_str().unwrap().parse().unwrap();
    let silent = (0..200).map(|_| TcpStream::connect(address).unwrap()).collect::<Vec<_>>();
    let known = tester(&verify, "tester.pem");
    for _ in 0..70 {
        assert_eq!(known.ask("GET", "a.qc", "/").unwrap().status, 200);
    }
    drop(silent);
}

/// Bad input: an address that any account could use, a socket that could ask nobody, files that are
/// none, and a certificate that is not good for the address.
#[test]
fn a_path_that_asks_for_no_certificate_is_not_opened() {
    let world = World::start();
    let folders = &world.folders;
    let start = |verify: &Path, testers| {
        let config = folders.config(vec![route("a", world.origin.address())]);
        let config = EdgeProxyConfig { verify: Some(verify.to_owned()), testers, ..config };
        EdgeProxy::start(config).map_err(|error| format!("{error:?}"))
    };
    let address: PathBuf = exec::free_address().unwrap().to_string().into();
    let refused = |verify: &Path, testers: Option<MutualTls>, why: &str| {
        let told = start(verify, testers).unwrap_err();
        assert!(told.contains(why), "{why}: {told}");
    };
    let good = shown(folders, "edge.pem");
    refused(&address, None, "go together");
    refused(&folders.path("other.sock"), Some(good.clone()), "go together");
    let nowhere = MutualTls { certificate: folders.path("nowhere.pem"), ..good.clone() };
    refused(&address, Some(nowhere), "nowhere.pem");
    let readable = MutualTls { certificate: fixture("edge.pem"), ..good.clone() };
    refused(&address, Some(readable), "others may read");
    let nobody = MutualTls { authorities: fixture("README.md"), ..good };
    refused(&address, Some(nobody), "README.md");
    let _edge = start(&address, Some(shown(folders, "elsewhere.pem"))).unwrap();
    let asked = tester(&address, "tester.pem").ask("GET", "a.qc", "/").unwrap_err();
    assert_eq!(asked.kind, EdgeErrorKind::Certificate);
}
