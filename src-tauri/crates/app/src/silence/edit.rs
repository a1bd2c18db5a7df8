//! What is kept of a clip as a list that editing programs read: the clip itself stays as it is.
//!
//! Source times are frames of the clip, counted from its first picture; a stretch grows to whole
//! frames, so that no word is clipped. The timecode of an EDL begins with that of the clip.

use crate::{Span, inputs};
use frameloom_core::error::{AppError, ErrorCode};
use frameloom_core::graph::{KeptStretch, kept_text};
use frameloom_core::media::{MediaInfo, StreamKind};
use frameloom_core::said;
use frameloom_core::time::Rational;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use ts_rs::TS;

/// How a list is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum EditFormat {
    /// CMX 3600, which nearly every editing program reads; at most 999 stretches.
    Edl,
    /// Final Cut Pro X and DaVinci Resolve.
    Fcpxml,
    /// OpenTimelineIO.
    Otio,
    /// Chapters of the whole clip, one from the beginning of each stretch on (ffmetadata).
    Chapters,
    /// The stretches themselves, as the node `cut` reads them.
    List,
}

/// Every format with its word and the ending of its files.
pub const EDIT_FORMATS: [(EditFormat, &str, &str); 5] = [
    (EditFormat::Edl, "edl", "edl"),
    (EditFormat::Fcpxml, "fcpxml", "fcpxml"),
    (EditFormat::Otio, "otio", "otio"),
    (EditFormat::Chapters, "chapters", "ffmeta"),
    (EditFormat::List, "list", "txt"),
];

impl EditFormat {
    /// Ending of its files.
    pub fn extension(self) -> &'static str {
        let row = EDIT_FORMATS.iter().find(|(format, ..)| *format == self);
        row.map_or("txt", |(_, _, extension)| extension)
    }
}

impl FromStr for EditFormat {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let row = EDIT_FORMATS.iter().find(|(_, word, _)| *word == text);
        row.map(|(format, ..)| *format)
            .ok_or_else(|| format!("there is no format `{text}`"))
    }
}

/// Events of a CMX 3600 list have three digits.
const MOST_EVENTS: usize = 999;

/// Frames a second of what has no pictures.
const RATE_OF_SOUND: Rational = Rational { num: 25, den: 1 };

/// What is kept of a clip.
pub(super) struct EditList {
    path: PathBuf,
    name: String,
    /// Frames a second: the clip's, or where it has none [`RATE_OF_SOUND`].
    rate: Rational,
    /// Width and height as they are stored; `None` for sound alone.
    size: Option<(u32, u32)>,
    /// Channels and rate of the first track of sound.
    sound: Option<(u32, u32)>,
    /// Frames of the clip.
    length: i64,
    /// The clip's own timecode at its first frame, in frames, and whether it drops numbers.
    timecode: (i64, bool),
    kept: Vec<Span>,
}

/// A kept stretch in frames; half-open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Cut {
    from: i64,
    to: i64,
    /// Where it comes in the result.
    at: i64,
}

impl EditList {
    pub(super) fn new(path: &Path, info: &MediaInfo, kept: Vec<Span>, length_micros: i64) -> Self {
        let video = info.main_video().filter(|_| inputs::has_picture(info));
        let rate = video
            .and_then(|(_, video)| video.frame_rate)
            .map_or(RATE_OF_SOUND, |rate| rate.ratio());
        let sound = info.streams.iter().find(|s| s.kind == StreamKind::Audio);
        let tags = info.streams.iter().map(|stream| &stream.tags);
        let told = tags
            .chain([&info.tags])
            .find_map(|tags| tags.get("timecode"));
        Self {
            path: path.to_owned(),
            name: path
                .file_name()
                .map_or_else(String::new, |name| name.to_string_lossy().into_owned()),
            rate,
            size: video.map(|(_, video)| (video.width, video.height)),
            sound: sound
                .and_then(|stream| stream.audio.as_ref())
                .map(|audio| (audio.channels, audio.sample_rate)),
            length: frames_up(length_micros, rate),
            timecode: told
                .and_then(|text| parse_timecode(text, rate))
                .unwrap_or((0, false)),
            kept,
        }
    }

