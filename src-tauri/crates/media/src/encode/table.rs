//! Every encoder with what each quality hands to it, and whether this machine really has it.

use crate::animation;
use crate::container::Container;
use crate::encode::encoder::VideoEncoder;
use crate::encode::plan::{EncoderSpec, codec_text, plan_with};
use crate::encode::quality::{ENCODERS, Known, settings};
use crate::error::MediaError;
use crate::ffi::encoder::{is_built_in, reason};
use crate::frame::Frame;
use frameloom_core::color::ColorInfo;
use frameloom_core::job::{Quality, VideoCodec};
use frameloom_core::pixel::{AnyPlaneMut, PixelFormat};
use frameloom_core::time::{FrameRate, Rational, TimeBase};
use serde::Serialize;

/// Frames that an encoder is tried with: enough that one which fails at its second does not pass.
const TRIAL_FRAMES: u32 = 5;
/// Side of the frames in pixels: the least that DNxHR takes.
const TRIAL_SIDE: u32 = 256;

/// All qualities, the quickest first.
pub const QUALITIES: [Quality; 4] = [
    Quality::Draft,
    Quality::Good,
    Quality::Archive,
    Quality::Lossless,
];

/// An encoder, with its settings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct EncoderRow {
    /// What it makes, as people call it (`H.264`, `GIF`).
    pub codec: String,
    /// ffmpeg's name of the encoder.
    pub name: String,
    /// Made by a chip of its own, if this machine has it.
    pub hardware: bool,
    /// Why it cannot be used here; `None` if it encoded frames, or was not tried.
    pub refused: Option<String>,
    /// What each quality hands over, in the order of [`QUALITIES`].
    pub presets: Vec<Preset>,
}

/// What a quality hands to an encoder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Preset {
    /// The quality.
    pub quality: Quality,
    /// Option and value, exactly as they are given to ffmpeg; `None` if the encoder cannot do it,
    /// and a job that asks for it is refused.
    pub parameters: Option<Vec<(String, String)>>,
}

fn spec(codec: Option<VideoCodec>, quality: Quality, threads: usize) -> EncoderSpec {
    EncoderSpec {
        codec,
        quality,
        container: Container::Mkv,
        width: TRIAL_SIDE,
        height: TRIAL_SIDE,
        format: PixelFormat::YUV420P8,
        time_base: TimeBase::MICROS,
        frame_rate: FrameRate::new(25, 1),
        color: ColorInfo::default(),
        sample_aspect_ratio: Rational { num: 1, den: 1 },
        threads,
        hdr: None,
    }
}

/// The table with every encoder tried on this machine: what was built into the library encodes a
/// few frames, for hardware may be listed and not be there. The settings are those for an
/// ordinary clip of 25 frames a second on `threads` threads.
pub fn encoder_table(threads: usize) -> Vec<EncoderRow> {
    // Only that the libraries keep quiet depends on it.
    let _ = crate::init();
    table(threads, |known| match known {
        Some(known) if is_built_in(known.name) => try_known(known).err().map(|e| reason(&e)),
        _ => Some("this build of FFmpeg does not have it".to_owned()),
    })
}

fn table(threads: usize, refused: impl Fn(Option<Known>) -> Option<String>) -> Vec<EncoderRow> {
    let clips = ENCODERS.iter().map(|known| EncoderRow {
        codec: known.codec.map_or("MPEG-4 part 2", codec_text).to_owned(),
        name: known.name.to_owned(),
        hardware: is_hardware(known.name),
        refused: refused(Some(*known)),
        presets: presets(|quality| {
            let possible = quality != Quality::Lossless || known.lossless;
            let spec = spec(known.codec, quality, threads);
            possible.then(|| settings(*known, &spec, PixelFormat::YUV420P8))
        }),
    });
    let animations = [
        (Container::Gif, "GIF"),
        (Container::Apng, "APNG"),
        (Container::WebP, "WebP"),
    ];
    let animations = animations.into_iter().map(|(container, codec)| {
        let (name, _) = animation::settings(container, Quality::Good);
        EncoderRow {
            codec: codec.to_owned(),
            name: name.to_owned(),
            hardware: false,
            refused: match is_built_in(name) {
                true => None,
                false => refused(None),
            },
            presets: presets(|quality| {
                let possible = container != Container::Gif || quality != Quality::Lossless;
                possible.then(|| animation::settings(container, quality).1)
            }),
        }
    });
    clips.chain(animations).collect()
}

