//! The bytes of a container that is read front to back, whether they can be read again or not.

use std::io::{self, Read};

use super::{Again, Body, Pipe};
use crate::window::Window;

/// Where members stand one after the other.
pub(crate) enum Feed {
    /// Bodies are ranges, without a copy.
    Window { window: Window, at: u64 },
    /// Bodies come by once.
    Pipe(Pipe),
}

impl Feed {
    pub(crate) fn of_window(window: &Window) -> Self {
        Self::Window { window: window.cached(), at: 0 }
    }

    /// Bytes taken so far.
    pub(super) fn position(&self) -> u64 {
        match self {
            Self::Window { at, .. } => *at,
            Self::Pipe(pipe) => pipe.position(),
        }
    }

    /// The next `len` bytes without taking them; fewer at the end.
    pub(super) fn peek(&self, len: usize) -> io::Result<Vec<u8>> {
        match self {
            Self::Window { window, at } => window.read_small(*at, len),
            Self::Pipe(pipe) => pipe.peek(len),
        }
    }

    /// Takes `len` bytes; fewer at the end. The caller bounds `len`.
    pub(super) fn take(&mut self, len: usize) -> io::Result<Vec<u8>> {
        match self {
            Self::Window { window, at } => {
                let bytes = window.read_small(*at, len)?;
                *at += bytes.len() as u64;
                Ok(bytes)
            }
            Self::Pipe(pipe) => pipe.get(len),
        }
    }

    /// Goes on at `position`; false when the bytes end before.
    pub(super) fn seek(&mut self, position: u64) -> io::Result<bool> {
        match self {
            Self::Window { window, at } => {
                *at = position.min(window.len());
                Ok(position <= window.len())
            }
            Self::Pipe(pipe) => pipe.seek(position),
        }
    }

    /// The next `len` bytes as a body. The feed itself stays where it is.
    pub(super) fn body(&self, len: u64) -> Body {
        match self {
            Self::Window { window, at } => Body::Plain(window.part(*at, len).uncached()),
            Self::Pipe(pipe) => Body::Stream(Box::new(pipe.part(len)), pipe.again()),
        }
    }

    /// What is made of the next `len` bytes, as a body. The feed itself stays where it is.
    pub(super) fn made(
        &self,
        len: u64,
        make: impl Fn(Box<dyn Read>) -> Box<dyn Read> + 'static,
    ) -> Body {
        match self {
            Self::Window { window, at } => {
                let part = window.part(*at, len).uncached();
                let first = make(Box::new(part.reader()));
                let again = Again::opened(1, move || Ok(make(Box::new(part.reader()))));
                Body::Stream(first, Some(again))
            }
            Self::Pipe(pipe) => {
                let first = make(Box::new(pipe.part(len)));
                Body::Stream(first, pipe.again().map(|again| again.made(len, make)))
            }
        }
    }

    /// Everything that is left, as a body.
    pub(super) fn rest(&self) -> Body {
        match self {
            Self::Window { window, at } => Body::Plain(window.part(*at, u64::MAX).uncached()),
            Self::Pipe(pipe) => Body::Stream(Box::new(pipe.clone()), pipe.again()),
        }
    }

    /// How many bytes of `len` are there, as far as that is known without reading.
    pub(super) fn has(&self, len: u64) -> bool {
        match self {
            Self::Window { window, at } => at.saturating_add(len) <= window.len(),
            Self::Pipe(_) => true,
        }
    }
}