    /// The stretches in whole frames. Those that meet once they have grown are one.
    fn cuts(&self) -> Vec<Cut> {
        let mut cuts: Vec<Cut> = Vec::new();
        for span in &self.kept {
            let from = frames_down(span.from_micros, self.rate).clamp(0, self.length);
            let to = frames_up(span.to_micros, self.rate).clamp(0, self.length);
            match cuts.last_mut() {
                Some(last) if last.to >= from => last.to = to.max(last.to),
                _ if from < to => cuts.push(Cut { from, to, at: 0 }),
                _ => {}
            }
        }
        let mut at = 0;
        for cut in &mut cuts {
            cut.at = at;
            at += cut.to - cut.from;
        }
        cuts
    }

    /// The list as text.
    ///
    /// # Errors
    /// It has more stretches than the format can hold.
    pub(super) fn written(&self, format: EditFormat) -> Result<String, AppError> {
        match format {
            EditFormat::Edl => self.edl(),
            EditFormat::Fcpxml => Ok(self.fcpxml()),
            EditFormat::Otio => Ok(self.otio()),
            EditFormat::Chapters => Ok(self.chapters()),
            EditFormat::List => Ok(self.list()),
        }
    }

    fn edl(&self) -> Result<String, AppError> {
        let cuts = self.cuts();
        if cuts.len() > MOST_EVENTS {
            return Err(AppError::new(
                ErrorCode::InvalidRequest,
                said!(
                    "silence.edl",
                    "An EDL holds {most} stretches, and {count} are kept.",
                    most = MOST_EVENTS,
                    count = cuts.len()
                ),
            )
            .hint("Write FCPXML or OTIO, or choose a longer silence."));
        }
        let (start, drops) = self.timecode;
        let code = |frames: i64| timecode(frames, self.rate, drops);
        let channels = match (self.size, self.sound) {
            (Some(_), Some((channels, _))) if channels > 1 => "AA/V",
            (Some(_), Some(_)) => "B",
            (Some(_), None) => "V",
            (None, Some((channels, _))) if channels > 1 => "AA",
            (None, _) => "A",
        };
        let mut text = String::new();
        // Everything in such a list is plain and on one line.
        let title = one_line(&self.name);
        let mode = if drops {
            "DROP FRAME"
        } else {
            "NON-DROP FRAME"
        };
        let _ = write!(text, "TITLE: {title}\r\nFCM: {mode}\r\n\r\n");
        for (number, cut) in (1..).zip(&cuts) {
            let record = cut.at + (cut.to - cut.from);
            let _ = write!(
                text,
                "{number:03}  AX       {channels:<5} C        {} {} {} {}\r\n* FROM CLIP NAME: {title}\r\n",
                code(start + cut.from),
                code(start + cut.to),
                code(cut.at),
                code(record),
            );
        }
        Ok(text)
    }

