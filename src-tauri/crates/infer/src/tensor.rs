//! From planes to the model's tensor and back: layout, channel order, range, sub-pixels.

use crate::simd::{Affine, load, store};
use crate::tile::Cut;
use frameloom_core::model::{Layout, ModelManifest, Packing, TensorColor};
use frameloom_core::pixel::{AnyPlane, PlaneRef, Sample};

/// Gives a stretch of a row: channel (luma, or 0 to 2 for red, green, blue), row, first column, and
/// where to write numbers from 0 (black) to 1 (white).
pub type FillRow<'a> = dyn FnMut(usize, usize, usize, &mut [f32]) + 'a;

/// Where the pixels come from. Channels are those of the picture: luma, or red, green, blue.
pub(crate) enum Source<'a, 'p> {
    Any(&'a [AnyPlane<'p>]),
    F32(&'a [PlaneRef<'p, f32>]),
    Rows(&'a mut FillRow<'p>),
}

impl Source<'_, '_> {
    /// Writes `out.len()` mapped pixels of row `y` from column `x` on.
    fn read(&mut self, channel: usize, y: usize, x: usize, map: Affine, out: &mut [f32]) {
        let end = x + out.len();
        match self {
            Source::Any(planes) => match &planes[channel] {
                AnyPlane::U8(plane) => load(&plane.row(y)[x..end], map, out),
                AnyPlane::U16(plane) => load(&plane.row(y)[x..end], map, out),
            },
            Source::F32(planes) => load(&planes[channel].row(y)[x..end], map, out),
            Source::Rows(fill) => {
                fill(channel, y, x, out);
                for v in out {
                    *v = *v * map.gain + map.offset;
                }
            }
        }
    }
}

/// Memory layout of a model's input and output.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TensorShape {
    pub channels: usize,
    pub scale: usize,
    reversed: bool,
    input: Layout,
    output: Layout,
    packing: Packing,
}

impl TensorShape {
    pub(crate) fn new(manifest: &ModelManifest) -> Self {
        Self {
            channels: manifest.input.color.channels(),
            scale: manifest.scale as usize,
            reversed: manifest.input.color == TensorColor::Bgr,
            input: manifest.input.layout,
            output: manifest.output.layout,
            packing: manifest.output.packing,
        }
    }

    /// The tensor's channel that holds the picture's channel.
    fn channel(&self, picture: usize) -> usize {
        if self.reversed {
            self.channels - 1 - picture
        } else {
            picture
        }
    }

    /// Fills `tensor` with the tile that `across` and `down` read from a picture of `size`. Past
    /// the picture's last column and row these are repeated.
    pub(crate) fn pack(
        &self,
        source: &mut Source<'_, '_>,
        size: (usize, usize),
        (across, down): (&Cut, &Cut),
        map: Affine,
        row: &mut Vec<f32>,
        tensor: &mut Vec<f32>,
    ) {
        let (width, height) = (across.read.len(), down.read.len());
        let real_width = across.read.end.min(size.0) - across.read.start;
        let real_height = down.read.end.min(size.1) - down.read.start;
        tensor.resize(self.channels * width * height, 0.0);
        let interleaved = self.input == Layout::Nhwc && self.channels > 1;
        row.resize(width, 0.0);
        for picture in 0..self.channels {
            let channel = self.channel(picture);
            for y in 0..height {
                let line = if interleaved {
                    &mut row[..width]
                } else {
                    &mut tensor[(channel * height + y) * width..][..width]
                };
                if y < real_height {
                    let (real, rest) = line.split_at_mut(real_width);
                    let from = down.read.start + y;
                    source.read(picture, from, across.read.start, map, real);
                    if let Some(&last) = real.last() {
                        rest.fill(last);
                    }
                } else if !interleaved {
                    let previous = (channel * height + y - 1) * width;
                    tensor.copy_within(previous..previous + width, previous + width);
                }
                if interleaved {
                    let pixels = &mut tensor[y * width * self.channels..];
                    for (pixel, v) in pixels.chunks_exact_mut(self.channels).zip(row.iter()) {
                        pixel[channel] = *v;
                    }
                }
            }
        }
    }

