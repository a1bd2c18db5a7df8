//! Arguments of `convert`.

use super::{Making, Upscale, Wishes};
use clap::{Args, ValueEnum};
use frameloom_app::{ConvertWish, PresetId};
use frameloom_core::graph::Anchor;
use std::path::PathBuf;

/// Arguments of `convert`.
#[derive(Debug, Args)]
pub struct Convert {
    /// Pictures, or folders, which are searched at any depth.
    #[arg(required = true, value_name = "INPUT")]
    pub inputs: Vec<PathBuf>,
    /// Where to write: a file, or a folder. Beside the source if left out.
    #[arg(short, long, value_name = "FILE|DIR")]
    pub output: Option<PathBuf>,
    /// Ending of the results: png, jpg, webp or tiff; as the sources if left out.
    #[arg(short, long, value_name = "ENDING")]
    pub format: Option<String>,
    /// Size that results fit into, in their own shape: hd, 4k, 8k, or WIDTHxHEIGHT.
    #[arg(long, value_name = "SIZE", value_parser = size)]
    pub size: Option<(u32, u32)>,
    /// Make smaller pictures as large.
    #[arg(long, requires = "size")]
    pub larger: bool,
    /// Lay this picture over, a watermark.
    #[arg(long, value_name = "FILE")]
    pub mark: Option<PathBuf>,
    /// Write this over.
    #[arg(long, value_name = "TEXT")]
    pub text: Option<String>,
    /// Where the mark or the text lies.
    #[arg(long, default_value = "bottom-right")]
    pub place: Place,
    /// How much the mark or the text covers, 0 to 1; 0.6 if left out.
    #[arg(long, value_name = "PART")]
    pub opacity: Option<f64>,
    /// Width of the mark by that of the picture, 0.01 to 1; 0.2 if left out.
    #[arg(long, value_name = "PART")]
    pub mark_width: Option<f64>,
    /// Leave out what is told of the picture: where, when and with what it was taken, names.
    #[arg(long)]
    pub strip: bool,
    /// Make its colours those of sRGB, which every program shows.
    #[arg(long)]
    pub srgb: bool,
    /// How the result is made.
    #[command(flatten)]
    pub making: Making,
    /// File name of the result, with {name}, {width}, {height}, {counter}.
    #[arg(long, value_name = "TEMPLATE")]
    pub name: Option<String>,
}

/// Places on a picture; the names say it.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum Place {
    TopLeft,
    Top,
    TopRight,
    Left,
    Center,
    Right,
    BottomLeft,
    Bottom,
    BottomRight,
}

impl From<Place> for Anchor {
    fn from(place: Place) -> Self {
        match place {
            Place::TopLeft => Anchor::TopLeft,
            Place::Top => Anchor::Top,
            Place::TopRight => Anchor::TopRight,
            Place::Left => Anchor::Left,
            Place::Center => Anchor::Center,
            Place::Right => Anchor::Right,
            Place::BottomLeft => Anchor::BottomLeft,
            Place::Bottom => Anchor::Bottom,
            Place::BottomRight => Anchor::BottomRight,
        }
    }
}

/// Reads `hd`, `4k`, `8k` or `WIDTHxHEIGHT`.
pub fn size(text: &str) -> Result<(u32, u32), String> {
    let named = match text.to_ascii_lowercase().as_str() {
        "hd" => Some((1920, 1080)),
        "4k" => Some((3840, 2160)),
        "8k" => Some((7680, 4320)),
        _ => None,
    };
    let typed = || {
        let (width, height) = text.split_once(['x', 'X'])?;
        Some((width.trim().parse().ok()?, height.trim().parse().ok()?))
    };
    named
        .or_else(typed)
        .ok_or_else(|| "write hd, 4k, 8k, or a size such as 1920x1080".to_owned())
}

impl Convert {
    /// As the command for enlarging takes it.
    pub fn upscale(&self) -> Upscale {
        Upscale {
            output: self.output.clone(),
            name: self.name.clone(),
            format: self.format.clone(),
            wishes: Wishes {
                convert: Some(ConvertWish {
                    fit: self.size,
                    larger: self.larger,
                    mark: self.mark.clone(),
                    text: self.text.clone(),
                    anchor: Some(self.place.into()),
                    opacity: self.opacity,
                    mark_width: self.mark_width,
                    strip: self.strip,
                    srgb: self.srgb,
                }),
                ..Wishes::default()
            },
            ..Upscale::new(PresetId::Convert, &self.inputs, &self.making)
        }
    }
}

/// Arguments of `sheet`.
#[derive(Debug, Args)]
pub struct Sheet {
    /// Pictures and clips, or folders, which are searched at any depth.
    #[arg(required = true, value_name = "INPUT")]
    pub inputs: Vec<PathBuf>,
    /// Where to write: a PNG or JPEG file.
    #[arg(short, long, value_name = "FILE")]
    pub output: PathBuf,
    /// Pictures beside each other, 1 to 20; about as many as below each other if left out.
    #[arg(long, value_name = "NUMBER")]
    pub columns: Option<u32>,
    /// How wide a picture is at most, 80 to 1280; it is at most two thirds of that high.
    #[arg(long, value_name = "PIXELS")]
    pub size: Option<u32>,
    /// No names below the pictures.
    #[arg(long)]
    pub no_names: bool,
    /// Replace a file that is there.
    #[arg(long)]
    pub overwrite: bool,
}
