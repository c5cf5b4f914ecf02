//! A log of failures and whom the re-implemented rules flag in it, for
//! `cargo xtask bench watch --only peers`: `peer_rules SEED LINES LOG PACKETS` writes the log of
//! a web server and that of a firewall, and prints a rule and an address a line.

use std::fs;
use std::io::{self, Write as _};
use std::net::Ipv4Addr;

use relight_watch::sim::grid::peer_log;

fn main() -> io::Result<()> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [seed, lines, path, packets] = &words[..] else {
        return Err(io::Error::other("usage: peer_rules SEED LINES LOG PACKETS"));
    };
    let number = |text: &str| text.parse::<u32>().map_err(io::Error::other);
    let made = peer_log(u64::from(number(seed)?), number(lines)?);
    fs::write(path, made.log)?;
    fs::write(packets, made.packets)?;
    let mut out = io::stdout().lock();
    let rules = [("crowdsec", made.crowdsec), ("fail2ban", made.fail2ban), ("psad", made.psad)];
    for (rule, flagged) in rules {
        for source in flagged {
            writeln!(out, "{rule} {}", Ipv4Addr::from(source))?;
        }
    }
    Ok(())
}
