//! Where the packets beside the pictures come from: the source, other files, finished sound.

use super::copy::{CopiedStream, Holes, SourceCut, SourceHole, needed_tags, stream_tags};
use crate::error::MediaError;
use crate::ffi::input::{Input, Look, Stream};
use crate::ffi::output::Output;
use crate::ffi::packet::{Packet, WEBVTT_SETTINGS};
use crate::ffi::util::{av_rational, time_base};
use crate::sound::SoundPartReader;
use crate::subtitles::{CuePacket, CueTrack};
use ffmpeg_sys_next as sys;
use frameloom_core::time::{Rational, TimeBase, Timestamp};
use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// A track that the source of the pictures does not give as it is.
#[derive(Debug, Clone)]
pub struct AddedTrack<'a> {
    /// Its packets.
    pub from: TrackFrom<'a>,
    /// Its tags; what counts or measures a track that was encoded anew is left out.
    pub tags: BTreeMap<String, String>,
    /// Names of its dispositions, as a probe has them.
    pub dispositions: Vec<String>,
}

/// Where the packets of an added track are.
#[derive(Debug, Clone, Copy)]
pub enum TrackFrom<'a> {
    /// In a file, and are copied.
    File {
        /// The file.
        path: &'a Path,
        /// Index of the stream.
        stream: u32,
        /// Added to its times, in microseconds: its time zero lies there in the source's time.
        shift_micros: i64,
        /// What is kept of it, in the time of its file.
        cut: Option<SourceCut>,
        /// What is left out of that, in order.
        holes: &'a [SourceHole],
        /// How many times as long it lasts, before the shift; as long as it does where left out.
        slow: Option<Rational>,
    },
    /// In memory.
    Subtitles {
        /// The track.
        track: &'a CueTrack,
        /// Added to its times, in microseconds: its time zero lies there in the source's time.
        shift_micros: i64,
    },
    /// In a part that was written by [`crate::SoundPartWriter`], in the source's time.
    Sound {
        /// The part.
        part: &'a Path,
    },
}

enum Packets {
    File(Input),
    Sound {
        part: Box<SoundPartReader>,
        /// Samples before the first one, until its packet is read; told where a muxer wants to know.
        lead: Option<u32>,
    },
    Cues(std::vec::IntoIter<CuePacket>),
}

/// Side data: how many samples of a packet are none, at its beginning and at its end.
const SKIPPED: u32 = sys::AVPacketSideDataType::AV_PKT_DATA_SKIP_SAMPLES as u32;

fn skipped(at_start: u32) -> [u8; 10] {
    let mut words = [0; 10];
    words[..4].copy_from_slice(&at_start.to_le_bytes());
    words
}

/// Seconds per tick of tracks that are made of text: no container counts subtitles finer.
const MILLIS: sys::AVRational = sys::AVRational { num: 1, den: 1000 };

/// Packets of one file, in its order, on their way into the output.
pub(super) struct Feed {
    packets: Packets,
    /// Streams that are copied, by their index in the file.
    copied: HashMap<usize, CopiedStream>,
    /// The next packet and the index of its stream.
    next: Option<(usize, Packet)>,
}

impl Feed {
    pub(super) fn new(mut input: Input, copied: HashMap<usize, CopiedStream>) -> Self {
        input.keep_streams(|index| copied.contains_key(&index));
        Self {
            packets: Packets::File(input),
            copied,
            next: None,
        }
    }