    fn fcpxml(&self) -> String {
        let ratio = self.rate;
        // Times are whole multiples of a frame, as the program demands.
        let time = |frames: i64| match frames {
            0 => "0s".to_owned(),
            frames => format!("{}/{}s", frames.saturating_mul(ratio.den), ratio.num),
        };
        let name = xml(&self.name);
        let cuts = self.cuts();
        let total = cuts.last().map_or(0, |cut| cut.at + cut.to - cut.from);
        let size = self
            .size
            .map(|(width, height)| format!(" width=\"{width}\" height=\"{height}\""))
            .unwrap_or_default();
        let video = match self.size {
            Some(_) => " hasVideo=\"1\" videoSources=\"1\" format=\"r1\"",
            None => "",
        };
        let sound = self.sound.map(|(channels, rate)| {
            format!(" hasAudio=\"1\" audioSources=\"1\" audioChannels=\"{channels}\" audioRate=\"{rate}\"")
        });
        let mut text = format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<!DOCTYPE fcpxml>\n<fcpxml version=\"1.9\">\n\
             \x20 <resources>\n\
             \x20   <format id=\"r1\" frameDuration=\"{}\"{size}/>\n\
             \x20   <asset id=\"r2\" name=\"{name}\" start=\"0s\" duration=\"{}\"{video}{}>\n\
             \x20     <media-rep kind=\"original-media\" src=\"{}\"/>\n\
             \x20   </asset>\n\
             \x20 </resources>\n\
             \x20 <library>\n    <event name=\"Frameloom\">\n      <project name=\"{name}\">\n\
             \x20       <sequence format=\"r1\" duration=\"{}\" tcStart=\"0s\" tcFormat=\"NDF\">\n\
             \x20         <spine>\n",
            time(1),
            time(self.length),
            sound.unwrap_or_default(),
            xml(&address(&self.path)),
            time(total),
        );
        for cut in &cuts {
            let _ = writeln!(
                text,
                "            <asset-clip ref=\"r2\" name=\"{name}\" offset=\"{}\" start=\"{}\" duration=\"{}\"/>",
                time(cut.at),
                time(cut.from),
                time(cut.to - cut.from),
            );
        }
        text.push_str(
            "          </spine>\n        </sequence>\n      </project>\n    </event>\n  </library>\n</fcpxml>\n",
        );
        text
    }

    fn otio(&self) -> String {
        let rate = self.rate.to_f64();
        let time =
            |value: i64| json!({ "OTIO_SCHEMA": "RationalTime.1", "rate": rate, "value": value });
        let range = |start: i64, length: i64| {
            json!({
                "OTIO_SCHEMA": "TimeRange.1",
                "start_time": time(start),
                "duration": time(length),
            })
        };
        let cuts = self.cuts();
        let clips: Vec<Value> = cuts
            .iter()
            .map(|cut| {
                json!({
                    "OTIO_SCHEMA": "Clip.1",
                    "name": self.name,
                    "metadata": {},
                    "source_range": range(cut.from, cut.to - cut.from),
                    "effects": [],
                    "markers": [],
                    "media_reference": {
                        "OTIO_SCHEMA": "ExternalReference.1",
                        "metadata": {},
                        "name": self.name,
                        "available_range": range(0, self.length),
                        "target_url": address(&self.path),
                    },
                })
            })
            .collect();
        let track = |kind: &str| {
            json!({
                "OTIO_SCHEMA": "Track.1",
                "name": kind,
                "kind": kind,
                "metadata": {},
                "source_range": null,
                "effects": [],
                "markers": [],
                "children": clips,
            })
        };
        let mut tracks = Vec::new();
        if self.size.is_some() {
            tracks.push(track("Video"));
        }
        if self.sound.is_some() {
            tracks.push(track("Audio"));
        }
        let timeline = json!({
            "OTIO_SCHEMA": "Timeline.1",
            "name": self.name,
            "metadata": {},
            "global_start_time": null,
            "tracks": {
                "OTIO_SCHEMA": "Stack.1",
                "name": "tracks",
                "metadata": {},
                "source_range": null,
                "effects": [],
                "markers": [],
                "children": tracks,
            },
        });
        format!("{timeline:#}\n")
    }

    fn chapters(&self) -> String {
        let mut text = ";FFMETADATA1\n".to_owned();
        let millis = |micros: i64| micros / 1_000;
        let frame = self.rate;
        let end = self.length.saturating_mul(1_000_000 * frame.den) / frame.num.max(1);
        for (number, span) in self.kept.iter().enumerate() {
            let next = self.kept.get(number + 1);
            let _ = write!(
                text,
                "[CHAPTER]\nTIMEBASE=1/1000\nSTART={}\nEND={}\ntitle={}\n",
                millis(span.from_micros),
                millis(next.map_or(end.max(span.to_micros), |next| next.from_micros)),
                number + 1,
            );
        }
        text
    }

    fn list(&self) -> String {
        let kept: Vec<KeptStretch> = self
            .kept
            .iter()
            .map(|span| KeptStretch {
                from_micros: span.from_micros,
                to_micros: Some(span.to_micros),
            })
            .collect();
        kept_text(&kept) + "\n"
    }
}

/// The frame that is shown at a moment.
fn frames_down(micros: i64, rate: Rational) -> i64 {
    frames(micros, rate, false)
}

/// The first frame that is not shown before a moment.
fn frames_up(micros: i64, rate: Rational) -> i64 {
    frames(micros, rate, true)
}

