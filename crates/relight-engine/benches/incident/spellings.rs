//! M3: every spelling of a host on every listener of an edge. None reaches the origin of a dark
//! site, and of a lit one the plain ones do: else nobody was there to count.

use std::net::SocketAddr;
use std::time::Duration;

use relight_engine::edge::http::Client;
use serde_json::{Value, json};

use crate::origin::{Counts, STARTED};
use crate::rig::{aliases, host, key};
use crate::town::Town;

/// Spellings of a site as raw bytes (INCIDENT 8.1): `@` stands for its host, `^` for the same in
/// upper case, `~` for its alias, `%` for the host of another one that is dark too.
const VARIANTS: [&str; 14] = [
    "GET / HTTP/1.1\r\nHost: @\r\n",
    "GET / HTTP/1.1\r\nHost: ^\r\n",
    "GET / HTTP/1.1\r\nHost: ~\r\n",
    "POST / HTTP/1.1\r\nHost: @\r\nContent-Length: 0\r\n",
    "GET / HTTP/1.1\r\nHost: @:8080\r\n",
    "GET / HTTP/1.1\r\nHost: @.\r\n",
    "GET / HTTP/1.1\r\nHost: @.:8080\r\n",
    "GET http://@/ HTTP/1.1\r\nHost: @\r\n",
    "GET http://%/ HTTP/1.1\r\nHost: @\r\n",
    "GET http://@/ HTTP/1.1\r\nHost: %\r\n",
    "GET / HTTP/1.1\r\nHost: nobody.example.qc\r\n",
    "GET / HTTP/1.0\r\n",
    "GET / HTTP/1.1\r\nHost: %\r\nHost: @\r\n",
    "GET / HTTP/1.1\r\nHost:   @  \r\n",
];
/// The first ones: whoever spells a lit site so is served by it, on every edge.
const CONTROLS: usize = 4;

/// What the spellings of a site reach on each listener while it is dark, and the plain ones while
/// it is lit. The next site shares its fate. Nobody else may visit meanwhile.
pub(crate) fn matrix(town: &Town, listeners: &[SocketAddr], site: usize, counts: &Counts) -> Value {
    let pair = [key(site), key(site + 1)];
    town.darken(&pair);
    let reached = reaching(listeners, &VARIANTS, site, counts);
    [site, site + 1].into_iter().for_each(|site| counts.may_be_lit(site));
    town.clear(&pair);
    let controls = &VARIANTS[..CONTROLS];
    let served = reaching(listeners, controls, site, counts);
    json!({"listeners": listeners, "variants": VARIANTS.len(), "reached": reached.len(),
           "which_reached": reached, "controls": CONTROLS,
           "controls_missed": listeners.len() * CONTROLS - served.len()})
}

/// The spellings that reach an origin, whichever it is.
fn reaching(
    listeners: &[SocketAddr],
    variants: &[&'static str],
    site: usize,
    counts: &Counts,
) -> Vec<&'static str> {
    let (alias, host, other) = (aliases(site).concat(), host(site), host(site + 1));
    let reaches = |listener: SocketAddr, variant: &str| {
        let request = variant.replace('@', &host).replace('^', &host.to_uppercase());
        let request = request.replace('~', &alias).replace('%', &other);
        let request = format!("{request}{STARTED}: {}\r\n\r\n", counts.now());
        let before = counts.all();
        let mut visitor = Client::connect(listener).unwrap();
        visitor.answer_wait_max = Duration::from_secs(30);
        // A refused spelling may end the connection without an answer; only the origin counts.
        let _ = visitor.exchange(request.as_bytes(), false);
        counts.all() > before
    };
    let all = listeners.iter().flat_map(|listener| variants.iter().map(move |it| (*listener, *it)));
    all.filter(|(listener, variant)| reaches(*listener, variant)).map(|(_, it)| it).collect()
}
