//! Everything that accepts connections: the data plane of the built-in edge, a counting origin,
//! steady visitors, the console, the public page, the listeners for logs, and that of agents.

mod access;
pub mod agents;
mod authorities;
pub mod clock;
mod console;
pub mod drill_report;
pub mod edge_proxy;
mod error;
pub mod exports;
mod gzip;
mod host;
pub mod interrupt;
pub mod journal_head;
mod listen;
mod mix;
pub mod origin;
mod page;
pub mod policy_confirmed;
pub mod policy_file;
pub mod policy_journal;
mod policy_standing;
mod policy_written;
pub mod proof;
mod public;
pub mod receive;
pub mod recover;
mod runtime;
mod secret_file;
pub mod serve;
mod shares;
pub mod signs;
mod sse;
pub mod syslog;
pub mod tokens;
pub mod told_words;
pub mod traffic;

pub use access::form::{FORM_BYTES_MAX, FORM_S_MAX};
pub use access::links::FIRST_LINK_S_MAX;
pub use access::passkey::with_weak_keys_only;
pub use access::sign_ins::SignInTimes;
pub use access::{
    Clock, Door, Entrance, FRESH_S_MAX, Factor, GroupRole, OidcSettings, RSA_BITS_LEAST,
    RSA_BITS_MIN, SignedIn,
};
pub use console::book::Manual;
pub use console::pages::{ConsolePage, Who, console_pages};
pub use error::ServerError;
pub use page::encode;
pub use public::{PublicFolder, Signer};
pub use relight_web as web;
pub use serve::{PublicHandle, WebConfig, WebHandle, WebServer, export_public};
