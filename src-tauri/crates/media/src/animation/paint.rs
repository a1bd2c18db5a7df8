//! From a frame of any layout to red, green and blue, and a small look at the result.

use crate::convert::Converter;
use crate::error::MediaError;
use crate::ffi::frame::AvFrame;
use crate::ffi::pixel::AvFormat;
use crate::frame::{Frame, FramePool};
use crate::gamut::Gamut;
use frameloom_core::color::ColorInfo;
use frameloom_core::pixel::{AnyPlane, AnyPlaneMut, PixelFormat, Planes};

/// Converts frames of one size to planes of green, blue and red in full range, by the matrix and
/// range that they are tagged with, or that their size suggests.
pub struct RgbPainter {
    converter: Converter,
    pool: Option<FramePool>,
    /// 8 or 16: bits of the result.
    bits: u8,
    /// What makes the colours those of sRGB, and where that is done, in 16 bits.
    gamut: Option<(Gamut, Option<FramePool>)>,
}

impl std::fmt::Debug for RgbPainter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "RgbPainter({} bits)", self.bits)
    }
}

impl RgbPainter {
    /// A painter whose results have `bits` bits per sample, 8 or 16.
    pub fn new(bits: u8) -> Self {
        Self {
            converter: Converter::new(),
            pool: None,
            bits,
            gamut: None,
        }
    }

    /// As it is, with results in the colours of sRGB: `color` is what the frames are tagged with.
    /// Colours of wide primaries are converted in linear light, what sRGB does not have becomes the
    /// nearest value of each channel, and primaries near those of sRGB are left as they are.
    pub fn in_srgb(self, color: &ColorInfo) -> Self {
        let gamut = Gamut::of(color).map(|gamut| (gamut, None));
        Self { gamut, ..self }
    }

    /// The frame in green, blue, red and, where it has it, alpha, with its times.
    ///
    /// # Errors
    /// A layout that cannot be converted, or no memory.
    pub fn rgb(&mut self, frame: &Frame) -> Result<Frame, MediaError> {
        let wanted = PixelFormat {
            planes: Planes::Gbr,
            bits: self.bits,
            alpha: frame.format().alpha,
        };
        let size = (frame.width(), frame.height());
        let pool = pool_of(&mut self.pool, wanted, size)?;
        if let Some((gamut, deep)) = &mut self.gamut {
            let pixels = PixelFormat { bits: 16, ..wanted };
            let deep = pool_of(deep, pixels, size)?;
            let mut rgb = self.converter.convert(frame, deep)?;
            gamut.convert(&mut rgb)?;
            return match self.bits {
                16 => Ok(rgb),
                _ => narrowed(&rgb, pool),
            };
        }
        if frame.format().planes == Planes::Gbr && frame.format().bits > self.bits {
            return narrowed(frame, pool);
        }
        self.converter.convert(frame, pool)
    }
}

/// The pool that is there, or a new one if it is of another format.
fn pool_of(
    pool: &mut Option<FramePool>,
    wanted: PixelFormat,
    (width, height): (u32, u32),
) -> Result<&FramePool, MediaError> {
    let found = match pool.take() {
        Some(pool) if pool.format() == wanted => pool,
        _ => FramePool::new(wanted, width, height)?,
    };
    Ok(pool.insert(found))
}

/// RGB in fewer bits, each value the nearest to the same share of white: what was widened before
/// comes back as it was.
fn narrowed(frame: &Frame, pool: &FramePool) -> Result<Frame, MediaError> {
    let top = u32::from(pool.format().max_value());
    let old = u32::from(frame.format().max_value());
    let mut result = pool.get()?;
    for index in 0..pool.format().plane_count() {
        let (AnyPlane::U16(from), AnyPlaneMut::U8(mut to)) =
            (frame.plane(index), result.plane_mut(index)?)
        else {
            return Err(MediaError::UnsupportedPixelFormat {
                format: frame.format().to_string(),
            });
        };
        for y in 0..to.height {
            for (to, from) in to.row_mut(y).iter_mut().zip(from.row(y)) {
                *to = ((u32::from(*from).min(old) * top + old / 2) / old) as u8;
            }
        }
    }
    result.copy_props_from(frame)?;
    Ok(result)
}

