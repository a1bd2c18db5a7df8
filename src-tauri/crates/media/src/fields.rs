//! Is a clip interlaced, and which field comes first? What its flags say, and what its lines say.

use crate::error::MediaError;
use crate::ffi::input::{Input, Look};
use crate::ffi::packet::Packet;
use crate::ffi::parser::PictureParser;
use crate::filter::{FilterGraph, FilterInput, FilterSpec};
use crate::frame::Frame;
use crate::reader::{Reader, ReaderOptions};
use frameloom_core::media::{FieldOrder, StreamInfo, VideoInfo};
use frameloom_core::time::Rational;
use std::path::Path;

/// Frames that are looked at from the start of the clip, and again further into it, where titles
/// and black are over.
const FRAMES_AT_START: usize = 72;
const FRAMES_INSIDE: usize = 48;

/// What is known of the fields of a clip.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FieldReport {
    /// The order; [`FieldOrder::Unknown`] where neither flags nor lines tell.
    pub order: FieldOrder,
    /// The frames themselves carry the flag, so that a mixed clip can be treated frame by frame.
    pub flagged: bool,
    /// Film brought to video by 3:2 pulldown.
    pub telecine: Option<Telecine>,
}

/// How pulldown is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Telecine {
    /// Whole film frames, with a flag that asks players to repeat a field.
    Soft,
    /// The repeated fields are part of the pictures.
    Hard,
}

/// Codecs whose pictures are never interlaced, or so seldom that decoding every clip for it would
/// cost more than it gives.
const PROGRESSIVE_CODECS: &[&str] = &[
    "apng", "av1", "gif", "hap", "hevc", "png", "qtrle", "theora", "vp8", "vp9", "vvc", "webp",
];

/// Codecs of film on broadcast and disc: whole frames, of which each says by itself whether a field
/// of it is repeated, or whether it is two fields after all.
const PULLDOWN_CODECS: &[&str] = &["mpeg2video", "vc1"];

/// Codecs that may say the same in messages beside the picture (Rec. ITU-T H.264, D.2.3), which
/// nearly no clip does: so the messages are read before anything is decoded.
const PULLDOWN_IN_MESSAGES: &[&str] = &["h264"];

/// Bytes of packets that are read for their messages at most, at each place.
const MESSAGE_BYTES: usize = 24 << 20;

/// Finds out whether the main video of a file is interlaced. Flags are believed; where the file
/// says nothing, the lines of some frames are compared. `stream` and `video` are those of the
/// probe.
///
/// Decodes up to [`FRAMES_AT_START`] + [`FRAMES_INSIDE`] frames, and none where the file says that
/// the clip is progressive in a codec that has no pulldown, or none of its pictures asks for it.
///
/// # Errors
/// Those of [`Reader`].
pub fn detect_fields(
    path: &Path,
    stream: &StreamInfo,
    video: &VideoInfo,
    options: &ReaderOptions,
) -> Result<FieldReport, MediaError> {
    let progressive = FieldReport {
        order: FieldOrder::Progressive,
        flagged: false,
        telecine: None,
    };
    if video.field_order == FieldOrder::Progressive && !may_repeat(path, stream, options)? {
        return Ok(progressive);
    }
    let seldom = PROGRESSIVE_CODECS.contains(&stream.codec.as_str());
    if video.field_order == FieldOrder::Unknown && seldom {
        return Ok(progressive);
    }
    let mut reader = Reader::open(path, options)?;
    let mut counts = Counts::default();
    look(&mut reader, FRAMES_AT_START, &mut counts)?;
    let start = stream.start_ticks.unwrap_or(0);
    if let Some(length) = stream.duration_ticks
        && counts.frames == FRAMES_AT_START
    {
        reader.seek_before(start.saturating_add(length / 3))?;
        look(&mut reader, FRAMES_INSIDE, &mut counts)?;
    }
    Ok(counts.report(video.field_order))
}

