//! Decimal numbers with fifteen places: what the specifications write down is exact in them, and
//! every machine rounds alike.

use std::ops::{Add, Mul, Sub};

/// A number times 10^15. Those of CVSS stay below 100, so that a product fits twice over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Fixed(i128);

const ONE: i128 = 1_000_000_000_000_000;

impl Fixed {
    pub(super) const ZERO: Self = Self(0);
    pub(super) const ONE: Self = Self(ONE);

    /// A weight as the specifications write it, in ten-thousandths: `8_500` is 0.85.
    pub(super) const fn weight(ten_thousandths: i128) -> Self {
        Self(ten_thousandths * (ONE / 10_000))
    }

    pub(super) const fn tenths(tenths: u16) -> Self {
        Self(tenths as i128 * (ONE / 10))
    }

    /// To the nearest tenth, halves away from zero (version 2).
    pub(super) const fn rounded(self) -> Self {
        let (unit, half) = (ONE / 10, if self.0 < 0 { -ONE / 20 } else { ONE / 20 });
        Self((self.0 + half) / unit * unit)
    }

    pub(super) fn power(self, exponent: u32) -> Self {
        (0..exponent).fold(Self::ONE, |product, _| product * self)
    }

    /// The smallest number of tenths that is not below (version 3.0).
    pub(super) fn ceil(self) -> u16 {
        tenths_of((self.0 + ONE / 10 - 1).div_euclid(ONE / 10))
    }

    /// The same after rounding to five places (version 3.1, appendix A).
    pub(super) fn round_up(self) -> u16 {
        let unit = ONE / 100_000;
        let rounded = (self.0 + unit / 2).div_euclid(unit);
        tenths_of((rounded + 9_999).div_euclid(10_000))
    }

    /// What was rounded before, as a score.
    pub(super) fn score(self) -> u16 {
        tenths_of(self.0 / (ONE / 10))
    }
}

/// Every score is between 0 and 10.
fn tenths_of(tenths: i128) -> u16 {
    u16::try_from(tenths.clamp(0, 100)).unwrap_or(0)
}

impl Add for Fixed {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self(self.0 + other.0)
    }
}

impl Sub for Fixed {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        Self(self.0 - other.0)
    }
}

impl Mul for Fixed {
    type Output = Self;

    fn mul(self, other: Self) -> Self {
        Self(self.0 * other.0 / ONE)
    }
}
