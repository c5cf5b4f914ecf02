//! Why the policy forbids an act. The codes are stable; the sentences stand in the catalogue.

/// The rule that forbids an act.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Refusal {
    /// Nothing would be switched.
    Empty,
    /// Only the command of the incident proposes this.
    NotCommander,
    /// Only who was asked to approve, or the command, does.
    NotApprover,
    /// A token is not a person.
    Token,
    /// A signature needs a passkey that was shown lately.
    NotPresent,
    /// Breaking glass needs a key of hardware.
    NoHardwareKey,
    /// Nobody relights by breaking glass.
    GlassRelights,
    /// A protected site is in the plan.
    Protected,
    /// Nobody proposed it.
    UnknownAction,
    /// The hash is not the one of the plan that waits.
    OtherHash,
    /// What a second person agrees to is not what waits any more.
    OtherRequest,
    /// It is older than a plan may be.
    Expired,
    /// Somebody refused it.
    Refused,
    /// It was carried out.
    Done,
    /// Who proposes does not approve.
    Proposer,
    /// The same person signed already.
    SignedAlready,
    /// The seats that this person could take are taken.
    NoSeat,
    /// The number of sites was not typed as it is.
    WrongNumber,
    /// Seats are empty.
    SeatsEmpty,
    /// Too much was switched alone meanwhile.
    AloneTooMuch,
    /// As many plans of the same proposer, or of programs, wait as may.
    TooManyWaiting,
    /// Only who signed the plan takes it back, and the command what glass was broken for.
    NotSigner,
    /// A plan about parts is not taken back: another one opens or closes them again.
    PartsStay,
    /// Who broke the glass does not review it.
    OwnReview,
    /// A reason is missing.
    NoReason,
    /// For a vital site only the command answers as the second.
    CommandAnswers,
}

impl Refusal {
    /// Every one of them.
    pub const ALL: [Self; 26] = [
        Self::Empty,
        Self::NotCommander,
        Self::NotApprover,
        Self::Token,
        Self::NotPresent,
        Self::NoHardwareKey,
        Self::GlassRelights,
        Self::Protected,
        Self::UnknownAction,
        Self::OtherHash,
        Self::OtherRequest,
        Self::Expired,
        Self::Refused,
        Self::Done,
        Self::Proposer,
        Self::SignedAlready,
        Self::NoSeat,
        Self::WrongNumber,
        Self::SeatsEmpty,
        Self::AloneTooMuch,
        Self::TooManyWaiting,
        Self::NotSigner,
        Self::PartsStay,
        Self::OwnReview,
        Self::NoReason,
        Self::CommandAnswers,
    ];

    /// The stable name used in documents.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Empty => "empty-plan",
            Self::NotCommander => "not-commander",
            Self::NotApprover => "not-approver",
            Self::Token => "token",
            Self::NotPresent => "not-present",
            Self::NoHardwareKey => "no-hardware-key",
            Self::GlassRelights => "glass-relights",
            Self::Protected => "protected",
            Self::UnknownAction => "unknown-action",
            Self::OtherHash => "other-hash",
            Self::OtherRequest => "other-request",
            Self::Expired => "expired",
            Self::Refused => "refused",
            Self::Done => "done",
            Self::Proposer => "proposer",
            Self::SignedAlready => "signed-already",
            Self::NoSeat => "no-seat",
            Self::WrongNumber => "wrong-number",
            Self::SeatsEmpty => "seats-empty",
            Self::AloneTooMuch => "alone-too-much",
            Self::TooManyWaiting => "too-many-waiting",
            Self::NotSigner => "not-signer",
            Self::PartsStay => "parts-stay",
            Self::OwnReview => "own-review",
            Self::NoReason => "no-reason",
            Self::CommandAnswers => "command-answers",
        }
    }
}