/// True if pictures of a clip may ask for a field to be shown once more.
fn may_repeat(
    path: &Path,
    stream: &StreamInfo,
    options: &ReaderOptions,
) -> Result<bool, MediaError> {
    let codec = stream.codec.as_str();
    if PULLDOWN_CODECS.contains(&codec) {
        return Ok(true);
    }
    if !PULLDOWN_IN_MESSAGES.contains(&codec) {
        return Ok(false);
    }
    let mut input = crate::source::open(path, Look::Pictures, &options.cancel)?;
    let index = stream.index as usize;
    let parser = match input.stream(index) {
        Some(stream) => PictureParser::open(stream)?,
        None => None,
    };
    let Some(mut parser) = parser else {
        return Ok(false);
    };
    input.keep_streams(|i| i == index);
    if any_repeats(&mut input, &mut parser, FRAMES_AT_START)? {
        return Ok(true);
    }
    let Some(length) = stream.duration_ticks else {
        return Ok(false);
    };
    let start = stream.start_ticks.unwrap_or(0);
    match input.seek(index, start.saturating_add(length / 3)) {
        Ok(()) => any_repeats(&mut input, &mut parser, FRAMES_INSIDE),
        Err(MediaError::Cancelled) => Err(MediaError::Cancelled),
        // A file that cannot be entered in its middle was looked at where it begins.
        Err(_) => Ok(false),
    }
}

/// True if one of the next `limit` pictures asks for it.
fn any_repeats(
    input: &mut Input,
    parser: &mut PictureParser,
    limit: usize,
) -> Result<bool, MediaError> {
    let mut packet = Packet::new()?;
    let mut bytes = 0;
    for _ in 0..limit {
        if bytes > MESSAGE_BYTES || !input.read(&mut packet)? {
            break;
        }
        if parser.repeats_field(&packet) {
            return Ok(true);
        }
        bytes += packet.data().len();
    }
    Ok(false)
}

/// What was seen.
#[derive(Debug, Default)]
struct Counts {
    frames: usize,
    flagged_top: usize,
    flagged_bottom: usize,
    repeat_flags: usize,
    lines_top: usize,
    lines_bottom: usize,
    lines_whole: usize,
    repeated_fields: usize,
}

impl Counts {
    fn report(&self, stated: FieldOrder) -> FieldReport {
        let flagged = self.flagged_top + self.flagged_bottom;
        let telecine = self.telecine();
        let few = flagged * 10 < self.frames.max(1);
        // Pulldown by flags is of whole frames, whatever order of fields is stated with it.
        let whole = few && telecine == Some(Telecine::Soft);
        let stated = if whole {
            FieldOrder::Progressive
        } else {
            stated
        };
        // Containers tell the order of fields in two ways that contradict each other (which is
        // stored first, or shown first), and muxers mix them up; a decoder means what is shown.
        let mostly = flagged * 2 >= self.frames.max(1);
        let by_flags = match (stated.is_interlaced() && !mostly, !few) {
            (true, _) => Some(stated),
            (false, true) if self.flagged_top >= self.flagged_bottom => Some(FieldOrder::TopFirst),
            (false, true) => Some(FieldOrder::BottomFirst),
            (false, false) if stated == FieldOrder::Progressive => Some(stated),
            (false, false) => None,
        };
        FieldReport {
            order: by_flags.unwrap_or_else(|| self.by_lines()),
            flagged: mostly,
            telecine,
        }
    }

    fn by_lines(&self) -> FieldOrder {
        let combed = self.lines_top + self.lines_bottom;
        let told = combed + self.lines_whole;
        // Fine horizontal texture is taken for combing now and then, in no steady order.
        let steady = self.lines_top.max(self.lines_bottom) * 5 >= combed * 4;
        if combed >= 8 && combed * 4 >= told && steady {
            if self.lines_top >= self.lines_bottom {
                FieldOrder::TopFirst
            } else {
                FieldOrder::BottomFirst
            }
        } else if self.lines_whole >= 8 {
            FieldOrder::Progressive
        } else {
            FieldOrder::Unknown
        }
    }

