//! Writing subtitles as files of text.

use super::{Cue, Subtitles};
use crate::error::MediaError;
use crate::ffi::subtitle::SubtitleEncoder;
use std::fmt::Write as _;
use std::path::Path;

/// A format of files that are nothing but subtitles.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SubtitleFormat {
    /// SubRip: milliseconds, a few tags.
    Srt,
    /// WebVTT, of the web.
    Vtt,
    /// Advanced SubStation Alpha: hundredths of a second, styles.
    Ass,
}

impl SubtitleFormat {
    /// Every one with its word, which is its ending.
    pub const ALL: [(SubtitleFormat, &'static str); 3] = [
        (SubtitleFormat::Srt, "srt"),
        (SubtitleFormat::Vtt, "vtt"),
        (SubtitleFormat::Ass, "ass"),
    ];

    /// The format of a word or an ending.
    pub fn from_word(word: &str) -> Option<Self> {
        let row = Self::ALL.iter().find(|(_, w)| w.eq_ignore_ascii_case(word));
        row.map(|(format, _)| *format)
    }

    /// The format that the name of a file asks for.
    pub fn from_path(path: &Path) -> Option<Self> {
        Self::from_word(path.extension()?.to_str()?)
    }

    /// Its word, which is its ending.
    pub fn word(self) -> &'static str {
        match self {
            SubtitleFormat::Srt => "srt",
            SubtitleFormat::Vtt => "vtt",
            SubtitleFormat::Ass => "ass",
        }
    }

    /// The library's name of the codec.
    fn codec(self) -> &'static str {
        match self {
            SubtitleFormat::Srt => "subrip",
            SubtitleFormat::Vtt => "webvtt",
            SubtitleFormat::Ass => "ass",
        }
    }
}

impl Subtitles {
    /// The whole of a file in a format, in UTF-8, and how many lines could not be written in it because
    /// they are longer than any text.
    ///
    /// # Errors
    /// This build of FFmpeg cannot write it.
    pub fn written(&self, format: SubtitleFormat) -> Result<(String, usize), MediaError> {
        if format == SubtitleFormat::Ass {
            return Ok((self.document(), 0));
        }
        let (texts, lost) = self.texts_in(format.codec())?;
        let mut out = String::new();
        if format == SubtitleFormat::Vtt {
            out.push_str("WEBVTT\n\n");
        }
        let mut number = 0;
        for (cue, text) in self.cues.iter().zip(texts) {
            let Some(text) = text else { continue };
            // An empty line would end it, and a time in it begin another.
            let text = joined(&text);
            if text.is_empty() {
                continue;
            }
            number += 1;
            // Writing to a text cannot fail.
            let _ = match format {
                SubtitleFormat::Vtt => {
                    if !cue.own.name.is_empty() && format.codec() == self.codec {
                        let _ = writeln!(out, "{}", one_line(&cue.own.name));
                    }
                    let settings = match format.codec() == self.codec {
                        true => one_line(&cue.own.settings),
                        false => String::new(),
                    };
                    let space = if settings.is_empty() { "" } else { " " };
                    let (from, to) = (clock(cue.from_micros, '.'), clock(end(cue), '.'));
                    writeln!(out, "{from} --> {to}{space}{settings}\n{text}\n")
                }
                _ => {
                    let (from, to) = (clock(cue.from_micros, ','), clock(end(cue), ','));
                    writeln!(out, "{number}\n{from} --> {to}\n{text}\n")
                }
            };
        }
        Ok((out, lost))
    }

    /// The text of every cue in a codec of text, `None` where it cannot be, and how many those are.
    /// What has that codec already stays as it is.
    pub(super) fn texts_in(&self, codec: &str) -> Result<(Vec<Option<String>>, usize), MediaError> {
        let mut encoder = SubtitleEncoder::open(codec, &self.header)?;
        let mut lost = 0;
        let mut texts = Vec::with_capacity(self.cues.len());
        for cue in &self.cues {
            let text = match &cue.own.text {
                Some(text) if codec == self.codec => Some(text.clone()),
                _ => encoder
                    .encode(&cue.event)
                    .and_then(|bytes| String::from_utf8(bytes).ok()),
            };
            lost += usize::from(text.is_none());
            texts.push(text);
        }
        Ok((texts, lost))
    }

