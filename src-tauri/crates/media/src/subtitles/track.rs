//! Subtitles as a track of a clip.

use super::{Cue, ReadSubtitles, Subtitles, read_subtitles, refused};
use crate::container::Container;
use crate::error::MediaError;
use crate::ffi::subtitle::SubtitleEncoder;
use crate::mux::{Holes, SourceCut, SourceHole};
use frameloom_core::said;
use frameloom_core::time::{Rational, TimeBase};
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// MP4 shows one sample at a time: so many lines that overlap are brought into one.
const MOST_AT_ONCE: usize = 12;

/// A track of subtitles, ready to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CueTrack {
    /// The library's name of its codec.
    pub codec: &'static str,
    /// The codec's global headers.
    pub extradata: Vec<u8>,
    /// In the order of their beginning.
    pub packets: Vec<CuePacket>,
    /// Lines that are longer than any text, and left out.
    pub lost: usize,
}

/// A packet of a track.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CuePacket {
    /// Its first moment in microseconds, as that of its [`Cue`].
    pub from_micros: i64,
    /// The first moment behind it.
    pub to_micros: i64,
    /// Its bytes.
    pub data: Vec<u8>,
    /// Place of a cue of WebVTT.
    pub settings: String,
}

/// Containers count milliseconds, ASS hundredths of a second.
const TOLERANCE_MICROS: i64 = 10_001;

impl CueTrack {
    /// Reads a track of a file back, and says where its lines are not those of this track with
    /// `moved_micros` added to their times, which are counted from the first picture of that file.
    ///
    /// # Errors
    /// As [`read_subtitles`].
    pub fn differs(
        &self,
        path: &Path,
        stream: u32,
        moved_micros: i64,
        cancel: &Arc<AtomicBool>,
    ) -> Result<Option<String>, MediaError> {
        let wish = ReadSubtitles {
            track: Some(stream),
            charset: None,
        };
        let read = read_subtitles(path, wish, cancel)?;
        let apart = |found: i64, own: i64| {
            (found - own.saturating_add(moved_micros)).abs() > TOLERANCE_MICROS
        };
        // What shows nothing may be left out by whoever reads.
        let wrong = self
            .packets
            .iter()
            .zip(&read.cues)
            .position(|(packet, cue)| {
                apart(cue.from_micros, packet.from_micros) || apart(cue.to_micros, packet.to_micros)
            });
        Ok(match wrong {
            Some(line) => Some(format!("line {} has another time", line + 1)),
            None if read.cues.len() != self.packets.len() => Some(format!(
                "{} lines of {} are there",
                read.cues.len(),
                self.packets.len()
            )),
            None => None,
        })
    }

    /// The track of a file of which a stretch is kept, holes are left out, and the rest lasts `slow`
    /// times as long: with its times in the result, before anything is added to them.
    /// `origin_micros` is the moment in the time of the file from which the track counts.
    ///
    /// What is on the screen where something is left out is shown as long as the pictures are there that
    /// it belongs to, as for tracks that are copied.
    #[must_use]
    pub fn placed(
        &self,
        origin_micros: i64,
        cut: Option<SourceCut>,
        holes: &[SourceHole],
        slow: Option<Rational>,
    ) -> Self {
        let holes = Holes::new(holes, TimeBase::MICROS);
        let (least, most) = cut.map_or((i64::MIN, i64::MAX), |cut| {
            (cut.from_micros, cut.to_micros.unwrap_or(i64::MAX))
        });
        let slow = slow.unwrap_or(Rational::ONE);
        let place = |micros: i64| {
            let at = micros.saturating_add(origin_micros).clamp(least, most);
            slow.of(holes.moved(at))
        };
        let packets = self.packets.iter().filter_map(|packet| {
            let (from_micros, to_micros) = (place(packet.from_micros), place(packet.to_micros));
            (from_micros < to_micros).then(|| CuePacket {
                from_micros,
                to_micros,
                ..packet.clone()
            })
        });
        Self {
            packets: packets.collect(),
            ..self.clone()
        }
    }
}

impl Subtitles {
    /// As a track for a container: styles stay in Matroska, WebM takes WebVTT, MP4 and MOV their own
    /// text. `path` is for what is said of it.
    ///
    /// # Errors
    /// [`MediaError::Subtitles`] for a container without subtitles, and for more lines at a time than
    /// MP4 can show.
    pub fn track(&self, container: Container, path: &Path) -> Result<CueTrack, MediaError> {
        match container {
            Container::Mkv if self.is_styled => Ok(self.styled_track()),
            Container::Mkv => self.text_track("subrip"),
            Container::Webm => self.text_track("webvtt"),
            Container::Mp4 | Container::Mov => self.sample_track(path),
            _ => Err(refused(
                path,
                said!(
                    "subtitles.no_room",
                    "{container} cannot hold subtitles",
                    container = container.shown()
                ),
                "Give the result a name that ends in .mkv, .mp4, .mov or .webm.",
            )),
        }
    }

