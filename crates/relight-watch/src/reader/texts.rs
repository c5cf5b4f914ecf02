//! Facts by text: what was looked through once is not looked through again.

use fearless_simd::{Level, Simd, SimdBase as _, SimdFrom as _, SimdMask as _, dispatch, u16x8};

use super::hash::place_of;

/// Texts that stand in one place of [`Texts`].
const WAYS: usize = 8;

/// Facts by text. The hash of a text gives a place of eight slots, and which of them may hold it.
/// Texts stand beside their facts, because most of the time of a look-up is that of the memory.
#[derive(Debug)]
pub(super) struct Texts<T, const BYTES_MAX: usize> {
    /// Of the text in each slot of each place a part of the hash, zero when the slot is empty.
    tags: Vec<[u16; WAYS]>,
    slots: Vec<Slot<T, BYTES_MAX>>,
    /// Which slot is emptied next where none is empty, whatever the place.
    next: usize,
    /// Of a text that is not remembered.
    spare: T,
}

/// The slots with this tag, one bit each. So few bytes are compared with what every processor has:
/// to choose would take longer.
#[inline]
fn tagged(tags: &[u16; WAYS], tag: u16) -> u64 {
    #[inline(always)]
    fn equal<S: Simd>(simd: S, tags: [u16; WAYS], tag: u16) -> u64 {
        let tags = u16x8::simd_from(simd, tags);
        tags.simd_eq(u16x8::splat(simd, tag)).to_bitmask()
    }
    dispatch!(Level::baseline(), simd => equal(simd, *tags, tag))
}

/// Bytes that are known to be ASCII, as text.
pub(super) fn ascii(bytes: &[u8]) -> &str {
    str::from_utf8(bytes).unwrap_or_default()
}

/// Never zero.
const fn tag_of(hash: u64) -> u16 {
    hash as u16 | 1
}

/// A text and its facts.
#[derive(Clone, Copy, Debug)]
#[repr(C, align(64))]
pub(super) struct Slot<T, const BYTES_MAX: usize> {
    facts: T,
    /// [`NO_TEXT`] when the slot is empty.
    length: u8,
    text: [u8; BYTES_MAX],
}

/// Longer than every text that is remembered.
const NO_TEXT: u8 = u8::MAX;

impl<T: Default, const BYTES_MAX: usize> Slot<T, BYTES_MAX> {
    fn empty() -> Self {
        Self { facts: T::default(), length: NO_TEXT, text: [0; BYTES_MAX] }
    }

    fn put(&mut self, text: &[u8], make: impl FnOnce(&str) -> T) {
        self.text[..text.len()].copy_from_slice(text);
        self.length = u8::try_from(text.len()).unwrap_or(NO_TEXT);
        self.facts = make(ascii(text));
    }

    fn holds(&self, text: &[u8]) -> bool {
        self.text.get(..usize::from(self.length)) == Some(text)
    }
}

impl<T: Copy + Default, const BYTES_MAX: usize> Texts<T, BYTES_MAX> {
    pub(super) fn new(max: usize) -> Self {
        const { assert!(BYTES_MAX < NO_TEXT as usize, "a length is one byte") }
        assert!(max.is_power_of_two() && max >= WAYS, "a place is found with a mask");
        let (tags, slots) = (vec![[0; WAYS]; max / WAYS], vec![Slot::empty(); max]);
        Self { tags, slots, next: 0, spare: T::default() }
    }

    /// The facts of a text of ASCII; `hash` is that of [`hash_of`].
    #[inline]
    pub(super) fn get(&mut self, text: &[u8], hash: u64, make: impl FnOnce(&str) -> T) -> &mut T {
        if text.len() > BYTES_MAX {
            self.spare = make(ascii(text));
            return &mut self.spare;
        }
        let (place, tag) = (self.place(hash), tag_of(hash));
        let slots = &mut self.slots[place * WAYS..][..WAYS];
        let mut may_hold = tagged(&self.tags[place], tag);
        while may_hold != 0 && !slots[may_hold.trailing_zeros() as usize % WAYS].holds(text) {
            may_hold &= may_hold - 1;
        }
        let mut way = may_hold.trailing_zeros() as usize;
        if may_hold == 0 {
            way = tagged(&self.tags[place], 0).trailing_zeros() as usize;
            if way >= WAYS {
                (way, self.next) = (self.next, (self.next + 1) % WAYS);
            }
            self.tags[place][way] = tag;
            slots[way].put(text, make);
        }
        &mut slots[way % WAYS].facts
    }

