//! The same coded pictures in another framing: MPEG-TS and MXF set start codes before the units of H.264
//! and HEVC, MP4 and Matroska their lengths.

use crate::ffi::input::Stream;
use ffmpeg_sys_next as sys;
use xxhash_rust::xxh3::Xxh3;

/// How the units of a stream are told apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Framing {
    /// It has none that is known.
    Whole,
    /// Three bytes `00 00 01` before each.
    StartCodes,
    /// So many bytes before each that say how long it is.
    Lengths(usize),
}

impl Framing {
    pub(super) fn of(stream: Stream<'_>) -> Self {
        use sys::AVCodecID as C;
        let setup = stream.extradata();
        // `avcC` and `hvcC` boxes begin with their version; start codes with a nought.
        let length = match stream.parameters().0.codec_id {
            C::AV_CODEC_ID_H264 => setup.get(4),
            C::AV_CODEC_ID_HEVC => setup.get(21),
            _ => return Self::Whole,
        };
        match (setup.first(), length) {
            (Some(1), Some(length)) => Self::Lengths(usize::from(length & 3) + 1),
            _ => Self::StartCodes,
        }
    }

    /// The hash of what a packet holds, whatever stands between its units.
    pub(super) fn hash(self, data: &[u8]) -> u64 {
        let mut hash = Xxh3::new();
        match self {
            Self::Whole => hash.update(data),
            Self::StartCodes => {
                for unit in by_start_codes(data) {
                    add(&mut hash, unit);
                }
            }
            Self::Lengths(size) => {
                let mut rest = data;
                while let Some((head, tail)) = rest.split_at_checked(size) {
                    let length = head
                        .iter()
                        .fold(0usize, |sum, byte| (sum << 8) | usize::from(*byte));
                    let (unit, behind) = tail.split_at(length.min(tail.len()));
                    add(&mut hash, unit);
                    rest = behind;
                }
                add(&mut hash, rest);
            }
        }
        hash.digest()
    }
}

/// Noughts behind a unit belong to the start code that follows.
fn add(hash: &mut Xxh3, unit: &[u8]) {
    let noughts = unit.iter().rev().take_while(|byte| **byte == 0).count();
    let unit = unit.get(..unit.len() - noughts).unwrap_or_default();
    if !unit.is_empty() {
        hash.update(&(unit.len() as u64).to_le_bytes());
        hash.update(unit);
    }
}

fn by_start_codes(data: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = Some(data);
    std::iter::from_fn(move || {
        let data = rest?;
        let at = data.windows(3).position(|three| three == [0, 0, 1]);
        let (unit, behind) = match at {
            Some(at) => (data.get(..at)?, data.get(at + 3..)),
            None => (data, None),
        };
        rest = behind;
        Some(unit)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_the_same_in_both_framings() {
        let codes = [0, 0, 0, 1, 9, 16, 0, 0, 1, 101, 1, 2, 3, 0, 0, 1, 7, 7];
        let lengths = [
            0, 0, 0, 2, 9, 16, 0, 0, 0, 4, 101, 1, 2, 3, 0, 0, 0, 2, 7, 7,
        ];
        let short = [0, 2, 9, 16, 0, 4, 101, 1, 2, 3, 0, 2, 7, 7];
        let hash = Framing::StartCodes.hash(&codes);
        assert_eq!(hash, Framing::Lengths(4).hash(&lengths));
        assert_eq!(hash, Framing::Lengths(2).hash(&short));
        assert_ne!(hash, Framing::StartCodes.hash(&codes[..17]));
        assert_ne!(hash, Framing::Lengths(4).hash(&lengths[..14]));
        // A boundary that moved is another unit.
        assert_ne!(
            Framing::Lengths(2).hash(&[0, 1, 5, 0, 2, 6, 7]),
            Framing::Lengths(2).hash(&[0, 2, 5, 6, 0, 1, 7]),
        );
    }

    #[test]
    fn lengths_that_lead_nowhere_are_no_danger() {
        for data in [&[255, 255, 255, 255, 1][..], &[0, 0, 0], &[]] {
            Framing::Lengths(4).hash(data);
            Framing::StartCodes.hash(data);
        }
    }
}
