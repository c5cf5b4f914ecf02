//! The places for open event streams: so many of each kind, and of one account no more than its
//! share, whatever it may read.

use crate::access::signed_in::Reader;
use crate::shares::{Full, Most, Share, Shares};

/// Open streams of walls of one console, and as many of lists: pages that are left open take no
/// wall its place.
pub(crate) const STREAMS_MAX: usize = 256;

/// Open streams of each kind of one account, its tokens included: more than a person looks at, and
/// few enough to leave the others theirs.
pub(crate) const STREAMS_OF_ACCOUNT_MAX: usize = 16;

/// The places of both kinds.
#[derive(Debug, Default)]
pub(crate) struct Streams {
    /// Of walls.
    pub(super) walls: Places,
    /// Of lists.
    pub(super) lists: Places,
}

impl Streams {
    /// How many are open of walls, and of lists.
    pub(crate) fn open(&self) -> [u64; 2] {
        [&self.walls, &self.lists].map(|it| it.0.count() as u64)
    }
}

/// The places of one kind, by account; whoever needs no sign-in is `None`.
#[derive(Debug, Default)]
pub(super) struct Places(Shares<Option<u32>>);

/// The place of one stream.
pub(super) type Place = Share<Option<u32>>;

impl Places {
    /// A place for a stream of this reader, for as long as it is held.
    pub(super) fn take(&self, reader: &Reader) -> Result<Place, Full> {
        let (account, own) = match reader {
            // Of people who need not say who they are nobody can tell one from another.
            Reader::Anyone => (None, usize::MAX),
            Reader::Signed(signed) => (Some(signed.account.id), STREAMS_OF_ACCOUNT_MAX),
        };
        self.0.take(account, Most { own, all: STREAMS_MAX })
    }
}

#[cfg(test)]
mod tests {
    use relight_engine::access::Account;

    use super::*;
    use crate::access::{Factor, SignedIn};

    fn reader(id: u32, factor: Factor) -> Reader {
        let account = Account { id, name: format!("a{id}"), grants: Vec::new() };
        Reader::Signed(SignedIn { account, factor, shown: 0, sign_in: Default::default() })
    }

    /// Goal: nobody takes all places, and what is dropped is free. Method: one account to its
    /// share, with a key and a token, then so many others that nothing is left.
    #[test]
    fn an_account_has_its_share_and_all_of_them_no_more_than_there_are() {
        let places = Places::default();
        let own = |factor| places.take(&reader(1, factor));
        let mut held: Vec<Place> =
            (0..STREAMS_OF_ACCOUNT_MAX).map(|_| own(Factor::Passkey).unwrap()).collect();
        assert_eq!(own(Factor::Passkey).unwrap_err(), Full::Share);
        assert_eq!(own(Factor::Token).unwrap_err(), Full::Share, "a token is no other account");
        drop(held.pop());
        held.push(own(Factor::Token).unwrap());
        let others = (2..).take(STREAMS_MAX - STREAMS_OF_ACCOUNT_MAX);
        let others: Vec<Place> =
            others.map(|id| places.take(&reader(id, Factor::Passkey)).unwrap()).collect();
        assert_eq!(places.take(&reader(1000, Factor::Passkey)).unwrap_err(), Full::All);
        assert_eq!(places.take(&Reader::Anyone).unwrap_err(), Full::All);
        drop((held, others));
        assert_eq!(places.0.count(), 0);
        // Where nobody signs in there are no accounts to share among.
        let all: Vec<_> = (0..STREAMS_MAX).map(|_| places.take(&Reader::Anyone).unwrap()).collect();
        assert_eq!(places.take(&Reader::Anyone).unwrap_err(), Full::All);
        drop(all);
    }
}