fn presets(parameters: impl Fn(Quality) -> Option<Vec<(String, String)>>) -> Vec<Preset> {
    QUALITIES
        .into_iter()
        .map(|quality| Preset {
            quality,
            parameters: parameters(quality),
        })
        .collect()
}

fn is_hardware(name: &str) -> bool {
    ["_nvenc", "_amf", "_mf", "_videotoolbox", "_qsv", "_vaapi"]
        .iter()
        .any(|end| name.ends_with(end))
}

/// Encodes a few frames that differ, and counts what comes out.
fn try_known(known: Known) -> Result<(), MediaError> {
    let spec = spec(known.codec, Quality::Draft, 1);
    let plan = plan_with(known, &spec)?;
    let mut encoder = VideoEncoder::open(&spec, &plan)?;
    let mut packets = 0;
    let mut sink = |_| {
        packets += 1;
        Ok(())
    };
    for number in 0..TRIAL_FRAMES {
        let mut frame = Frame::new(plan.input_format, TRIAL_SIDE, TRIAL_SIDE)?;
        if let AnyPlaneMut::U8(mut plane) = frame.plane_mut(0)? {
            for y in 0..plane.height {
                plane.row_mut(y).fill((y as u32 + number * 16) as u8);
            }
        }
        frame.set_timing(i64::from(number) * 40_000, 40_000);
        encoder.send(&frame, &mut sink)?;
    }
    encoder.finish(&mut sink)?;
    if packets == TRIAL_FRAMES {
        return Ok(());
    }
    Err(MediaError::EncoderUnavailable {
        wanted: known.name.to_owned(),
        reason: format!("it gave {packets} packets for {TRIAL_FRAMES} frames"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The lines of the table in the documentation: without the distance of key frames and the
    /// number of threads, which the clip and the machine decide.
    fn lines() -> Vec<String> {
        let mut lines = vec![
            "| makes | encoder | draft | good | archive | lossless |".to_owned(),
            "|---|---|---|---|---|---|".to_owned(),
        ];
        for row in table(1, |_| None) {
            let cells = row.presets.iter().map(|preset| match &preset.parameters {
                None => "refused".to_owned(),
                Some(list) => {
                    let said = list
                        .iter()
                        .filter(|(key, _)| key != "g" && key != "threads")
                        .map(|(key, value)| format!("{key}={value}"));
                    let text = said.collect::<Vec<_>>().join(" ");
                    format!("`{text}`")
                }
            });
            lines.push(format!(
                "| {} | {} | {} |",
                row.codec,
                row.name,
                cells.collect::<Vec<_>>().join(" | ")
            ));
        }
        lines
    }

    #[test]
    fn the_table_in_the_documentation_is_what_is_handed_over() {
        let written: Vec<&str> = include_str!("mod.rs")
            .lines()
            .filter_map(|line| line.strip_prefix("//! "))
            .filter(|line| line.starts_with('|'))
            .collect();
        let wanted = lines();
        let show: String = wanted.iter().map(|line| format!("//! {line}\n")).collect();
        assert_eq!(written, wanted, "encode/mod.rs must say:\n{show}");
    }

    #[test]
    fn every_software_encoder_of_this_build_encodes_and_absent_hardware_says_so() {
        let rows = encoder_table(1);
        for row in &rows {
            assert_eq!(row.presets.len(), 4, "{}", row.name);
            if row.name == "ffv1" || row.name == "prores_ks" || row.name == "gif" {
                assert_eq!(row.refused, None, "{}", row.name);
            }
            if let Some(why) = &row.refused {
                assert!(!why.is_empty(), "{}", row.name);
            }
        }
        let hardware: Vec<&str> = rows
            .iter()
            .filter(|row| row.hardware)
            .map(|row| row.name.as_str())
            .collect();
        assert!(hardware.contains(&"h264_nvenc") && hardware.contains(&"h264_mf"));
    }
}
