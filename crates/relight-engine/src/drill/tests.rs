//! What happens on an edge while a drill begins there.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::thread;
use std::time::Duration;

use relight_edge::exec::RELOAD;
use relight_edge::{
    Capabilities, EdgeDriver, EdgeError, EdgeErrorKind, GateSet, GateView, Lint, Listener,
    ProbeTarget, REFUSED, Stage, Target, TunnelCount, UPGRADES,
};
use relight_model::{Digest, Epoch, GateKey, Seen};

use super::script::{Pace, STEPS, StepName, not_lit};
use super::{DrillEdge, DrillKey, DrillReport, Step};
use crate::incident::Ledger;

/// An edge without a listener whose gate is in a folder.
fn target(folder: &Path) -> Target {
    Target {
        name: "east".into(),
        kind: "nginx_file".into(),
        gate: folder.join("gate"),
        listeners: Vec::new(),
        verify: None,
        settings: [("upgrades".to_owned(), "refused".to_owned())].into(),
        members: Vec::new(),
    }
}

/// An edge that a controller gives an order at the end of the look whether it is in use.
struct Ordered {
    edge: Box<dyn EdgeDriver>,
    order: Option<(Epoch, GateSet)>,
}

impl EdgeDriver for Ordered {
    fn capabilities(&self) -> Capabilities {
        self.edge.capabilities()
    }

    fn lint(&mut self) -> Result<Vec<Lint>, EdgeError> {
        self.edge.lint()
    }

    fn observe(&mut self, keys: &[GateKey]) -> Result<Vec<GateView>, EdgeError> {
        self.edge.observe(keys)
    }

    fn owned(&mut self) -> Result<GateSet, EdgeError> {
        let owned = self.edge.owned();
        if let Some((epoch, dark)) = self.order.take() {
            self.edge.close(epoch, &dark)?;
        }
        owned
    }

    fn apply(&mut self, epoch: Epoch, stage: Stage, dark: &GateSet) -> Result<(), EdgeError> {
        self.edge.apply(epoch, stage, dark)
    }

    fn tunnels(&mut self, keys: &[GateKey]) -> Result<Vec<TunnelCount>, EdgeError> {
        self.edge.tunnels(keys)
    }

    fn cut(&mut self, epoch: Epoch, keys: &[GateKey]) -> Result<(), EdgeError> {
        self.edge.cut(epoch, keys)
    }
}

/// Goal: an order that reaches the gate while a drill begins is not opened by the drill. Method: it
/// comes right after the look that finds nothing dark, and the drill takes out what is its own.
#[test]
fn a_drill_is_fenced_by_an_order_that_comes_while_it_begins() {
    let folder = tempfile::tempdir().unwrap();
    let key = |name: &str| GateKey::new(name).unwrap();
    let target = target(folder.path());
    let mut edge = relight_edge::open(&target).unwrap();
    edge.close(Epoch { term: 3, seq: 8 }, &GateSet::new()).unwrap();
    let order = Some((Epoch { term: 3, seq: 9 }, GateSet::from([key("permits")])));
    let mut driver = Ordered { edge, order };
    let drill = DrillEdge {
        target,
        identity: Digest::default(),
        keys: DrillKey::canary().into_iter().collect(),
        others: [key("permits")].into(),
    };
    let keys: Vec<GateKey> = drill.keys.iter().map(|it| it.key.clone()).collect();
    let epoch = drill.epoch_unused(&Ledger::new(1), &mut driver, &keys).unwrap();
    assert!(driver.order.is_none(), "nobody looked");
    let opened = driver.apply(epoch, Stage::Runtime, &GateSet::new());
    assert_eq!(opened.unwrap_err().kind, EdgeErrorKind::Fenced);
    assert_eq!(driver.observe(&[key("permits")]).unwrap()[0].durable, Seen::Dark);
}

/// A listener that gives every visitor the same answer.
fn listener(answer: &'static [u8]) -> SocketAddr {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let mut lines = BufReader::new(stream);
            let mut head = String::new();
            while lines.read_line(&mut head).is_ok_and(|read| read > 2) {}
            drop(lines.get_mut().write_all(answer));
        }
    });
    address
}

