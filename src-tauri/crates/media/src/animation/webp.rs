//! WebP: every frame a picture of its own by libwebp, put together here (RFC 9649, 2.7).

use super::paint::interleaved;
use super::settings;
use super::write::{AnimationSpec, Schedule, Source, rgb_color};
use crate::error::MediaError;
use crate::ffi::encoder::{Encoder, EncoderSettings};
use crate::ffi::packet::Packet;
use crate::ffi::pixel::AvFormat;
use frameloom_core::said;
use frameloom_core::time::Rational;
use std::fs::File;
use std::io::{self, BufWriter, Seek, SeekFrom, Write};

/// Flags of the extended header: transparency, animation.
const ALPHA: u8 = 0x10;
const ANIMATED: u8 = 0x02;
/// A frame replaces what was there, and stays until the next one.
const NO_BLENDING: u8 = 0x02;

pub(super) fn write(
    spec: &AnimationSpec<'_>,
    schedule: &Schedule,
    source: &mut Source<'_, '_>,
) -> Result<(), MediaError> {
    let failed = |error: io::Error| MediaError::from_write(error, spec.output_tmp);
    let (name, options) = settings(spec.container, spec.quality);
    let mut encoder = Encoder::open(&EncoderSettings {
        name,
        width: source.size.0,
        height: source.size.1,
        format: AvFormat::BGRA,
        time_base: Rational { num: 1, den: 1_000 },
        frame_rate: None,
        color: rgb_color(),
        sample_aspect_ratio: Rational { num: 1, den: 1 },
        options: &options,
    })?;
    let mut file = BufWriter::new(File::create(spec.output_tmp).map_err(failed)?);
    let plays = u16::try_from(spec.plays).unwrap_or(u16::MAX);
    file.write_all(&header(source.size, source.alpha, plays))
        .map_err(failed)?;
    let mut lengths = schedule.lengths().into_iter();
    let mut packet = Packet::new()?;
    while let Some(frame) = source.next()? {
        encoder.send(Some(&interleaved(&frame, AvFormat::BGRA)?))?;
        if !encoder.receive(&mut packet)? {
            return Err(MediaError::Verification {
                what: "the encoder kept a picture for itself".into(),
                path: spec.output_tmp.into(),
            });
        }
        let coded = picture_chunks(packet.data()).ok_or_else(|| MediaError::Verification {
            what: "the encoder made something else than a picture".into(),
            path: spec.output_tmp.into(),
        })?;
        let length = lengths.next().unwrap_or(1);
        let head = frame_header(source.size, length, coded.len());
        file.write_all(&head).map_err(failed)?;
        file.write_all(&coded).map_err(failed)?;
    }
    let end = file.stream_position().map_err(failed)?;
    let size = u32::try_from(end - 8).map_err(|_| MediaError::InvalidRequest {
        what: said!(
            "animation.webp_4_gb",
            "the animation is larger than the 4 GB that a WebP holds; name the result .mp4 or .mkv, or choose a smaller scale"
        ),
    })?;
    file.seek(SeekFrom::Start(4)).map_err(failed)?;
    file.write_all(&size.to_le_bytes()).map_err(failed)?;
    file.flush().map_err(failed)
}

/// The low three bytes of a number.
fn three(value: u32) -> [u8; 3] {
    let [a, b, c, _] = value.to_le_bytes();
    [a, b, c]
}

/// What stands before the first frame; the size of the whole is filled in at the end.
fn header((width, height): (u32, u32), alpha: bool, plays: u16) -> Vec<u8> {
    let mut bytes = b"RIFF\0\0\0\0WEBPVP8X".to_vec();
    bytes.extend(10u32.to_le_bytes());
    bytes.extend([ANIMATED | if alpha { ALPHA } else { 0 }, 0, 0, 0]);
    bytes.extend(three(width - 1));
    bytes.extend(three(height - 1));
    bytes.extend(b"ANIM");
    bytes.extend(6u32.to_le_bytes());
    // The ground is transparent; every frame covers it.
    bytes.extend([0; 4]);
    bytes.extend(plays.to_le_bytes());
    bytes
}

fn frame_header((width, height): (u32, u32), millis: i64, coded: usize) -> Vec<u8> {
    let mut bytes = b"ANMF".to_vec();
    bytes.extend((16 + coded as u32).to_le_bytes());
    bytes.extend([0; 6]);
    bytes.extend(three(width - 1));
    bytes.extend(three(height - 1));
    let longest = (1 << 24) - 1;
    bytes.extend(three(millis.clamp(0, longest) as u32));
    bytes.push(NO_BLENDING);
    bytes
}

/// The chunks of a still WebP that hold its picture: `ALPH`, `VP8 ` and `VP8L`.
fn picture_chunks(still: &[u8]) -> Option<Vec<u8>> {
    let mut rest = still.strip_prefix(b"RIFF")?.get(8..)?;
    let mut coded = Vec::new();
    while rest.len() >= 8 {
        let length = u32::from_le_bytes(rest[4..8].try_into().ok()?) as usize;
        let whole = 8 + length;
        let chunk = rest.get(..whole)?;
        if matches!(&chunk[..4], b"ALPH" | b"VP8 " | b"VP8L") {
            coded.extend_from_slice(chunk);
            if length % 2 == 1 {
                coded.push(0);
            }
        }
        rest = rest.get(whole + length % 2..).unwrap_or_default();
    }
    (!coded.is_empty()).then_some(coded)
}