    /// Brings near what says where a text would be looked up; the value says nothing.
    #[inline]
    pub(super) fn touch_place(&self, hash: u64) -> u64 {
        u64::from(self.tags[self.place(hash)][0])
    }

    /// Brings what a text would be looked up in near; the value says nothing.
    #[inline]
    pub(super) fn touch(&self, hash: u64) -> u64 {
        let place = self.place(hash);
        let way = tagged(&self.tags[place], tag_of(hash)).trailing_zeros() as usize % WAYS;
        let slot = &self.slots[place * WAYS + way];
        // A slot is two or four times what memory brings at a time.
        u64::from(slot.length ^ slot.text[BYTES_MAX / 2] ^ slot.text[BYTES_MAX - 1])
    }

    fn place(&self, hash: u64) -> usize {
        place_of(hash) & (self.tags.len() - 1)
    }
}

#[cfg(test)]
mod tests {
    use testkit::Rng;

    use super::super::hash::hash_of;
    use super::super::memory::{AGENT_BYTES_MAX, AGENTS_MAX};
    use super::*;

    fn get<const N: usize>(texts: &mut Texts<usize, N>, text: &str, facts: usize) -> usize {
        *texts.get(text.as_bytes(), hash_of(text.as_bytes()), |_| facts)
    }

    #[test]
    fn the_limits_are_reached_and_change_no_answer() {
        let mut texts: Texts<usize, AGENT_BYTES_MAX> = Texts::new(AGENTS_MAX);
        let name = |number: usize| format!("agent {number}");
        for number in (0..4 * AGENTS_MAX).chain(0..4 * AGENTS_MAX) {
            assert_eq!(get(&mut texts, &name(number), number), number);
        }
        assert_eq!(texts.slots.len(), AGENTS_MAX);
        let long = "a".repeat(AGENT_BYTES_MAX + 1);
        assert_eq!([1, 2].map(|facts| get(&mut texts, &long, facts)), [1, 2], "not kept");
        assert_eq!([3, 4].map(|facts| get(&mut texts, &long[1..], facts)), [3, 3]);
        assert_eq!([5, 6].map(|facts| get(&mut texts, "", facts)), [5, 5]);
    }

    /// Goal: where texts meet, and where their hashes are the same, none is taken for another, and
    /// one makes room only where there is none. Method: more texts than slots, in one place.
    #[test]
    fn texts_that_meet_are_told_apart() {
        let mut rng = Rng::new(8);
        for alike in [u64::MAX, 0xffff, 0] {
            let mut texts: Texts<usize, 8> = Texts::new(WAYS);
            let mut get = |number: usize, facts| {
                let text = format!("text {number}");
                let hash = hash_of(text.as_bytes()) & !alike | alike & 0x5aa5;
                *texts.get(text.as_bytes(), hash, |_| facts)
            };
            for turn in 0..3 * WAYS {
                assert_eq!(get(turn % WAYS, turn), turn % WAYS, "nobody had to go");
            }
            let mut known = 0;
            for turn in 0..4_000 {
                let number = rng.below(WAYS + 4);
                let fresh = (turn + WAYS) * 100 + number;
                let facts = get(number, fresh);
                assert!(facts == number || facts % 100 == number, "{number}: {facts}");
                known += usize::from(facts != fresh);
            }
            assert!((1_600..3_600).contains(&known), "{known}");
        }
    }

    #[test]
    fn every_place_is_used() {
        let mut texts: Texts<usize, AGENT_BYTES_MAX> = Texts::new(AGENTS_MAX);
        for number in 0..16 * AGENTS_MAX {
            get(&mut texts, &format!("agent {number}"), number);
        }
        assert!(texts.slots.iter().all(|slot| slot.length != NO_TEXT));
    }
}