    fn styled_track(&self) -> CueTrack {
        // The order in which they are read is that of the packets.
        let events = (0u32..).zip(&self.cues).map(|(number, cue)| CuePacket {
            data: match cue.event.split_once(',') {
                Some((_, rest)) => format!("{number},{rest}").into_bytes(),
                None => cue.event.clone().into_bytes(),
            },
            ..packet(cue)
        });
        CueTrack {
            codec: "ass",
            extradata: self.header.clone().into_bytes(),
            packets: events.collect(),
            lost: 0,
        }
    }

    fn text_track(&self, codec: &'static str) -> Result<CueTrack, MediaError> {
        let (texts, lost) = self.texts_in(codec)?;
        let packets = self.cues.iter().zip(texts).filter_map(|(cue, text)| {
            Some(CuePacket {
                data: text?.into_bytes(),
                settings: match codec == self.codec {
                    true => cue.own.settings.clone(),
                    false => String::new(),
                },
                ..packet(cue)
            })
        });
        Ok(CueTrack {
            codec,
            extradata: Vec::new(),
            packets: packets.collect(),
            lost,
        })
    }

    fn sample_track(&self, path: &Path) -> Result<CueTrack, MediaError> {
        let mut encoder = SubtitleEncoder::open("mov_text", &self.header)?;
        let mut track = CueTrack {
            codec: "mov_text",
            extradata: encoder.extradata(),
            packets: Vec::new(),
            lost: 0,
        };
        for stretch in one_at_a_time(&self.cues, path)? {
            let event = match stretch.shown.as_slice() {
                [] => continue,
                [only] => only.event.clone(),
                several => {
                    let mut event = several.first().map_or(String::new(), |c| c.event.clone());
                    for cue in several.iter().skip(1) {
                        // What one of them switches on does not reach the others.
                        event.push_str("{\\r}\\N");
                        event.push_str(cue.text());
                    }
                    event
                }
            };
            match encoder.encode(&event) {
                Some(data) => track.packets.push(CuePacket {
                    from_micros: stretch.from_micros,
                    to_micros: stretch.to_micros,
                    data,
                    settings: String::new(),
                }),
                None => track.lost += 1,
            }
        }
        Ok(track)
    }
}

fn packet(cue: &Cue) -> CuePacket {
    CuePacket {
        from_micros: cue.from_micros,
        to_micros: cue.to_micros,
        data: Vec::new(),
        settings: String::new(),
    }
}

/// A stretch in which the same lines are shown.
struct Stretch<'a> {
    from_micros: i64,
    to_micros: i64,
    shown: Vec<&'a Cue>,
}

/// The stretches between which what is shown changes, each with all that is shown in it.
fn one_at_a_time<'a>(cues: &'a [Cue], path: &Path) -> Result<Vec<Stretch<'a>>, MediaError> {
    let edges: BTreeSet<i64> = cues
        .iter()
        .flat_map(|cue| [cue.from_micros, cue.to_micros])
        .collect();
    let mut stretches = Vec::new();
    let mut shown: Vec<&Cue> = Vec::new();
    let mut coming = cues.iter().peekable();
    let mut before: Option<i64> = None;
    for edge in edges {
        if let Some(from) = before.filter(|_| !shown.is_empty()) {
            stretches.push(Stretch {
                from_micros: from,
                to_micros: edge,
                shown: shown.clone(),
            });
        }
        shown.retain(|cue| cue.to_micros > edge);
        while let Some(cue) = coming.next_if(|cue| cue.from_micros <= edge) {
            shown.push(cue);
        }
        if shown.len() > MOST_AT_ONCE {
            return Err(refused(
                path,
                said!(
                    "subtitles.crowded",
                    "it shows more than {most} lines at a time, which MP4 and MOV cannot hold",
                    most = MOST_AT_ONCE
                ),
                "Give the result a name that ends in .mkv.",
            ));
        }
        before = Some(edge);
    }
    Ok(stretches)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cue(from: i64, to: i64, text: &str) -> Cue {
        Cue {
            from_micros: from,
            to_micros: to,
            event: format!("0,0,Default,,0,0,0,,{text}"),
            own: super::super::Own::default(),
        }
    }

    #[test]
    fn what_overlaps_is_shown_together_and_nothing_is_cut_short() {
        let cues = [
            cue(0, 40, "a"),
            cue(10, 20, "b"),
            cue(20, 30, "c"),
            cue(50, 60, "d"),
        ];
        let found = one_at_a_time(&cues, Path::new("a")).unwrap();
        let told: Vec<(i64, i64, String)> = found
            .iter()
            .map(|s| {
                let shown = s.shown.iter().map(|c| c.text()).collect();
                (s.from_micros, s.to_micros, shown)
            })
            .collect();
        let is = |from, to, text: &str| (from, to, text.to_owned());
        assert_eq!(
            told,
            [
                is(0, 10, "a"),
                is(10, 20, "ab"),
                is(20, 30, "ac"),
                is(30, 40, "a"),
                is(50, 60, "d")
            ]
        );
        let crowd: Vec<Cue> = (0..20).map(|n| cue(n, 100, "x")).collect();
        assert!(one_at_a_time(&crowd, Path::new("a")).is_err());
    }
}
