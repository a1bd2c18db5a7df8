//! Reading subtitles: a file of their own, or a track of a clip.

use super::text::{format_of, is_text, text_of};
use super::{Cue, MAX_CUES, MAX_FONT_BYTES, Own, SubtitleFont, Subtitles, refused};
use crate::error::MediaError;
use crate::ffi::input::{Input, Look, Stream};
use crate::ffi::packet::Packet;
use crate::ffi::params::codec_name;
use crate::ffi::subtitle::{self, SubtitleDecoder};
use crate::ffi::util::time_base;
use ffmpeg_sys_next as sys;
use frameloom_core::said;
use frameloom_core::time::{TimeBase, Timestamp};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// How long a line without an end stays, unless another one comes.
const UNTIL_THE_NEXT_MICROS: i64 = 5_000_000;

/// What is read of a file.
#[derive(Debug, Clone, Copy, Default)]
pub struct ReadSubtitles<'a> {
    /// Index of the stream; the first one with text where `None`.
    pub track: Option<u32>,
    /// Name of the character set of a file that is nothing but subtitles; UTF-8, or UTF-16 with its
    /// mark, where `None`.
    pub charset: Option<&'a str>,
}

/// Reads the subtitles of a file.
///
/// # Errors
/// [`MediaError::Subtitles`] with a remedy for what holds no text that can be read; those of opening
/// the file.
pub fn read_subtitles(
    path: &Path,
    wish: ReadSubtitles<'_>,
    cancel: &Arc<AtomicBool>,
) -> Result<Subtitles, MediaError> {
    crate::init()?;
    // Says in words what is no file, or an empty one.
    crate::source::check_file(path)?;
    let is_text = is_text(path).map_err(|source| MediaError::NotReadable {
        source,
        path: path.into(),
    })?;
    let input = match is_text {
        true => {
            let text = text_of(path, wish.charset)?;
            let format = format_of(&text);
            Input::open_subtitles(text, format, path, cancel).map_err(|error| match error {
                MediaError::NotMedia { .. } => no_format(path),
                other => other,
            })?
        }
        false => crate::source::open(path, Look::Pictures, cancel)?,
    };
    let read = of_input(input, path, wish.track, is_text)?;
    if read.cues.is_empty() {
        return Err(refused(
            path,
            said!(
                "subtitles.no_cues",
                "there is no line of subtitles in it that could be read"
            ),
            "Open it in a text editor or a player: it may be empty, damaged, or of another format \
             than its name says.",
        ));
    }
    Ok(read)
}

fn no_format(path: &Path) -> MediaError {
    refused(
        path,
        said!(
            "subtitles.no_format",
            "it is none of the formats of subtitles that are known"
        ),
        "SRT, WebVTT and ASS are read, as are tracks of clips.",
    )
}

fn is_subtitle(stream: Stream<'_>) -> bool {
    stream.parameters().0.codec_type == sys::AVMediaType::AVMEDIA_TYPE_SUBTITLE
}

/// The stream that is meant.
fn chosen(input: &Input, path: &Path, track: Option<u32>) -> Result<usize, MediaError> {
    let codec = |stream: Stream<'_>| codec_name(stream.parameters().0.codec_id);
    let of_pictures = |codec: String| {
        refused(
            path,
            said!(
                "subtitles.pictures",
                "its subtitles are pictures of text ({codec}), and nobody reads those here",
                codec = codec
            ),
            "Choose another track, or a file with text; reading letters out of pictures is another \
             program's work.",
        )
    };
    if let Some(track) = track {
        let found = input.stream(track as usize).filter(|s| is_subtitle(*s));
        return match found.map(codec) {
            None => Err(refused(
                path,
                said!(
                    "subtitles.no_track",
                    "its stream {track} is no track of subtitles",
                    track = track
                ),
                "`frameloom probe` shows the streams of a file.",
            )),
            Some(codec) if !subtitle::is_text(&codec) => Err(of_pictures(codec)),
            Some(_) => Ok(track as usize),
        };
    }
    let mut pictures = None;
    for (index, stream) in input.streams().enumerate().filter(|(_, s)| is_subtitle(*s)) {
        match codec(stream) {
            codec if subtitle::is_text(&codec) => return Ok(index),
            codec => pictures = Some(codec),
        }
    }
    Err(match pictures {
        Some(codec) => of_pictures(codec),
        None => refused(
            path,
            said!("subtitles.none", "it holds no subtitles"),
            "Choose a file of subtitles, or a clip with a track of them; `frameloom probe` shows what \
             a file holds.",
        ),
    })
}