    /// As a document of ASS.
    pub fn document(&self) -> String {
        let (before, events, after) = sections(&self.header);
        let mut out = String::with_capacity(self.header.len() + self.cues.len() * 80);
        for line in before.split_inclusive('\n') {
            // The library signs what it makes of other formats.
            if self.is_styled || !line.starts_with(';') {
                out.push_str(line);
            }
        }
        let end = out.trim_end().len();
        out.truncate(end);
        if !out.is_empty() {
            out.push_str("\n\n");
        }
        out.push_str("[Events]\n");
        let mut has_format = false;
        for line in events.lines().filter(|line| !line.trim().is_empty()) {
            let is_format = line.trim_start().starts_with("Format:");
            if is_format && !self.has_own_fields {
                continue;
            }
            has_format |= is_format;
            out.push_str(line.trim_end());
            out.push('\n');
        }
        if !has_format {
            out.push_str(
                "Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text\n",
            );
        }
        for cue in &self.cues {
            // The order of reading is that of the lines.
            let mut fields = cue.event.splitn(3, ',');
            let (_, layer, rest) = (fields.next(), fields.next(), fields.next());
            let _ = writeln!(
                out,
                "Dialogue: {},{},{},{}",
                layer.unwrap_or("0"),
                hundredths(cue.from_micros),
                hundredths(cue.to_micros.max(cue.from_micros.saturating_add(10_000))),
                one_line(rest.unwrap_or_default()),
            );
        }
        if !after.trim().is_empty() {
            out.push('\n');
            out.push_str(after.trim_end());
            out.push('\n');
        }
        out
    }
}

/// A header in three: what is before the events, their section without its name, what is behind.
fn sections(header: &str) -> (&str, &str, &str) {
    let mut at = 0;
    let (mut begin, mut inside, mut end) = (None, 0, header.len());
    for line in header.split_inclusive('\n') {
        let name = line.trim();
        if begin.is_none() && name.eq_ignore_ascii_case("[events]") {
            begin = Some(at);
            inside = at + line.len();
        } else if begin.is_some() && name.starts_with('[') && name.ends_with(']') {
            end = at;
            break;
        }
        at += line.len();
    }
    let part = |from: usize, to: usize| header.get(from..to).unwrap_or_default();
    match begin {
        Some(begin) => (part(0, begin), part(inside, end), part(end, header.len())),
        None => (header, "", ""),
    }
}

/// Text without lines that would be read as the end of it.
fn joined(text: &str) -> String {
    let lines = text
        .lines()
        .map(str::trim_end)
        .filter(|l| !l.trim().is_empty());
    let lines: Vec<String> = lines.map(|line| line.replace("-->", "->")).collect();
    lines.join("\n")
}

fn one_line(text: &str) -> String {
    text.replace(['\r', '\n'], " ").trim_end().to_owned()
}

/// No line ends with the millisecond in which it begins.
fn end(cue: &Cue) -> i64 {
    cue.to_micros.max(cue.from_micros.saturating_add(1_000))
}

/// `hh:mm:ss.mmm`, rounded.
fn clock(micros: i64, point: char) -> String {
    let millis = micros.max(0).saturating_add(500) / 1_000;
    format!(
        "{:02}:{:02}:{:02}{point}{:03}",
        millis / 3_600_000,
        millis / 60_000 % 60,
        millis / 1_000 % 60,
        millis % 1_000
    )
}

/// `h:mm:ss.cc`, rounded.
fn hundredths(micros: i64) -> String {
    let parts = micros.max(0).saturating_add(5_000) / 10_000;
    format!(
        "{}:{:02}:{:02}.{:02}",
        parts / 360_000,
        parts / 6_000 % 60,
        parts / 100 % 60,
        parts % 100
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_as_each_format_has_them() {
        assert_eq!(clock(3_599_999_600, ','), "01:00:00,000");
        assert_eq!(clock(-5, '.'), "00:00:00.000");
        assert_eq!(clock(360_000_001_000, '.'), "100:00:00.001");
        assert_eq!(hundredths(3_661_234_999), "1:01:01.23");
        assert_eq!(hundredths(3_661_235_000), "1:01:01.24");
    }

    #[test]
    fn a_header_is_taken_apart_wherever_its_events_stand() {
        let header = "[Script Info]\nA: b\n\n[Events]\nFormat: Layer\nComment: 0\n\n[Fonts]\nx\n";
        let (before, events, after) = sections(header);
        assert_eq!(before, "[Script Info]\nA: b\n\n");
        assert_eq!(events, "Format: Layer\nComment: 0\n\n");
        assert_eq!(after, "[Fonts]\nx\n");
        assert_eq!(sections("[Script Info]\n").0, "[Script Info]\n");
    }
}
