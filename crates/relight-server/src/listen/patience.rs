//! A connection whose other side has to take what is written to it.

use std::future::Future as _;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep};

/// A connection that is broken when it takes nothing for a while: whoever does not read holds no
/// answer, no stream and no place for ever. What waits for him meanwhile is what the system keeps
/// for one connection ([`KEPT_BYTES`]), and it takes nothing until a third of that has left.
///
/// [`KEPT_BYTES`]: super::KEPT_BYTES
#[derive(Debug)]
pub(super) struct Patience<S> {
    stream: S,
    wait_max: Duration,
    /// Since the system took nothing; `None` while it does.
    stalled: Option<Pin<Box<Sleep>>>,
}

impl<S> Patience<S> {
    /// With the longest time in which the system takes nothing.
    pub(super) const fn new(stream: S, wait_max: Duration) -> Self {
        Self { stream, wait_max, stalled: None }
    }

    /// What writing gave; an error when that is nothing, for too long.
    fn judge(
        &mut self,
        context: &mut Context<'_>,
        written: Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        if written.is_ready() {
            self.stalled = None;
            return written;
        }
        let wait_max = self.wait_max;
        // Nothing else tells that the other side does not read.
        let stalled = self.stalled.get_or_insert_with(|| Box::pin(sleep(wait_max)));
        stalled.as_mut().poll(context).map(|()| Err(io::ErrorKind::TimedOut.into()))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Patience<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Patience<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.judge(context, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(context, slices);
        self.judge(context, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
