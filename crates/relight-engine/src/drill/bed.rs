//! The way to an edge that is rehearsed on: its driver and its listeners, or what plays them.

use relight_edge::{EdgeDriver, EdgeError, Listener, Prober};

use super::DrillEdge;
use crate::reconcile::{Eyes, Listeners};

/// The way to the edge that is rehearsed on.
pub trait Bed {
    /// Its driver, opened anew.
    ///
    /// # Errors
    /// It cannot be opened.
    fn driver(&self) -> Result<Box<dyn EdgeDriver>, EdgeError>;

    /// What looks at it from outside.
    ///
    /// # Errors
    /// Its listeners cannot be asked.
    fn eyes(&self) -> Result<Box<dyn Eyes>, EdgeError>;

    /// Its public listeners, to be asked in other ways.
    ///
    /// # Errors
    /// As [`Bed::eyes`].
    fn listeners(&self) -> Result<Vec<Listener>, EdgeError>;
}

impl Bed for DrillEdge {
    fn driver(&self) -> Result<Box<dyn EdgeDriver>, EdgeError> {
        relight_edge::open(&self.target)
    }

    fn eyes(&self) -> Result<Box<dyn Eyes>, EdgeError> {
        Ok(Box::new(Listeners::new(Prober::all(&self.target)?)))
    }

    fn listeners(&self) -> Result<Vec<Listener>, EdgeError> {
        Listener::all(&self.target)
    }
}
