//! What went wrong while serving: what was being done, to what; the cause is `source()`.

use std::error::Error;
use std::fmt;

/// A failed operation of the server.
#[derive(Debug)]
pub struct ServerError {
    context: String,
    cause: Option<Box<dyn Error + Send + Sync>>,
}

impl ServerError {
    /// An error that needs no further cause.
    pub fn new(context: impl Into<String>) -> Self {
        Self { context: context.into(), cause: None }
    }

    /// An error with what caused it.
    pub fn caused(
        context: impl Into<String>,
        cause: impl Into<Box<dyn Error + Send + Sync>>,
    ) -> Self {
        Self { context: context.into(), cause: Some(cause.into()) }
    }
}

impl fmt::Display for ServerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.context)
    }
}

impl Error for ServerError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.cause.as_deref().map(|cause| cause as _)
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    #[test]
    fn the_cause_is_the_source_and_not_text() {
        let error = ServerError::caused("listen on 127.0.0.1:80", io::Error::other("in use"));
        assert_eq!(error.to_string(), "listen on 127.0.0.1:80");
        assert_eq!(error.source().map(ToString::to_string).as_deref(), Some("in use"));
        assert!(ServerError::new("no route").source().is_none());
    }
}