    /// Writes one row of the enlarged tile: picture channel `picture`, row `y` of the output, from
    /// input column `x` on. `dst` is `scale` times as long as the stretch of input columns.
    ///
    /// `tile` is the tile's width and height in input pixels. False if a value is not finite.
    #[expect(
        clippy::too_many_arguments,
        reason = "the coordinates of one row; a struct for them would be built once per row"
    )]
    pub(crate) fn unpack<T: Sample>(
        &self,
        values: &[f32],
        tile: (usize, usize),
        picture: usize,
        (x, y): (usize, usize),
        map: Affine,
        max: f32,
        row: &mut Vec<f32>,
        dst: &mut [T],
    ) -> bool {
        let (width, height) = tile;
        let scale = self.scale;
        let channel = self.channel(picture);
        let columns = dst.len() / scale;
        match (self.packing, self.output) {
            (Packing::Pixels, Layout::Nchw) => {
                let start = (channel * height * scale + y) * width * scale + x * scale;
                store::<T, 1>([&values[start..][..dst.len()]], map, max, dst)
            }
            (Packing::Subpixel, Layout::Nchw) => {
                let first = channel * scale * scale + y % scale * scale;
                let phase = |p: usize| {
                    let start = ((first + p) * height + y / scale) * width + x;
                    &values[start..][..columns]
                };
                match scale {
                    1 => store::<T, 1>([phase(0)], map, max, dst),
                    2 => store::<T, 2>([phase(0), phase(1)], map, max, dst),
                    3 => store::<T, 3>([phase(0), phase(1), phase(2)], map, max, dst),
                    4 => store::<T, 4>([phase(0), phase(1), phase(2), phase(3)], map, max, dst),
                    _ => {
                        row.resize(dst.len(), 0.0);
                        for p in 0..scale {
                            let line = row[p..].iter_mut().step_by(scale);
                            for (d, s) in line.zip(phase(p)) {
                                *d = *s;
                            }
                        }
                        store::<T, 1>([row], map, max, dst)
                    }
                }
            }
            (Packing::Pixels, Layout::Nhwc) => {
                let start = (y * width * scale + x * scale) * self.channels + channel;
                row.clear();
                row.extend(
                    values[start..]
                        .iter()
                        .step_by(self.channels)
                        .take(dst.len()),
                );
                store::<T, 1>([row], map, max, dst)
            }
            (Packing::Subpixel, Layout::Nhwc) => {
                let depth = self.channels * scale * scale;
                let start = (y / scale * width + x) * depth;
                let first = channel * scale * scale + y % scale * scale;
                row.clear();
                for pixel in values[start..].chunks_exact(depth).take(columns) {
                    row.extend_from_slice(&pixel[first..first + scale]);
                }
                store::<T, 1>([row], map, max, dst)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The value of channel `c` at output pixel (`x`, `y`), unlike any other.
    fn code(c: usize, x: usize, y: usize) -> f32 {
        (c * 10_000 + y * 100 + x) as f32
    }

    /// A tile of `width` x `height` input pixels in the layout that the shape says, by the
    /// definitions of the manifest.
    fn network(shape: &TensorShape, width: usize, height: usize) -> Vec<f32> {
        let (channels, scale) = (shape.channels, shape.scale);
        let (depth, w, h) = match shape.packing {
            Packing::Pixels => (channels, width * scale, height * scale),
            Packing::Subpixel => (channels * scale * scale, width, height),
        };
        let mut values = vec![0.0; depth * w * h];
        for d in 0..depth {
            for y in 0..h {
                for x in 0..w {
                    let at = match shape.output {
                        Layout::Nchw => (d * h + y) * w + x,
                        Layout::Nhwc => (y * w + x) * depth + d,
                    };
                    values[at] = match shape.packing {
                        Packing::Pixels => code(d, x, y),
                        Packing::Subpixel => {
                            let (c, phase) = (d / (scale * scale), d % (scale * scale));
                            code(c, x * scale + phase % scale, y * scale + phase / scale)
                        }
                    };
                }
            }
        }
        values
    }

    #[test]
    fn every_packing_is_read_by_its_definition() {
        let same = Affine {
            gain: 1.0,
            offset: 0.0,
        };
        let (width, height) = (11, 5);
        for scale in 1..=8 {
            for channels in [1, 3] {
                for reversed in [false, true] {
                    for output in [Layout::Nchw, Layout::Nhwc] {
                        for packing in [Packing::Pixels, Packing::Subpixel] {
                            let shape = TensorShape {
                                channels,
                                scale,
                                reversed,
                                input: Layout::Nchw,
                                output,
                                packing,
                            };
                            let values = network(&shape, width, height);
                            let mut line = vec![0f32; 7 * scale];
                            for c in 0..channels {
                                for y in 0..height * scale {
                                    let finite = shape.unpack(
                                        &values,
                                        (width, height),
                                        c,
                                        (3, y),
                                        same,
                                        0.0,
                                        &mut Vec::new(),
                                        &mut line,
                                    );
                                    assert!(finite);
                                    let tensor = if reversed { channels - 1 - c } else { c };
                                    for (x, v) in line.iter().enumerate() {
                                        let expected = code(tensor, 3 * scale + x, y);
                                        assert_eq!(*v, expected, "{shape:?} {c} {x} {y}");
                                    }
                                }
                            }
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn pixels_past_the_border_are_those_on_it() {
        let shape = TensorShape {
            channels: 1,
            scale: 1,
            reversed: false,
            input: Layout::Nchw,
            output: Layout::Nchw,
            packing: Packing::Pixels,
        };
        let data = [1u8, 2, 3, 4];
        let planes = [AnyPlane::U8(PlaneRef {
            data: &data,
            stride: 2,
            width: 2,
            height: 2,
        })];
        let cut = Cut {
            core: crate::tile::Span { start: 0, end: 2 },
            read: crate::tile::Span { start: 0, end: 4 },
            fade_in: None,
            fade_out: None,
        };
        let map = Affine {
            gain: 1.0,
            offset: 0.0,
        };
        let mut tensor = Vec::new();
        shape.pack(
            &mut Source::Any(&planes),
            (2, 2),
            (&cut, &cut),
            map,
            &mut Vec::new(),
            &mut tensor,
        );
        let expected = [1, 2, 2, 2, 3, 4, 4, 4, 3, 4, 4, 4, 3, 4, 4, 4].map(|v| v as f32);
        assert_eq!(tensor, expected);
    }
}
