//! Packets that are copied, and the tags of streams and files.

use crate::container::Container;
use crate::ffi::packet::Packet;
use crate::ffi::util::time_base;
use ffmpeg_sys_next as sys;
use frameloom_core::media::{MediaInfo, StreamKind};
use frameloom_core::time::{Rational, TimeBase, Timestamp};
use std::collections::BTreeMap;

/// A stretch of a source, half-open, in the time of its file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SourceCut {
    /// Where it begins, in microseconds.
    pub from_micros: i64,
    /// The first moment that is out; `None` for the end of the file.
    pub to_micros: Option<i64>,
}

impl SourceCut {
    /// Both ends in ticks.
    pub(crate) fn ticks(self, base: TimeBase) -> (i64, i64) {
        let ticks = |micros| {
            Timestamp::new(micros, TimeBase::MICROS)
                .rescaled(base)
                .ticks
        };
        (
            ticks(self.from_micros),
            self.to_micros.map_or(i64::MAX, ticks),
        )
    }
}

/// A stretch inside of what is kept that is left out, half-open, in the time of the file. What comes
/// behind it moves up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SourceHole {
    /// Its first moment, in microseconds.
    pub from_micros: i64,
    /// The first moment behind it.
    pub to_micros: i64,
}

/// Holes in ticks of a stream, in order.
#[derive(Debug, Clone, Default)]
pub(crate) struct Holes(Vec<(i64, i64)>);

impl Holes {
    pub(crate) fn new(holes: &[SourceHole], base: TimeBase) -> Self {
        let ticks = |micros| {
            Timestamp::new(micros, TimeBase::MICROS)
                .rescaled(base)
                .ticks
        };
        let holes = holes.iter();
        Self(
            holes
                .map(|hole| (ticks(hole.from_micros), ticks(hole.to_micros)))
                .collect(),
        )
    }

    /// Where a moment comes once the holes are gone; one inside of a hole comes to its edge.
    pub(crate) fn moved(&self, at: i64) -> i64 {
        let before = self.0.iter().take_while(|(from, _)| *from < at);
        let gone: i64 = before.map(|(from, to)| (*to).min(at) - from).sum();
        at.saturating_sub(gone)
    }

    /// True for a moment that is left out.
    pub(crate) fn contain(&self, at: i64) -> bool {
        let holes = self.0.iter();
        holes.clone().any(|(from, to)| (*from..*to).contains(&at))
    }
}

/// A copied stream on its way.
#[derive(Debug, Clone)]
pub(crate) struct CopiedStream {
    /// Its place in the output.
    pub output: usize,
    pub time_base: sys::AVRational,
    /// Ticks that are added to every time of the result.
    pub shift: i64,
    /// Later than any time of another packet with the same time is an error for some muxers;
    /// subtitles may overlap.
    pub strict: bool,
    /// Samples per second; 0 for what is not sound.
    pub sample_rate: i32,
    /// What is kept of it.
    pub cut: Option<SourceCut>,
    /// What is left out of that.
    pub holes: Holes,
    /// How many times as long all of it lasts.
    pub slow: Rational,
    /// Decoding times of all packets, in their order, where the source tells none.
    pub decoding: Option<Vec<i64>>,
    /// Packets that were prepared.
    count: usize,
    last_dts: Option<i64>,
    /// The next time, for packets that carry none.
    next_pts: i64,
}

impl CopiedStream {
    pub(crate) fn new(
        output: usize,
        time_base: sys::AVRational,
        shift: i64,
        start: i64,
        strict: bool,
    ) -> Self {
        Self {
            output,
            time_base,
            shift,
            strict,
            sample_rate: 0,
            cut: None,
            holes: Holes::default(),
            slow: Rational::ONE,
            decoding: None,
            count: 0,
            last_dts: None,
            next_pts: start,
        }
    }

