//! Single pictures out of files: thumbnails, frames to compare, stills that ffmpeg reads.

use crate::error::MediaError;
use crate::ffi::frame::AvFrame;
use crate::ffi::pixel::AvFormat;
use crate::ffi::scale::{Scaler, Side};
use crate::frame::Frame;
use crate::reader::{Reader, ReaderOptions};
use crate::tone;
use frameloom_core::color::Range;
use frameloom_core::media::MediaInfo;
use frameloom_core::pixel::Planes;
use frameloom_core::time::{Rational, TimeBase, Timestamp};
use std::path::Path;

/// A picture for showing: rows of R, G, B bytes without padding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RgbImage {
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
    /// `width * height * 3` bytes.
    pub data: Vec<u8>,
}

/// What becomes of HDR in a picture of 8 bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tones {
    /// As a screen without HDR shows it.
    Shown,
    /// The samples as they are coded, to compute with.
    Coded,
}

/// The picture at a time (`None`: a little into the clip, where fades are over), upright, with
/// square pixels, at most `max_side` pixels wide and high.
///
/// # Errors
/// Those of [`Reader`].
pub fn thumbnail(
    path: &Path,
    at_micros: Option<i64>,
    max_side: u32,
    tones: Tones,
) -> Result<RgbImage, MediaError> {
    let (frame, info) = decode_at(path, at_micros)?;
    upright(&frame, &info, path, Some(max_side.max(1)), tones)
}

/// The picture that is on screen at a time, upright, with square pixels, in full size; HDR as it is
/// coded.
///
/// # Errors
/// Those of [`Reader`].
pub fn frame_at(path: &Path, at_micros: i64) -> Result<RgbImage, MediaError> {
    let (frame, info) = decode_at(path, Some(at_micros))?;
    upright(&frame, &info, path, None, Tones::Coded)
}

/// The first picture of a file as it is coded, and what the file is: for stills that ffmpeg reads
/// (AVIF).
///
/// # Errors
/// Those of [`Reader`].
pub fn read_still(path: &Path) -> Result<(Frame, MediaInfo), MediaError> {
    let mut reader = Reader::open(path, &ReaderOptions::default())?;
    let frame = reader
        .next_frame()?
        .ok_or_else(|| MediaError::NoFrames { path: path.into() })?;
    Ok((frame, reader.info().clone()))
}

fn decode_at(path: &Path, at_micros: Option<i64>) -> Result<(Frame, MediaInfo), MediaError> {
    let mut reader = Reader::open(path, &ReaderOptions::default())?;
    let info = reader.info().clone();
    let base = reader.time_base();
    let start = info
        .main_video()
        .and_then(|(stream, _)| stream.start_ticks)
        .unwrap_or(0);
    let into = at_micros.unwrap_or_else(|| {
        let length = info.duration_micros.unwrap_or(0);
        (length / 10).min(3_000_000)
    });
    let wanted = Timestamp::new(into, TimeBase::MICROS).rescaled(base).ticks;
    let wanted = start.saturating_add(wanted.max(0));
    if wanted > start {
        reader.seek_before(wanted)?;
    }
    // The frame that is on the screen at that time: the last one that is not later.
    let mut best = None;
    while let Some(frame) = reader.next_frame()? {
        let later = frame.pts() > wanted;
        if later && best.is_some() {
            break;
        }
        best = Some(frame);
        if later {
            break;
        }
    }
    let frame = best.ok_or_else(|| MediaError::NoFrames { path: path.into() })?;
    Ok((frame, info))
}

/// Size after square pixels and the limit.
fn shown_size(frame: &Frame, ratio: Rational, max_side: Option<u32>) -> (u32, u32) {
    let ratio = ratio.to_f64();
    let ratio = if ratio.is_finite() && ratio > 0.0 {
        ratio.clamp(0.05, 20.0)
    } else {
        1.0
    };
    let (mut width, mut height) = (f64::from(frame.width()), f64::from(frame.height()));
    // The side that would shrink is kept, so that no detail is lost.
    if ratio > 1.0 {
        width *= ratio;
    } else {
        height /= ratio;
    }
    let limit = f64::from(max_side.unwrap_or(16_384));
    let scale = (limit / width.max(height)).min(1.0);
    let side = |value: f64| ((value * scale).round() as u32).max(1);
    (side(width), side(height))
}

