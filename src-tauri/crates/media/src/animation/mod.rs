//! Animated pictures: GIF, APNG and WebP, out of the parts of a job and back.
//!
//! The parts hold every frame without loss. When all are there, they are decoded in order and
//! written into one file: twice for GIF, whose one palette is made of all frames. Equal parts give
//! equal bytes.
//!
//! | | GIF | APNG | WebP |
//! |---|---|---|---|
//! | clock | 1/100 s, two at least: players show what is shorter for a tenth of a second | any fraction | 1/1000 s |
//! | frames that come faster | left out, and said | kept | kept, down to one millisecond |
//! | samples | 255 colours and "nothing" | 8 or 16 bits | 8 bits |
//! | transparency | all or nothing, at half | full | full |
//! | repetition | as the source, else for ever | as the source, else for ever | as the source, else for ever |
//! | longest side | 65535 | 65535 | 16383 |
//!
//! All are sRGB in full range, without a tag, which is what every viewer takes them for: pictures
//! of wide primaries are converted in linear light. High dynamic range is refused, since none of
//! them could say what its samples mean, and what of it to darken is a choice of taste.

mod check;
mod file;
mod gif;
mod paint;
mod read;
mod webp;
mod write;

pub use check::check_animation;
pub use file::{AnimationFacts, animation_facts};
pub use paint::RgbPainter;
pub use write::{AnimationReport, AnimationSpec, write_animation};

pub(crate) use read::WebPFrames;

use crate::container::Container;
use crate::error::MediaError;
use crate::gamut::lost_in_srgb;
use frameloom_core::color::ColorInfo;
use frameloom_core::job::Quality;
use frameloom_core::media::Warning;
use frameloom_core::pixel::PixelFormat;
use frameloom_core::said;
use frameloom_core::said::Said;
use frameloom_core::time::{FrameRate, Rational, TimeBase};
use serde::{Deserialize, Serialize};

/// Longest side of a WebP picture in pixels.
const WEBP_SIDE: u32 = 16_383;
/// Longest side of the others here.
const MAX_SIDE: u32 = 65_535;

/// How an animation will be written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AnimationPlan {
    /// The encoder as ffmpeg names it.
    pub encoder: String,
    /// Its settings, and those of the palette, as they are given to ffmpeg.
    pub parameters: Vec<(String, String)>,
    /// What the user should know before it is made.
    pub warnings: Vec<Warning>,
}

/// What is known of the frames before the first of them is there.
#[derive(Debug, Clone, PartialEq)]
pub struct AnimationInput {
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
    /// Layout, depth and transparency.
    pub format: PixelFormat,
    /// Colour tags.
    pub color: ColorInfo,
    /// Frames per second, where it is known.
    pub frame_rate: Option<FrameRate>,
    /// Width of a pixel by its height.
    pub sample_aspect_ratio: Rational,
}

/// Plans an animation, which `container` must be.
///
/// # Errors
/// [`MediaError::InvalidRequest`] for what the format cannot hold, with what can.
pub fn plan_animation(
    container: Container,
    quality: Quality,
    input: &AnimationInput,
) -> Result<AnimationPlan, MediaError> {
    let name = container.shown();
    let refuse = |what: Said| Err(MediaError::InvalidRequest { what });
    if input.color.is_hdr() {
        return refuse(said!(
            "animation.hdr",
            "pictures of high dynamic range cannot go into {name}, which could not say what they mean; name the result .mp4 or .mkv, or numbered pictures (name_%05d.png)",
            name = name
        ));
    }
    if container == Container::Gif && quality == Quality::Lossless {
        return refuse(said!(
            "animation.gif_lossless",
            "a GIF has 255 colours and cannot be without loss; name the result .apng or .webp, or choose another quality"
        ));
    }
    let limit = match container {
        Container::WebP => WEBP_SIDE,
        _ => MAX_SIDE,
    };
    if input.width.max(input.height) > limit {
        return refuse(said!(
            "animation.too_large",
            "{name} takes at most {limit} pixels a side, not {width} x {height}; choose a smaller scale, or name the result .mp4 or .mkv",
            name = name,
            limit = limit,
            width = input.width,
            height = input.height
        ));
    }
    let mut warnings = Vec::new();
    let mut lost = |what: Said| warnings.push(Warning::dropped(what));
    if container == Container::Gif && input.format.alpha {
        lost(said!(
            "lost.half_transparent",
            "what is half transparent: a pixel of a GIF is there or not"
        ));
    }
    if container != Container::Apng && input.format.bits > 8 {
        lost(said!(
            "lost.bits",
            "bits per sample beyond {bits}, which is what {encoder} takes",
            bits = 8,
            encoder = name.as_str()
        ));
    }
    if let Some(rate) = input.frame_rate
        && container == Container::Gif
        && rate.ratio().to_f64() > 50.0
    {
        lost(said!(
            "lost.gif_frames",
            "frames beyond 50 a second, which players of GIF do not show in time"
        ));
    }
    if let Some(what) = lost_in_srgb(&input.color, &name) {
        lost(said!(
            "lost.but_pictures",
            "{what}; numbered pictures (name_%05d.png) keep them",
            what = what
        ));
    }
    let ratio = input.sample_aspect_ratio;
    if ratio.num > 0 && ratio.num != ratio.den {
        lost(said!(
            "lost.pixel_shape_of",
            "the shape of the pixels ({across}:{down}), which {name} cannot say; resize the pictures to keep their shape",
            across = ratio.num,
            down = ratio.den,
            name = name.as_str()
        ));
    }
    let (encoder, parameters) = settings(container, quality);
    Ok(AnimationPlan {
        encoder: encoder.to_owned(),
        parameters,
        warnings,
    })
}

/// Encoder and settings of a format at a quality, as they are handed over. Those of a GIF are the
/// options of ffmpeg's `paletteuse`.
pub(crate) fn settings(
    container: Container,
    quality: Quality,
) -> (&'static str, Vec<(String, String)>) {
    let pick = |draft: &str, good: &str, archive: &str, lossless: &str| match quality {
        Quality::Draft => draft.to_owned(),
        Quality::Good => good.to_owned(),
        Quality::Archive => archive.to_owned(),
        Quality::Lossless => lossless.to_owned(),
    };
    let (name, list) = match container {
        Container::Gif => {
            let dither = pick("bayer", "sierra2_4a", "floyd_steinberg", "floyd_steinberg");
            // Errors that spread would let still parts of the picture boil.
            let mode = pick("none", "rectangle", "rectangle", "rectangle");
            ("gif", vec![("dither", dither), ("diff_mode", mode)])
        }
        Container::Apng => (
            "apng",
            vec![
                ("pred", pick("sub", "mixed", "mixed", "mixed")),
                ("compression_level", pick("1", "6", "9", "9")),
            ],
        ),
        _ => {
            let mut list = vec![
                ("quality", pick("70", "85", "95", "75")),
                ("compression_level", pick("2", "4", "6", "4")),
            ];
            if quality == Quality::Lossless {
                list.push(("lossless", "1".to_owned()));
            }
            ("libwebp", list)
        }
    };
    let list = list.into_iter().map(|(k, v)| (k.to_owned(), v)).collect();
    (name, list)
}

/// Seconds per tick of a format, and the least number of ticks between two frames.
fn clock(container: Container) -> (TimeBase, i64) {
    let base = |den| TimeBase::new(1, den).unwrap_or(TimeBase::MICROS);
    match container {
        Container::Gif => (base(100), 2),
        Container::WebP => (base(1_000), 1),
        _ => (TimeBase::MICROS, 1),
    }
}
