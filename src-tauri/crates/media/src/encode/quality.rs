//! Quality in a word as the settings of each encoder.

use crate::encode::plan::EncoderSpec;
use frameloom_core::job::{Quality, VideoCodec};
use frameloom_core::pixel::{PixelFormat, Planes};

/// An encoder that this program knows how to drive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Known {
    pub name: &'static str,
    /// `None`: only a last resort that nobody asks for by name.
    pub codec: Option<VideoCodec>,
    pub lossless: bool,
    /// It cannot keep every time of a source (a coarse clock of its own, or a short denominator):
    /// it is told the number of the frame instead, and its packets get the times back.
    pub counts_frames: bool,
}

const fn counting(known: Known) -> Known {
    Known {
        counts_frames: true,
        ..known
    }
}

const fn known(name: &'static str, codec: VideoCodec, lossless: bool) -> Known {
    Known {
        name,
        codec: Some(codec),
        lossless,
        counts_frames: false,
    }
}

/// Best first within each codec: quality per bit before speed.
pub(crate) const ENCODERS: &[Known] = &[
    known("libx264", VideoCodec::H264, true),
    known("libopenh264", VideoCodec::H264, false),
    known("h264_videotoolbox", VideoCodec::H264, false),
    known("h264_nvenc", VideoCodec::H264, true),
    known("h264_amf", VideoCodec::H264, false),
    counting(known("h264_mf", VideoCodec::H264, false)),
    known("libx265", VideoCodec::Hevc, true),
    known("hevc_videotoolbox", VideoCodec::Hevc, false),
    known("hevc_nvenc", VideoCodec::Hevc, true),
    known("hevc_amf", VideoCodec::Hevc, false),
    known("libsvtav1", VideoCodec::Av1, false),
    known("av1_nvenc", VideoCodec::Av1, false),
    counting(known("libaom-av1", VideoCodec::Av1, false)),
    counting(known("libvpx-vp9", VideoCodec::Vp9, true)),
    known("ffv1", VideoCodec::Ffv1, true),
    known("prores_ks", VideoCodec::Prores, false),
    known("dnxhd", VideoCodec::Dnxhr, false),
    Known {
        name: "mpeg4",
        codec: None,
        lossless: false,
        counts_frames: true,
    },
];

/// Pixels of the largest frame that the decoders here take, which must read the result back.
pub(crate) const MAX_PIXELS: u64 = 16_384 * 16_384;

/// Longest side of a frame here.
pub(crate) const MAX_SIDE: u32 = 65_535;

/// Largest width and height that an encoder takes, where it is less than [`MAX_PIXELS`] allows.
/// Tried with the libraries of Debian 12 (x264 r3095, SVT-AV1 1.4, libvpx 1.12) at this size and
/// at the next larger one; OpenH264 and NVENC as their documentation has it.
pub(crate) fn max_size(encoder: &str) -> (u32, u32) {
    match encoder {
        "libx264" | "libvpx-vp9" => (16_384, 16_384),
        "libsvtav1" => (16_384, 8_704),
        "libopenh264" => (3_840, 2_160),
        "h264_nvenc" => (4_096, 4_096),
        "hevc_nvenc" | "av1_nvenc" => (8_192, 8_192),
        "mpeg4" => (8_191, 8_191),
        _ => (u32::MAX, u32::MAX),
    }
}

