//! Random comparisons in every scheme: no panic, and the laws that keys promise. Prints what one
//! comparison and one key cost. `cargo xtask fuzz [SEED] [COMPARISONS]`.
#![expect(clippy::print_stdout, reason = "a program for developers")]

use std::process::ExitCode;
use std::time::{Duration, Instant};

use relight_match::{Key, VersionScheme, compare, key};

/// Comparisons in all schemes together, unless another number is given.
const COMPARISONS: usize = 10_000_000;

const PIECES: [&str; 40] = [
    "0",
    "1",
    "2",
    "10",
    "007",
    "99999999999999999999",
    ".",
    ".",
    ".",
    "-",
    "_",
    "+",
    "~",
    "^",
    ":",
    "!",
    "#",
    " ",
    "a",
    "b",
    "rc",
    "RC",
    "beta",
    "alpha",
    "final",
    "sp",
    "ga",
    "dev",
    "post",
    "pre",
    "p",
    "r",
    "v",
    "go",
    "x",
    "*",
    "${",
    "é",
    "α",
    "\u{10ffff}",
];

fn main() -> ExitCode {
    let number = |place: usize, default: usize| {
        std::env::args().nth(place).and_then(|text| text.parse().ok()).unwrap_or(default)
    };
    let (seed, count) = (number(1, 1), number(2, COMPARISONS));
    println!("seed {seed}, {count} comparisons");
    let mut state = (seed as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let schemes = VersionScheme::ALL.len();
    let each = count / schemes + 1;
    let broken: usize = VersionScheme::ALL.into_iter().map(|it| fuzz(it, each, &mut state)).sum();
    // Who panics does not come to this line.
    println!("{} comparisons in {schemes} schemes, no panic, {broken} broken laws", each * schemes);
    if broken == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Compares neighbours of a stream of versions; gives the number of broken laws.
fn fuzz(scheme: VersionScheme, count: usize, state: &mut u64) -> usize {
    const BATCH: usize = 1_000;
    let (mut broken, mut ordered) = (0, 0);
    let (mut comparing, mut keying) = (Duration::ZERO, Duration::ZERO);
    for _ in 0..count.div_ceil(BATCH) {
        let versions: Vec<String> = (0..=BATCH).map(|_| version(state)).collect();
        let (orders, spent) = timed(|| {
            let pairs = versions.windows(2);
            pairs.map(|pair| compare(scheme, &pair[0], &pair[1])).collect::<Vec<_>>()
        });
        comparing += spent;
        let (keys, spent) =
            timed(|| versions.iter().map(|text| key(scheme, text)).collect::<Vec<_>>());
        keying += spent;
        for (at, order) in orders.iter().enumerate() {
            ordered += usize::from(order.is_some());
            let back = compare(scheme, &versions[at + 1], &versions[at]);
            // PHP's raw order is not the one of Composer's keys.
            let same = match (&keys[at], &keys[at + 1]) {
                (Key::Ordered(a), Key::Ordered(b)) if scheme != VersionScheme::Composer => {
                    *order == Some(a.cmp(b))
                }
                _ => true,
            };
            if !same || back != order.map(std::cmp::Ordering::reverse) {
                println!("    {scheme:?}: {:?} {:?}", versions[at], versions[at + 1]);
                broken += 1;
            }
        }
    }
    let each = |spent: Duration| spent.as_nanos() / count.max(1) as u128;
    let (compare_ns, key_ns) = (each(comparing), each(keying));
    println!(
        "{:10} {count:8} comparisons, {ordered:8} of them ordered, {broken} broken; \
         compare {compare_ns:5} ns, key {key_ns:5} ns",
        scheme.as_str()
    );
    broken
}

fn timed<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let start = Instant::now();
    let result = work();
    (result, start.elapsed())
}

fn version(state: &mut u64) -> String {
    let mut below = |end: usize| {
        *state ^= *state >> 12;
        *state ^= *state << 25;
        *state ^= *state >> 27;
        usize::try_from(state.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33).unwrap_or(0) % end
    };
    // Half of them look like versions, so that strict schemes have something to order, too.
    let mut text = String::new();
    if below(2) == 0 {
        text = format!("{}.{}.{}", below(3), below(12), below(3));
        if below(3) > 0 {
            return text + ["-", ".", "-r", "_p", "+"][below(5)] + PIECES[below(6)];
        }
    }
    let length = 1 + below(9);
    (0..length).for_each(|_| text.push_str(PIECES[below(PIECES.len())]));
    text
}
