//! What may go wrong in a simulated incident.

/// What goes wrong beside what always may: seeds that once failed were found without.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Faults {
    /// An older copy of the register comes back.
    pub(crate) restores: bool,
    /// A second listener does not agree with the first.
    pub(crate) listeners: bool,
    /// A program with another matcher takes over.
    pub(crate) matchers: bool,
    /// With an older copy of the register its older term comes back, while nobody can read which
    /// the edge has seen.
    pub(crate) terms: bool,
    /// There is a second edge, which does late what it is told.
    pub(crate) late: bool,
    /// News about lit sites waits for a person.
    pub(crate) held: bool,
    /// People sign: controls, acceptances and exemptions, each with an end.
    pub(crate) signed: bool,
    /// The clock is set back.
    pub(crate) clocks: bool,
    /// There is a second barrier.
    pub(crate) walls: bool,
    /// Orders are taken back.
    pub(crate) undone: bool,
    /// Somebody rehearses.
    pub(crate) drills: bool,
}

impl Faults {
    pub(crate) const ALL: Self = Self { undone: true, drills: true, ..Self::SIGNED };
    /// What there was when seeds of what people sign failed.
    pub(crate) const SIGNED: Self =
        Self { signed: true, clocks: true, walls: true, ..Self::SECOND };
    /// What there was when seeds of two edges, of terms and of held news failed.
    pub(crate) const SECOND: Self = Self { terms: true, late: true, held: true, ..Self::BEFORE };
    /// What there was when other seeds failed.
    pub(crate) const BEFORE: Self =
        Self { restores: true, listeners: true, matchers: true, ..Self::NONE };
    pub(super) const NONE: Self = Self {
        restores: false,
        listeners: false,
        matchers: false,
        terms: false,
        late: false,
        held: false,
        signed: false,
        clocks: false,
        walls: false,
        undone: false,
        drills: false,
    };
}
