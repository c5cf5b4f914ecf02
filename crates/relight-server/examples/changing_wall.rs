//! A console of sites that change as often as asked, for `cargo xtask bench wall`:
//! `changing_wall SITES CHANGES_A_SECOND`. It prints the address and runs until stdin ends.
#![expect(clippy::print_stdout, reason = "it tells its address to the program that started it")]

use std::io::Read as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use relight_engine::live::{Board, BoardSite, Headline};
use relight_model::DisplayState;
use relight_server::web::words::SECTORS;
use relight_server::{WebConfig, WebServer};

/// Changes come together this often, as an edge's round brings them.
const EVERY: Duration = Duration::from_millis(50);

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut numbers = std::env::args().skip(1).map(|word| word.parse::<usize>());
    let sites = numbers.next().transpose()?.unwrap_or(3_992);
    let per_round = numbers.next().transpose()?.unwrap_or(1_000) / 20;
    let site = |at: usize| BoardSite {
        sector: SECTORS[at % SECTORS.len()].to_owned(),
        organisation: format!("Organisme {}", at % 304),
        slug: format!("site-{at:05}"),
        name_fr: format!("Guichet {at}"),
        name_en: format!("Counter {at}"),
        public: true,
        channel: Default::default(),
    };
    let headline = Headline { id: "CVE-2021-44228".into(), title: "Log4Shell".into(), opened: 0 };
    let board = Arc::new(Board::new(headline, (0..sites).map(site).collect()));
    let web = WebServer::start(WebConfig::loopback(Arc::clone(&board)))?;
    println!("http://{}/", web.console_addr());
    let ended = Arc::new(AtomicBool::new(false));
    let end = Arc::clone(&ended);
    thread::spawn(move || {
        // What is read does not matter, only its end.
        drop(std::io::stdin().read_to_end(&mut Vec::new()));
        end.store(true, Ordering::Relaxed);
    });
    let mut turn = 0_usize;
    while !ended.load(Ordering::Relaxed) {
        let changes: Vec<_> = (0..per_round)
            .map(|_| {
                turn += 1;
                // Far from the last one, as sites of a round are.
                let state = DisplayState::ALL[turn % DisplayState::ALL.len()];
                (turn * 1_597 % sites, state, false)
            })
            .collect();
        board.set(&changes);
        // No change is that new: it waits for the next round.
        board.wait_newer(u64::MAX, EVERY);
    }
    web.stop();
    Ok(())
}