fn frames(micros: i64, rate: Rational, up: bool) -> i64 {
    let num = i128::from(micros) * i128::from(rate.num);
    let den = 1_000_000 * i128::from(rate.den).max(1);
    let whole = num.div_euclid(den) + i128::from(up && num.rem_euclid(den) != 0);
    i64::try_from(whole).unwrap_or(i64::MAX)
}

/// Numbers of frames in a second of timecode: 30 where 29.97 are shown.
fn nominal(rate: Rational) -> i64 {
    (rate.num.saturating_add(rate.den - 1) / rate.den.max(1)).max(1)
}

/// Numbers that timecode leaves out each minute but the tenth, so that it keeps up with the clock.
fn dropped(rate: Rational) -> i64 {
    nominal(rate) / 15
}

/// `hh:mm:ss:ff` of a number of frames; with `;` where numbers are dropped (SMPTE ST 12-1).
fn timecode(frames: i64, rate: Rational, drops: bool) -> String {
    let fps = nominal(rate);
    let mut number = frames.max(0);
    if drops {
        let left_out = dropped(rate);
        let minute = fps * 60 - left_out;
        let ten_minutes = minute * 10 + left_out;
        let (tens, rest) = (number / ten_minutes, number % ten_minutes);
        // The first minute of ten is whole.
        let minutes = (rest - left_out).max(0) / minute;
        number += left_out * (tens * 9 + minutes);
    }
    let (seconds, frame) = (number / fps, number % fps);
    let mark = if drops { ';' } else { ':' };
    format!(
        "{:02}:{:02}:{:02}{mark}{frame:02}",
        seconds / 3_600 % 24,
        seconds / 60 % 60,
        seconds % 60
    )
}

/// A timecode as a number of frames, and whether it drops numbers.
fn parse_timecode(text: &str, rate: Rational) -> Option<(i64, bool)> {
    let drops = text.contains(';') || text.contains('.');
    let parts: Vec<i64> = text
        .split([':', ';', '.'])
        .map(|part| part.parse::<u16>().ok().map(i64::from))
        .collect::<Option<_>>()?;
    let &[hours, minutes, seconds, frame] = &parts[..] else {
        return None;
    };
    let fps = nominal(rate);
    if hours > 23 || minutes > 59 || seconds > 59 || frame >= fps {
        return None;
    }
    let minutes = hours * 60 + minutes;
    let number = (minutes * 60 + seconds) * fps + frame;
    let left_out = if drops {
        dropped(rate) * (minutes - minutes / 10)
    } else {
        0
    };
    Some((number - left_out, drops))
}

fn one_line(text: &str) -> String {
    let plain = |c: char| if c.is_control() { ' ' } else { c };
    text.chars().map(plain).collect()
}

/// Text for an attribute.
fn xml(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            // Others than these have no place in XML.
            c if c.is_control() => out.push(' '),
            c => out.push(c),
        }
    }
    out
}

