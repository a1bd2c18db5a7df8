//! Segments as they finish: their rows, and notes beside their parts.

use crate::stopping::StopControl;
use crate::{disk, folder};
use frameloom_core::error::ErrorCode;
use frameloom_core::job::JobId;
use frameloom_engine::{EngineError, Journal, SegmentRecord};
use frameloom_store::{SegmentRow, Store, StoreError};
use std::path::Path;

/// The journal of a job in the database.
pub(super) struct StoreJournal<'a> {
    pub store: &'a Store,
    pub folder: &'a Path,
    pub output: &'a Path,
    pub control: &'a StopControl,
    pub id: &'a JobId,
}

fn journal_error(error: StoreError) -> EngineError {
    EngineError::Journal {
        disk_full: error.code() == ErrorCode::DiskFull,
        source: Box::new(error),
    }
}

impl Journal for StoreJournal<'_> {
    fn completed(&self) -> Result<Vec<SegmentRecord>, EngineError> {
        let rows = self.store.segments(self.id).map_err(journal_error)?;
        Ok(rows
            .into_iter()
            .map(|row| SegmentRecord {
                position: row.position,
                clip: row.clip,
                source_frames: row.source_frames,
                frames: row.frames,
                part: row.part,
                part_bytes: row.part_bytes,
                last_source_pts: row.last_source_pts,
                last_source_hash: row.last_source_hash,
                // Rows of older versions have none.
                check: serde_json::from_str(&row.picture_check).unwrap_or_default(),
                // Without them a clip is read from its start.
                sides: serde_json::from_str(&row.sides).unwrap_or_default(),
            })
            .collect())
    }

    fn record(&self, segment: &SegmentRecord) -> Result<(), EngineError> {
        let row = SegmentRow {
            position: segment.position,
            clip: segment.clip,
            source_frames: segment.source_frames,
            frames: segment.frames,
            part: segment.part.clone(),
            part_bytes: segment.part_bytes,
            last_source_pts: segment.last_source_pts,
            last_source_hash: segment.last_source_hash,
            picture_check: serde_json::to_string(&segment.check).unwrap_or_default(),
            sides: serde_json::to_string(&segment.sides).unwrap_or_else(|_| "[]".to_owned()),
        };
        // Only needed if the database is lost; a line too many is found out when its part is read.
        if let Err(error) = folder::append_segment(self.folder, &row) {
            tracing::warn!(%error, "a segment could not be noted beside its part");
        }
        self.store
            .record_segment(self.id, &row, crate::now_millis())
            .map_err(journal_error)?;
        if let Some(error) = disk::watch(self.folder, segment.part_bytes) {
            self.control.pause_for_room(error);
        }
        Ok(())
    }

    fn joining(&self, bytes: u64) -> Result<(), EngineError> {
        match disk::watch_output(self.output, bytes) {
            Some(error) => {
                self.control.pause_for_room(error);
                Err(EngineError::Stopped)
            }
            None => Ok(()),
        }
    }

    fn forget_from(&self, position: u64) -> Result<(), EngineError> {
        self.store
            .forget_segments_from(self.id, position)
            .map_err(journal_error)
    }
}
