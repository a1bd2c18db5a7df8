//! Small grey pictures, each half as large as the one before.

use crate::nodes::planes::luma_of;
use frameloom_media::Frame;

/// Longest side that pictures are brought near to: enough to see a tenth of a pixel of it, and
/// little work.
const SIDE: f64 = 640.0;
/// The smallest level has sides of at least so many cells.
const LEAST_SIDE: usize = 24;

/// Brightness of a pixel of red, green and blue bytes, 0 to 255.
pub(crate) fn luma_of_rgb(pixel: &[u8]) -> f32 {
    let samples = pixel.iter().zip(crate::nodes::RGB_LUMA);
    samples.map(|(v, weight)| weight * f32::from(*v)).sum()
}

/// Brightness, 0 to 255, row by row.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Gray {
    pub width: usize,
    pub height: usize,
    pub values: Vec<f32>,
}

impl Gray {
    /// Of red, green and blue from 0 to 1, row by row.
    pub(crate) fn of_rgb(rgb: &[Vec<f32>; 3], (width, height): (usize, usize)) -> Self {
        let [red, green, blue] = rgb;
        let weights = crate::nodes::RGB_LUMA.map(|weight| 255.0 * weight);
        let pixels = red.iter().zip(green).zip(blue);
        let luma =
            |((r, g), b): ((&f32, &f32), &f32)| weights[0] * r + weights[1] * g + weights[2] * b;
        let mut values: Vec<f32> = pixels.map(luma).collect();
        // A picture that has not what its size says is black there.
        values.resize(width * height, 0.0);
        Self {
            width,
            height,
            values,
        }
    }

    pub(crate) fn row(&self, y: usize) -> &[f32] {
        &self.values[y * self.width..][..self.width]
    }

    /// The mean of each four cells.
    fn halved(&self) -> Self {
        let (width, height) = (self.width / 2, self.height / 2);
        let mut values = Vec::with_capacity(width * height);
        for y in 0..height {
            let (top, bottom) = (self.row(2 * y), self.row(2 * y + 1));
            let pairs = top.chunks_exact(2).zip(bottom.chunks_exact(2));
            values.extend(pairs.map(|(a, b)| 0.25 * (a[0] + a[1] + b[0] + b[1])));
        }
        Self {
            width,
            height,
            values,
        }
    }

    /// Between the four nearest cells; beyond the border, what is there.
    pub(crate) fn at(&self, x: f32, y: f32) -> f32 {
        let x = x.clamp(0.0, (self.width - 1) as f32);
        let y = y.clamp(0.0, (self.height - 1) as f32);
        let (left, top) = (x as usize, y as usize);
        let (right, bottom) = (
            (left + 1).min(self.width - 1),
            (top + 1).min(self.height - 1),
        );
        let (fx, fy) = (x - left as f32, y - top as f32);
        let (above, below) = (self.row(top), self.row(bottom));
        let upper = above[left] + (above[right] - above[left]) * fx;
        let lower = below[left] + (below[right] - below[left]) * fx;
        upper + (lower - upper) * fy
    }
}

/// How pictures of one size become small ones: by a whole number, so that every cell is the mean
/// of as many pixels as the next. What does not fill a cell at the right and at the bottom is left
/// out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Shrink {
    /// Pixels along the side of a cell.
    pub factor: usize,
    width: usize,
    height: usize,
}

impl Shrink {
    /// For pictures of this size.
    pub(crate) fn new(width: u32, height: u32) -> Self {
        let longest = f64::from(width.max(height));
        let most = width.min(height).max(1) as usize;
        let factor = ((longest / SIDE).round() as usize).clamp(1, most);
        Self {
            factor,
            width: width as usize / factor,
            height: height as usize / factor,
        }
    }

    /// The small picture.
    fn gray(&self, frame: &Frame) -> Gray {
        let Self {
            factor,
            width,
            height,
        } = *self;
        let full = frame.width() as usize;
        let (mut row, mut line, mut sums) = (vec![0.0; full], vec![0.0; full], vec![0.0; full]);
        let gain = 255.0 / (factor * factor) as f32;
        let mut values = Vec::with_capacity(width * height);
        for y in 0..height {
            luma_of(frame, y * factor, &mut sums, &mut line);
            for more in 1..factor {
                luma_of(frame, y * factor + more, &mut row, &mut line);
                for (sum, v) in sums.iter_mut().zip(&row) {
                    *sum += v;
                }
            }
            let cells = sums.chunks_exact(factor).take(width);
            values.extend(cells.map(|cell| cell.iter().sum::<f32>() * gain));
        }
        Gray {
            width,
            height,
            values,
        }
    }
}

/// A small picture and its smaller ones, the largest first.
#[derive(Debug, Clone)]
pub(crate) struct Pyramid {
    pub levels: Vec<Gray>,
}

impl Pyramid {
    /// Of a picture of the size that `shrink` is for.
    pub(crate) fn of(frame: &Frame, shrink: &Shrink) -> Self {
        Self::of_gray(shrink.gray(frame))
    }

    pub(crate) fn of_gray(gray: Gray) -> Self {
        let mut levels = vec![gray];
        while let Some(last) = levels.last()
            && last.width.min(last.height) >= 2 * LEAST_SIDE
        {
            let next = last.halved();
            levels.push(next);
        }
        Self { levels }
    }

    /// The largest.
    pub(crate) fn finest(&self) -> &Gray {
        &self.levels[0]
    }
}
