//! The ids of campaigns, kept in the store.

use relight_model::Campaign;
use relight_store::{CampaignRow, Store};
use relight_watch::{Remembered, recognise};

use crate::error::EngineError;

/// Gives campaigns the ids by which they are known, and remembers them. Over the same logs nothing
/// is written.
///
/// # Errors
/// The store cannot be read or written.
pub(super) fn keep(store: &Store, campaigns: &mut [Campaign]) -> Result<(), EngineError> {
    let known = store.watch_campaigns()?;
    let remembered: Vec<Remembered> = known.iter().map(remembered).collect();
    let kept: Vec<CampaignRow> = recognise(campaigns, &remembered).into_iter().map(row).collect();
    if kept != known {
        store.put_watch_campaigns(&kept)?;
    }
    Ok(())
}

fn remembered(row: &CampaignRow) -> Remembered {
    let CampaignRow { id, first, last, part_of, marks } = row.clone();
    Remembered { id, first, last, part_of, marks }
}

fn row(remembered: Remembered) -> CampaignRow {
    let Remembered { id, first, last, part_of, marks } = remembered;
    CampaignRow { id, first, last, part_of, marks }
}
