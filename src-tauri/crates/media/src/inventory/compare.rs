//! Everything in which two inventories differ.

use super::aspect::{Aspect, Rule, Scope};
use super::pair::pair;
use super::{ChapterEntry, Inventory, StreamEntry, times};
use crate::hdr::HdrStatic;
use frameloom_core::media::StreamInfo;
use frameloom_core::time::{TimeBase, Timestamp};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;

/// What counts as a difference.
#[derive(Debug, Clone, Default)]
pub struct DiffOptions {
    /// Differences that do not count.
    pub ignore: Vec<Rule>,
    /// Times that are no further apart than this are equal. 0: they must be the very same
    /// fraction of a second. Containers that count milliseconds need 500.
    pub tolerance_micros: i64,
}

/// A stream of one file and the one of the other that it was compared with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StreamPair {
    /// Kind of both.
    pub scope: Scope,
    /// Index in the first file.
    pub a: Option<u32>,
    /// Index in the second file.
    pub b: Option<u32>,
    /// Both in a few words.
    pub title: String,
}

/// The first time that differs, exactly.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct FirstTime {
    /// Place of the packet: in order of presentation for `pts`, else in order of decoding.
    pub packet: u64,
    /// In the first file.
    pub a: Option<Timestamp>,
    /// In the second file.
    pub b: Option<Timestamp>,
}

/// One difference.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// What it belongs to.
    pub scope: Scope,
    /// Place of the pair in [`Comparison::streams`]; `None` for the file as a whole.
    pub pair: Option<usize>,
    /// What differs.
    pub aspect: Aspect,
    /// Which tag or chapter.
    pub name: Option<String>,
    /// The first file's, as a person reads it; `missing` where there is none.
    pub a: String,
    /// The second file's.
    pub b: String,
    /// Set for times and packets.
    pub first: Option<FirstTime>,
    /// How many packets differ.
    pub count: Option<u64>,
    /// Largest difference of a time in microseconds.
    pub largest_micros: Option<i64>,
    /// Set if everything is later in the second file by this many microseconds.
    pub shift_micros: Option<i64>,
}

impl Difference {
    /// `scope:aspect`, or `scope:aspect.name`: what [`Rule`] reads.
    pub fn key(&self) -> String {
        let (scope, aspect) = (self.scope.name(), self.aspect);
        match &self.name {
            Some(name) => format!("{scope}:{aspect}.{name}"),
            None => format!("{scope}:{aspect}"),
        }
    }
}

/// How two files compare.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Comparison {
    /// No difference counts.
    pub equal: bool,
    /// The streams as they were paired, in the order of the first file.
    pub streams: Vec<StreamPair>,
    /// What differs and counts.
    pub differences: Vec<Difference>,
    /// Differences that were told not to count.
    pub ignored: u64,
}

impl Comparison {
    /// The differing aspects as [`Difference::key`], each once, sorted.
    pub fn keys(&self) -> Vec<String> {
        let keys: BTreeSet<String> = self.differences.iter().map(Difference::key).collect();
        keys.into_iter().collect()
    }
}

impl Inventory {
    /// Compares with another file.
    pub fn compare(&self, other: &Inventory, options: &DiffOptions) -> Comparison {
        let pairs = pair(&self.streams, &other.streams);
        let mut found = Findings {
            options,
            scope: Scope::File,
            pair: None,
            list: Vec::new(),
        };
        found.value(Aspect::Container, &self.container, &other.container);
        found.duration(self.duration_micros, other.duration_micros);
        found.tags(&self.tags, &other.tags);
        found.chapters(&self.chapters, &other.chapters);
        let places: Vec<usize> = pairs.iter().filter_map(|(_, b)| *b).collect();
        let paired = pairs.iter().filter(|(a, _)| a.is_some()).count();
        if !places[..paired.min(places.len())].is_sorted() {
            let order = |list: Vec<usize>| format!("{list:?}");
            found.differs(
                Aspect::Order,
                order((0..self.streams.len()).collect()),
                order(places),
            );
        }
        let mut streams = Vec::new();
        for (place, (a, b)) in pairs.iter().enumerate() {
            let (a, b) = (
                a.map(|at| &self.streams[at]),
                b.map(|at| &other.streams[at]),
            );
            let Some(any) = a.or(b) else { continue };
            streams.push(StreamPair {
                scope: any.scope,
                a: a.map(|s| s.info.index),
                b: b.map(|s| s.info.index),
                title: title(a, b),
            });
            found.scope = any.scope;
            found.pair = Some(place);
            match (a, b) {
                (Some(a), Some(b)) => found.stream(a, b),
                (a, b) => {
                    let text = |s: Option<&StreamEntry>| s.map_or_else(missing, |s| words(&s.info));
                    found.differs(Aspect::Stream, text(a), text(b));
                }
            }
        }
        let before = found.list.len();
        found.list.retain(|difference| {
            !options.ignore.iter().any(|rule| {
                let name = difference.name.as_deref();
                rule.covers(difference.scope, difference.aspect, name)
            })
        });
        Comparison {
            equal: found.list.is_empty(),
            streams,
            ignored: (before - found.list.len()) as u64,
            differences: found.list,
        }
    }
}