/// The settings, exactly as they are handed to the encoder.
pub(crate) fn settings(
    encoder: Known,
    spec: &EncoderSpec,
    input: PixelFormat,
) -> Vec<(String, String)> {
    let quality = spec.quality;
    let threads = spec.threads.max(1);
    let pick = |draft: &str, good: &str, archive: &str| match quality {
        Quality::Draft => draft.to_owned(),
        Quality::Good => good.to_owned(),
        Quality::Archive | Quality::Lossless => archive.to_owned(),
    };
    let lossless = quality == Quality::Lossless;
    let mut list: Vec<(&str, String)> = Vec::new();
    let mut gop = gop(spec);
    match encoder.name {
        "libx264" => {
            list.push(("preset", pick("veryfast", "fast", "slow")));
            // The look-ahead in a thread of its own makes x264 (core 164) decide otherwise now and
            // then: 6 of 50 runs over the same frames differed with two threads, none of 150
            // without. A resumed result must equal an undisturbed one.
            list.push(("x264-params", "sync-lookahead=0".into()));
            if lossless {
                list.push(("qp", "0".into()));
            } else {
                list.push(("crf", pick("23", "18", "14")));
            }
        }
        "libx265" => {
            list.push(("preset", pick("superfast", "fast", "slow")));
            if !lossless {
                list.push(("crf", pick("26", "20", "16")));
            }
            list.push(("x265-params", x265(spec, lossless, threads)));
        }
        "libsvtav1" => {
            list.push(("preset", pick("11", "8", "5")));
            list.push(("crf", pick("36", "25", "16")));
            list.push(("svtav1-params", format!("lp={threads}")));
        }
        "libaom-av1" => {
            list.push(("cpu-used", pick("8", "6", "4")));
            list.push(("crf", pick("36", "25", "16")));
            list.push(("row-mt", "1".into()));
        }
        "libvpx-vp9" => {
            list.push(("deadline", "good".into()));
            list.push(("cpu-used", pick("5", "3", "1")));
            list.push(("row-mt", "1".into()));
            list.push(("b", "0".into()));
            if lossless {
                list.push(("lossless", "1".into()));
            } else {
                list.push(("crf", pick("36", "24", "15")));
            }
            if input.alpha {
                // The transparency is a second stream without hidden frames.
                list.push(("auto-alt-ref", "0".into()));
            }
        }
        "ffv1" => {
            list.push(("level", "3".into()));
            list.push(("slicecrc", "1".into()));
            gop = 1;
        }
        "prores_ks" => {
            let full = matches!(input.planes, Planes::Yuv { shift_x: 0, .. });
            let profile = if full {
                pick("4444", "4444", "4444xq")
            } else {
                pick("lt", "hq", "hq")
            };
            list.push(("profile", profile));
            list.push(("vendor", "apl0".into()));
            gop = 1;
        }
        "dnxhd" => {
            let full = !matches!(input.planes, Planes::Yuv { shift_x: 1, .. });
            let profile = match (full, input.bits > 8) {
                (true, _) => "dnxhr_444".to_owned(),
                (false, true) => "dnxhr_hqx".to_owned(),
                (false, false) => pick("dnxhr_lb", "dnxhr_hq", "dnxhr_hq"),
            };
            list.push(("profile", profile));
            gop = 1;
        }
        "libopenh264" => {
            list.push(("rc_mode", "off".into()));
            // In units of lambda: 118 for one step of the quantiser.
            list.push(("global_quality", pick("3068", "2360", "1770")));
        }
        "h264_nvenc" | "hevc_nvenc" | "av1_nvenc" => {
            list.push(("preset", pick("p2", "p5", "p7")));
            if lossless {
                list.push(("tune", "lossless".into()));
            } else {
                list.push(("rc", "constqp".into()));
                list.push(("qp", pick("26", "20", "15")));
            }
        }
        "h264_amf" | "hevc_amf" => {
            list.push(("quality", pick("speed", "balanced", "quality")));
            list.push(("rc", "cqp".into()));
            list.push(("qp_i", pick("25", "19", "14")));
            list.push(("qp_p", pick("27", "21", "16")));
        }
        "h264_mf" => {
            list.push(("rate_control", "quality".into()));
            list.push(("quality", pick("60", "85", "95")));
        }
        "h264_videotoolbox" | "hevc_videotoolbox" => {
            list.push(("flags", "+qscale".into()));
            list.push(("global_quality", pick("5900", "8260", "10030")));
        }
        "mpeg4" => {
            list.push(("flags", "+qscale".into()));
            list.push(("global_quality", pick("590", "236", "118")));
            list.push(("bf", "0".into()));
            // Closed groups of pictures and a search for cuts do not go together here.
            list.push(("sc_threshold", "1000000000".into()));
        }
        _ => {}
    }
    list.push(("g", gop.to_string()));
    list.push(("threads", threads.to_string()));
    list.into_iter()
        .map(|(key, value)| (key.to_owned(), value))
        .collect()
}

/// A key frame about every two seconds, to which a player jumps.
fn gop(spec: &EncoderSpec) -> u32 {
    let rate = spec.frame_rate.map_or(30.0, |rate| rate.ratio().to_f64());
    (rate * 2.0).round().clamp(10.0, 300.0) as u32
}

fn x265(spec: &EncoderSpec, lossless: bool, threads: usize) -> String {
    let mut text = format!("log-level=none:pools={threads}");
    if lossless {
        text.push_str(":lossless=1");
    }
    if let Some(hdr) = &spec.hdr {
        if let Some(display) = hdr.mastering.as_ref().and_then(|m| m.x265_text()) {
            text.push_str(":master-display=");
            text.push_str(&display);
        }
        if let Some(light) = hdr.content_light {
            text.push_str(&format!(
                ":max-cll={},{}",
                light.max_content, light.max_average
            ));
        }
    }
    text
}