    /// Where it starts before the shift. Sound is counted in samples, as MP4 does.
    pub(crate) fn start(&self) -> (i64, sys::AVRational) {
        if self.sample_rate <= 0 {
            return (self.slow.of(self.next_pts), self.time_base);
        }
        let samples = sys::AVRational {
            num: 1,
            den: self.sample_rate,
        };
        let from = time_base(self.time_base);
        let start = match (from, time_base(samples)) {
            (Some(from), Some(to)) => Timestamp::new(self.next_pts, from).rescaled(to).ticks,
            _ => 0,
        };
        (start, samples)
    }

    /// Fills in missing times and moves the packet, still in the base of the source. False: the
    /// packet lies outside of what is kept.
    ///
    /// Of sound only whole packets are kept: it begins up to one packet later than the pictures,
    /// and what is there is in time to the sample. A subtitle that is on the screen at the start
    /// is shown from there on.
    pub(crate) fn prepare(&mut self, packet: &mut Packet) -> bool {
        let pts = packet.pts().or(packet.dts()).unwrap_or(self.next_pts);
        let told = self.decoding.as_ref().and_then(|all| all.get(self.count));
        self.count += 1;
        let dts = told.copied().or(packet.dts()).unwrap_or(pts);
        self.next_pts = pts.saturating_add(packet.duration());
        packet.set_pts(pts);
        packet.set_dts(dts.min(pts));
        if let (Some(cut), Some(base)) = (self.cut, time_base(self.time_base)) {
            let (from, to) = cut.ticks(base);
            let end = pts.saturating_add(packet.duration());
            let hangs_over = !self.strict && pts < from && end > from;
            if pts >= to || (pts < from && !hangs_over) {
                return false;
            }
            if hangs_over {
                packet.set_pts(from);
                packet.set_dts(from);
                packet.set_duration(end.min(to) - from);
            } else if !self.strict && end > to {
                packet.set_duration(to - pts);
            }
        }
        if !self.move_up(packet) {
            return false;
        }
        self.slow_down(packet);
        packet.shift(self.shift);
        packet.forget_position();
        packet.set_stream(self.output);
        true
    }

    /// Moves a packet over the holes before it. False: nothing of it is left.
    ///
    /// A subtitle that is on the screen where a hole begins or ends is shown as long as the pictures
    /// are there that it belongs to.
    fn move_up(&self, packet: &mut Packet) -> bool {
        let Some(pts) = packet.pts() else {
            return true;
        };
        let moved = self.holes.moved(pts);
        if self.strict {
            if self.holes.contain(pts) {
                return false;
            }
        } else {
            let end = pts.saturating_add(packet.duration());
            let shown = self.holes.moved(end).saturating_sub(moved);
            // Some subtitles have no length: they stay until the next.
            if (packet.duration() > 0 && shown <= 0)
                || (packet.duration() == 0 && self.holes.contain(pts))
            {
                return false;
            }
            packet.set_duration(shown);
        }
        let dts = packet.dts().unwrap_or(pts);
        packet.set_pts(moved);
        packet.set_dts(self.holes.moved(dts).min(moved));
        true
    }

    /// Moves a packet to where it comes when everything lasts longer.
    fn slow_down(&self, packet: &mut Packet) {
        let (Some(pts), true) = (packet.pts(), self.slow != Rational::ONE) else {
            return;
        };
        let at = self.slow.of(pts);
        let end = self.slow.of(pts.saturating_add(packet.duration()));
        let dts = packet.dts().map_or(at, |dts| self.slow.of(dts));
        packet.set_pts(at);
        packet.set_dts(dts.min(at));
        packet.set_duration(end.saturating_sub(at));
    }

