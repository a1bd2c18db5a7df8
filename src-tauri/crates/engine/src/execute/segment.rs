//! The end of the line: frames into segments, and segments onto the disk, checked.

use super::Context;
use super::inspect::{Look, look};
use super::video::{Cut, Item, Processed};
use crate::EngineError;
use crate::control::SegmentRecord;
use frameloom_core::time::Timestamp;
use frameloom_media::{
    EncodedPacket, EncoderPlan, EncoderSpec, Frame, PartReader, PartWriter, VideoEncoder,
};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender};

/// Largest difference of the mean brightness, of 1, between the first picture that went into a
/// segment and the one that its part decodes to. Far above what any lossy encoder does.
const BRIGHTNESS_TOLERANCE: f32 = 0.04;

/// A segment that is being written.
pub(super) struct OpenSegment {
    position: u64,
    encoder: VideoEncoder,
    writer: PartWriter,
    path: PathBuf,
    pts: Vec<i64>,
    first_look: Look,
}

impl OpenSegment {
    fn open(
        position: u64,
        spec: &EncoderSpec,
        plan: &EncoderPlan,
        first: &Frame,
        work_dir: &Path,
    ) -> Result<Self, EngineError> {
        let path = work_dir.join(format!("{position:06}.writing"));
        let encoder = VideoEncoder::open(spec, plan)?;
        let writer = PartWriter::create(&path, &encoder.part_header())?;
        Ok(Self {
            position,
            encoder,
            writer,
            path,
            pts: Vec::new(),
            first_look: look(first),
        })
    }

    fn send(&mut self, processed: &Processed) -> Result<(), EngineError> {
        self.pts.push(processed.frame.pts());
        let writer = &mut self.writer;
        self.encoder
            .send(&processed.frame, &mut |packet: EncodedPacket| {
                writer.write(&packet)
            })?;
        Ok(())
    }
}

pub(super) fn encode(
    frames: Receiver<Item<Processed>>,
    next: SyncSender<(Option<OpenSegment>, Cut)>,
    spec: &EncoderSpec,
    plan: &EncoderPlan,
    context: &Context<'_>,
) -> Result<(), EngineError> {
    let mut open: Option<OpenSegment> = None;
    for item in frames {
        context.cancel.check()?;
        match item {
            Item::Frame(processed) => {
                let segment = match &mut open {
                    Some(segment) => segment,
                    None => open.insert(OpenSegment::open(
                        processed.position,
                        spec,
                        plan,
                        &processed.frame,
                        context.work_dir,
                    )?),
                };
                let shown = Timestamp::new(processed.frame.pts(), spec.time_base);
                context.progress.frame(shown.micros(), &processed.frame);
                segment.send(&processed)?;
                context.progress.done(processed.source_done);
            }
            Item::Cut(cut) => {
                if next.send((open.take(), cut)).is_err() {
                    return Ok(());
                }
            }
            Item::End => return Ok(()),
        }
    }
    context.cancel.check()
}

/// Ends segments one after another, beside the encoding of the next: draining an encoder takes as
/// long as its look-ahead, and the nodes would stand still meanwhile.
pub(super) fn finish(
    segments: Receiver<(Option<OpenSegment>, Cut)>,
    context: &Context<'_>,
) -> Result<(), EngineError> {
    for (segment, cut) in segments {
        let Cut {
            clip,
            position,
            source_frames,
            last_source_pts,
            last_source_hash,
            check: picture_check,
            sides,
        } = cut;
        let Some(segment) = segment else {
            // A low frame rate may leave out every frame of a segment.
            context.journal.record(&SegmentRecord {
                position,
                clip,
                source_frames,
                frames: 0,
                part: String::new(),
                part_bytes: 0,
                last_source_pts,
                last_source_hash,
                check: picture_check,
                sides,
            })?;
            continue;
        };
        let OpenSegment {
            position,
            mut encoder,
            mut writer,
            path,
            mut pts,
            first_look,
        } = segment;
        encoder.finish(&mut |packet: EncodedPacket| writer.write(&packet))?;
        drop(encoder);
        writer.finish()?;
        let part_bytes = std::fs::metadata(&path)
            .map_err(EngineError::io("a part cannot be read", &path))?
            .len();
        let check = |ok: bool, reason: &str| {
            if ok {
                Ok(())
            } else {
                Err(EngineError::SegmentCheck {
                    position,
                    reason: reason.to_owned(),
                })
            }
        };
        // Reads the whole file back, checksums included.
        let written = PartReader::open(&path)?.sorted_pts();
        pts.sort_unstable();
        check(
            written.len() == pts.len(),
            &format!("{} of {} frames were encoded", written.len(), pts.len()),
        )?;
        check(written == pts, "the encoder changed timestamps")?;
        let decoded = look(&frameloom_media::decode_first(&path)?);
        check(
            !first_look.was_lost_in(&decoded)
                && (first_look.mean - decoded.mean).abs() <= BRIGHTNESS_TOLERANCE,
            "the encoded picture is not the one that was processed",
        )?;
        let part = format!("{position:06}.part");
        let target = context.work_dir.join(&part);
        std::fs::rename(&path, &target)
            .map_err(EngineError::io("a part cannot be given its name", &target))?;
        context.journal.record(&SegmentRecord {
            position,
            clip,
            source_frames,
            frames: pts.len() as u64,
            part,
            part_bytes,
            last_source_pts,
            last_source_hash,
            check: picture_check,
            sides,
        })?;
    }
    Ok(())
}