fn missing() -> String {
    "missing".to_owned()
}

/// A stream in a few words.
fn words(info: &StreamInfo) -> String {
    let mut text = info.codec.clone();
    if let Some(video) = &info.video {
        text.push_str(&format!(" {}x{}", video.width, video.height));
    }
    if let Some(audio) = &info.audio {
        text.push_str(&format!(" {} Hz {}", audio.sample_rate, audio.layout));
    }
    if let Some(language) = &info.language {
        text.push_str(&format!(" {language}"));
    }
    text
}

fn title(a: Option<&StreamEntry>, b: Option<&StreamEntry>) -> String {
    let text = |s: Option<&StreamEntry>| s.map_or_else(missing, |s| words(&s.info));
    let (a, b) = (text(a), text(b));
    if a == b { a } else { format!("{a} | {b}") }
}

struct Findings<'a> {
    options: &'a DiffOptions,
    scope: Scope,
    pair: Option<usize>,
    list: Vec<Difference>,
}

impl Findings<'_> {
    fn differs(&mut self, aspect: Aspect, a: String, b: String) -> &mut Difference {
        let place = self.list.len();
        self.list.push(Difference {
            scope: self.scope,
            pair: self.pair,
            aspect,
            name: None,
            a,
            b,
            first: None,
            count: None,
            largest_micros: None,
            shift_micros: None,
        });
        &mut self.list[place]
    }

    fn value<T: PartialEq + Debug>(&mut self, aspect: Aspect, a: &T, b: &T) {
        if a != b {
            let text = |value: &T| format!("{value:?}").trim_matches('"').to_owned();
            self.differs(aspect, text(a), text(b));
        }
    }

    /// As [`Findings::value`], with its own words for each.
    fn words<T: PartialEq>(&mut self, aspect: Aspect, a: &T, b: &T, text: impl Fn(&T) -> String) {
        if a != b {
            self.differs(aspect, text(a), text(b));
        }
    }

    fn duration(&mut self, a: Option<i64>, b: Option<i64>) {
        let same = match (a, b) {
            (Some(a), Some(b)) => a.saturating_sub(b).abs() <= self.options.tolerance_micros,
            (a, b) => a == b,
        };
        if !same {
            let text = |micros: Option<i64>| {
                micros.map_or_else(missing, |m| format!("{:.6} s", m as f64 / 1e6))
            };
            self.differs(Aspect::Duration, text(a), text(b));
        }
    }

    /// Names of tags are the same in capitals and in small letters: Matroska writes capitals.
    fn tags(&mut self, a: &BTreeMap<String, String>, b: &BTreeMap<String, String>) {
        let small = |tags: &BTreeMap<String, String>| -> BTreeMap<String, String> {
            let lower = |(k, v): (&String, &String)| (k.to_lowercase(), v.clone());
            tags.iter().map(lower).collect()
        };
        let (a, b) = (small(a), small(b));
        let names: BTreeSet<&String> = a.keys().chain(b.keys()).collect();
        for name in names {
            let (x, y) = (a.get(name), b.get(name));
            if x != y {
                let text = |value: Option<&String>| value.cloned().unwrap_or_else(missing);
                self.differs(Aspect::Tags, text(x), text(y)).name = Some(name.clone());
            }
        }
    }

    fn chapters(&mut self, a: &[ChapterEntry], b: &[ChapterEntry]) {
        let text = |chapter: Option<&ChapterEntry>| {
            chapter.map_or_else(missing, |c| {
                let seconds = |t: Timestamp| t.micros() as f64 / 1e6;
                let title = c.tags.get("title").map_or("", String::as_str);
                format!(
                    "{:.3} s to {:.3} s {title}",
                    seconds(c.start),
                    seconds(c.end)
                )
            })
        };
        for place in 0..a.len().max(b.len()) {
            let (x, y) = (a.get(place), b.get(place));
            let same = match (x, y) {
                (Some(x), Some(y)) => {
                    let tolerance = self.options.tolerance_micros;
                    !times::apart(x.start, y.start, tolerance)
                        && !times::apart(x.end, y.end, tolerance)
                        && x.tags == y.tags
                }
                _ => false,
            };
            if !same {
                self.differs(Aspect::Chapters, text(x), text(y)).name = Some(place.to_string());
            }
        }
    }

    fn stream(&mut self, a: &StreamEntry, b: &StreamEntry) {
        let (x, y) = (&a.info, &b.info);
        self.value(Aspect::Codec, &x.codec, &y.codec);
        let profile = |p: &Option<String>| p.clone().unwrap_or_else(|| "unknown".into());
        self.words(Aspect::Profile, &x.profile, &y.profile, profile);
        let bytes = |(length, hash): &(usize, u64)| format!("{length} bytes, hash {hash:016x}");
        self.words(Aspect::Setup, &a.setup, &b.setup, bytes);
        let base = |t: &TimeBase| t.ratio().to_string();
        self.words(Aspect::TimeBase, &x.time_base, &y.time_base, base);
        self.words(Aspect::Content, &a.attached, &b.attached, |attached| {
            attached.as_ref().map_or_else(missing, bytes)
        });
        self.tags(&x.tags, &y.tags);
        let list = |names: &Vec<String>| match names.is_empty() {
            true => "none".to_owned(),
            false => names.join(", "),
        };
        self.words(Aspect::Dispositions, &x.dispositions, &y.dispositions, list);
        self.words(Aspect::Trim, &a.trim, &b.trim, |(start, end)| {
            format!("{start} at the start, {end} at the end")
        });
        // A cover has its picture as its one packet, at a time that means nothing.
        if a.attached.is_none() || b.attached.is_none() {
            self.packets(a, b);
        }
        if let (Some(_), Some(_)) = (&x.audio, &y.audio) {
            self.words(Aspect::Sound, &x.audio, &y.audio, |audio| {
                audio.as_ref().map_or_else(missing, |a| {
                    format!(
                        "{} Hz, {} channels, {}",
                        a.sample_rate, a.channels, a.layout
                    )
                })
            });
        }
        self.pictures(a, b);
        let names = |side: &BTreeMap<String, u64>| match side.is_empty() {
            true => "none".to_owned(),
            false => side
                .iter()
                .map(|(name, hash)| format!("{name} {hash:016x}"))
                .collect::<Vec<_>>()
                .join(", "),
        };
        self.words(Aspect::SideData, &a.side_data, &b.side_data, names);
    }

    fn packets(&mut self, a: &StreamEntry, b: &StreamEntry) {
        let counts = |s: &StreamEntry| {
            let shown = s.shown().count();
            (shown, s.packets.len() - shown)
        };
        let ((a_shown, a_hidden), (b_shown, b_hidden)) = (counts(a), counts(b));
        self.value(Aspect::Packets, &a_shown, &b_shown);
        self.value(Aspect::Preroll, &a_hidden, &b_hidden);
        let sorted = |s: &StreamEntry| -> Vec<Option<i64>> {
            s.presentation_times().into_iter().map(Some).collect()
        };
        let decoding = |s: &StreamEntry| s.shown().map(|p| p.dts).collect::<Vec<_>>();
        let lengths = |s: &StreamEntry| s.shown().map(|p| Some(p.duration)).collect::<Vec<_>>();
        for (aspect, left, right) in [
            (Aspect::Pts, sorted(a), sorted(b)),
            (Aspect::Dts, decoding(a), decoding(b)),
            (Aspect::PacketDurations, lengths(a), lengths(b)),
        ] {
            self.times(aspect, (a, &left), (b, &right));
        }
        let (x, y) = (a.end(), b.end());
        let same = match (x, y) {
            (Some(x), Some(y)) => !times::apart(x, y, self.options.tolerance_micros),
            (x, y) => x.is_none() && y.is_none(),
        };
        if !same {
            self.differs(Aspect::End, moment(x), moment(y));
        }
        let unlike = a
            .packets
            .iter()
            .zip(&b.packets)
            .enumerate()
            .filter(|(_, (x, y))| (x.hash, x.size_bytes) != (y.hash, y.size_bytes));
        let mut unlike = unlike.peekable();
        if let Some((place, (x, y))) = unlike.peek().copied() {
            let text = |hash: u64, size: u32| format!("{size} bytes, hash {hash:016x}");
            let at = |s: &StreamEntry, time: Option<i64>| {
                time.map(|ticks| Timestamp::new(ticks, s.time_base()))
            };
            let first = FirstTime {
                packet: place as u64,
                a: at(a, x.pts),
                b: at(b, y.pts),
            };
            let count = unlike.count() as u64;
            let (x, y) = (text(x.hash, x.size_bytes), text(y.hash, y.size_bytes));
            let entry = self.differs(Aspect::Content, x, y);
            entry.first = Some(first);
            entry.count = Some(count);
        }
    }

    fn times(
        &mut self,
        aspect: Aspect,
        (a, left): (&StreamEntry, &[Option<i64>]),
        (b, right): (&StreamEntry, &[Option<i64>]),
    ) {
        let tolerance = self.options.tolerance_micros;
        let found = times::compare(left, a.time_base(), right, b.time_base(), tolerance);
        let Some(found) = found else { return };
        let at = |s: &StreamEntry, list: &[Option<i64>]| {
            let ticks = list.get(found.first).copied().flatten();
            ticks.map(|ticks| Timestamp::new(ticks, s.time_base()))
        };
        let (x, y) = (at(a, left), at(b, right));
        let entry = self.differs(aspect, moment(x), moment(y));
        entry.first = Some(FirstTime {
            packet: found.first as u64,
            a: x,
            b: y,
        });
        entry.count = Some(found.count);
        entry.largest_micros = Some(found.largest_micros);
        entry.shift_micros = found.shift_micros;
    }

    fn pictures(&mut self, a: &StreamEntry, b: &StreamEntry) {
        let (Some(x), Some(y)) = (&a.info.video, &b.info.video) else {
            return;
        };
        self.words(
            Aspect::Size,
            &(x.width, x.height),
            &(y.width, y.height),
            |(w, h)| format!("{w} x {h}"),
        );
        self.value(Aspect::PixelFormat, &x.pixel_format, &y.pixel_format);
        self.words(Aspect::FrameRate, &x.frame_rate, &y.frame_rate, |rate| {
            rate.map_or_else(missing, |r| {
                format!("{} ({:.3})", r.ratio(), r.ratio().to_f64())
            })
        });
        self.words(
            Aspect::SampleAspect,
            &x.sample_aspect_ratio,
            &y.sample_aspect_ratio,
            |r| format!("{}:{}", r.num, r.den),
        );
        if a.display_matrix != b.display_matrix {
            let text = |s: &StreamEntry| match (&s.display_matrix, &s.info.video) {
                (Some(_), Some(v)) if v.mirrored => {
                    format!("mirrored, then {}° clockwise", v.rotation_degrees)
                }
                (Some(_), Some(v)) => format!("{}° clockwise", v.rotation_degrees),
                _ => missing(),
            };
            self.differs(Aspect::DisplayMatrix, text(a), text(b));
        }
        let unknown = |name: &Option<String>| name.clone().unwrap_or_else(|| "unknown".into());
        let (p, q) = (&a.color, &b.color);
        self.words(Aspect::Primaries, &p.primaries, &q.primaries, unknown);
        self.words(Aspect::Transfer, &p.transfer, &q.transfer, unknown);
        self.words(Aspect::Matrix, &p.matrix_name, &q.matrix_name, unknown);
        self.value(Aspect::Range, &p.range, &q.range);
        self.value(
            Aspect::ChromaLocation,
            &p.chroma_location,
            &q.chroma_location,
        );
        self.words(Aspect::Hdr, &a.hdr, &b.hdr, hdr);
        let dynamic = |s: &StreamEntry, dolby: bool| {
            let dolby = dolby.then(|| "Dolby Vision".to_owned());
            s.dynamic_hdr.clone().or(dolby).unwrap_or_else(missing)
        };
        self.words(
            Aspect::DynamicHdr,
            &dynamic(a, x.dolby_vision),
            &dynamic(b, y.dolby_vision),
            String::clone,
        );
        self.value(Aspect::FieldOrder, &x.field_order, &y.field_order);
        self.value(Aspect::Alpha, &x.alpha, &y.alpha);
    }
}

fn moment(time: Option<Timestamp>) -> String {
    time.map_or_else(missing, |t| {
        format!("{:.6} s", t.ticks as f64 * t.base.ratio().to_f64())
    })
}

fn hdr(hdr: &Option<HdrStatic>) -> String {
    let Some(hdr) = hdr else { return missing() };
    let mut parts = Vec::new();
    if let Some(display) = &hdr.mastering {
        if let Some([low, high]) = display.luminance {
            parts.push(format!(
                "mastered for {} to {} cd/m²",
                low.to_f64(),
                high.to_f64()
            ));
        }
        if let Some(points) = display.chromaticities {
            let shown: Vec<String> = points
                .iter()
                .map(|[x, y]| format!("({:.4}, {:.4})", x.to_f64(), y.to_f64()))
                .collect();
            parts.push(format!("primaries and white {}", shown.join(" ")));
        }
    }
    if let Some(light) = hdr.content_light {
        parts.push(format!(
            "content up to {}, average up to {} cd/m²",
            light.max_content, light.max_average
        ));
    }
    parts.join(", ")
}
