//! M2 and M3: visitors of untouched sites lose nothing, and nobody reaches a dark origin after
//! the proof: kept connections, slow downloads and tunnels; `spellings` has those of a host.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use relight_engine::edge::http::Client;
use relight_model::GateKey;
use serde_json::{Value, json};

use crate::origin::{Counts, DOWNLOAD_BYTES, STARTED};
use crate::rig::{Kind, OWN_ORIGINS, Rig, host, key};
use crate::spellings::matrix;
use crate::town::{self, Town};
use crate::{Finish, Size, pause};

/// Kept connections of visitors.
const VISITORS: usize = 24;
const DOWNLOADS: usize = 50;
const TUNNELS: usize = OWN_ORIGINS;
/// Twice the grace and a second: what is alive then is not cut.
const TUNNELS_WAIT: Duration = Duration::from_secs(3);
/// Sites that go dark and come back in each cycle; visitors of the others are untouched.
const TARGETS: usize = 400;
/// Requests of a visitor on one connection: nginx ends one after 100,000 (`keepalive_requests`),
/// which is nobody's fault.
const KEPT_REQUESTS: usize = 50_000;

/// What visitors met with.
#[derive(Default)]
struct Met {
    requests: AtomicUsize,
    lost: AtomicUsize,
    not_200: AtomicUsize,
    closed: AtomicUsize,
    downloads: AtomicUsize,
    cut: AtomicUsize,
}

impl Met {
    fn json(&self) -> Value {
        let of = |count: &AtomicUsize| count.load(Ordering::SeqCst);
        json!({"requests": of(&self.requests), "lost": of(&self.lost),
               "not_200": of(&self.not_200), "connections_closed": of(&self.closed),
               "downloads": of(&self.downloads), "downloads_cut": of(&self.cut)})
    }
}

/// What all visitors share.
struct Crowd<'a> {
    listener: SocketAddr,
    counts: &'a Counts,
    met: Met,
    done: AtomicBool,
}

impl<'a> Crowd<'a> {
    fn new(rig: &'a Rig) -> Self {
        let (met, done) = (Met::default(), AtomicBool::new(false));
        Self { listener: rig.listener(), counts: rig.counts(), met, done }
    }

    fn visit(&self, visitor: &mut Client, site: usize, uri: &str) -> Option<(u16, usize)> {
        let started = self.counts.now().to_string();
        let answer = visitor.request("GET", &host(site), uri, &[(STARTED, &started)]).ok()?;
        Some((answer.status, answer.body.len()))
    }

    /// Asks on kept connections, one after the other, until all is done.
    fn stay(&self, site: usize) {
        let mut visitor = Client::connect(self.listener).unwrap();
        let mut asked = 0;
        while !self.done.load(Ordering::Relaxed) {
            if asked == KEPT_REQUESTS {
                (asked, visitor) = (0, Client::connect(self.listener).unwrap());
            }
            asked += 1;
            self.met.requests.fetch_add(1, Ordering::Relaxed);
            match self.visit(&mut visitor, site, "/") {
                Some((200, _)) => {}
                Some(_) => drop(self.met.not_200.fetch_add(1, Ordering::Relaxed)),
                None => drop(self.met.lost.fetch_add(1, Ordering::Relaxed)),
            }
            if !visitor.is_open() {
                self.met.closed.fetch_add(1, Ordering::Relaxed);
                let Ok(again) = Client::connect(self.listener) else { continue };
                (asked, visitor) = (0, again);
            }
        }
    }

    fn download(&self, site: usize) {
        while !self.done.load(Ordering::Relaxed) {
            let mut visitor = Client::connect(self.listener).unwrap();
            visitor.answer_wait_max = Duration::from_secs(30);
            let got = self.visit(&mut visitor, site, "/download");
            self.met.downloads.fetch_add(1, Ordering::Relaxed);
            if got != Some((200, DOWNLOAD_BYTES)) {
                self.met.cut.fetch_add(1, Ordering::Relaxed);
            }
        }
    }
}

/// Cycles of dark and lit on some sites, while visitors of others go on.
pub(crate) fn untouched(rig: &mut Rig, size: Size) -> Value {
    let town = Town::start(&rig.data, None);
    let sites: Vec<GateKey> = (0..TARGETS).map(key).collect();
    let crowd = Crowd::new(rig);
    let mut tunnels: Vec<TcpStream> =
        (0..TUNNELS).map(|number| tunnel(rig.listener(), TARGETS + number)).collect();
    let (mut cycles, began) = (0, Instant::now());
    thread::scope(|scope| {
        let _end = Finish(&crowd.done);
        for number in 0..VISITORS {
            let crowd = &crowd;
            scope.spawn(move || crowd.stay(TARGETS + 100 + number));
        }
        for number in 0..DOWNLOADS {
            let crowd = &crowd;
            scope.spawn(move || crowd.download(TARGETS + 200 + number));
        }
        while cycles < size.cycles || crowd.met.requests.load(Ordering::Relaxed) < size.requests {
            town.darken(&sites);
            town.clear(&sites);
            cycles += 1;
        }
    });
    let alive = tunnels.iter_mut().filter_map(|tunnel| echoes(tunnel).then_some(())).count();
    drop(town);
    let mut figures = crowd.met.json();
    let members = figures.as_object_mut().unwrap();
    members.insert("cycles".into(), json!(cycles));
    members.insert("seconds".into(), json!(began.elapsed().as_secs_f64()));
    members.insert("tunnels_cut".into(), json!(TUNNELS - alive));
    if rig.kind == Kind::Nginx {
        members.insert("baseline_reload".into(), baseline(rig, size));
    }
    figures
}

