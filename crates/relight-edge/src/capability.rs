//! What an edge of a kind can do (INCIDENT 8.2), and how well that is known.

use std::collections::BTreeMap;

const SURVIVES_RELOAD: &str = "survives_reload";
const CUTS_TUNNELS: &str = "cuts_tunnels";

/// How far a kind of edge was tried, the better first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Maturity {
    /// Its whole contract runs against the real program with every test run.
    Tested,
    /// Written by the documentation and tried on an imitation: believe it after a drill.
    Experimental,
}

impl Maturity {
    /// Stable code: `tested` or `experimental`.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Tested => "tested",
            Self::Experimental => "experimental",
        }
    }
}

/// Where a capability record comes from, the best first. Only what was measured counts before a
/// drill.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Basis {
    /// Seen on the real program.
    Measured,
    /// Read in its documentation.
    Documented,
    /// Said by whoever set up the edge.
    Declared,
}

impl Basis {
    /// Stable code: `measured`, `documented` or `declared`.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Measured => "measured",
            Self::Documented => "documented",
            Self::Declared => "declared",
        }
    }
}

/// Who closes connections that were upgraded before the gate closed: the more is left to be done,
/// the later.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum CutsTunnels {
    /// The data plane does by itself when it sees the gate close.
    DataPlane,
    /// Nobody has to: the edge lets no connection be upgraded, as whoever set it up says.
    Refused,
    /// `EdgeDriver::cut` does.
    Driver,
    /// Nobody: tunnels outlive the closing of the gate, and nobody knows how many there are.
    Nobody,
}

impl CutsTunnels {
    /// Stable code: `driver`, `data-plane`, `refused` or `no`.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Driver => "driver",
            Self::DataPlane => "data-plane",
            Self::Refused => "refused",
            Self::Nobody => "no",
        }
    }
}

/// What the last drill of an edge could not try, of what dark takes: where it is only said that the
/// edge can do it, nobody has seen that yet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Untried {
    /// Nothing was there that reloads it.
    pub reload: bool,
    /// No connection could be upgraded before.
    pub tunnels: bool,
}

impl Untried {
    /// What of the record nobody has seen then, by its names.
    pub fn codes(self) -> Vec<&'static str> {
        let all = [(self.reload, SURVIVES_RELOAD), (self.tunnels, CUTS_TUNNELS)];
        all.into_iter().filter(|(is_untried, _)| *is_untried).map(|(_, code)| code).collect()
    }

    /// What these names say; others say nothing that dark takes.
    pub fn parse(codes: &[String]) -> Self {
        let has = |code: &str| codes.iter().any(|it| it == code);
        Self { reload: has(SURVIVES_RELOAD), tunnels: has(CUTS_TUNNELS) }
    }
}

/// What an edge of this kind can do (INCIDENT 8.2). Declared here, believed after a drill only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Capabilities {
    /// How far this kind was tried.
    pub maturity: Maturity,
    /// How the rest of the record is known.
    pub basis: Basis,
    /// A batch of any size takes effect at one instant.
    pub atomic_batch: bool,
    /// A change needs no reload of the edge.
    pub reload_free: bool,
    /// There is a copy of the gate that a restart reads.
    pub durable: bool,
    /// A reload by anybody keeps the gate.
    pub survives_reload: bool,
    /// The gate is there again after a reboot, where its folder is on disk.
    pub survives_reboot: bool,
    /// What the gate holds can be read back.
    pub readback: bool,
    /// A tester can reach a dark site without opening it.
    pub verify_bypass: bool,
    /// Who closes tunnels.
    pub cuts_tunnels: CutsTunnels,
    /// A section of a site can have a gate of its own. None of these three makes a site dark.
    pub section_gate: bool,
    /// Visitors from the internet can be kept out while internal ones are not.
    pub audience_gate: bool,
    /// Writing can be refused while reading is not.
    pub method_gate: bool,
}

impl Capabilities {
    /// An edge of which nothing is known but what somebody declared.
    pub const NONE: Self = Self {
        maturity: Maturity::Experimental,
        basis: Basis::Declared,
        atomic_batch: false,
        reload_free: false,
        durable: false,
        survives_reload: false,
        survives_reboot: false,
        readback: false,
        verify_bypass: false,
        cuts_tunnels: CutsTunnels::Nobody,
        section_gate: false,
        audience_gate: false,
        method_gate: false,
    };

