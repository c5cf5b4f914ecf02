//! Which edge may be the second barrier of which (INCIDENT 5): it closes and opens as a whole what
//! one other edge says, so it serves nobody else.

use relight_edge::Target;

use crate::reconcile::BARRIER;

/// Why an edge cannot have the second barrier that its setting names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BarrierFault {
    /// No edge has this name.
    Missing,
    /// It is the edge itself.
    Itself,
    /// It has a second barrier of its own.
    Nested,
    /// It has sites of its own.
    HasSites,
    /// It stands behind another edge already.
    Shared,
    /// The edge is the second barrier of another one.
    InUse,
}

impl BarrierFault {
    /// Every fault.
    pub const ALL: [Self; 6] =
        [Self::Missing, Self::Itself, Self::Nested, Self::HasSites, Self::Shared, Self::InUse];

    /// Stable code, as the texts have it.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Missing => "barrier-missing",
            Self::Itself => "barrier-itself",
            Self::Nested => "barrier-nested",
            Self::HasSites => "barrier-sites",
            Self::Shared => "barrier-shared",
            Self::InUse => "barrier-in-use",
        }
    }
}

/// The second barrier of an edge among `targets`; none when it names none. `rivals` have theirs
/// before this one.
///
/// # Errors
/// What it names cannot be its second barrier.
pub fn barrier_of<'a>(
    target: &Target,
    targets: &'a [Target],
    rivals: &[Target],
    has_sites: impl Fn(&str) -> bool,
) -> Result<Option<&'a Target>, BarrierFault> {
    let Some(name) = target.settings.get(BARRIER) else { return Ok(None) };
    if *name == target.name {
        return Err(BarrierFault::Itself);
    }
    let found = targets.iter().find(|it| it.name == *name).ok_or(BarrierFault::Missing)?;
    let mut others = rivals.iter().filter(|it| it.name != target.name);
    if found.settings.contains_key(BARRIER) {
        Err(BarrierFault::Nested)
    } else if has_sites(name) {
        Err(BarrierFault::HasSites)
    } else if others.any(|it| it.settings.get(BARRIER) == Some(name)) {
        Err(BarrierFault::Shared)
    } else {
        Ok(Some(found))
    }
}

/// Whether an edge other than the one of this name has it as its second barrier.
pub fn is_barrier(name: &str, targets: &[Target]) -> bool {
    let mut others = targets.iter().filter(|it| it.name != name);
    others.any(|it| it.settings.get(BARRIER).is_some_and(|it| it == name))
}

/// What keeps an edge from being registered with its second barrier beside `targets`.
///
/// # Errors
/// As [`barrier_of`], and the edge is one itself.
pub fn check(
    target: &Target,
    targets: &[Target],
    has_sites: impl Fn(&str) -> bool,
) -> Result<(), BarrierFault> {
    let found = barrier_of(target, targets, targets, has_sites)?;
    match found.is_some() && is_barrier(&target.name, targets) {
        true => Err(BarrierFault::InUse),
        false => Ok(()),
    }
}
