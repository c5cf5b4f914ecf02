//! Whole incidents on real proxies of Debian: `soak` says what happens to them.

use std::net::SocketAddr;
use std::path::Path;
use std::{fs, mem};

use relight_engine::edge::http::Client;
use relight_engine::edge::{GateSet, Stage, Target};
use relight_engine::incident::{Entry, Phase};
use relight_engine::reconcile::BARRIER;
use relight_model::Seen;

use crate::origin::Counts;
use crate::rig::{Kind, Rig};
use crate::soak::{FRONT, ID, Incident, SITES, Stand, WALL, key, soak};

impl Stand for Rig {
    fn target(&self) -> &Target {
        &self.target
    }

    fn listener(&self) -> SocketAddr {
        Self::listener(self)
    }

    fn counts(&self) -> &Counts {
        Self::counts(self)
    }

    fn is_up(&self) -> bool {
        self.running.is_some()
    }

    fn reload(&mut self) {
        self.running.as_mut().unwrap().reload().unwrap();
    }

    fn kill(&mut self) {
        if let Some(mut running) = self.running.take() {
            running.kill();
        }
    }

    fn start(&mut self, is_ours: bool) {
        if is_ours {
            return self.start_edge(|text| text);
        }
        let elsewhere = self.folder.join("elsewhere");
        fs::create_dir_all(&elsewhere).unwrap();
        let ours = mem::replace(&mut self.config.gate, elsewhere);
        self.start_edge(|text| text);
        self.config.gate = ours;
    }
}

/// A proxy alone.
fn one(kind: Kind) -> impl Fn(&Path) -> (Rig, Option<Rig>) {
    move |folder| (Rig::start(&folder.join(FRONT), kind, SITES), None)
}

/// An nginx, and a second one behind it.
fn two(folder: &Path) -> (Rig, Option<Rig>) {
    let mut wall = Rig::start(&folder.join(WALL), Kind::Nginx, SITES);
    WALL.clone_into(&mut wall.target.name);
    let mut front = Rig::start(&folder.join(FRONT), Kind::Nginx, SITES);
    for site in &mut front.config.sites {
        site.upstream = wall.listener();
    }
    front.target.settings.insert(BARRIER.to_owned(), WALL.to_owned());
    front.start_edge(|text| text);
    (front, Some(wall))
}

#[test]
fn proxies_nginx_whole_incidents_from_one_seed_each() {
    soak("nginx", one(Kind::Nginx));
}

#[test]
fn proxies_haproxy_whole_incidents_from_one_seed_each() {
    soak("haproxy", one(Kind::Haproxy));
}

#[test]
fn proxies_apache_whole_incidents_from_one_seed_each() {
    soak("apache", one(Kind::Apache));
}

#[test]
fn proxies_caddy_whole_incidents_from_one_seed_each() {
    soak("caddy", one(Kind::Caddy));
}

#[test]
fn proxies_nginx_with_a_second_barrier_whole_incidents_from_one_seed_each() {
    soak("nginx behind nginx", two);
}

/// A soak in which nothing ever goes dark or comes back would prove nothing.
#[test]
fn proxies_soak_tells_a_relight_of_an_affected_site() {
    for kind in Kind::ALL {
        let mut incident = Incident::new(1, one(kind));
        incident.running = [0; SITES];
        incident.shown = [Seen::Dark; SITES];
        let why = incident.look().unwrap_err();
        assert_eq!(why, "site-0 came back with 2.14.1");
    }
}

/// Neither would one whose barrier may hold nothing.
#[test]
fn proxies_soak_tells_a_barrier_that_does_not_hold_what_the_edge_fails_to() {
    let mut incident = Incident::new(1, two);
    incident.darken(&[key(0)]);
    assert_eq!(incident.unheld(), None, "there is time yet");
    let (sites, edge, why) = (vec![key(0)], FRONT.to_owned(), "probe-disagrees".to_owned());
    incident.engine.record("soak", ID, Entry::EdgeFailed { sites, edge, why }).unwrap();
    let why = incident.unheld().unwrap();
    assert_eq!(why, "site-0 is not proven dark, and no barrier holds it");
}

/// Sites that run what no revision calls affected, of which the first is dark and proven so.
fn proven(kind: Kind) -> Incident<Rig> {
    let mut incident = Incident::new(1, one(kind));
    incident.running = [2; SITES];
    incident.look().unwrap();
    incident.darken(&[key(0)]);
    incident.round(true, i64::MAX, "");
    incident.look().unwrap();
    assert_eq!(incident.shown[0], Seen::Dark, "{kind:?}");
    incident
}

/// Goal: nobody sees what is proven dark, and a clean site comes back by a relight only. Method:
/// somebody opens its gate, before and after the journal hears of it.
#[test]
fn proxies_soak_tells_a_proof_that_is_none_and_a_clean_site_that_nobody_relit() {
    for kind in Kind::ALL {
        let mut incident = proven(kind);
        let target = incident.edge.target();
        let mut driver = relight_engine::edge::open(target).unwrap();
        let epoch = relight_engine::edge::newest_epoch(target).unwrap().unwrap();
        for stage in [Stage::Runtime, Stage::Durable] {
            driver.apply(epoch, stage, &GateSet::new()).unwrap();
        }
        let why = incident.look().unwrap_err();
        assert_eq!(why, "site-0 is proven dark and its origin was asked", "{kind:?}");
        let (sites, edge, what) = (vec![key(0)], FRONT.to_owned(), "gate-lost".to_owned());
        let drifted = Entry::Drifted { sites, edge, what, since: None };
        incident.engine.record("soak", ID, drifted).unwrap();
        let why = incident.look().unwrap_err();
        assert_eq!(why, format!("site-0 came back: site-0 in {ID}: it is wanted dark"));
    }
}

/// Goal: whoever stayed from before counts too. Method: a visitor whose connection leads past the
/// edge, as one to a process that was to end would.
#[test]
fn proxies_soak_tells_a_kept_connection_that_leads_past_the_gate() {
    let mut incident = proven(Kind::Nginx);
    let past = Client::connect(incident.edge.origin.address).unwrap();
    incident.visitors.0[0] = Some(past);
    let why = incident.look().unwrap_err();
    assert_eq!(why, "site-0 is proven dark and its origin was asked");
}

/// Goal: what cannot be written is not called proven, and is done once there is room. Method: an
/// order while the disk of the edge has no room for its gate.
#[test]
fn proxies_soak_fills_the_disk_that_the_gate_is_on() {
    for kind in Kind::ALL {
        let mut incident = Incident::new(1, one(kind));
        if !incident.fill() {
            return;
        }
        let phase = |incident: &Incident<Rig>| incident.engine.phase(ID, &key(0));
        incident.darken(&[key(0)]);
        incident.round(true, i64::MAX, "");
        incident.look().unwrap();
        assert_ne!(phase(&incident), Some(Phase::DarkProven), "{kind:?}");
        incident.make_room();
        incident.round(true, i64::MAX, "");
        incident.look().unwrap();
        assert_eq!(phase(&incident), Some(Phase::DarkProven), "{kind:?}");
        assert_eq!(incident.shown[0], Seen::Dark, "{kind:?}");
    }
}