fn of_input(
    mut input: Input,
    path: &Path,
    track: Option<u32>,
    is_text: bool,
) -> Result<Subtitles, MediaError> {
    let index = chosen(&input, path, track)?;
    let none = || MediaError::Cancelled;
    let stream = input.stream(index).ok_or_else(none)?;
    let codec = codec_name(stream.parameters().0.codec_id);
    let base = time_base(stream.time_base()).unwrap_or(TimeBase::MICROS);
    let mut decoder = SubtitleDecoder::open(stream, path)?;
    let is_styled = matches!(codec.as_str(), "ass" | "ssa");
    let mut read = Subtitles {
        header: decoder.header(),
        is_styled,
        // Files of ASS name them; tracks always have the same ones, whatever their header says.
        has_own_fields: is_text,
        cues: Vec::new(),
        language: stream.tags().remove("language").filter(|l| l != "und"),
        fonts: if is_styled { fonts(&input) } else { Vec::new() },
        damaged: 0,
        codec,
    };
    let zero = first_picture(&input);
    input.keep_streams(|other| other == index);
    let mut packet = Packet::new()?;
    while input.read(&mut packet)? {
        if packet.stream() != index {
            continue;
        }
        let Some(events) = decoder.decode(&mut packet)? else {
            read.damaged += 1;
            continue;
        };
        if read.cues.len() + events.len() > MAX_CUES {
            return Err(refused(
                path,
                said!(
                    "subtitles.too_many",
                    "it has more than {most} lines",
                    most = MAX_CUES
                ),
                "Cut the file into parts.",
            ));
        }
        let Some(pts) = packet.pts().or(packet.dts()) else {
            read.damaged += 1;
            continue;
        };
        let micros = |ticks: i64| Timestamp::new(ticks, base).micros();
        let from_micros = micros(pts).saturating_sub(zero);
        let own = match events.as_slice() {
            [_] => own(&packet),
            _ => Own::default(),
        };
        for event in events {
            read.cues.push(Cue {
                from_micros,
                to_micros: match packet.duration() {
                    0 => i64::MIN,
                    length => from_micros.saturating_add(micros(length)),
                },
                event,
                own: own.clone(),
            });
        }
    }
    settle(&mut read.cues);
    Ok(read)
}

/// A packet in its own words.
fn own(packet: &Packet) -> Own {
    use sys::AVPacketSideDataType as S;
    let side = packet.side_data();
    let side_text = |kind: S| {
        let bytes = side.iter().find(|(k, _)| *k == kind as u32)?;
        let text = std::str::from_utf8(&bytes.1).ok()?;
        Some(text.trim_end_matches('\0').to_owned())
    };
    Own {
        text: std::str::from_utf8(packet.data()).ok().map(str::to_owned),
        name: side_text(S::AV_PKT_DATA_WEBVTT_IDENTIFIER).unwrap_or_default(),
        settings: side_text(S::AV_PKT_DATA_WEBVTT_SETTINGS).unwrap_or_default(),
    }
}

/// Brings lines into the order of their beginning and ends those that do not say when they end. What
/// ends before it begins, or before the time zero, is nowhere to be seen.
fn settle(cues: &mut Vec<Cue>) {
    cues.sort_by_key(|cue| cue.from_micros);
    let mut next = i64::MAX;
    for index in (0..cues.len()).rev() {
        let Some(cue) = cues.get_mut(index) else {
            continue;
        };
        let from = cue.from_micros;
        if cue.to_micros == i64::MIN {
            cue.to_micros = from.saturating_add(UNTIL_THE_NEXT_MICROS).min(next);
        }
        // Of several that begin together, the next is what comes behind all of them.
        if index > 0 && cues.get(index - 1).is_some_and(|c| c.from_micros < from) {
            next = from;
        }
    }
    cues.retain_mut(|cue| {
        cue.from_micros = cue.from_micros.max(0);
        cue.to_micros > cue.from_micros
    });
}

/// When the first picture of a clip is shown, in the time of its file.
fn first_picture(input: &Input) -> i64 {
    let is_video = |s: &Stream<'_>| {
        s.parameters().0.codec_type == sys::AVMediaType::AVMEDIA_TYPE_VIDEO
            && !s.has_disposition(sys::AV_DISPOSITION_ATTACHED_PIC)
    };
    let Some(stream) = input.streams().find(is_video) else {
        return 0;
    };
    match (stream.start(), time_base(stream.time_base())) {
        (Some(ticks), Some(base)) => Timestamp::new(ticks, base).micros(),
        _ => 0,
    }
}

/// The fonts that a file brings along.
fn fonts(input: &Input) -> Vec<SubtitleFont> {
    let mut left = MAX_FONT_BYTES;
    let mut fonts = Vec::new();
    for stream in input.streams() {
        let tags = stream.tags();
        let says = |key: &str, ends: &[&str]| {
            let value = tags.get(key).map(|v| v.to_ascii_lowercase());
            value.is_some_and(|v| ends.iter().any(|end| v.ends_with(end)))
        };
        let is_font = stream.parameters().0.codec_type == sys::AVMediaType::AVMEDIA_TYPE_ATTACHMENT
            && (says(
                "mimetype",
                &["font", "font-ttf", "font-otf", "ttf", "otf", "opentype"],
            ) || says("filename", &[".ttf", ".otf", ".ttc", ".otc"]));
        let bytes = stream.extradata();
        if is_font && !bytes.is_empty() && bytes.len() <= left {
            left -= bytes.len();
            fonts.push(SubtitleFont {
                bytes: bytes.to_vec(),
            });
        }
    }
    fonts
}
