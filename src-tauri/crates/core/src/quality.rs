//! How alike two pictures are, by the field's protocol for super-resolution figures: MATLAB's
//! bicubic, luma of BT.601 in floating point, PSNR with peak 255, SSIM with an 11x11 Gaussian
//! window. Plain and slow on purpose: every step is the one that published figures were made with.

/// Interleaved 8-bit RGB.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rgb {
    /// Pixels in a row.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// `width * height * 3` samples.
    pub data: Vec<u8>,
}

/// One channel in floating point.
#[derive(Debug, Clone)]
pub struct Luma {
    /// Samples in a row.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// `width * height` samples, 0 to 255.
    pub data: Vec<f64>,
}

impl Rgb {
    /// Cut to multiples of `scale`.
    pub fn modcrop(&self, scale: usize) -> Rgb {
        let (width, height) = (self.width / scale * scale, self.height / scale * scale);
        let data = self
            .data
            .chunks_exact(self.width * 3)
            .take(height)
            .flat_map(|row| &row[..width * 3])
            .copied()
            .collect();
        Rgb {
            width,
            height,
            data,
        }
    }

    /// Y = 16 + (65.481 R + 128.553 G + 24.966 B) / 255.
    pub fn luma(&self) -> Luma {
        let data = self
            .data
            .chunks_exact(3)
            .map(|p| {
                16.0 + (65.481 * f64::from(p[0])
                    + 128.553 * f64::from(p[1])
                    + 24.966 * f64::from(p[2]))
                    / 255.0
            })
            .collect();
        Luma {
            width: self.width,
            height: self.height,
            data,
        }
    }

    /// MATLAB's `imresize(.., 'bicubic')`: first along the columns, then along the rows, rounded to
    /// 8 bits after each pass.
    pub fn imresize(&self, width: usize, height: usize) -> Rgb {
        let vertical = contributions(self.height, height);
        let row = self.width * 3;
        let mut middle = vec![0u8; height * row];
        for (y, taps) in vertical.iter().enumerate() {
            for x in 0..row {
                let sum: f64 = taps
                    .iter()
                    .map(|&(i, w)| w * f64::from(self.data[i * row + x]))
                    .sum();
                middle[y * row + x] = round_to_byte(sum);
            }
        }
        let horizontal = contributions(self.width, width);
        let mut data = vec![0u8; width * height * 3];
        for y in 0..height {
            for (x, taps) in horizontal.iter().enumerate() {
                for c in 0..3 {
                    let sum: f64 = taps
                        .iter()
                        .map(|&(i, w)| w * f64::from(middle[y * row + i * 3 + c]))
                        .sum();
                    data[(y * width + x) * 3 + c] = round_to_byte(sum);
                }
            }
        }
        Rgb {
            width,
            height,
            data,
        }
    }
}

fn round_to_byte(value: f64) -> u8 {
    value.round().clamp(0.0, 255.0) as u8
}

/// Per output sample, input samples and weights, as MATLAB's `contributions` makes them.
fn contributions(input: usize, output: usize) -> Vec<Vec<(usize, f64)>> {
    let scale = output as f64 / input as f64;
    let shrink = scale.min(1.0);
    let width = 4.0 / shrink;
    let taps = width.ceil() as i64 + 2;
    (1..=output)
        .map(|x| {
            let u = x as f64 / scale + 0.5 * (1.0 - 1.0 / scale);
            let left = (u - width / 2.0).floor() as i64;
            let weights: Vec<(i64, f64)> = (left..left + taps)
                .map(|i| (i, shrink * cubic(shrink * (u - i as f64))))
                .collect();
            let sum: f64 = weights.iter().map(|(_, w)| w).sum();
            weights
                .into_iter()
                .filter(|(_, w)| *w != 0.0)
                .map(|(i, w)| (mirrored(i, input), w / sum))
                .collect()
        })
        .collect()
}

/// One-based index to zero-based, mirrored at the borders with the edge sample repeated.
fn mirrored(index: i64, length: usize) -> usize {
    let at = (index - 1).rem_euclid(2 * length as i64) as usize;
    if at < length { at } else { 2 * length - 1 - at }
}

fn cubic(x: f64) -> f64 {
    let x = x.abs();
    if x <= 1.0 {
        (1.5 * x - 2.5) * x * x + 1.0
    } else if x <= 2.0 {
        ((-0.5 * x + 2.5) * x - 4.0) * x + 2.0
    } else {
        0.0
    }
}