    /// Brings the packet to the base of the output, its decoding times rising as muxers demand.
    pub(crate) fn finish(&mut self, packet: &mut Packet, to: sys::AVRational) {
        packet.rescale(self.time_base, to);
        let (Some(dts), Some(pts)) = (packet.dts(), packet.pts()) else {
            return;
        };
        let least = self
            .last_dts
            .map_or(dts, |last| last.saturating_add(i64::from(self.strict)));
        if dts < least {
            packet.set_dts(least);
            packet.set_pts(pts.max(least));
        }
        self.last_dts = packet.dts();
    }
}

/// Tags of the file that stay true. What names the old container or its writer does not.
/// Matroska writes names in capitals; the MP4 and MOV muxers know their own in small letters.
pub(crate) fn file_tags(
    tags: &BTreeMap<String, String>,
    container: Container,
) -> BTreeMap<String, String> {
    let stale = [
        "major_brand",
        "minor_version",
        "compatible_brands",
        "encoder",
    ];
    tags.iter()
        .map(|(key, value)| {
            let small = key.to_ascii_lowercase();
            let known = container.is_iso() && OWN_TAGS.contains(&small.as_str());
            (if known { small } else { key.clone() }, value.clone())
        })
        .filter(|(key, _)| !stale.iter().any(|s| key.eq_ignore_ascii_case(s)))
        .collect()
}

/// Tags of a file of which a file of sound is made. Ogg has those of the file at its track.
pub(crate) fn tags_of_sound(source: &MediaInfo, container: Container) -> BTreeMap<String, String> {
    let mut tags = file_tags(&source.tags, container);
    let of_track = source.streams.iter().find(|s| s.kind == StreamKind::Audio);
    if let Some(track) = of_track.filter(|_| source.container == "ogg") {
        let plain = stream_tags(&track.tags, true).into_iter();
        let own = plain.filter(|(key, _)| !key.eq_ignore_ascii_case("language"));
        for (key, value) in file_tags(&own.collect(), container) {
            tags.entry(key).or_insert(value);
        }
    }
    tags
}

/// Tags of a stream that stay true; for the processed one, nothing that was counted or measured.
pub(crate) fn stream_tags(
    tags: &BTreeMap<String, String>,
    processed: bool,
) -> BTreeMap<String, String> {
    let counted = [
        "BPS",
        "DURATION",
        "NUMBER_OF_FRAMES",
        "NUMBER_OF_BYTES",
        "_STATISTICS_",
        "ENCODER",
        "ALPHA_MODE",
        "ROTATE",
        "VARIANT_BITRATE",
    ];
    tags.iter()
        .filter(|(key, _)| {
            let key = key.to_ascii_uppercase();
            key != "DURATION" && !(processed && counted.iter().any(|c| key.starts_with(c)))
        })
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect()
}

/// Of the tags of a stream, those without which it cannot be used as what it is.
pub(crate) fn needed_tags(mut tags: BTreeMap<String, String>) -> BTreeMap<String, String> {
    let needed = ["language", "filename", "mimetype", "alpha_mode"];
    tags.retain(|key, _| needed.iter().any(|known| key.eq_ignore_ascii_case(known)));
    tags
}

/// Tags that the MP4 and MOV muxers write in their own places.
const OWN_TAGS: &[&str] = &[
    "title",
    "artist",
    "author",
    "album_artist",
    "composer",
    "album",
    "date",
    "comment",
    "genre",
    "copyright",
    "description",
    "synopsis",
    "track",
    "disc",
    "show",
    "episode_id",
    "network",
    "lyrics",
    "keywords",
    "location",
    "make",
    "model",
    "creation_time",
    "grouping",
    "compilation",
    "episode_sort",
    "season_number",
    "media_type",
    "hd_video",
    "gapless_playback",
    "timecode",
];

/// Those of `tags` that an MP4 or MOV holds only in its general table.
pub(crate) fn general_tags(container: Container, tags: &BTreeMap<String, String>) -> Vec<&str> {
    tags.keys()
        .map(String::as_str)
        .filter(|key| container.is_iso() && !OWN_TAGS.contains(key))
        .collect()
}
