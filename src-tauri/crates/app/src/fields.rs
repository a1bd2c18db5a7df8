//! Interlaced sources: found out, and made progressive first unless the user says otherwise.

use crate::explain;
use frameloom_core::error::AppError;
use frameloom_core::graph::{DeinterlaceParams, InterlacedFrames, Op, Parity};
use frameloom_core::media::{FieldOrder, MediaInfo, MediaKind, Warning};
use frameloom_media::{FieldReport, ReaderOptions, Telecine, detect_fields};
use serde::{Deserialize, Serialize};
use std::path::Path;
use ts_rs::TS;

/// Are whole pictures made of fields first?
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum DeinterlaceChoice {
    /// If the source is interlaced.
    #[default]
    Auto,
    /// Never.
    Off,
    /// Also if the source does not look interlaced.
    On,
}

/// True for pictures, which are whole: numbered, animated or single.
pub(crate) fn has_no_fields(info: &MediaInfo) -> bool {
    let whole = ["gif", "apng", "webp", frameloom_media::SEQUENCE_CONTAINER];
    info.kind != MediaKind::Video || whole.contains(&info.container.as_str())
}

/// Finds out how the lines of a clip were taken and writes it into `info`; `None` for pictures.
pub(crate) fn learn(input: &Path, info: &mut MediaInfo) -> Result<Option<FieldReport>, AppError> {
    if has_no_fields(info) {
        return Ok(None);
    }
    let Some((stream, video)) = info.main_video() else {
        return Ok(None);
    };
    let report = detect_fields(input, stream, video, &ReaderOptions::default())
        .map_err(|e| explain::media(&e))?;
    let index = stream.index;
    let video = info
        .streams
        .iter_mut()
        .find(|s| s.index == index)
        .and_then(|s| s.video.as_mut());
    if let Some(video) = video
        && report.order != FieldOrder::Unknown
    {
        video.field_order = report.order;
    }
    Ok(Some(report))
}

/// The node that is put in front, if one is.
pub(crate) fn node(choice: DeinterlaceChoice, report: Option<FieldReport>) -> Option<Op> {
    let report = report?;
    let wanted = match choice {
        DeinterlaceChoice::Auto => report.order.is_interlaced(),
        DeinterlaceChoice::Off => false,
        DeinterlaceChoice::On => true,
    };
    wanted.then(|| {
        // Where the frames say it themselves, whole ones among them are left alone.
        let flagged = report.flagged && report.order.is_interlaced();
        Op::Deinterlace(DeinterlaceParams {
            frames: if flagged {
                InterlacedFrames::Flagged
            } else {
                InterlacedFrames::All
            },
            parity: match report.order {
                _ if flagged => Parity::Auto,
                FieldOrder::TopFirst => Parity::Top,
                FieldOrder::BottomFirst => Parity::Bottom,
                FieldOrder::Unknown | FieldOrder::Progressive => Parity::Auto,
            },
            ..DeinterlaceParams::default()
        })
    })
}

/// What the user should know of pulldown.
pub(crate) fn telecine(report: Option<FieldReport>) -> Option<Warning> {
    let found = report?.telecine?;
    Some(Warning::Telecine {
        soft: found == Telecine::Soft,
    })
}