impl Luma {
    /// Without `border` samples on every side.
    pub fn shaved(&self, border: usize) -> Luma {
        let (width, height) = (self.width - 2 * border, self.height - 2 * border);
        let data = (border..self.height - border)
            .flat_map(|y| &self.data[y * self.width + border..][..width])
            .copied()
            .collect();
        Luma {
            width,
            height,
            data,
        }
    }
}

/// PSNR in dB, peak 255; infinite for equal pictures. Both have the same size.
pub fn psnr(a: &Luma, b: &Luma) -> f64 {
    let sum: f64 = a
        .data
        .iter()
        .zip(&b.data)
        .map(|(a, b)| (a - b).powi(2))
        .sum();
    10.0 * (255.0f64.powi(2) / (sum / a.data.len() as f64)).log10()
}

/// SSIM (Wang et al., 2004): 11x11 Gaussian window, sigma 1.5, valid area only. Both have the same
/// size; `None` where the window does not fit.
pub fn ssim(a: &Luma, b: &Luma) -> Option<f64> {
    if a.width < 11 || a.height < 11 {
        return None;
    }
    const C1: f64 = 6.5025;
    const C2: f64 = 58.5225;
    let product = |p: &Luma, q: &Luma| Luma {
        data: p.data.iter().zip(&q.data).map(|(p, q)| p * q).collect(),
        ..*p
    };
    let (ma, mb) = (blurred(a), blurred(b));
    let (aa, bb, ab) = (
        blurred(&product(a, a)),
        blurred(&product(b, b)),
        blurred(&product(a, b)),
    );
    let mut sum = 0.0;
    for i in 0..ma.len() {
        let (x, y) = (ma[i], mb[i]);
        let (vx, vy, cov) = (aa[i] - x * x, bb[i] - y * y, ab[i] - x * y);
        sum += (2.0 * x * y + C1) * (2.0 * cov + C2) / ((x * x + y * y + C1) * (vx + vy + C2));
    }
    Some(sum / ma.len() as f64)
}

fn blurred(plane: &Luma) -> Vec<f64> {
    let raw: Vec<f64> = (-5i32..=5)
        .map(|i| (-f64::from(i * i) / (2.0 * 1.5 * 1.5)).exp())
        .collect();
    let sum: f64 = raw.iter().sum();
    let kernel: Vec<f64> = raw.iter().map(|k| k / sum).collect();
    let (width, height) = (plane.width - 10, plane.height - 10);
    let mut rows = vec![0.0; width * plane.height];
    for y in 0..plane.height {
        for x in 0..width {
            rows[y * width + x] = kernel
                .iter()
                .enumerate()
                .map(|(i, k)| k * plane.data[y * plane.width + x + i])
                .sum();
        }
    }
    let mut out = vec![0.0; width * height];
    for y in 0..height {
        for x in 0..width {
            out[y * width + x] = kernel
                .iter()
                .enumerate()
                .map(|(i, k)| k * rows[(y + i) * width + x])
                .sum();
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picture(width: usize, height: usize, paint: impl Fn(usize, usize) -> u8) -> Rgb {
        let data = (0..width * height)
            .flat_map(|i| [paint(i % width, i / width); 3])
            .collect();
        Rgb {
            width,
            height,
            data,
        }
    }

    #[test]
    fn equal_pictures_are_wholly_alike_and_a_known_error_has_its_known_psnr() {
        let a = picture(40, 30, |x, y| (x * 5 + y) as u8).luma();
        assert_eq!(psnr(&a, &a), f64::INFINITY);
        assert!((ssim(&a, &a).unwrap() - 1.0).abs() < 1e-12);
        let b = Luma {
            data: a.data.iter().map(|v| v + 2.55).collect(),
            ..a.clone()
        };
        // An error of a hundredth of the peak is 40 dB.
        assert!((psnr(&a, &b) - 40.0).abs() < 1e-9);
        assert!(ssim(&a, &b).unwrap() < 1.0);
    }

    #[test]
    fn a_picture_smaller_than_the_window_has_no_ssim() {
        let small = picture(10, 30, |x, _| x as u8).luma();
        assert_eq!(ssim(&small, &small), None);
    }

    #[test]
    fn halving_a_flat_picture_leaves_it_flat() {
        let flat = picture(16, 12, |_, _| 90).imresize(8, 6);
        assert!(flat.data.iter().all(|&v| v == 90));
    }
}
