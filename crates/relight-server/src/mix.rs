//! Spreads numbers evenly, from a counter or a seed: the same input gives the same number.

/// One step of SplitMix64 (Steele, Lea and Flood 2014).
pub(crate) const fn mix(number: u64) -> u64 {
    let mut z = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn neighbours_are_spread() {
        let tenths: BTreeSet<u64> = (0..100).map(|number| mix(number) % 10).collect();
        assert_eq!(tenths.len(), 10);
    }
}
