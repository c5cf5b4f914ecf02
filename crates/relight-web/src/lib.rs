//! What people read: the message catalogue in French and English, pages, style and modules.
//!
//! View structs hold strings and numbers only and know nothing of the engine.

pub mod act_views;
pub mod actor_views;
pub mod agent_views;
pub mod assets;
pub mod audit_views;
pub mod book;
#[cfg(test)]
#[path = "../build/book.rs"]
mod book_compiler;
pub mod brief_views;
pub mod burn_views;
pub mod campaign;
#[cfg(test)]
#[path = "../build/compiler.rs"]
mod compiler;
#[cfg(test)]
mod contrast;
pub mod door_views;
pub mod edge_views;
pub mod holding;
mod lang;
pub mod look;
pub mod markup;
pub mod number;
pub mod posture_views;
pub mod public_views;
pub mod register_views;
pub mod texts;
#[cfg(test)]
mod typography;
pub mod views;
pub mod words;

pub use askama::Error as RenderError;
pub use holding::{HoldingPage, holding_html, holding_json, holding_languages, tells_channel};
pub use lang::Lang;
pub use number::Number;

/// Renders a page.
///
/// # Errors
/// A template that cannot be rendered is a bug; the caller answers with status 500.
pub fn render(page: &impl askama::Template) -> Result<String, askama::Error> {
    page.render()
}
