//! Text inside of HTML and XML that no template writes.

/// Text of which nothing is a tag, also between the quotes of an attribute.
pub fn escaped(text: &str) -> String {
    let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    text.replace('"', "&quot;")
}