    /// An edge that looks for its gate on each request, measured on the real program.
    pub const FILE_GATE: Self = Self {
        maturity: Maturity::Tested,
        basis: Basis::Measured,
        atomic_batch: true,
        reload_free: true,
        durable: true,
        survives_reload: true,
        survives_reboot: true,
        readback: true,
        verify_bypass: true,
        cuts_tunnels: CutsTunnels::Nobody,
        section_gate: true,
        audience_gate: true,
        method_gate: true,
    };

    /// What two edges can do that are told as one: what both can.
    #[must_use]
    pub fn weakest(self, other: Self) -> Self {
        let both = |able: fn(&Self) -> bool| able(&self) && able(&other);
        Self {
            maturity: self.maturity.max(other.maturity),
            basis: self.basis.max(other.basis),
            atomic_batch: both(|it| it.atomic_batch),
            reload_free: both(|it| it.reload_free),
            durable: both(|it| it.durable),
            survives_reload: both(|it| it.survives_reload),
            survives_reboot: both(|it| it.survives_reboot),
            readback: both(|it| it.readback),
            verify_bypass: both(|it| it.verify_bypass),
            cuts_tunnels: self.cuts_tunnels.max(other.cuts_tunnels),
            section_gate: both(|it| it.section_gate),
            audience_gate: both(|it| it.audience_gate),
            method_gate: both(|it| it.method_gate),
        }
    }

    /// The record as stable codes, in the order in which it is shown.
    pub fn record(&self) -> [(&'static str, &'static str); 13] {
        let yes = |able: bool| if able { "yes" } else { "no" };
        [
            ("maturity", self.maturity.code()),
            ("basis", self.basis.code()),
            ("atomic_batch", yes(self.atomic_batch)),
            ("reload_free", yes(self.reload_free)),
            ("durable", yes(self.durable)),
            (SURVIVES_RELOAD, yes(self.survives_reload)),
            ("survives_reboot", yes(self.survives_reboot)),
            ("readback", yes(self.readback)),
            ("verify_bypass", yes(self.verify_bypass)),
            (CUTS_TUNNELS, self.cuts_tunnels.code()),
            ("section_gate", yes(self.section_gate)),
            ("audience_gate", yes(self.audience_gate)),
            ("method_gate", yes(self.method_gate)),
        ]
    }

    /// The record that [`Self::record`] shows; what is not there, or not known, nobody can do.
    pub fn parse(record: &BTreeMap<String, String>) -> Self {
        let told = |name: &str| record.get(name).map_or("", String::as_str);
        let able = |name: &str| told(name) == "yes";
        let maturities = [Maturity::Tested, Maturity::Experimental];
        let bases = [Basis::Measured, Basis::Documented, Basis::Declared];
        let cuts = [
            CutsTunnels::DataPlane,
            CutsTunnels::Refused,
            CutsTunnels::Driver,
            CutsTunnels::Nobody,
        ];
        let none = Self::NONE;
        let maturity = maturities.into_iter().find(|it| it.code() == told("maturity"));
        let basis = bases.into_iter().find(|it| it.code() == told("basis"));
        let cuts_tunnels = cuts.into_iter().find(|it| it.code() == told(CUTS_TUNNELS));
        Self {
            maturity: maturity.unwrap_or(none.maturity),
            basis: basis.unwrap_or(none.basis),
            atomic_batch: able("atomic_batch"),
            reload_free: able("reload_free"),
            durable: able("durable"),
            survives_reload: able(SURVIVES_RELOAD),
            survives_reboot: able("survives_reboot"),
            readback: able("readback"),
            verify_bypass: able("verify_bypass"),
            cuts_tunnels: cuts_tunnels.unwrap_or(none.cuts_tunnels),
            section_gate: able("section_gate"),
            audience_gate: able("audience_gate"),
            method_gate: able("method_gate"),
        }
    }

