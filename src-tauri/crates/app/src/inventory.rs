//! How two files compare, stream by stream and packet by packet.

use crate::explain;
use frameloom_core::error::AppError;
use std::path::Path;

pub use frameloom_media::{
    Aspect, Comparison, DiffOptions, Difference, FirstTime, Inventory, Rule, Scope, StreamPair,
};

/// Compares two files.
///
/// # Errors
/// One of them is missing, unreadable or no media, in a sentence.
pub fn compare(a: &Path, b: &Path, options: &DiffOptions) -> Result<Comparison, AppError> {
    let take = |path: &Path| {
        Inventory::take(path, &Default::default()).map_err(|error| explain::media(&error))
    };
    Ok(take(a)?.compare(&take(b)?, options))
}
