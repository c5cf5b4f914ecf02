//! Lines on their way to the spool: bounded by their bytes, not by their number.

use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, Sender};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::tally::{Counters, add};

/// What a line costs besides its bytes.
const LINE_COST: usize = 64;

/// One line, without its end, and the room it takes until it is written.
#[derive(Debug)]
pub(super) struct Item {
    pub(super) line: Vec<u8>,
    _room: OwnedSemaphorePermit,
}

/// See the head of the file.
#[derive(Clone, Debug)]
pub(super) struct Queue {
    sender: Sender<Item>,
    room: Arc<Semaphore>,
    bytes_max: usize,
    pub(super) counters: Arc<Counters>,
}

impl Queue {
    pub(super) fn new(bytes_max: usize, counters: Arc<Counters>) -> (Self, Receiver<Item>) {
        let (sender, items) = mpsc::channel();
        let room = Arc::new(Semaphore::new(bytes_max));
        (Self { sender, room, bytes_max, counters }, items)
    }

    fn cost(&self, line: &[u8]) -> u32 {
        u32::try_from((line.len() + LINE_COST).min(self.bytes_max)).unwrap_or(u32::MAX)
    }

    /// Puts a line into the queue once there is room for it.
    pub(super) async fn put(&self, line: Vec<u8>) {
        let room = Arc::clone(&self.room).acquire_many_owned(self.cost(&line)).await;
        if let Ok(_room) = room {
            // The writer is there as long as there is a queue.
            let _ = self.sender.send(Item { line, _room });
        }
    }

    /// Puts a line of a datagram into the queue, or drops and counts it.
    pub(super) fn offer(&self, line: Vec<u8>) {
        match Arc::clone(&self.room).try_acquire_many_owned(self.cost(&line)) {
            Ok(_room) => drop(self.sender.send(Item { line, _room })),
            Err(_) => add(&self.counters.dropped, 1),
        }
    }
}