    fn telecine(&self) -> Option<Telecine> {
        // Of five frames two have a repeated field, soft or hard; slack for scene cuts and stills.
        let two_of_five = |count: usize| {
            self.frames >= 30 && count * 4 >= self.frames && count * 10 <= self.frames * 6
        };
        let combed = self.lines_top + self.lines_bottom;
        if two_of_five(self.repeat_flags) {
            Some(Telecine::Soft)
        } else if two_of_five(self.repeated_fields) && combed >= 8 && self.lines_whole >= 8 {
            Some(Telecine::Hard)
        } else {
            None
        }
    }
}

/// Looks at up to `limit` frames.
fn look(reader: &mut Reader, limit: usize, counts: &mut Counts) -> Result<(), MediaError> {
    let mut detector = None;
    for _ in 0..limit {
        let Some(frame) = reader.next_frame()? else {
            break;
        };
        counts.frames += 1;
        match frame.field_order() {
            FieldOrder::TopFirst => counts.flagged_top += 1,
            FieldOrder::BottomFirst => counts.flagged_bottom += 1,
            FieldOrder::Progressive | FieldOrder::Unknown => {}
        }
        counts.repeat_flags += usize::from(frame.inner().repeats_field());
        let graph = match &mut detector {
            Some(graph) => graph,
            None => detector.insert(open_detector(reader, &frame)?),
        };
        graph.send(&frame)?;
        count_notes(graph, counts)?;
    }
    if let Some(mut graph) = detector {
        graph.flush()?;
        count_notes(&mut graph, counts)?;
    }
    Ok(())
}

fn open_detector(reader: &Reader, frame: &Frame) -> Result<FilterGraph, MediaError> {
    let input = FilterInput {
        format: frame.format(),
        width: frame.width(),
        height: frame.height(),
        time_base: reader.time_base(),
        frame_rate: None,
        sample_aspect_ratio: Rational { num: 1, den: 1 },
        color: frame.color(),
    };
    let filter = FilterSpec {
        name: "idet",
        options: Vec::new(),
    };
    FilterGraph::open(&[filter], &input, 1)
}

fn count_notes(graph: &mut FilterGraph, counts: &mut Counts) -> Result<(), MediaError> {
    while let Some(frame) = graph.receive_raw()? {
        match frame.note(c"lavfi.idet.multiple.current_frame").as_deref() {
            Some("tff") => counts.lines_top += 1,
            Some("bff") => counts.lines_bottom += 1,
            Some("progressive") => counts.lines_whole += 1,
            _ => {}
        }
        let repeated = frame.note(c"lavfi.idet.repeated.current_frame");
        counts.repeated_fields +=
            usize::from(matches!(repeated.as_deref(), Some("top" | "bottom")));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_few_combed_looking_frames_do_not_make_a_clip_interlaced() {
        let clean = Counts {
            frames: 120,
            lines_top: 5,
            lines_bottom: 4,
            lines_whole: 90,
            ..Counts::default()
        };
        assert_eq!(
            clean.report(FieldOrder::Unknown).order,
            FieldOrder::Progressive
        );
        let unsteady = Counts {
            lines_top: 40,
            lines_bottom: 38,
            lines_whole: 20,
            ..clean
        };
        assert_eq!(
            unsteady.report(FieldOrder::Unknown).order,
            FieldOrder::Progressive
        );
        let still = Counts {
            frames: 120,
            ..Counts::default()
        };
        assert_eq!(still.report(FieldOrder::Unknown).order, FieldOrder::Unknown);
        assert_eq!(
            still.report(FieldOrder::TopFirst).order,
            FieldOrder::TopFirst
        );
    }
}
