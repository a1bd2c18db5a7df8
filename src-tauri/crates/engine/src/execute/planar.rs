//! Interleaved pictures as planar frames, and back.

use super::rows::Packer;
use crate::EngineError;
use frameloom_core::color::{ColorInfo, Matrix, Range};
use frameloom_core::pixel::{AnyPlane, AnyPlaneMut, PixelFormat, Planes};
use frameloom_media::Frame;
use frameloom_still::{Channels, Picture, Samples};

/// Takes one of three equal channels where the picture is grey.
pub(super) fn without_color(samples: Samples, from: Channels, to: Channels) -> Samples {
    fn pick<T: Copy>(data: &[T], from: usize, to: usize) -> Vec<T> {
        data.chunks_exact(from)
            .flat_map(|pixel| {
                let alpha = pixel[from - 1];
                [pixel[1], alpha].into_iter().take(to)
            })
            .collect()
    }
    if from.count() == to.count() {
        return samples;
    }
    match samples {
        Samples::U8(data) => Samples::U8(pick(&data, from.count(), to.count())),
        Samples::U16(data) => Samples::U16(pick(&data, from.count(), to.count())),
    }
}

/// An interleaved picture as a frame of full range.
pub(super) fn planar(picture: &Picture, pixels: PixelFormat) -> Result<Frame, EngineError> {
    let mut frame = Frame::new(pixels, picture.width, picture.height)?;
    if pixels.planes == Planes::Gbr {
        frame.set_color(&ColorInfo {
            matrix: Matrix::Identity,
            range: Range::Full,
            ..ColorInfo::default()
        });
    }
    let count = picture.layout.count();
    let colors = picture.layout.color_count();
    let gray = pixels.planes == Planes::Gray;
    for index in 0..pixels.plane_count() {
        let channel = match index {
            index if Some(index) == pixels.alpha_plane() => count - 1,
            _ if gray || colors == 1 => 0,
            index => [1, 2, 0][index],
        };
        let row_samples = picture.width as usize * count;
        match (&picture.samples, frame.plane_mut(index)?) {
            (Samples::U8(data), AnyPlaneMut::U8(mut plane)) => {
                for (y, row) in data.chunks_exact(row_samples).enumerate() {
                    let pixels = row.chunks_exact(count);
                    for (out, pixel) in plane.row_mut(y).iter_mut().zip(pixels) {
                        *out = pixel[channel];
                    }
                }
            }
            (Samples::U16(data), AnyPlaneMut::U16(mut plane)) => {
                for (y, row) in data.chunks_exact(row_samples).enumerate() {
                    let pixels = row.chunks_exact(count);
                    for (out, pixel) in plane.row_mut(y).iter_mut().zip(pixels) {
                        *out = pixel[channel];
                    }
                }
            }
            _ => unreachable!("a frame has the depth of its picture"),
        }
    }
    Ok(frame)
}

/// How far colour is spread: the reach of the kernels that will look at it.
const SPREAD_PIXELS: usize = 4;

/// Gives wholly transparent pixels the colour of their neighbours. What a picture hides there
/// (often black) would otherwise shine through as a dark fringe once edges are interpolated.
pub(super) fn spread_color_under_transparency(picture: &mut Picture) {
    let (width, height) = (picture.width as usize, picture.height as usize);
    match &mut picture.samples {
        Samples::U8(data) => spread(data, width, height, picture.layout.count()),
        Samples::U16(data) => spread(data, width, height, picture.layout.count()),
    }
}

fn spread<T: Copy + Default + PartialEq + Into<u32> + TryFrom<u32>>(
    data: &mut [T],
    width: usize,
    height: usize,
    count: usize,
) {
    let alpha = count - 1;
    let mut known: Vec<bool> = data
        .chunks_exact(count)
        .map(|pixel| pixel[alpha] != T::default())
        .collect();
    if known.iter().all(|&k| k) {
        return;
    }
    for _ in 0..SPREAD_PIXELS {
        let mut found: Vec<(usize, [u32; 3])> = Vec::new();
        for y in 0..height {
            for x in 0..width {
                let at = y * width + x;
                if known[at] {
                    continue;
                }
                let mut sum = [0u32; 3];
                let mut neighbours = 0;
                for ny in y.saturating_sub(1)..=(y + 1).min(height - 1) {
                    for nx in x.saturating_sub(1)..=(x + 1).min(width - 1) {
                        let n = ny * width + nx;
                        if known[n] {
                            for (channel, sum) in sum.iter_mut().enumerate().take(alpha) {
                                *sum += data[n * count + channel].into();
                            }
                            neighbours += 1;
                        }
                    }
                }
                if neighbours > 0 {
                    found.push((at, sum.map(|s| s / neighbours)));
                }
            }
        }
        if found.is_empty() {
            return;
        }
        for (at, color) in found {
            known[at] = true;
            for (channel, value) in color.into_iter().enumerate().take(alpha) {
                data[at * count + channel] = T::try_from(value).unwrap_or_default();
            }
        }
    }
}

/// A frame as an interleaved picture of 8 or 16 bit, RGB or grey.
pub(super) fn interleaved(frame: &Frame) -> Result<(Samples, Channels), EngineError> {
    let format = frame.format();
    let gray = format.planes == Planes::Gray;
    let wanted = PixelFormat {
        planes: if gray { Planes::Gray } else { Planes::Gbr },
        ..format
    };
    let converted;
    let frame = if wanted == format {
        frame
    } else {
        converted = frameloom_media::convert(frame, wanted)?;
        &converted
    };
    let layout = if gray { Channels::Gray } else { Channels::Rgb }.with_alpha(format.alpha);
    let mut order: Vec<usize> = if gray { vec![0] } else { vec![2, 0, 1] };
    order.extend(wanted.alpha_plane());
    let (width, height) = (frame.width() as usize, frame.height() as usize);
    let bits = if format.bits > 8 { 16 } else { 8 };
    let mut packer = Packer::new(layout, bits, width);
    let gain = 1.0 / f32::from(format.max_value());
    let mut row = vec![0.0f32; width];
    for (channel, plane) in order.into_iter().enumerate() {
        for y in 0..height {
            match frame.plane(plane) {
                AnyPlane::U8(p) => {
                    for (out, v) in row.iter_mut().zip(p.row(y)) {
                        *out = f32::from(*v) * gain;
                    }
                }
                AnyPlane::U16(p) => {
                    for (out, v) in row.iter_mut().zip(p.row(y)) {
                        *out = f32::from(*v) * gain;
                    }
                }
            }
            packer.put(channel, y, &row);
        }
    }
    Ok((packer.samples, layout))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hidden_black_takes_the_colour_of_its_neighbours_and_stays_transparent() {
        // One white opaque pixel in the middle of a transparent black row.
        let mut data = vec![0u8; 9 * 4];
        data[4 * 4..5 * 4].copy_from_slice(&[250, 240, 230, 255]);
        spread(&mut data, 9, 1, 4);
        for (x, pixel) in data.chunks_exact(4).enumerate() {
            let alpha = if x == 4 { 255 } else { 0 };
            assert_eq!(pixel, [250, 240, 230, alpha], "column {x}");
        }
    }
}
