//! The table `segments`: which parts of a job are finished and safe on the disk.

use crate::{Store, StoreError};
use frameloom_core::job::JobId;
use rusqlite::params;
use serde::{Deserialize, Serialize};

/// A finished segment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SegmentRow {
    /// 0 for the first.
    pub position: u64,
    /// Which of the clips that are shown one after another it belongs to; 0 for the first.
    #[serde(default)]
    pub clip: u32,
    /// Frames of the source that it was made of.
    pub source_frames: u64,
    /// Frames in it.
    pub frames: u64,
    /// File name of the part in the job's folder; empty if there are no frames.
    pub part: String,
    /// Size of the part.
    pub part_bytes: u64,
    /// Timestamp of the last source frame that went into it, in ticks of the source.
    pub last_source_pts: i64,
    /// Content hash of that source frame: a later run checks that its seek landed here.
    pub last_source_hash: u64,
    /// What the comparison of its frames with their sources found, as JSON.
    pub picture_check: String,
    /// Where the clips at the second inputs of nodes were, as JSON.
    #[serde(default = "no_sides")]
    pub sides: String,
}

fn no_sides() -> String {
    "[]".to_owned()
}

impl Store {
    /// Records a segment as done. Its part must be on the disk by now.
    ///
    /// # Errors
    /// The database refuses, also if the segment was recorded before.
    pub fn record_segment(
        &self,
        id: &JobId,
        segment: &SegmentRow,
        now_millis: i64,
    ) -> Result<(), StoreError> {
        self.lock().execute(
            "INSERT INTO segments (job_id, position, frames, part, part_bytes, last_source_pts, \
             last_source_hash, done_millis, picture_check, source_frames, clip, sides) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
            params![
                id.0,
                segment.position as i64,
                segment.frames as i64,
                segment.part,
                segment.part_bytes as i64,
                segment.last_source_pts,
                // SQLite has no unsigned integers: the bits are kept.
                segment.last_source_hash as i64,
                now_millis,
                segment.picture_check,
                segment.source_frames as i64,
                segment.clip,
                segment.sides,
            ],
        )?;
        Ok(())
    }

    /// The finished segments of a job in order.
    ///
    /// # Errors
    /// The database refuses.
    pub fn segments(&self, id: &JobId) -> Result<Vec<SegmentRow>, StoreError> {
        let connection = self.lock();
        let mut statement = connection.prepare(
            "SELECT position, frames, part, part_bytes, last_source_pts, last_source_hash, \
             picture_check, COALESCE(source_frames, frames), clip, sides FROM segments \
             WHERE job_id = ?1 ORDER BY position",
        )?;
        let rows = statement.query_map([&id.0], |row| {
            Ok(SegmentRow {
                position: row.get::<_, i64>(0)? as u64,
                frames: row.get::<_, i64>(1)? as u64,
                part: row.get(2)?,
                part_bytes: row.get::<_, i64>(3)? as u64,
                last_source_pts: row.get(4)?,
                last_source_hash: row.get::<_, i64>(5)? as u64,
                picture_check: row.get(6)?,
                // Rows from before the column: one frame was made of each.
                source_frames: row.get::<_, i64>(7)? as u64,
                clip: row.get(8)?,
                sides: row.get(9)?,
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Forgets the segments of a job from `position` on, as when a part turned out damaged.
    ///
    /// # Errors
    /// The database refuses.
    pub fn forget_segments_from(&self, id: &JobId, position: u64) -> Result<(), StoreError> {
        self.lock().execute(
            "DELETE FROM segments WHERE job_id = ?1 AND position >= ?2",
            params![id.0, position as i64],
        )?;
        Ok(())
    }
}
