//! Arguments of `light`, `style` and `depth`.

use super::{DeinterlaceName, Making, Pictures, Upscale};
use clap::{Args, ValueEnum};
use frameloom_app::{LookWish, PresetId};
use frameloom_core::graph::{DepthColors, DepthShow, DepthSide, StyleColors};
use std::path::PathBuf;

/// To what it is done, and how the result is made.
#[derive(Debug, Args)]
pub struct Files {
    /// Files, folders, or patterns of numbered pictures (shot_%05d.png).
    #[arg(required = true, value_name = "INPUT")]
    pub inputs: Vec<PathBuf>,
    /// How numbered pictures are read.
    #[command(flatten)]
    pub pictures: Pictures,
    /// Where to write: a file, or a folder.
    #[arg(short, long, value_name = "FILE|DIR")]
    pub output: Option<PathBuf>,
    /// How much neighbouring pictures of a clip count, so that nothing flickers, 0 to 1; 0 takes
    /// each picture by itself.
    #[arg(long, value_name = "PART")]
    pub smooth: Option<f64>,
    /// How the result is made.
    #[command(flatten)]
    pub making: Making,
    /// File name of the result, with {name}, {model}, {width}, {height}, {counter}.
    #[arg(long, value_name = "TEMPLATE")]
    pub name: Option<String>,
    /// Make whole pictures of the fields of an interlaced source first (bwdif).
    #[arg(long, value_name = "WHEN", default_value = "auto")]
    pub deinterlace: DeinterlaceName,
}

impl Files {
    fn upscale(&self, preset: PresetId, model: Option<&String>, look: LookWish) -> Upscale {
        Upscale {
            inputs: self.inputs.clone(),
            pictures: self.pictures,
            output: self.output.clone(),
            model: model.cloned(),
            scale: None,
            making: self.making.clone(),
            name: self.name.clone(),
            deinterlace: self.deinterlace,
            preset,
            saved: None,
            scenes: None,
            background: None,
            redact: None,
            reframe: None,
            motion: None,
            silence: None,
            voice: None,
            look: Some(LookWish {
                smooth: self.smooth,
                ..look
            }),
            format: None,
            size: None,
            source: None,
            convert: None,
            subtitles: None,
        }
    }
}

/// Arguments of `light`.
#[derive(Debug, Args)]
pub struct Light {
    /// To what, and where.
    #[command(flatten)]
    pub files: Files,
    /// A model that makes pictures lighter, instead of an estimate of the light in them.
    #[arg(short, long, value_name = "ID")]
    pub model: Option<String>,
    /// How much lighter, 0 to 1.
    #[arg(long, value_name = "PART")]
    pub strength: Option<f64>,
    /// How far what is bright already keeps its shades, 0 to 1.
    #[arg(long, value_name = "PART")]
    pub highlights: Option<f64>,
}

impl Light {
    /// As the command for enlarging takes it.
    pub fn upscale(&self) -> Upscale {
        let look = LookWish {
            strength: self.strength,
            highlights: self.highlights,
            ..LookWish::default()
        };
        self.files
            .upscale(PresetId::Light, self.model.as_ref(), look)
    }
}

/// Arguments of `style`.
#[derive(Debug, Args)]
pub struct Style {
    /// To what, and where.
    #[command(flatten)]
    pub files: Files,
    /// A model of a style; the only one that is installed if left out.
    #[arg(short, long, value_name = "ID")]
    pub model: Option<String>,
    /// How much of the style is seen, 0 to 1.
    #[arg(long, value_name = "PART")]
    pub strength: Option<f64>,
    /// Longest side of the picture that is painted, 256 to 2048: small ones have large strokes.
    #[arg(long, value_name = "PIXELS")]
    pub size: Option<u32>,
    /// Keep the colours of the source.
    #[arg(long)]
    pub keep_colors: bool,
}

impl Style {
    /// As the command for enlarging takes it.
    pub fn upscale(&self) -> Upscale {
        let look = LookWish {
            strength: self.strength,
            size: self.size,
            style_colors: self.keep_colors.then_some(StyleColors::Source),
            ..LookWish::default()
        };
        self.files
            .upscale(PresetId::Style, self.model.as_ref(), look)
    }
}

/// Arguments of `depth`.
#[derive(Debug, Args)]
pub struct Depth {
    /// To what, and where.
    #[command(flatten)]
    pub files: Files,
    /// A model that tells distances; the only one that is installed if left out.
    #[arg(short, long, value_name = "ID")]
    pub model: Option<String>,
    /// Put what is far from the subject out of focus, by the strongest blur in percent of the
    /// picture's height, instead of showing the distances.
    #[arg(
        long,
        value_name = "PERCENT",
        num_args = 0..=1,
        default_missing_value = "2",
        require_equals = true
    )]
    pub blur: Option<f64>,
    /// Where it is sharp, from the farthest thing (0) to the nearest (1); what is in front near the
    /// middle if left out.
    #[arg(long, value_name = "DISTANCE", requires = "blur")]
    pub focus: Option<f64>,
    /// What goes out of focus.
    #[arg(long, value_name = "WHAT", requires = "blur")]
    pub side: Option<SideName>,
    /// Show distances in colours, from violet to yellow, and not in grey.
    #[arg(long, conflicts_with = "blur")]
    pub heat: bool,
}

/// What goes out of focus.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum SideName {
    /// What is farther away than the subject.
    Background,
    /// What is nearer.
    Foreground,
    /// Both.
    Both,
}

impl Depth {
    /// As the command for enlarging takes it.
    pub fn upscale(&self) -> Upscale {
        let look = LookWish {
            show: Some(match self.blur {
                Some(_) => DepthShow::Blur,
                None => DepthShow::Map,
            }),
            depth_colors: self.heat.then_some(DepthColors::Heat),
            focus: self.focus,
            blur: self.blur,
            side: self.side.map(|side| match side {
                SideName::Background => DepthSide::Background,
                SideName::Foreground => DepthSide::Foreground,
                SideName::Both => DepthSide::Both,
            }),
            ..LookWish::default()
        };
        self.files
            .upscale(PresetId::Depth, self.model.as_ref(), look)
    }
}
