//! Arguments of `stabilise` and `interpolate`.

use super::{DeinterlaceName, Making, Upscale, Wishes};
use clap::{Args, ValueEnum};
use frameloom_app::{MotionWish, PresetId};
use frameloom_core::graph::{InterpolateParams, SlowSound, StabiliseBorder, StabiliseParams};
use frameloom_core::time::{FrameRate, Rational};
use std::path::PathBuf;

/// To what it is done, and how the result is made.
#[derive(Debug, Args)]
pub struct Clips {
    /// Videos, or folders of them.
    #[arg(required = true, value_name = "INPUT")]
    pub inputs: Vec<PathBuf>,
    /// Where to write: a file, or a folder. Beside the source if left out.
    #[arg(short, long, value_name = "FILE|DIR")]
    pub output: Option<PathBuf>,
    /// How the result is made.
    #[command(flatten)]
    pub making: Making,
    /// File name of the result, with {name}, {width}, {height}, {counter}.
    #[arg(long, value_name = "TEMPLATE")]
    pub name: Option<String>,
    /// Make whole pictures of the fields of an interlaced source first (bwdif).
    #[arg(long, value_name = "WHEN", default_value = "auto")]
    pub deinterlace: DeinterlaceName,
}

impl Clips {
    fn upscale(&self, preset: PresetId, motion: MotionWish) -> Upscale {
        Upscale {
            output: self.output.clone(),
            name: self.name.clone(),
            deinterlace: self.deinterlace,
            wishes: Wishes {
                motion: Some(motion),
                ..Wishes::default()
            },
            ..Upscale::new(preset, &self.inputs, &self.making)
        }
    }
}

/// Arguments of `stabilise`.
#[derive(Debug, Args)]
pub struct Stabilise {
    /// To what, and where.
    #[command(flatten)]
    pub clips: Clips,
    /// Seconds before and after a picture whose motion counts, 0.1 to 2: what the camera does in
    /// less is taken out.
    #[arg(long, value_name = "SECONDS", default_value_t = StabiliseParams::default().smooth)]
    pub smooth: f64,
    /// How many times as large pictures are shown, 1.02 to 1.5: the room in which they may be
    /// moved without a border.
    #[arg(long, value_name = "TIMES", default_value_t = StabiliseParams::default().zoom)]
    pub zoom: f64,
    /// Show pictures as large as they are, and fill the border with the mirrored picture.
    #[arg(long, conflicts_with = "zoom")]
    pub mirror: bool,
}

impl Stabilise {
    /// As the command for enlarging takes it.
    pub fn upscale(&self) -> Upscale {
        let stabilise = StabiliseParams {
            smooth: self.smooth,
            border: match self.mirror {
                true => StabiliseBorder::Mirror,
                false => StabiliseBorder::Crop,
            },
            zoom: self.zoom,
        };
        let motion = MotionWish {
            stabilise: Some(stabilise),
            interpolate: None,
        };
        self.clips.upscale(PresetId::Steady, motion)
    }
}

/// Arguments of `interpolate`.
#[derive(Debug, Args)]
pub struct Interpolate {
    /// To what, and where.
    #[command(flatten)]
    pub clips: Clips,
    /// Frames per second of the result: 60, 59.94 or 60000/1001.
    #[arg(long, value_name = "RATE")]
    pub rate: Option<FrameRate>,
    /// Times the frame rate that the clip has, 2 to 8; twice if neither is given.
    #[arg(long, value_name = "N", conflicts_with = "rate")]
    pub times: Option<u32>,
    /// A model that makes the frames in between, such as RIFE; what moves is followed without one.
    #[arg(long, value_name = "ID")]
    pub model: Option<String>,
    /// Slow motion: how many times as long the result lasts, 1 to 32: 4, 1.5 or 3/2. It has as many
    /// frames per second as the clip, unless `--rate` or `--times` says something else.
    #[arg(long, value_name = "TIMES")]
    pub slow: Option<Rational>,
    /// In slow motion, the sound of the clip: `stretch` makes it as long as the pictures and leaves it
    /// as high as it was, as where nothing is said; `drop` leaves it out.
    #[arg(long, value_name = "HOW", requires = "slow")]
    pub sound: Option<SlowSoundName>,
}

/// [`SlowSound`], as it is written on the command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum SlowSoundName {
    /// As long as the pictures, as high as before.
    Stretch,
    /// None.
    Drop,
}

impl Interpolate {
    /// As the command for enlarging takes it.
    pub fn upscale(&self) -> Upscale {
        let interpolate = InterpolateParams {
            rate: self.rate,
            times: self.times,
            model: self.model.clone(),
            slow: self.slow,
            sound: self.sound.map(|sound| match sound {
                SlowSoundName::Stretch => SlowSound::Stretch,
                SlowSoundName::Drop => SlowSound::Drop,
            }),
        };
        let motion = MotionWish {
            stabilise: None,
            interpolate: Some(interpolate),
        };
        self.clips.upscale(PresetId::Smooth, motion)
    }
}
