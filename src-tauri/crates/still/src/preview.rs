//! A small picture for the window, in sRGB.

use crate::color::to_8_bits;
use crate::picture::{Channels, Picture, Samples};
use moxcms::{ColorProfile, Layout, TransformExecutor, TransformOptions};
use std::sync::Arc;

/// An 8-bit sRGB picture without alpha: `width * height * 3` bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rgb8 {
    /// Columns.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// Interleaved red, green, blue.
    pub data: Vec<u8>,
}

/// The picture, no side longer than `max_side` pixels, as sRGB: its profile is applied where it
/// can be used. Transparent parts are laid on white. Each pixel is the mean of those it covers.
pub fn to_srgb8_preview(picture: &Picture, max_side: u32) -> Rgb8 {
    let longest = picture.width.max(picture.height).max(1);
    let max_side = max_side.max(1);
    let scaled = |side: u32| {
        if longest <= max_side {
            return side.max(1);
        }
        let exact = u64::from(side) * u64::from(max_side) + u64::from(longest) / 2;
        (exact / u64::from(longest)).max(1) as u32
    };
    let (width, height) = (scaled(picture.width), scaled(picture.height));
    let mut data = match &picture.samples {
        Samples::U8(samples) => shrink(samples, picture, width, height, u32::from, |v| v as u8),
        Samples::U16(samples) => shrink(samples, picture, width, height, u32::from, |v| {
            to_8_bits(v as u16)
        }),
    };
    if let Some(transform) = picture.metadata.icc.as_deref().and_then(rgb_to_srgb) {
        let mut converted = vec![0; data.len()];
        if transform.transform(&data, &mut converted).is_ok() {
            data = converted;
        }
    }
    Rgb8 {
        width,
        height,
        data,
    }
}

fn shrink<T: Copy>(
    samples: &[T],
    picture: &Picture,
    width: u32,
    height: u32,
    wide: impl Fn(T) -> u32,
    narrow: impl Fn(u32) -> u8,
) -> Vec<u8> {
    let n = picture.layout.count();
    let has_alpha = picture.layout.has_alpha();
    let max = if picture.bits() == 16 { 65_535 } else { 255 };
    let spans = |from: u32, to: u32| -> Vec<(usize, usize)> {
        (0..u64::from(to))
            .map(|i| {
                let start = (i * u64::from(from) / u64::from(to)) as usize;
                let end = ((i + 1) * u64::from(from) / u64::from(to)) as usize;
                (start, end.max(start + 1))
            })
            .collect()
    };
    let columns = spans(picture.width, width);
    let stride = picture.width as usize * n;
    let mut out = Vec::with_capacity(width as usize * height as usize * 3);
    for (top, bottom) in spans(picture.height, height) {
        for (left, right) in &columns {
            let mut sums = [0u64; 4];
            for row in samples.chunks_exact(stride).take(bottom).skip(top) {
                for pixel in row[left * n..right * n].chunks_exact(n) {
                    let alpha = if has_alpha { wide(pixel[n - 1]) } else { max };
                    for (sum, sample) in sums.iter_mut().zip(&pixel[..n - usize::from(has_alpha)]) {
                        // On white.
                        let paper = u64::from(max - alpha) * u64::from(max);
                        *sum += u64::from(wide(*sample)) * u64::from(alpha) + paper;
                    }
                }
            }
            let weight = ((bottom - top) * (right - left)) as u64 * u64::from(max);
            let mean = |sum: u64| narrow(((sum + weight / 2) / weight) as u32);
            match picture.layout {
                Channels::Gray | Channels::GrayAlpha => out.extend([mean(sums[0]); 3]),
                Channels::Rgb | Channels::Rgba => {
                    out.extend([mean(sums[0]), mean(sums[1]), mean(sums[2])]);
                }
            }
        }
    }
    out
}

type Transform8 = Arc<dyn TransformExecutor<u8> + Send + Sync>;

fn rgb_to_srgb(profile: &[u8]) -> Option<Transform8> {
    if crate::read::icc_space(profile)? != *b"RGB " {
        return None;
    }
    transform(profile, Layout::Rgb)
}

/// From four inks (0 none, 255 full) to sRGB.
pub(crate) fn inks_to_srgb(profile: &[u8]) -> Option<Transform8> {
    if crate::read::icc_space(profile)? != *b"CMYK" {
        return None;
    }
    transform(profile, Layout::Rgba)
}

fn transform(profile: &[u8], layout: Layout) -> Option<Transform8> {
    let profile = ColorProfile::new_from_slice(profile)
        .inspect_err(|error| tracing::debug!(%error, "unusable colour profile"))
        .ok()?;
    let options = TransformOptions::default();
    profile
        .create_transform_8bit(layout, &ColorProfile::new_srgb(), Layout::Rgb, options)
        .inspect_err(|error| tracing::debug!(%error, "unusable colour profile"))
        .ok()
}
