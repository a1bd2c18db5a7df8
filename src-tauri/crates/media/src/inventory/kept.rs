//! Whether tracks came into a copy as they are.

use super::{Aspect, Inventory, Scope, StreamEntry, pair};
use frameloom_core::time::Timestamp;

/// Containers that count in thousandths of a second round each time by itself.
const ROUNDING_MICROS: i64 = 1_000;

/// What of a track is not as it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unkept {
    /// Index of the stream in the source.
    pub stream: u32,
    /// In what it differs.
    pub aspect: Aspect,
}

impl Inventory {
    /// Whether these streams, by their index, are in `copy` as they are here: of pictures and sound
    /// every packet, shown or only decoded, byte by byte but for the framing of units, and at its time;
    /// others are there. All of a copy may begin later or earlier, together: gives by how many
    /// microseconds.
    ///
    /// Encoders of sound put samples before the first one, which MP4 hides and other containers cannot:
    /// beside pictures, packets that are hidden at the beginning of sound may be heard, if all others
    /// stay at their times.
    ///
    /// # Errors
    /// What is not as it was.
    pub fn kept(&self, copy: &Inventory, streams: &[u32]) -> Result<i64, Vec<Unkept>> {
        let mut lost = Vec::new();
        let mut shift = None;
        let is_picture = |entry: &StreamEntry| {
            entry.scope == Scope::Video && streams.contains(&entry.info.index)
        };
        let has_pictures = self.streams.iter().any(is_picture);
        for (a, b) in pair::pair(&self.streams, &copy.streams) {
            let Some(a) = a.and_then(|at| self.streams.get(at)) else {
                continue;
            };
            let stream = a.info.index;
            if !streams.contains(&stream) {
                continue;
            }
            let mut lose = |aspect| lost.push(Unkept { stream, aspect });
            let Some(b) = b.and_then(|at| copy.streams.get(at)) else {
                // Some containers leave out a track without a packet.
                if !a.packets.is_empty() || a.attached.is_some() {
                    lose(Aspect::Stream);
                }
                continue;
            };
            if !matches!(a.scope, Scope::Video | Scope::Audio) {
                continue;
            }
            if family(&a.info.codec) != family(&b.info.codec) {
                lose(Aspect::Codec);
            }
            let lead = match has_pictures && a.scope == Scope::Audio {
                true => lead_in(a, b),
                false => 0,
            };
            if a.packets.len() != b.packets.len() {
                lose(Aspect::Packets);
            } else if a.shown().count() + lead != b.shown().count() {
                lose(Aspect::Preroll);
            } else if !same_units(a, b, lead) {
                lose(Aspect::Content);
            }
            match moved(a, b, lead, &mut shift) {
                true => {}
                false => lose(Aspect::Pts),
            }
        }
        match lost.is_empty() {
            true => Ok(shift.unwrap_or(0)),
            false => Err(lost),
        }
    }
}

/// MP4 tells the layers of MPEG sound not apart.
fn family(codec: &str) -> &str {
    match codec {
        "mp1" | "mp2" | "mp3" => "mp3",
        other => other,
    }
}

/// How many packets are hidden at the beginning of `a`, of which `b` shows all.
fn lead_in(a: &StreamEntry, b: &StreamEntry) -> usize {
    match b.packets.iter().all(|packet| packet.shown) {
        true => a.packets.iter().take_while(|p| !p.shown).count(),
        false => 0,
    }
}

/// `lead`: so many packets at the beginning may be shown in `b` alone.
fn same_units(a: &StreamEntry, b: &StreamEntry, lead: usize) -> bool {
    let mut pairs = a.packets.iter().zip(&b.packets).enumerate();
    pairs.all(|(n, (a, b))| a.units == b.units && (n < lead || a.shown == b.shown))
}

/// True if every packet is later by the same, which all tracks have in common. The first `lead` of
/// `b` are none of those.
fn moved(a: &StreamEntry, b: &StreamEntry, lead: usize, shift: &mut Option<i64>) -> bool {
    let micros = |of: &StreamEntry| -> Vec<i64> {
        let times = of.presentation_times().into_iter();
        times
            .map(|ticks| Timestamp::new(ticks, of.time_base()).micros())
            .collect()
    };
    let (a, mut b) = (micros(a), micros(b));
    b.drain(..lead.min(b.len()));
    let (Some(first), Some(found)) = (a.first(), b.first()) else {
        return a.is_empty() && b.is_empty();
    };
    let by = *shift.get_or_insert(found.saturating_sub(*first));
    a.iter().zip(&b).all(|(a, b)| {
        let late = b.saturating_sub(*a).saturating_sub(by);
        // The first time is rounded as well.
        late.abs() <= 2 * ROUNDING_MICROS
    })
}

impl StreamEntry {
    /// The first moment of what is shown and the moment behind the last of it, in microseconds.
    pub fn span_micros(&self) -> Option<(i64, i64)> {
        let times = self.presentation_times();
        let base = self.time_base();
        let micros = |ticks| Timestamp::new(ticks, base).micros();
        let (first, last) = (*times.first()?, *times.last()?);
        let step = match times[..] {
            [.., before, last] => last.saturating_sub(before),
            _ => 0,
        };
        let end = self.end().map(|end| end.ticks).filter(|end| *end > last);
        let end = end.unwrap_or(last.saturating_add(step));
        Some((micros(first), micros(end)))
    }
}
