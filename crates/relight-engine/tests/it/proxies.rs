//! Whole incidents on real proxies of Debian: `soak` says what happens to them.

use std::net::SocketAddr;
use std::path::Path;
use std::{fs, mem};

use relight_engine::edge::Target;
use relight_engine::incident::Entry;
use relight_engine::reconcile::BARRIER;
use relight_model::Seen;

use crate::rig::{Kind, Rig};
use crate::soak::{FRONT, ID, Incident, SITES, Stand, WALL, key, soak};

impl Stand for Rig {
    fn target(&self) -> &Target {
        &self.target
    }

    fn listener(&self) -> SocketAddr {
        Self::listener(self)
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
    move |folder| (Rig::start(&folder.join("edge"), kind, SITES), None)
}

/// An nginx, and a second one behind it.
fn two(folder: &Path) -> (Rig, Option<Rig>) {
    let mut wall = Rig::start(&folder.join("wall"), Kind::Nginx, SITES);
    WALL.clone_into(&mut wall.target.name);
    let mut front = Rig::start(&folder.join("edge"), Kind::Nginx, SITES);
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