    /// What the default policy asks for before dark may count as proven, and is not there: with
    /// anything in it no site is proven dark. What was only read or declared counts after a drill
    /// on that very edge has shown it: `drilled` is what that could not try, none without one. That
    /// an edge lets nothing be upgraded is said by its owner of any kind, and needs no drill.
    pub fn missing_for_dark(&self, drilled: Option<Untried>) -> Vec<&'static str> {
        let is_measured = self.basis == Basis::Measured;
        let untried = drilled.filter(|_| !is_measured).unwrap_or_default();
        let cuts = match self.cuts_tunnels {
            CutsTunnels::Nobody => false,
            CutsTunnels::Refused => true,
            CutsTunnels::DataPlane | CutsTunnels::Driver => !untried.tunnels,
        };
        let wanted = [
            ("readback", self.readback),
            ("durable", self.durable),
            (SURVIVES_RELOAD, self.survives_reload && !untried.reload),
            // A connection that was upgraded before the gate closed is a way to the origin.
            (CUTS_TUNNELS, cuts),
            ("drill", is_measured || drilled.is_some()),
        ];
        wanted.iter().filter(|(_, able)| !able).map(|(name, _)| *name).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_edge_without_a_read_back_or_a_durable_copy_is_never_proven_dark() {
        let whole = Some(Untried::default());
        assert_eq!(Capabilities::FILE_GATE.missing_for_dark(whole), ["cuts_tunnels"]);
        for cuts_tunnels in [CutsTunnels::Driver, CutsTunnels::DataPlane, CutsTunnels::Refused] {
            let cuts = Capabilities { cuts_tunnels, ..Capabilities::FILE_GATE };
            assert!(cuts.missing_for_dark(None).is_empty(), "{cuts_tunnels:?}");
        }
        let all = ["readback", "durable", "survives_reload", "cuts_tunnels", "drill"];
        assert_eq!(Capabilities::NONE.missing_for_dark(None), all);
        assert_eq!(Capabilities::NONE.missing_for_dark(whole), all[..4]);
        let file = Capabilities { cuts_tunnels: CutsTunnels::Refused, ..Capabilities::FILE_GATE };
        let forgets = Capabilities { survives_reload: false, ..file };
        assert_eq!(forgets.missing_for_dark(None), ["survives_reload"]);
        for basis in [Basis::Documented, Basis::Declared] {
            let told = Capabilities { basis, ..file };
            assert_eq!(told.missing_for_dark(None), ["drill"]);
            assert!(told.missing_for_dark(whole).is_empty());
        }
    }

    /// Goal: a drill shows what it tried, and nothing else. Method: each step that it may leave
    /// out, on a record that was measured and on one that is only declared.
    #[test]
    fn what_a_drill_did_not_try_is_not_believed() {
        let left = |basis: Basis, cuts_tunnels: CutsTunnels, reload: bool, tunnels: bool| {
            let able = Capabilities { basis, cuts_tunnels, ..Capabilities::FILE_GATE };
            let untried = Untried { reload, tunnels };
            let codes: Vec<String> = untried.codes().into_iter().map(str::to_owned).collect();
            assert_eq!(Untried::parse(&codes), untried);
            able.missing_for_dark(Some(untried))
        };
        for basis in [Basis::Documented, Basis::Declared] {
            for cuts in [CutsTunnels::Driver, CutsTunnels::DataPlane] {
                assert_eq!(left(basis, cuts, true, false), ["survives_reload"]);
                assert_eq!(left(basis, cuts, false, true), ["cuts_tunnels"]);
                assert_eq!(left(basis, cuts, false, false), [""; 0]);
            }
            let refused = left(basis, CutsTunnels::Refused, false, true);
            assert_eq!(refused, [""; 0], "there is nothing to cut");
        }
        assert_eq!(left(Basis::Measured, CutsTunnels::Driver, true, true), [""; 0]);
    }

    #[test]
    fn every_field_of_the_record_is_shown_once() {
        let codes = |record: Capabilities| record.record().map(|(_, value)| value);
        let none = codes(Capabilities::NONE);
        assert_eq!(none[..2], ["experimental", "declared"]);
        assert!(none[2..].iter().all(|code| *code == "no"), "{none:?}");
        let file = codes(Capabilities::FILE_GATE);
        assert_eq!(file.iter().filter(|code| **code == "no").count(), 1, "tunnels: {file:?}");
        let read = |record: Capabilities| {
            let words = record.record().map(|(name, value)| (name.to_owned(), value.to_owned()));
            Capabilities::parse(&words.into())
        };
        for record in [Capabilities::NONE, Capabilities::FILE_GATE] {
            assert_eq!(read(record), record);
        }
        assert_eq!(Capabilities::parse(&BTreeMap::new()), Capabilities::NONE);
        let mut names = Capabilities::NONE.record().map(|(name, _)| name);
        names.sort_unstable();
        assert!(names.windows(2).all(|pair| pair[0] != pair[1]));
    }
}