    /// Makes the next packet the one that [`Feed::time`] is about.
    pub(super) fn advance(&mut self) -> Result<(), MediaError> {
        self.next = None;
        if self.copied.is_empty() {
            return Ok(());
        }
        match &mut self.packets {
            Packets::File(input) => {
                let mut packet = Packet::new()?;
                while input.read(&mut packet)? {
                    let index = packet.stream();
                    if let Some(copied) = self.copied.get_mut(&index)
                        && copied.prepare(&mut packet)
                    {
                        self.next = Some((index, packet));
                        break;
                    }
                }
            }
            Packets::Sound { part, lead } => {
                let (Some(stored), Some(copied)) = (part.next_packet()?, self.copied.get_mut(&0))
                else {
                    return Ok(());
                };
                let mut packet = Packet::with_data(&stored.data)?;
                for (kind, bytes) in &stored.side_data {
                    packet.add_side_data(*kind, bytes)?;
                }
                if let Some(lead) = lead.take().filter(|_| stored.side_data.is_empty()) {
                    packet.add_side_data(SKIPPED, &skipped(lead))?;
                }
                packet.set_timing(stored.pts, stored.dts, stored.duration, stored.key);
                if copied.prepare(&mut packet) {
                    self.next = Some((0, packet));
                }
            }
            Packets::Cues(cues) => {
                let (Some(cue), Some(copied)) = (cues.next(), self.copied.get_mut(&0)) else {
                    return Ok(());
                };
                let mut packet = Packet::with_data(&cue.data)?;
                if !cue.settings.is_empty() {
                    packet.add_side_data(WEBVTT_SETTINGS, cue.settings.as_bytes())?;
                }
                let millis = |micros: i64| micros.saturating_add(500).div_euclid(1_000);
                let from = millis(cue.from_micros);
                let length = (millis(cue.to_micros) - from).max(1);
                packet.set_timing(from, from, length, true);
                if copied.prepare(&mut packet) {
                    self.next = Some((0, packet));
                }
            }
        }
        Ok(())
    }

    /// Decoding time of the next packet; `None` at the end.
    pub(super) fn time(&self) -> Option<(i64, sys::AVRational)> {
        let (index, packet) = self.next.as_ref()?;
        let base = self.copied.get(index)?.time_base;
        Some((packet.dts().unwrap_or(i64::MIN), base))
    }

    /// Writes the next packet. Gives its place among the output's streams.
    pub(super) fn write(&mut self, output: &mut Output) -> Result<Option<usize>, MediaError> {
        let Some((index, mut packet)) = self.next.take() else {
            return Ok(None);
        };
        let Some(copied) = self.copied.get_mut(&index) else {
            return Ok(None);
        };
        let to = output.time_base(copied.output);
        copied.finish(&mut packet, to);
        output.write(&mut packet)?;
        Ok(Some(copied.output))
    }
}

/// What adding tracks came to.
pub(super) struct Added {
    pub feeds: Vec<Feed>,
    /// First times before the common shift, for the muxer's clock.
    pub starts: Vec<(i64, sys::AVRational)>,
    pub has_subtitles: bool,
}

