//! The parts in a job's folder: which of them are whole, and what is cleared away.

use super::Context;
use super::output::{Temporary, temporary};
use super::pictures;
use crate::EngineError;
use crate::control::SegmentRecord;
use frameloom_core::job::JobSpec;
use frameloom_media::PartReader;
use std::path::Path;

/// A killed run may leave a part without its row, or a half-written result.
pub(super) fn remove_leftovers(context: &Context<'_>, spec: &JobSpec) -> Result<(), EngineError> {
    let unreadable = || EngineError::io("the job's folder cannot be read", context.work_dir);
    let recorded: Vec<String> = context
        .journal
        .completed()?
        .into_iter()
        .map(|s| s.part)
        .collect();
    for entry in std::fs::read_dir(context.work_dir).map_err(unreadable())? {
        let path = entry.map_err(unreadable())?.path();
        let name = path.file_name().map(|n| n.to_string_lossy().into_owned());
        let is_part = path
            .extension()
            .is_some_and(|e| e == "part" || e == "writing");
        if is_part && !name.is_some_and(|n| recorded.contains(&n)) {
            std::fs::remove_file(&path)
                .map_err(EngineError::io("a leftover cannot be removed", &path))?;
        }
    }
    drop(Temporary::new(temporary(&spec.output, context.work_dir)));
    pictures::remove_leftovers(&spec.output, context.work_dir);
    Ok(())
}

/// Removes the segment that was in the making; what fails here, the next run tries again.
pub(super) fn remove_unfinished(work_dir: &Path) {
    for entry in std::fs::read_dir(work_dir).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.extension().is_some_and(|e| e == "writing")
            && let Err(error) = std::fs::remove_file(&path)
        {
            tracing::warn!(%error, "an unfinished part could not be removed");
        }
    }
}

/// The recorded segments whose parts are still what was written. From the first damaged one on,
/// everything is done again.
pub(super) fn intact_segments(context: &Context<'_>) -> Result<Vec<SegmentRecord>, EngineError> {
    let mut intact = Vec::new();
    for segment in context.journal.completed()? {
        let expected = segment.position == intact.len() as u64;
        let readable = expected
            && (!segment.has_part()
                || PartReader::open(&context.work_dir.join(&segment.part))
                    .is_ok_and(|part| part.entries().len() as u64 == segment.frames));
        if !readable {
            tracing::warn!(
                segment.position,
                "a finished segment is damaged and is done again"
            );
            context.journal.forget_from(intact.len() as u64)?;
            break;
        }
        intact.push(segment);
    }
    Ok(intact)
}