/// The address of a file: every byte that is not plain is written as `%xx` (RFC 8089).
fn address(path: &Path) -> String {
    let text = path.to_string_lossy().replace('\\', "/");
    let mut out = "file://".to_owned();
    if !text.starts_with('/') {
        out.push('/');
    }
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' | b':' => {
                out.push(char::from(byte));
            }
            other => {
                let _ = write!(out, "%{other:02X}");
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rate(num: i64, den: i64) -> Rational {
        Rational::new(num, den).unwrap()
    }

    fn list(rate: Rational) -> EditList {
        let span = |from: i64, to: i64| Span {
            from_micros: from * 1_000,
            to_micros: to * 1_000,
        };
        EditList {
            path: "/a b/ü\"<&.mp4".into(),
            name: "ü\"<&.mp4".into(),
            rate,
            size: Some((640, 360)),
            sound: Some((2, 48_000)),
            length: 250,
            timecode: (0, false),
            kept: vec![span(1_010, 2_001), span(4_000, 5_000), span(9_500, 10_000)],
        }
    }

    #[test]
    fn stretches_grow_to_whole_frames_and_follow_each_other() {
        let cut = |from, to, at| Cut { from, to, at };
        assert_eq!(
            list(rate(25, 1)).cuts(),
            [cut(25, 51, 0), cut(100, 125, 26), cut(237, 250, 51)]
        );
    }

    #[test]
    fn an_edl_names_source_and_record_times() {
        let text = list(rate(25, 1)).written(EditFormat::Edl).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[..3], ["TITLE: ü\"<&.mp4", "FCM: NON-DROP FRAME", ""]);
        assert_eq!(
            lines[3],
            "001  AX       AA/V  C        00:00:01:00 00:00:02:01 00:00:00:00 00:00:01:01"
        );
        assert_eq!(
            lines[5],
            "002  AX       AA/V  C        00:00:04:00 00:00:05:00 00:00:01:01 00:00:02:01"
        );
        let mut many = list(rate(25, 1));
        many.length = 10_000_000;
        many.kept = (0..1_000)
            .map(|n| Span {
                from_micros: n * 1_000_000,
                to_micros: n * 1_000_000 + 500_000,
            })
            .collect();
        let refused = many.written(EditFormat::Edl).unwrap_err();
        assert!(refused.hint.unwrap().contains("FCPXML"));
        assert!(many.written(EditFormat::Otio).is_ok());
    }

    #[test]
    fn timecode_that_drops_numbers_keeps_up_with_the_clock() {
        let ntsc = rate(30_000, 1_001);
        // The examples of SMPTE ST 12-1: a minute, ten minutes, an hour.
        for (frames, code) in [
            (0, "00:00:00;00"),
            (1_799, "00:00:59;29"),
            (1_800, "00:01:00;02"),
            (17_981, "00:09:59;29"),
            (17_982, "00:10:00;00"),
            (107_892, "01:00:00;00"),
        ] {
            assert_eq!(timecode(frames, ntsc, true), code);
            assert_eq!(parse_timecode(code, ntsc), Some((frames, true)), "{code}");
        }
        assert_eq!(timecode(1_800, ntsc, false), "00:01:00:00");
        assert_eq!(timecode(3_600, rate(60_000, 1_001), true), "00:01:00;04");
        assert_eq!(
            parse_timecode("10:00:00:12", rate(25, 1)),
            Some((900_012, false))
        );
        for wrong in [
            "",
            "1:2:3",
            "00:00:00:25",
            "24:00:00:00",
            "a:b:c:d",
            "-1:00:00:00",
        ] {
            assert_eq!(parse_timecode(wrong, rate(25, 1)), None, "{wrong}");
        }
    }

    #[test]
    fn times_of_fcpxml_are_whole_frames_and_names_are_escaped() {
        let text = list(rate(30_000, 1_001))
            .written(EditFormat::Fcpxml)
            .unwrap();
        assert!(text.contains("frameDuration=\"1001/30000s\""), "{text}");
        assert!(text.contains("name=\"ü&quot;&lt;&amp;.mp4\""));
        assert!(text.contains("src=\"file:///a%20b/%C3%BC%22%3C%26.mp4\""));
        assert!(text.contains("offset=\"0s\" start=\"30030/30000s\" duration=\"30030/30000s\""));
    }

    #[test]
    fn otio_has_a_track_of_pictures_and_one_of_sound() {
        let text = list(rate(25, 1)).written(EditFormat::Otio).unwrap();
        let json: Value = serde_json::from_str(&text).unwrap();
        let tracks = json["tracks"]["children"].as_array().unwrap();
        assert_eq!(tracks.len(), 2);
        let clip = &tracks[1]["children"][1];
        assert_eq!(clip["source_range"]["start_time"]["value"], 100);
        assert_eq!(clip["source_range"]["duration"]["value"], 25);
    }

    #[test]
    fn chapters_cover_the_clip_from_the_first_word_on_and_the_list_is_one_of_the_node() {
        let text = list(rate(25, 1)).written(EditFormat::Chapters).unwrap();
        assert!(
            text.starts_with(";FFMETADATA1\n[CHAPTER]\nTIMEBASE=1/1000\nSTART=1010\nEND=4000\n")
        );
        assert!(text.ends_with("START=9500\nEND=10000\ntitle=3\n"));
        let text = list(rate(25, 1)).written(EditFormat::List).unwrap();
        assert_eq!(text, "1.01-2.001\n4-5\n9.5-10\n");
        assert!(frameloom_core::graph::parse_kept(&text).is_ok());
    }
}