/// Goal: whoever reads that an edge is not open again knows at which of its listeners. Method: two
/// listeners, the second of which still shows the gate; and where both are open by then.
#[test]
fn the_listener_that_is_not_open_again_is_named() {
    let open = listener(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok");
    let shut = listener(
        b"HTTP/1.1 503 No\r\nX-Relight-Gate: dark=1; site=beds\r\nCache-Control: no-store\r\n\
          Content-Length: 0\r\nConnection: close\r\n\r\n",
    );
    let key = GateKey::new("beds").unwrap();
    let target = ProbeTarget::site(key, "beds.example".into(), None);
    let said = |all: &[SocketAddr]| {
        let all: Vec<Listener> = all.iter().copied().map(Listener::from).collect();
        not_lit(&target, &all, 7)
    };
    assert_eq!(said(&[open, shut]), format!("beds is not seen lit at {shut}"));
    assert_eq!(said(&[open]), "beds is not seen lit");
}

/// Goal: what was dark before a drill is not journalled as what the drill may close, and nothing is
/// closed that is not journalled. Method: its canary is dark already; then all is lit, and the
/// journal takes nothing.
#[test]
fn a_drill_begins_once_all_of_it_was_seen_lit() {
    let folder = tempfile::tempdir().unwrap();
    let target = target(folder.path());
    let keys: Vec<DrillKey> = DrillKey::canary().into_iter().collect();
    let canary = keys[0].key.clone();
    let mut driver = relight_edge::open(&target).unwrap();
    let drill = DrillEdge { target, identity: Digest::default(), keys, others: [].into() };
    let clock = || 1_000;
    let pace = Pace { clock, nonce: 1, pause: Duration::ZERO, second: None, stop: None };
    let mut begun = 0;
    let mut run = || {
        drill.run(&Ledger::new(1), &pace, &mut || {
            begun += 1;
            Err("no room".to_owned())
        })
    };
    driver.close(Epoch { term: 0, seq: 1 }, &GateSet::from([canary.clone()])).unwrap();
    let dark = run();
    assert_eq!(dark.failed().unwrap().detail, format!("{canary} is not seen lit at the gate"));
    driver.apply(Epoch { term: 0, seq: 1 }, Stage::Durable, &GateSet::new()).unwrap();
    driver.apply(Epoch { term: 0, seq: 1 }, Stage::Runtime, &GateSet::new()).unwrap();
    let lit = run();
    assert_eq!(lit.failed().unwrap().detail, "no room");
    assert_eq!((dark.ended(), lit.ended(), lit.steps.len()), (None, None, 1));
    assert_eq!(driver.observe(&[canary]).unwrap()[0].durable, Seen::Lit);
    assert_eq!(begun, 1, "the first one never began");
}

/// Goal: what was tried at one edge of a group shows nothing of the others. Method: steps that
/// were tried, in part or not at all; and a group of an nginx and of what is only said to be one.
#[test]
fn what_was_tried_in_part_was_not_tried() {
    let untried = |tried: bool, detail: &str| {
        let step = |name| {
            let is_meant = [StepName::Reload, StepName::Tunnels].contains(&name);
            let (tried, detail) = if is_meant { (tried, detail) } else { (true, "http2: here") };
            Step { name, passed: true, tried, took_ms: 1, detail: detail.to_owned() }
        };
        let steps = STEPS.into_iter().map(step).collect();
        let (edge, identity, keys, left) = ("east".into(), Digest::default(), vec![], vec![]);
        DrillReport { edge, identity, keys, steps, left }.untried().codes()
    };
    assert_eq!(untried(true, ""), [""; 0]);
    assert_eq!(untried(true, "reload-untried: b"), ["survives_reload", "cuts_tunnels"]);
    assert_eq!(untried(false, ""), ["survives_reload"], "there was nothing to cut");
    assert_eq!(untried(false, "reload-untried: b"), ["survives_reload", "cuts_tunnels"]);
    let folder = tempfile::tempdir().unwrap();
    let member = |name: &str, kind: &str| Target {
        name: name.to_owned(),
        kind: kind.to_owned(),
        settings: [].into(),
        ..target(folder.path())
    };
    let members = vec![member("a", "nginx_file"), member("b", "command"), member("c", "traefik")];
    let (keys, others) = (Vec::new(), [].into());
    let target = Target { members, ..member("g", "group") };
    let group = DrillEdge { target, identity: Digest::default(), keys, others };
    assert_eq!(group.unshown_reload(), ["b", "c"]);
    assert_eq!(group.unshown_tunnels(&[]), ["b", "c"]);
    let mut shown = group;
    let open = SocketAddr::from(([127, 0, 0, 1], 8080));
    shown.target.members[1].settings.insert(RELOAD.to_owned(), "/bin/true".to_owned());
    shown.target.members[1].listeners.push(open);
    let refused = [(UPGRADES, REFUSED)].map(|(name, value)| (name.to_owned(), value.to_owned()));
    shown.target.members[2].settings.extend(refused);
    assert_eq!(shown.unshown_reload(), ["c"]);
    assert_eq!(shown.unshown_tunnels(&[open]), [""; 0]);
    assert_eq!(shown.unshown_tunnels(&[]), ["b"]);
}