/// Adds tracks to the output, in their order, with all their tags or the needed ones. `common_shift_micros` is that of all streams.
pub(super) fn add(
    output: &mut Output,
    (tracks, keeps_tags): (&[AddedTrack<'_>], bool),
    common_shift_micros: i64,
    cancel: &Arc<AtomicBool>,
) -> Result<Added, MediaError> {
    let mut added = Added {
        feeds: Vec::new(),
        starts: Vec::new(),
        has_subtitles: false,
    };
    // One reader for all tracks of a file that move alike.
    let mut files: Vec<(&Path, i64, Input, HashMap<usize, CopiedStream>)> = Vec::new();
    for track in tracks {
        let tags = |processed: bool| match keeps_tags {
            true => stream_tags(&track.tags, processed),
            false => needed_tags(stream_tags(&track.tags, processed)),
        };
        match track.from {
            TrackFrom::File {
                path,
                stream,
                shift_micros,
                cut,
                holes,
                slow,
            } => {
                let place = files
                    .iter()
                    .position(|(known, shift, _, copied)| {
                        (*known, *shift) == (path, shift_micros)
                            && !copied.contains_key(&(stream as usize))
                    })
                    .map_or_else(
                        || {
                            let input = crate::source::open(path, Look::Packets, cancel)?;
                            files.push((path, shift_micros, input, HashMap::new()));
                            Ok::<usize, MediaError>(files.len() - 1)
                        },
                        Ok,
                    )?;
                let (_, _, input, copied) = &mut files[place];
                let gone = || MediaError::InvalidRequest {
                    what: format!("there is no stream {stream} in {}", path.display()).into(),
                };
                let view = input.stream(stream as usize).ok_or_else(gone)?;
                let shifts = (shift_micros, common_shift_micros);
                let (mut one, start) = add_file(output, view, (track, &tags(false)), shifts)?;
                one.cut = cut;
                one.slow = slow.unwrap_or(Rational::ONE);
                if let Some(base) = time_base(one.time_base) {
                    one.holes = Holes::new(holes, base);
                }
                added.has_subtitles |= !one.strict;
                added.starts.push(start);
                copied.insert(stream as usize, one);
            }
            TrackFrom::Subtitles {
                track: cues,
                shift_micros,
            } => {
                let to = output.add_subtitles(cues.codec, &cues.extradata, MILLIS, &tags(false))?;
                output.set_dispositions(to, &track.dispositions);
                let shift = shift_micros.saturating_add(common_shift_micros) / 1_000;
                let copied = CopiedStream::new(to, MILLIS, shift, 0, false);
                added.has_subtitles = true;
                added.starts.push((shift_micros / 1_000, MILLIS));
                added.feeds.push(Feed {
                    packets: Packets::Cues(cues.packets.clone().into_iter()),
                    copied: HashMap::from([(0, copied)]),
                    next: None,
                });
            }
            TrackFrom::Sound { part } => {
                let (feed, start) =
                    add_sound(output, part, (track, &tags(true)), common_shift_micros)?;
                added.starts.push(start);
                added.feeds.push(feed);
            }
        }
    }
    let files = files.into_iter();
    added
        .feeds
        .extend(files.map(|(_, _, input, copied)| Feed::new(input, copied)));
    Ok(added)
}

fn ticks(micros: i64, base: TimeBase) -> i64 {
    Timestamp::new(micros, TimeBase::MICROS)
        .rescaled(base)
        .ticks
}

fn add_file(
    output: &mut Output,
    source: Stream<'_>,
    (track, tags): (&AddedTrack<'_>, &BTreeMap<String, String>),
    (own, common): (i64, i64),
) -> Result<(CopiedStream, (i64, sys::AVRational)), MediaError> {
    let index = output.add_copy(source, tags)?;
    output.set_dispositions(index, &track.dispositions);
    let base = time_base(source.time_base());
    let shift = base.map_or(0, |base| ticks(own.saturating_add(common), base));
    let is_sound = source.parameters().0.codec_type == sys::AVMediaType::AVMEDIA_TYPE_AUDIO;
    let start = source.start().unwrap_or(0);
    let mut copied = CopiedStream::new(index, source.time_base(), shift, start, is_sound);
    if is_sound {
        copied.sample_rate = source.parameters().0.sample_rate;
    }
    let (first, clock) = copied.start();
    let first = first.saturating_add(time_base(clock).map_or(0, |clock| ticks(own, clock)));
    Ok((copied, (first, clock)))
}

fn add_sound(
    output: &mut Output,
    part: &Path,
    (track, tags): (&AddedTrack<'_>, &BTreeMap<String, String>),
    common: i64,
) -> Result<(Feed, (i64, sys::AVRational)), MediaError> {
    let part = SoundPartReader::open(part)?;
    let header = part.header();
    let bad = || MediaError::InvalidRequest {
        what: "the rate of a track of sound does not fit".into(),
    };
    let base = TimeBase::new(1, i64::from(header.format.rate)).ok_or_else(bad)?;
    let clock = av_rational(base.ratio()).ok_or_else(bad)?;
    let index = output.add_sound(&header.parameters, &header.extradata, clock, tags)?;
    output.set_dispositions(index, &track.dispositions);
    // Packets begin with what the encoder put before the first sample.
    let padding = header.parameters.initial_padding;
    let start = header.start - i64::from(padding);
    // The header of an MP3 is made of it.
    let is_mp3 = header.parameters.codec == "mp3";
    let mut copied = CopiedStream::new(index, clock, ticks(common, base), start, true);
    copied.sample_rate = header.format.rate as i32;
    let feed = Feed {
        packets: Packets::Sound {
            lead: u32::try_from(padding)
                .ok()
                .filter(|lead| is_mp3 && *lead > 0),
            part: Box::new(part),
        },
        copied: HashMap::from([(0, copied)]),
        next: None,
    };
    Ok((feed, (start, clock)))
}
