//! Whether the lines of a feed still are of the format of which they were: a product that was
//! updated may write others, and what no parser takes looks like silence later.

use std::collections::BTreeMap;

use super::Tally;

/// Lines over which is looked whether the format changed.
const SHAPE_LINES: u64 = 1_000;

/// Lines without which nobody tells that a feed is not recognised.
pub const RECOGNISED_LINES_MIN: u64 = 64;

/// Most changes of format that are kept of a log: one that mixes formats changes all the time.
pub(super) const CHANGES_MAX: usize = 16;

/// From one line on a feed was no longer of its format (code `format-changed`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FormatChange {
    /// The number of a line. Of those up to it, the last thousand or more that were read as events
    /// or not at all were for less than half of that format.
    pub line: u64,
    /// The format of before.
    pub from: &'static str,
    /// The format of most of them; `None` when most were read by no parser.
    pub to: Option<&'static str>,
}

/// What a reader remembers of the lines before.
#[derive(Clone, Debug, Default)]
pub(super) struct Shape {
    /// The format of the feed, as soon as that can be told.
    format: Option<&'static str>,
    /// The change to lines that nobody reads was told.
    is_lost: bool,
    /// What was counted when was looked last: events and lines of no format, and events by format.
    judged: u64,
    before: BTreeMap<&'static str, u64>,
}

impl Shape {
    /// Of a feed that had that format before, or that somebody said to have it.
    pub(super) fn of(format: &'static str) -> Self {
        Self { format: Some(format), ..Self::default() }
    }

    /// Looks at what was counted since the last time, up to this line, when it is enough. Of the
    /// events of `quick` some are not counted by format yet.
    #[inline]
    pub(super) fn weigh(&mut self, tally: &mut Tally, line: u64, quick: (&'static str, u64)) {
        let judged = (tally.events + tally.unread).saturating_sub(self.judged);
        if judged >= SHAPE_LINES {
            self.weigh_now(judged, tally, line, quick);
        }
    }

    fn weigh_now(
        &mut self,
        judged: u64,
        tally: &mut Tally,
        line: u64,
        (name, more): (&'static str, u64),
    ) {
        let mut formats = tally.formats.clone();
        if more > 0 {
            *formats.entry(name).or_default() += more;
        }
        let since = |(format, events): (&&'static str, &u64)| {
            (*events - self.before.get(format).copied().unwrap_or(0), *format)
        };
        let most = formats.iter().map(since).max();
        let most = most.filter(|(events, _)| 2 * events >= judged).map(|(_, format)| format);
        let own = self.format.map(|from| {
            let events = |of: &BTreeMap<_, _>| of.get(from).copied().unwrap_or(0);
            (from, events(&formats) - events(&self.before))
        });
        if let Some((from, events)) = own
            && 2 * events < judged
        {
            let is_news = !(self.is_lost && most.is_none());
            if is_news && tally.changes.len() < CHANGES_MAX {
                tally.changes.push(FormatChange { line, from, to: most });
            }
            self.is_lost = most.is_none();
        } else {
            self.is_lost = false;
        }
        self.format = most.or(self.format);
        self.judged = tally.events + tally.unread;
        self.before = formats;
    }
}

impl Tally {
    /// Fewer than nine in ten lines are of a format that is known (code `unrecognised`).
    pub const fn is_unrecognised(&self) -> bool {
        self.lines >= RECOGNISED_LINES_MIN && 10 * self.unread > self.lines
    }
}
