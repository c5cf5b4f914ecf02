//! What chance alone would do: exact tails, and how many of them to believe.

/// Probability of at least `hit` marked ones among `drawn` draws without return from `all`, of
/// which `marked` are marked. Exact, by logarithms of factorials.
pub(crate) fn hypergeometric_tail(all: usize, marked: usize, drawn: usize, hit: usize) -> f64 {
    let (marked, drawn) = (marked.min(all), drawn.min(all));
    let most = marked.min(drawn);
    let least = (marked + drawn).saturating_sub(all).max(hit);
    let total = ln_choose(all, drawn);
    let one = |k: usize| (ln_choose(marked, k) + ln_choose(all - marked, drawn - k) - total).exp();
    (least..=most).map(one).sum::<f64>().min(1.0)
}

/// How much hours differ that are alike: their variance is the mean and a quarter of its square.
const SPREAD: f64 = 4.0;

/// Logarithm of the probability of at least `count` when counts have this mean and are a negative
/// binomial with [`SPREAD`].
pub(crate) fn surge_tail(mean: f64, count: u32) -> f64 {
    let stays = mean / (mean + SPREAD);
    let from = f64::from(count);
    let ways = (from + 1.0) * (from + 2.0) * (from + 3.0) / 6.0;
    let first = ways.ln() + SPREAD * (1.0 - stays).ln() + from * stays.ln();
    let (mut term, mut sum, mut at) = (1.0, 1.0, from);
    // Beyond the mean each term is smaller than the one before, so this ends.
    while term > sum * 1e-12 {
        term *= (at + SPREAD) / (at + 1.0) * stays;
        sum += term;
        at += 1.0;
    }
    (first + sum.ln()).min(0.0)
}

/// Which of several probabilities are too small for chance when at most this share of the named
/// ones may be wrong (Benjamini and Hochberg 1995).
pub(crate) fn significant(probabilities: &[f64], false_share: f64) -> Vec<bool> {
    let mut sorted = probabilities.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    let count = real(sorted.len().max(1));
    let passes =
        |(rank, p): (usize, &f64)| (*p <= real(rank + 1) / count * false_share).then_some(*p);
    let limit = sorted.iter().enumerate().filter_map(passes).next_back().unwrap_or(-1.0);
    probabilities.iter().map(|p| *p <= limit).collect()
}

fn ln_choose(from: usize, take: usize) -> f64 {
    if take > from {
        return f64::NEG_INFINITY;
    }
    ln_factorial(from) - ln_factorial(take) - ln_factorial(from - take)
}

/// Stirling's series; small ones are summed, because there the series is off by more.
fn ln_factorial(number: usize) -> f64 {
    if number < 32 {
        return (2..=number).map(|factor| real(factor).ln()).sum();
    }
    let n = real(number);
    n * n.ln() - n + 0.5 * (std::f64::consts::TAU * n).ln() + 1.0 / (12.0 * n)
        - 1.0 / (360.0 * n * n * n)
}

/// Counts here stay far below 2^53.
#[expect(clippy::cast_precision_loss, reason = "counts of sites and sources are small")]
pub(crate) fn real(number: usize) -> f64 {
    number as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(one: f64, other: f64) -> bool {
        (one - other).abs() <= 1e-9 * other.abs().max(1e-12)
    }

    /// Worked by hand with whole numbers.
    #[test]
    fn tails_of_small_draws() {
        // 10 sites, 3 of health; 4 met: P(all three) = C(7,1) / C(10,4) = 7 / 210.
        assert!(near(hypergeometric_tail(10, 3, 4, 3), 7.0 / 210.0));
        assert!(near(hypergeometric_tail(10, 3, 4, 0), 1.0));
        assert!(near(hypergeometric_tail(10, 3, 4, 1), 1.0 - 35.0 / 210.0));
        assert!(near(hypergeometric_tail(10, 3, 4, 4), 0.0));
        assert!(near(hypergeometric_tail(5, 5, 5, 5), 1.0));
        assert!(near(hypergeometric_tail(0, 0, 0, 0), 1.0));
        assert!(hypergeometric_tail(4_000, 400, 50, 40) < 1e-20);
    }

    /// Worked by hand: with a mean of 4 a coin decides, and four heads come before the first tail
    /// in one of sixteen.
    #[test]
    fn tails_of_surges() {
        assert!(near(surge_tail(4.0, 0).exp(), 1.0));
        assert!(near(surge_tail(4.0, 1).exp(), 15.0 / 16.0));
        assert!(near(surge_tail(4.0, 2).exp(), 15.0 / 16.0 - 4.0 / 32.0));
        assert!(surge_tail(70.0, 440) < -15.0 && surge_tail(70.0, 140) > -5.0);
        assert!(surge_tail(0.5, 12) < -15.0);
        assert!(surge_tail(1e6, 1_000_000) < 0.0, "ends for large means too");
    }

    #[test]
    fn factorials_meet_where_the_series_begins() {
        let exact: f64 = (2..=40).map(|factor| f64::from(factor).ln()).sum();
        assert!(near(ln_factorial(40), exact));
        assert!(near(ln_factorial(32) - ln_factorial(31), 32_f64.ln()));
    }

    #[test]
    fn the_false_share_is_spent_on_the_smallest() {
        assert_eq!(significant(&[0.001, 0.5, 0.004], 0.01), [true, false, true]);
        assert_eq!(significant(&[0.02, 0.03], 0.01), [false, false]);
        assert_eq!(significant(&[], 0.01), [] as [bool; 0]);
        // One alone must pass at its full share; among a hundred it must be far smaller.
        assert_eq!(significant(&[0.009], 0.01), [true]);
        let mut many = vec![0.9; 99];
        many.push(0.009);
        assert!(!significant(&many, 0.01)[99]);
    }
}