/// The planes of an RGB frame in the order red, green, blue, alpha.
fn channels(frame: &Frame) -> [Option<AnyPlane<'_>>; 4] {
    let alpha = frame.format().alpha_plane().map(|index| frame.plane(index));
    [
        Some(frame.plane(2)),
        Some(frame.plane(0)),
        Some(frame.plane(1)),
        alpha,
    ]
}

/// Lays the planes of an RGB frame side by side as `format`, one of those in `ffi::packed` and
/// `RGB24`. A missing alpha is opaque; one that has no place is left out.
pub(super) fn interleaved(frame: &Frame, format: AvFormat) -> Result<AvFrame, MediaError> {
    let (order, wide): (&[usize], bool) = match format {
        AvFormat::BGRA => (&[2, 1, 0, 3], false),
        AvFormat::RGBA => (&[0, 1, 2, 3], false),
        AvFormat::RGBA64 => (&[0, 1, 2, 3], true),
        AvFormat::RGB48 => (&[0, 1, 2], true),
        _ => (&[0, 1, 2], false),
    };
    let sample = 1 + usize::from(wide);
    let pixel = order.len() * sample;
    let mut packed = AvFrame::packed(format, pixel, frame.width(), frame.height())?;
    let channels = channels(frame);
    for y in 0..frame.height() as usize {
        let row = packed.packed_row_mut(y);
        for (place, channel) in order.iter().enumerate() {
            let samples = row
                .chunks_exact_mut(pixel)
                .map(|pixel| &mut pixel[place * sample..][..sample]);
            match channels[*channel] {
                Some(AnyPlane::U8(plane)) => samples
                    .zip(plane.row(y))
                    .for_each(|(to, from)| to.fill(*from)),
                Some(AnyPlane::U16(plane)) => samples
                    .zip(plane.row(y))
                    .for_each(|(to, from)| to.copy_from_slice(&from.to_be_bytes())),
                None => samples.for_each(|to| to.fill(u8::MAX)),
            }
        }
    }
    packed.set_pts(frame.pts());
    Ok(packed)
}

/// Cells along each side of a [`Look`].
const CELLS: usize = 8;

/// The means of a grid of cells of a picture: red, green, blue, each times what is seen of it, and
/// alpha. 0 to 1.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Look(Vec<[f32; 4]>);

impl Look {
    /// Of an RGB frame. With `all_or_nothing` a pixel is there from half of alpha on.
    pub(crate) fn of(frame: &Frame, all_or_nothing: bool) -> Self {
        let (width, height) = (frame.width() as usize, frame.height() as usize);
        let (columns, rows) = (CELLS.min(width), CELLS.min(height));
        let mut sums = vec![[0.0f64; 4]; columns * rows];
        let mut counts = vec![0u64; columns * rows];
        let top = f32::from(frame.format().max_value());
        let channels = channels(frame);
        let value = |channel: usize, x: usize, y: usize| match channels[channel] {
            Some(AnyPlane::U8(plane)) => f32::from(plane.row(y)[x]) / top,
            Some(AnyPlane::U16(plane)) => f32::from(plane.row(y)[x]) / top,
            None => 1.0,
        };
        // Every fourth row of a large picture is enough for a mean.
        let step = if height >= 64 { 4 } else { 1 };
        for y in (0..height).step_by(step) {
            for x in 0..width {
                let cell = (y * rows / height) * columns + x * columns / width;
                let mut alpha = value(3, x, y);
                if all_or_nothing {
                    alpha = if alpha * 255.0 >= 127.5 { 1.0 } else { 0.0 };
                }
                for (channel, sum) in sums[cell].iter_mut().enumerate() {
                    let color = if channel == 3 {
                        1.0
                    } else {
                        value(channel, x, y)
                    };
                    *sum += f64::from(color * alpha);
                }
                counts[cell] += 1;
            }
        }
        Self(
            sums.iter()
                .zip(counts)
                .map(|(sum, count)| sum.map(|s| (s / count.max(1) as f64) as f32))
                .collect(),
        )
    }

    /// Mean and largest difference of the cells.
    pub(crate) fn difference(&self, other: &Self) -> (f32, f32) {
        let all = self.0.iter().zip(&other.0);
        let list: Vec<f32> = all
            .flat_map(|(a, b)| (0..4).map(move |i| (a[i] - b[i]).abs()))
            .collect();
        let mean = list.iter().sum::<f32>() / list.len().max(1) as f32;
        (mean, list.into_iter().fold(0.0, f32::max))
    }
}