/// The peer in the same run: what a reload of nginx does to the same kept connections.
fn baseline(rig: &mut Rig, size: Size) -> Value {
    let mut running = rig.running.take().unwrap();
    let crowd = Crowd::new(rig);
    thread::scope(|scope| {
        let _end = Finish(&crowd.done);
        for number in 0..VISITORS {
            let crowd = &crowd;
            scope.spawn(move || crowd.stay(TARGETS + 100 + number));
        }
        while crowd.met.requests.load(Ordering::Relaxed) < 1_000 {
            thread::yield_now();
        }
        running.reload().unwrap();
        let until = Instant::now() + Duration::from_millis(size.baseline_ms);
        while Instant::now() < until {
            pause(Duration::from_millis(10));
        }
    });
    let figures = crowd.met.json();
    rig.running = Some(running);
    figures
}

/// Visitors of sites that go dark: what reaches the origin after the proof, which tunnels are left
/// and which spellings of a host get in.
pub(crate) fn leaks(rig: &mut Rig, size: Size) -> Value {
    let counts = std::sync::Arc::clone(rig.counts());
    town::put_edge(&rig.data, &rig.with_listeners());
    let town = Town::start(&rig.data, Some(std::sync::Arc::clone(&counts)));
    let sites: Vec<GateKey> = (0..TARGETS).map(key).collect();
    let before = counts.leaked.load(Ordering::SeqCst);
    let crowd = Crowd::new(rig);
    thread::scope(|scope| {
        let _end = Finish(&crowd.done);
        for number in 0..8 {
            let crowd = &crowd;
            scope.spawn(move || crowd.stay(number * 7));
        }
        for _ in 0..size.cycles.div_ceil(2) {
            town.darken(&sites);
            pause(Duration::from_millis(100));
            (0..TARGETS).for_each(|site| counts.may_be_lit(site));
            town.clear(&sites);
        }
    });
    let leaked = counts.leaked.load(Ordering::SeqCst) - before;
    let spellings = matrix(&town, &rig.config.listen, 0, &counts);
    drop(town);
    let (cut_s, alive) = tunnels_of_the_dark(rig, &sites[..TUNNELS]);
    json!({"requests": crowd.met.requests.load(Ordering::SeqCst), "leaked": leaked,
           "lost": crowd.met.lost.load(Ordering::SeqCst),
           "tunnels": TUNNELS, "tunnels_alive": alive, "tunnels_cut_s": cut_s,
           "spellings": spellings})
}

/// Tunnels of sites that go dark, on an edge that knows its origins: seconds until the last one was
/// cut, and how many never were.
fn tunnels_of_the_dark(rig: &Rig, sites: &[GateKey]) -> (f64, usize) {
    town::put_edge(&rig.data, &rig.with_origins());
    let town = Town::start(&rig.data, None);
    let mut tunnels: Vec<TcpStream> =
        (0..TUNNELS).map(|number| tunnel(rig.listener(), number)).collect();
    let plan = town.plan(sites);
    let began = Instant::now();
    town.engine.execute(&plan, "bench").unwrap();
    let mut cut_s = 0.0;
    while !tunnels.is_empty() && began.elapsed() < TUNNELS_WAIT {
        let count = tunnels.len();
        tunnels.retain_mut(echoes);
        if tunnels.len() < count {
            cut_s = began.elapsed().as_secs_f64();
        }
        pause(Duration::from_millis(5));
    }
    let alive = tunnels.len();
    drop(tunnels);
    town.proofs.wait(sites, relight_model::Light::Dark);
    town.clear(sites);
    drop(town);
    town::put_edge(&rig.data, &rig.target);
    (cut_s, alive)
}

fn tunnel(listener: SocketAddr, site: usize) -> TcpStream {
    let mut stream = TcpStream::connect(listener).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    let request = format!(
        "GET /tunnel HTTP/1.1\r\nHost: {}\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n",
        host(site)
    );
    stream.write_all(request.as_bytes()).unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).unwrap();
        head.push(byte[0]);
    }
    assert!(head.starts_with(b"HTTP/1.1 101"), "{}", String::from_utf8_lossy(&head));
    stream
}

fn echoes(stream: &mut TcpStream) -> bool {
    let mut echo = [0];
    stream.write_all(b"e").is_ok() && stream.read_exact(&mut echo).is_ok() && &echo == b"e"
}
