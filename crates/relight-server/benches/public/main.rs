//! M9: a proof is published within a second, the counts of the public page always sum, and it is
//! served to whoever asks, beside nginx with the same files. Prints one JSON document;
//! `cargo xtask bench incident` runs it and judges the figures.
//!
//! Usage: `public FOLDER quick|full`: FOLDER is empty, on the disk that is meant.
#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a benchmark stops at any fault")]

#[path = "../../../relight-engine/benches/incident/figures.rs"]
mod figures;
#[expect(dead_code, reason = "the benchmark of incidents needs more of it")]
#[path = "../../../relight-engine/benches/incident/origin.rs"]
mod origin;
mod page;
#[expect(dead_code, reason = "the benchmark of incidents needs more of it")]
#[path = "../../../relight-engine/benches/incident/rig.rs"]
mod rig;
#[expect(dead_code, reason = "the benchmark of incidents needs more of it")]
#[path = "../../../relight-engine/benches/incident/town.rs"]
mod town;

use std::env;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use relight_engine::edge::exec::{self, Running};
use relight_engine::edge::http::Client;
use relight_engine::incident::EvidenceKind;
// The register that is shared with the benchmark of incidents reads its advisory with it.
use relight_formats as _;
use relight_model::{GateKey, Light};
use relight_server::{WebConfig, WebServer};
use serde_json::{Value, json};

use figures::{quantile, series};
use page::Page;
use rig::{Kind, Rig, key};
use town::{INCIDENT, Town};

const SITES: usize = 4_000;
/// Sites whose proofs come together.
const BURSTS: [usize; 3] = [1, 400, SITES];
/// What people read first, and what programs ask for.
const PATHS: [&str; 2] = ["/", "/api/v2/summary.json"];
const CONNECTIONS: usize = 8;
/// Each side is asked in turns; the median of them counts.
const TURNS: usize = 5;

/// How much is measured.
#[derive(Clone, Copy)]
struct Size {
    /// Times that each burst goes dark and comes back.
    rounds: usize,
    /// Requests for each file of each side.
    requests: usize,
}

const FULL: Size = Size { rounds: 20, requests: 400_000 };
const QUICK: Size = Size { rounds: 1, requests: 6_000 };

fn main() {
    // Cargo adds `--bench`.
    let words: Vec<String> = env::args().skip(1).filter(|it| !it.starts_with("--")).collect();
    let [folder, size] = &words[..] else {
        println!("usage: public FOLDER quick|full");
        return;
    };
    println!("{}", measure(Path::new(folder), if size == "full" { FULL } else { QUICK }));
}

fn measure(folder: &Path, size: Size) -> Value {
    let rig = Rig::start(&folder.join("edge"), Kind::Nginx, SITES);
    town::register(&rig.data, SITES, &rig.target);
    let town = Town::start(&rig.data, None);
    let public = folder.join("public");
    let config = WebConfig {
        engine: Some(town.engine.clone()),
        public_folder: Some(public.clone()),
        ..WebConfig::loopback(town.engine.board().unwrap())
    };
    let web = WebServer::start(config).unwrap();
    let (page, done) =
        (Page::new(web.public_addr(), public.join("current")), AtomicBool::new(false));
    let published = thread::scope(|scope| {
        let _end = Finish(&done);
        scope.spawn(|| page.watch(&done));
        transitions(&town, &page, size)
    });
    assert!(web.public_trouble().is_none(), "a page was not published");
    let (nginx, _running) = beside(&folder.join("nginx"), &public.join("current"));
    let files = PATHS.map(|path| rates(web.public_addr(), nginx, path, size));
    let (looks, wrong) = page.counts();
    json!({"schema": "relight.bench-public/1", "sites": SITES, "published": series(&published),
           "looks": looks, "counts_wrong": wrong, "files": files})
}

/// Seconds from the last proof of each burst, as the journal is told, until anybody can read it.
fn transitions(town: &Town, page: &Page, size: Size) -> Vec<f64> {
    let mut published = Vec::new();
    for burst in BURSTS.repeat(size.rounds) {
        let sites: Vec<GateKey> = (0..burst).map(key).collect();
        let plan = town.plan(&sites);
        town.engine.execute(&plan, "bench").unwrap();
        let dark = town.proofs.wait(&sites, Light::Dark);
        published.push(page.wait(burst).saturating_duration_since(dark).as_secs_f64());
        let scan = EvidenceKind::Scan;
        town.engine.attach_evidence("bench", INCIDENT, &sites, scan).unwrap();
        let lit = town.proofs.wait(&sites, Light::Lit);
        published.push(page.wait(0).saturating_duration_since(lit).as_secs_f64());
    }
    published
}

/// nginx that serves the folder of the page, as a body may do with it.
fn beside(folder: &Path, root: &Path) -> (SocketAddr, Running) {
    let listener = exec::free_address().unwrap();
    let user = exec::worker_user().map(|user| format!("user {user};\n")).unwrap_or_default();
    let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .map(|name| format!("{name}_temp_path {}/temp_{name};\n", folder.display()))
        .concat();
    let config = format!(
        "{user}daemon off;\nworker_processes auto;\npid {0}/nginx.pid;\n\
         events {{ worker_connections 512; }}\n\
         http {{\n{temporary}access_log off;\nkeepalive_requests 1000000;\n\
         types {{ text/html html; application/json json; }}\n\
         server {{ listen {listener}; root {1}; index index.html; }}\n}}\n",
        folder.display(),
        root.display()
    );
    let running = exec::start_nginx(folder, &config, &[listener], Duration::from_secs(20));
    (listener, running.unwrap())
}

/// Requests a second of both sides for one file, in turns.
fn rates(ours: SocketAddr, nginx: SocketAddr, path: &str, size: Size) -> Value {
    let (mut of_ours, mut of_nginx) = (Vec::new(), Vec::new());
    for _ in 0..TURNS {
        of_ours.push(rate(ours, path, size.requests / TURNS));
        of_nginx.push(rate(nginx, path, size.requests / TURNS));
    }
    let (of_ours, of_nginx) = (quantile(&of_ours, 0.5), quantile(&of_nginx, 0.5));
    let bytes = Client::connect(ours).unwrap().get("localhost", path).unwrap().body.len();
    json!({"path": path, "bytes": bytes, "rps": of_ours, "rps_nginx": of_nginx,
           "ratio": of_ours / of_nginx})
}

/// Requests a second over a few kept connections.
fn rate(listener: SocketAddr, path: &str, requests: usize) -> f64 {
    let next = AtomicUsize::new(0);
    let began = Instant::now();
    thread::scope(|scope| {
        for _ in 0..CONNECTIONS {
            scope.spawn(|| {
                let mut visitor = Client::connect(listener).unwrap();
                while next.fetch_add(1, Ordering::Relaxed) < requests {
                    let answer = visitor.get("localhost", path).unwrap();
                    assert_eq!((answer.status, answer.body.is_empty()), (200, false), "{path}");
                }
            });
        }
    });
    requests as f64 / began.elapsed().as_secs_f64()
}

/// Lets who looks at the page go, after a failure as well.
struct Finish<'a>(&'a AtomicBool);

impl Drop for Finish<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}
