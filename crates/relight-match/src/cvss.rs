//! Scores of the Common Vulnerability Scoring System (FIRST): versions 2, 3.0, 3.1 and 4.0.

use std::error::Error;
use std::fmt;

mod fixed;
mod site;
mod v2;
mod v3;
mod v4;

pub(crate) use site::site_score;

/// Longest vector, in bytes.
pub const CVSS_BYTES_MAX: usize = 1024;

/// The version that a vector is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum CvssVersion {
    /// 2.0; its vectors have no prefix.
    V2,
    /// 3.0.
    V30,
    /// 3.1.
    V31,
    /// 4.0.
    V4,
}

impl CvssVersion {
    /// `2.0`, `3.0`, `3.1` or `4.0`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::V2 => "2.0",
            Self::V30 => "3.0",
            Self::V31 => "3.1",
            Self::V4 => "4.0",
        }
    }
}

/// What a vector is worth, in tenths (`98` is 9.8).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CvssScores {
    /// The version of the vector.
    pub version: CvssVersion,
    /// From the base metrics alone.
    pub base: u16,
    /// Base and temporal metrics; in version 4 base and threat metrics. `None` in versions 2 and 4
    /// when no such metric is given; in version 3 an absent one has a worth of its own.
    pub temporal: Option<u16>,
    /// All metrics that count; `None` in versions 2 and 4 when no environmental one is given.
    pub environmental: Option<u16>,
}

impl CvssScores {
    /// The score of the vector as a whole: the last one that its metrics ask for.
    pub fn overall(&self) -> u16 {
        self.environmental.or(self.temporal).unwrap_or(self.base)
    }

    /// The rating of the score as a whole (versions 3 and 4, section 5 and 6; for version 2 that of
    /// NVD): `none`, `low`, `medium`, `high`, `critical`.
    pub fn severity(&self) -> &'static str {
        match (self.overall(), self.version) {
            (0, CvssVersion::V2) => "low",
            (0, _) => "none",
            (1..40, _) => "low",
            (40..70, _) => "medium",
            (_, CvssVersion::V2) | (70..90, _) => "high",
            _ => "critical",
        }
    }
}

/// Why a text is no vector, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CvssError {
    /// Byte offset into the text.
    pub offset: usize,
    /// A stable code: `cvss-empty`, `cvss-too-long`, `cvss-version`, `cvss-metric`, `cvss-value`,
    /// `cvss-twice`, `cvss-missing`.
    pub code: &'static str,
    /// The part that is meant, or the metric that is missing.
    pub part: String,
}

impl fmt::Display for CvssError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no CVSS vector at byte {}: `{}` [{}]", self.offset, self.part, self.code)
    }
}

impl Error for CvssError {}

/// Reads a vector and computes what it is worth. The order of the metrics means nothing.
///
/// # Errors
/// Says where the text is no vector. Nothing is guessed: a vector with one bad metric has no score.
pub fn cvss_scores(vector: &str) -> Result<CvssScores, CvssError> {
    let metrics = Metrics::parse(vector)?;
    Ok(match metrics.version {
        CvssVersion::V2 => v2::scores(&metrics),
        CvssVersion::V30 | CvssVersion::V31 => v3::scores(&metrics),
        CvssVersion::V4 => {
            v4::scores(&metrics).ok_or_else(|| fault(vector, vector, "cvss-value"))?
        }
    })
}

/// The base score of a vector in tenths; `None` for what is no vector.
pub fn base_score(vector: &str) -> Option<u16> {
    cvss_scores(vector).ok().map(|scores| scores.base)
}

/// Why a vector is none; cheaper than its scores, for imports of many.
pub fn cvss_fault(vector: &str) -> Option<CvssError> {
    Metrics::parse(vector).err()
}

/// Which scores a metric counts for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Base,
    /// Threat, in version 4.
    Temporal,
    Environmental,
    /// Says something and counts for nothing.
    Supplemental,
}

/// Name, part and values of a metric; the value that means "not defined" is the last one of every
/// optional metric.
type Rule = (&'static str, Part, &'static [&'static str]);

/// A vector, taken apart and checked.
struct Metrics<'a> {
    version: CvssVersion,
    values: Vec<(&'static str, Part, &'a str)>,
}

impl<'a> Metrics<'a> {
    fn parse(text: &'a str) -> Result<Self, CvssError> {
        if text.len() > CVSS_BYTES_MAX {
            return Err(fault(text, "", "cvss-too-long"));
        }
        let vector = text.trim();
        if vector.is_empty() {
            return Err(fault(text, vector, "cvss-empty"));
        }
        let (version, rest) = version_of(vector).ok_or_else(|| {
            let prefix = vector.split('/').next().unwrap_or(vector);
            fault(text, prefix, "cvss-version")
        })?;
        let rules: &[Rule] = match version {
            CvssVersion::V2 => &v2::RULES,
            CvssVersion::V30 | CvssVersion::V31 => &v3::RULES,
            CvssVersion::V4 => &v4::RULES,
        };
        let mut values: Vec<(&'static str, Part, &'a str)> = Vec::new();
        for part in rest.split('/') {
            let (name, value) = part.split_once(':').unwrap_or((part, ""));
            let rule = rules.iter().find(|(known, ..)| *known == name);
            let (name, group, known) = rule.ok_or_else(|| fault(text, part, "cvss-metric"))?;
            if !known.contains(&value) {
                return Err(fault(text, part, "cvss-value"));
            }
            if values.iter().any(|(other, ..)| other == name) {
                return Err(fault(text, part, "cvss-twice"));
            }
            values.push((name, *group, value));
        }
        for (name, group, _) in rules {
            let is_given = values.iter().any(|(given, ..)| given == name);
            if *group == Part::Base && !is_given {
                let part = (*name).to_owned();
                return Err(CvssError { offset: text.len(), code: "cvss-missing", part });
            }
        }
        Ok(Self { version, values })
    }

    /// The value of a metric; `X` when it is absent or not defined.
    fn get(&self, name: &str) -> &'a str {
        let found = self.values.iter().find(|(given, ..)| *given == name);
        found.map_or("X", |(_, _, value)| if *value == "ND" { "X" } else { value })
    }

    /// Whether a metric of this part is defined.
    fn has(&self, part: Part) -> bool {
        self.values.iter().any(|(_, of, value)| *of == part && !matches!(*value, "X" | "ND"))
    }
}

/// The version, and the metrics.
fn version_of(vector: &str) -> Option<(CvssVersion, &str)> {
    let known = [
        ("CVSS:3.0/", CvssVersion::V30),
        ("CVSS:3.1/", CvssVersion::V31),
        ("CVSS:4.0/", CvssVersion::V4),
        ("CVSS2#", CvssVersion::V2),
    ];
    for (prefix, version) in known {
        if let Some(rest) = vector.strip_prefix(prefix) {
            return Some((version, rest));
        }
    }
    // Version 2 has no prefix; NVD writes it in parentheses.
    let bare = vector.strip_prefix('(').and_then(|rest| rest.strip_suffix(')')).unwrap_or(vector);
    bare.starts_with("AV:").then_some((CvssVersion::V2, bare))
}

/// `part` is a part of `text`.
fn fault(text: &str, part: &str, code: &'static str) -> CvssError {
    let offset = (part.as_ptr() as usize).saturating_sub(text.as_ptr() as usize);
    CvssError { offset: if part.is_empty() { 0 } else { offset }, code, part: part.to_owned() }
}

#[cfg(test)]
mod tests;