pub(crate) fn upright(
    frame: &Frame,
    info: &MediaInfo,
    path: &Path,
    max_side: Option<u32>,
    tones: Tones,
) -> Result<RgbImage, MediaError> {
    let (_, video) = info
        .main_video()
        .ok_or_else(|| MediaError::NoVideo { path: path.into() })?;
    // What the container says goes before what the coded stream says, as where it is worked on.
    let ratio = video.sample_aspect_ratio;
    let turn = (video.rotation_degrees, video.mirrored);
    show(frame, ratio, turn, max_side, tones)
}

/// A frame for showing, by its own colour tags: with square pixels of what is `sample_aspect_ratio`
/// wide by its height, mirrored if `turn` says so and then turned clockwise by its degrees, at most
/// `max_side` pixels wide and high.
///
/// # Errors
/// No memory, or a layout that swscale does not take.
pub fn show(
    frame: &Frame,
    sample_aspect_ratio: Rational,
    (degrees, mirrored): (i32, bool),
    max_side: Option<u32>,
    tones: Tones,
) -> Result<RgbImage, MediaError> {
    let (width, height) = shown_size(frame, sample_aspect_ratio, max_side);
    let mut color = frame.color();
    color.matrix = color.matrix_or_guess(frame.width(), frame.height()).0;
    let tones = if color.is_hdr() { tones } else { Tones::Coded };
    // Light that is to be bent needs more than 8 bits.
    let (rgb, pixel) = match tones {
        Tones::Shown => (AvFormat::RGB48, 6),
        Tones::Coded => (AvFormat::RGB24, 3),
    };
    let from = Side {
        width: frame.width(),
        height: frame.height(),
        format: frame.inner().format(),
        matrix: color.matrix,
        full_range: frame.format().planes == Planes::Gbr || color.range == Range::Full,
        chroma: color.chroma_location,
    };
    let to = Side {
        width,
        height,
        format: rgb,
        full_range: true,
        ..from
    };
    let mut packed = match tones {
        Tones::Shown => AvFrame::packed(rgb, pixel, width, height)?,
        Tones::Coded => AvFrame::packed_rgb(width, height)?,
    };
    Scaler::new(from, to)?.run(frame.inner(), &mut packed)?;
    let mut data = packed.packed_rows(width as usize * pixel);
    if tones == Tones::Shown {
        data = tone::shown(&data, &color);
    }
    let image = RgbImage {
        width,
        height,
        data,
    };
    Ok(turned(image, degrees, mirrored))
}

/// Mirrors, then turns clockwise by the nearest quarter.
fn turned(image: RgbImage, degrees: i32, mirrored: bool) -> RgbImage {
    let quarter = ((degrees.rem_euclid(360) + 45) / 90) % 4;
    if quarter == 0 && !mirrored {
        return image;
    }
    let (w, h) = (image.width as usize, image.height as usize);
    let (width, height) = if quarter % 2 == 1 { (h, w) } else { (w, h) };
    let mut data = Vec::with_capacity(image.data.len());
    for y in 0..height {
        for x in 0..width {
            let (source_x, source_y) = match quarter {
                0 => (x, y),
                1 => (y, h - 1 - x),
                2 => (w - 1 - x, h - 1 - y),
                _ => (w - 1 - y, x),
            };
            let source_x = if mirrored { w - 1 - source_x } else { source_x };
            let at = (source_y * w + source_x) * 3;
            data.extend_from_slice(&image.data[at..at + 3]);
        }
    }
    RgbImage {
        width: width as u32,
        height: height as u32,
        data,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn image(width: u32, height: u32, pixels: &[u8]) -> RgbImage {
        RgbImage {
            width,
            height,
            data: pixels.iter().flat_map(|p| [*p; 3]).collect(),
        }
    }

    #[test]
    fn a_picture_is_mirrored_and_then_turned_clockwise() {
        // 1 2 3
        // 4 5 6
        let picture = || image(3, 2, &[1, 2, 3, 4, 5, 6]);
        assert_eq!(turned(picture(), 0, false), picture());
        assert_eq!(
            turned(picture(), 90, false),
            image(2, 3, &[4, 1, 5, 2, 6, 3])
        );
        assert_eq!(
            turned(picture(), 180, false),
            image(3, 2, &[6, 5, 4, 3, 2, 1])
        );
        assert_eq!(
            turned(picture(), 270, false),
            image(2, 3, &[3, 6, 2, 5, 1, 4])
        );
        assert_eq!(turned(picture(), 0, true), image(3, 2, &[3, 2, 1, 6, 5, 4]));
        assert_eq!(
            turned(picture(), 90, true),
            image(2, 3, &[6, 3, 5, 2, 4, 1])
        );
    }
}
