//! Which instructions the processor has that take many bytes at once.
//!
//! Looks at every byte are made once for each kind of processor that one program must run on, and
//! the best one is chosen when it runs: `dispatch!(*SIMD, simd => look(simd, bytes))`. What is
//! called there is `#[inline(always)]`, or it is made for the least processor alone.

use std::sync::LazyLock;

use fearless_simd::Level;

/// Found once, because asking a processor takes long.
pub(crate) static SIMD: LazyLock<Level> = LazyLock::new(Level::new);
