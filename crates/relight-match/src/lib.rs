//! Version order, affected ranges, alias groups, findings. Pure: the same inputs give the same
//! findings on any machine, and versions are compared nowhere else.

mod advisories;
mod alias;
mod authority;
mod bindings;
mod bracket;
mod build;
mod by_cpe;
mod coverage;
mod cpe;
mod cvss;
mod distro;
mod entry;
mod form;
mod group;
mod heard;
mod key;
mod loose;
mod matcher;
mod native;
mod npm;
mod opinion;
mod order_line;
mod owner;
mod package;
mod priority;
mod question;
mod range;
mod record;
mod release;
mod similar;
mod sorted;
mod spread;
mod ssvc;
mod standing;
mod version;
mod version_set;
mod vex;

pub use advisories::{Advisories, Change, Moved};
pub use alias::{Attachment, id as normal_id, links as linked_ids};
pub use authority::{OWN_PREFIX, Policy, Rank};
pub use bindings::{BINDINGS, Binding, CLONES, OwnBinding};
pub use by_cpe::{CPE_STATED_MAX, CpeOpinion};
pub use coverage::{Spoken, spoken};
pub use cpe::{CPE_BYTES_MAX, Cpe, CpeFit};
pub use cvss::{
    CVSS_BYTES_MAX, CvssError, CvssScores, CvssVersion, base_score, cvss_fault, cvss_scores,
};
pub use group::{Group, UNREAD};
pub use key::{Key, NoOrder, SortKey};
pub use matcher::{Delta, Difference, Identities, Match, Matcher};
pub use native::{NATIVE_RANGE_BYTES_MAX, parse_range, parse_vers, print_range};
pub use npm::{NpmOptions, NpmRange, NpmVersion};
pub use opinion::{Flag, Judgement, Opinion, Rule, Stand, Why};
pub use order_line::{ORDER_LINE_BYTES_MAX, OrderLine, judge_line, judge_line_by};
pub use package::package_of;
pub use priority::{Priority, REASON_CODES, Reason, SiteFacts, UNSCORED_WORST_S};
pub use question::{
    Constraint, Operator, PackageQuestion, QUESTION_BYTES_MAX, Question, QuestionError,
};
pub use similar::{Comparison, INSIDE_VALUES_MIN, Likeness, may_hide};
pub use ssvc::{Decision as SsvcDecision, Points as SsvcPoints, decide as ssvc_decision};
pub use version::{VERSION_BYTES_MAX, Version, VersionScheme, compare, key, scheme_of};
pub use version_set::{Relation, VersionSet};
pub use vex::{Effect, Enclosure, Overlay, Statement};

/// Changes whenever the same advisories and components may give other findings than before: a
/// digest of verdicts stands beside it in `tests/it/verdicts.rs`.
pub const MATCHER_REVISION: u32 = 23;
