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
    if is_text {
        return of_text(text_of(path, wish.charset)?, path, cancel);
    }
    let input = crate::source::open(path, Look::Pictures, cancel)?;
    of_input(input, path, wish.track, false)
}

/// Reads the text of a file of subtitles.
pub(super) fn of_text(
    text: String,
    path: &Path,
    cancel: &Arc<AtomicBool>,
) -> Result<Subtitles, MediaError> {
    crate::init()?;
    let format = format_of(&text);
    let input = Input::open_subtitles(text, format, path, cancel).map_err(|error| match error {
        MediaError::NotMedia { .. } => no_format(path),
        other => other,
    })?;
    of_input(input, path, None, true)
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
    let stream = input.stream(index).ok_or_else(|| no_format(path))?;
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
    match read.cues.is_empty() {
        true => Err(refused(
            path,
            said!(
                "subtitles.no_cues",
                "there is no line of subtitles in it that could be read"
            ),
            "Open it in a text editor or a player: it may be empty, damaged, or of another format \
             than its name says.",
        )),
        false => Ok(read),
    }
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

/// Brings lines into the order of their beginning and ends those that do not say when they end, or say
/// that it is before they begin. What is over before the time zero is nowhere to be seen.
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::subtitles::SubtitleFormat;
    use frameloom_core::subtitles::Retime;
    use proptest::prelude::*;

    fn cues(text: &str) -> Vec<(i64, i64, String)> {
        let read = Subtitles::of_text(text).unwrap();
        let all = read.cues.iter();
        all.map(|c| {
            (
                c.from_micros / 1000,
                c.to_micros / 1000,
                c.text().to_owned(),
            )
        })
        .collect()
    }

    #[test]
    fn what_is_over_before_zero_is_nowhere_to_be_seen_and_what_ends_before_it_begins_stays_a_while()
    {
        let text = "1\n00:00:05,000 --> 00:00:04,000\nbackwards\n\n2\n-00:00:02,000 --> 00:00:01,000\n\
                    halfway\n\n3\n00:00:01,500 --> 00:00:03,000\nwhole\n";
        let found = cues(text);
        assert!(
            found.iter().all(|(from, to, _)| *from >= 0 && to > from),
            "{found:?}"
        );
        let whole = (1500, 3000, "whole".to_owned());
        assert!(found.contains(&whole), "{found:?}");
        let backwards = (5000, 10_000, "backwards".to_owned());
        assert_eq!(found.last(), Some(&backwards));
    }

    #[test]
    fn a_line_without_an_end_stays_until_the_next_one() {
        let found = cues("[00:01.00]one\n[00:03.00]two\n[00:20.00]three\n");
        let times: Vec<(i64, i64)> = found.iter().map(|(from, to, _)| (*from, *to)).collect();
        // This format ends each with the next; only the last has none.
        assert_eq!(times, [(1000, 3000), (3000, 20_000), (20_000, 25_000)]);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(300))]
        #[test]
        fn no_text_makes_it_panic_and_what_is_read_can_be_written_and_read_again(
            parts in proptest::collection::vec(
                prop_oneof![
                    Just("00:00:01,000 --> 00:00:02,000\n".to_owned()),
                    Just("\n\n7\n".to_owned()),
                    Just("WEBVTT\n\n".to_owned()),
                    Just("[Script Info]\n[Events]\nDialogue: 0,0:00:01.00,0:00:02.00,A,,0,0,0,,".to_owned()),
                    Just("<i>{\\b1}<font color=#f00>".to_owned()),
                    Just("99:59:59,999 --> -1:00:00.5 line:50%\r".to_owned()),
                    "\\PC{0,12}",
                    "[0-9:,.> -]{0,16}",
                ],
                0..24,
            ),
            shift in -5i64..5,
        ) {
            let text: String = parts.concat();
            if let Ok(mut read) = Subtitles::of_text(&text) {
                let shift = frameloom_core::time::Rational::new(shift, 1);
                read.retime(Retime::new(shift, None).unwrap());
                for (format, _) in SubtitleFormat::ALL {
                    let (written, lost) = read.written(format).unwrap();
                    if let Ok(again) = Subtitles::of_text(&written) {
                        prop_assert!(again.cues.len() + lost <= read.cues.len() + lost);
                    }
                }
            }
        }
    }
}
