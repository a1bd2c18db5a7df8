//! A picture put together of its foreground and something else.
//!
//! Everything happens in the samples of the picture itself, Y'CbCr or RGB, for a mixture of two
//! colours is one in both. A pixel on an edge shows both: what the old background gave to it is
//! taken away by an estimate of the two colours from the neighbourhood ("blur fusion", Forte,
//! "Approximate Fast Foreground Colour Estimation", 2021).

use crate::EngineError;
use crate::nodes::PictureFormat;
use crate::nodes::grid::{Grid, Lens};
use crate::nodes::guided::Guided;
use crate::nodes::planes::{bands, chroma_means, load, luma_of, size_of};
use crate::rgb::exact_samples_of_rgb;
use frameloom_core::pixel::{AnyPlane, AnyPlaneMut, PlaneMut, Planes, Sample};
use frameloom_media::{Frame, FramePool};
use std::ops::Range;

/// Longest side of the grid that edges are found on, and of the one that colours are found on.
const EDGE_SIDE: usize = 640;
const COLOR_SIDE: usize = 320;
/// Radius of the windows on these grids, in cells.
const EDGE_RADIUS: usize = 5;
const COLOR_RADIUS: usize = 8;
/// Luma that varies less than by the root of this, of 1, is no edge.
const EPSILON: f32 = 4e-4;
/// What a network is not sure of, below and above, counts as sure: its mattes seldom reach 0 and 1.
const UNSURE: Range<f32> = 0.4..0.8;
/// The same behind the filter, which leaves a little of the picture's texture on both sides.
const LEFT_OVER: Range<f32> = 0.08..0.94;

/// What comes in the place of the background.
pub(super) enum Ground<'a> {
    /// Nothing: the result is transparent there.
    Nothing,
    /// The background out of focus, by a standard deviation in pixels.
    Blur(f32),
    /// A picture of the format of the result.
    Picture(&'a Frame),
}

/// Puts pictures of one format together.
pub(super) struct Composer {
    output: PictureFormat,
    pool: FramePool,
    spill: f32,
    threads: usize,
    /// Samples of black, by plane.
    black: Vec<f32>,
    /// From the grid of edges to full size, and from that of colours to each plane's.
    edge_lens: Lens,
    color_lenses: Vec<Lens>,
    guided: Guided,
    luma: Grid,
    coarse: Grid,
    /// Matte of every pixel, and of every sample of chroma where those are fewer.
    alpha: Vec<f32>,
    chroma_alpha: Vec<f32>,
    colors: Colors,
    scratch: Vec<f32>,
}

/// Both colours of each plane, on the grid of colours.
#[derive(Default)]
struct Colors {
    alpha: Grid,
    weight: Grid,
    plane: Grid,
    foreground: Grid,
    background: Grid,
}

impl Composer {
    /// For pictures of `output`, apart from its transparency; `spill` is how much of the old
    /// background is taken off edges, 0 to 1.
    pub(super) fn new(
        output: PictureFormat,
        spill: f32,
        threads: usize,
    ) -> Result<Self, EngineError> {
        let size = (output.width as usize, output.height as usize);
        let plane = |index: usize| {
            let pixels = output.pixels;
            let (width, height) = pixels.plane_size(index, output.width, output.height);
            (width as usize, height as usize)
        };
        let colors = color_planes(&output);
        let smallest = plane(colors - 1);
        let mut this = Self {
            pool: FramePool::new(output.pixels, output.width, output.height)?,
            black: exact_samples_of_rgb(
                output.pixels,
                &output.color,
                (output.width, output.height),
                [0.0; 3],
            ),
            spill,
            threads: threads.max(1),
            edge_lens: Lens::new(within(size, EDGE_SIDE), size),
            color_lenses: (0..colors)
                .map(|index| Lens::new(within(smallest, COLOR_SIDE), plane(index)))
                .collect(),
            guided: Guided::default(),
            luma: Grid::default(),
            coarse: Grid::default(),
            alpha: vec![0.0; size.0 * size.1],
            chroma_alpha: Vec::new(),
            colors: Colors::default(),
            scratch: Vec::new(),
            output,
        };
        this.luma.resize(within(size, EDGE_SIDE));
        this.coarse.resize(within(size, EDGE_SIDE));
        let colors = &mut this.colors;
        for grid in [
            &mut colors.alpha,
            &mut colors.weight,
            &mut colors.plane,
            &mut colors.foreground,
            &mut colors.background,
        ] {
            grid.resize(within(smallest, COLOR_SIDE));
        }
        Ok(this)
    }

    /// The foreground of `frame`, which `matte` (of any size, 0 to 1) says, on `ground`.
    ///
    /// `frame` has the samples of the result; its own transparency belongs to the background.
    pub(super) fn compose(
        &mut self,
        frame: &Frame,
        matte: &Grid,
        ground: &Ground<'_>,
    ) -> Result<Frame, EngineError> {
        let mut out = self.pool.get()?;
        out.copy_props_from(frame)?;
        // What was said of the samples before a conversion may have changed by it.
        out.set_color(&frame.color());
        self.find_alpha(frame, matte);
        let needs_colors = self.spill > 0.0 || matches!(ground, Ground::Nothing);
        if needs_colors {
            self.weigh();
        }
        for index in 0..color_planes(&self.output) {
            if needs_colors {
                self.find_colors(frame.plane(index), index, matches!(ground, Ground::Nothing));
            }
            let blurred = match ground {
                Ground::Blur(sigma) => Some(self.out_of_focus(frame.plane(index), index, *sigma)),
                _ => None,
            };
            let behind = match (ground, &blurred) {
                (Ground::Picture(picture), _) => Behind::Plane(picture.plane(index)),
                (_, Some((grid, lens))) => Behind::Grid(grid, lens),
                // Of the pixels that nothing shows, the colours are those of the nearest edge.
                _ => Behind::Grid(&self.colors.weight, &self.color_lenses[index]),
            };
            match (frame.plane(index), out.plane_mut(index)?) {
                (AnyPlane::U8(from), AnyPlaneMut::U8(mut to)) => {
                    self.plane(index, |y| from.row(y), &mut to, &behind);
                }
                (AnyPlane::U16(from), AnyPlaneMut::U16(mut to)) => {
                    self.plane(index, |y| from.row(y), &mut to, &behind);
                }
                _ => unreachable!("the frame was brought to the depth of the result"),
            }
        }
        if let Some(index) = self.output.pixels.alpha_plane() {
            let max = f32::from(self.output.pixels.max_value());
            let width = self.output.width as usize;
            match out.plane_mut(index)? {
                AnyPlaneMut::U8(mut plane) => write(&self.alpha, width, max, &mut plane),
                AnyPlaneMut::U16(mut plane) => write(&self.alpha, width, max, &mut plane),
            }
        }
        Ok(out)
    }

    /// The matte of every pixel.
    fn find_alpha(&mut self, frame: &Frame, matte: &Grid) {
        let (width, height) = (self.output.width as usize, self.output.height as usize);
        let mut line = vec![0.0; width];
        self.luma.shrink_by((width, height), 1.0, |y, out| {
            luma_of(frame, y, out, &mut line);
        });
        matte.resampled(&mut self.coarse);
        for v in &mut self.coarse.values {
            *v = sure(*v, UNSURE);
        }
        self.guided
            .fit(&self.luma, &self.coarse, EDGE_RADIUS, EPSILON);
        let (guided, lens) = (&self.guided, &self.edge_lens);
        let own = frame.format().alpha_plane().map(|index| frame.plane(index));
        let gain = 1.0 / f32::from(frame.format().max_value());
        bands(
            self.threads,
            height,
            &mut self.alpha,
            width,
            |rows, band| {
                let mut lines = [Vec::new(), Vec::new()];
                let mut line = vec![0.0; width];
                for (y, row) in rows.zip(band.chunks_exact_mut(width)) {
                    luma_of(frame, y, row, &mut line);
                    guided.row(lens, y, row, &mut lines);
                    for v in row.iter_mut() {
                        *v = sure(*v, LEFT_OVER);
                    }
                    match &own {
                        Some(AnyPlane::U8(plane)) => multiply(row, plane.row(y), gain),
                        Some(AnyPlane::U16(plane)) => multiply(row, plane.row(y), gain),
                        None => {}
                    }
                }
            },
        );
        if let Planes::Yuv { shift_x, shift_y } = self.output.pixels.planes
            && shift_x + shift_y > 0
        {
            let size = self
                .output
                .pixels
                .plane_size(1, self.output.width, self.output.height);
            let to = (size.0 as usize, size.1 as usize);
            let chroma = &mut self.chroma_alpha;
            let shifts = (shift_x, shift_y);
            chroma_means(
                self.threads,
                &self.alpha,
                (width, height),
                shifts,
                to,
                chroma,
            );
        }
    }

    /// The matte of the samples of a plane.
    fn alpha_of(&self, index: usize) -> &[f32] {
        match index {
            1 | 2 if !self.chroma_alpha.is_empty() => &self.chroma_alpha,
            _ => &self.alpha,
        }
    }

    /// How much of each place and of what lies around it is foreground.
    fn weigh(&mut self) {
        let (width, height) = (self.output.width as usize, self.output.height as usize);
        let alpha = &self.alpha;
        self.colors.alpha.shrink_by((width, height), 1.0, |y, out| {
            out.copy_from_slice(&alpha[y * width..][..width]);
        });
    }

    /// The colours of foreground and background around each place. With `hides`, `weight` becomes
    /// what is written where nothing is seen.
    fn find_colors(&mut self, plane: AnyPlane<'_>, index: usize, hides: bool) {
        let Colors {
            alpha,
            weight,
            plane: samples,
            foreground,
            background,
        } = &mut self.colors;
        samples.shrink(plane, 1.0);
        weight.values.copy_from_slice(&alpha.values);
        let both = foreground.values.iter_mut().zip(&mut background.values);
        for ((f, b), (v, alpha)) in both.zip(samples.values.iter().zip(&alpha.values)) {
            *f = v * alpha;
            *b = v * (1.0 - alpha);
        }
        for grid in [&mut *weight, &mut *foreground, &mut *background] {
            grid.blur(COLOR_RADIUS, &mut self.scratch);
        }
        let black = self.black[index];
        let both = foreground.values.iter_mut().zip(&mut background.values);
        for ((f, b), (v, weight)) in both.zip(samples.values.iter().zip(&mut weight.values)) {
            const LEAST: f32 = 1e-3;
            *f = match *weight > LEAST {
                true => *f / *weight,
                false => *v,
            };
            *b = match 1.0 - *weight > LEAST {
                true => *b / (1.0 - *weight),
                false => *v,
            };
            if hides {
                // Near an edge the colour of the foreground, so that whoever makes the picture
                // smaller or smoother gets no fringe; far away nothing of what was there.
                let near = (*weight * 16.0).min(1.0);
                *weight = match *weight > LEAST {
                    true => black + (*f - black) * near,
                    false => black,
                };
            }
        }
    }

    /// The background out of focus, in the samples of a plane, without what the foreground gives
    /// to it.
    fn out_of_focus(&mut self, plane: AnyPlane<'_>, index: usize, sigma: f32) -> (Grid, Lens) {
        let (width, height) = size_of(plane);
        let full = (self.output.width as f32, self.output.height as f32);
        // Four cells are enough for one standard deviation.
        let cell = (sigma / 4.0).max(1.0);
        let cells = |side: f32, most: usize| ((side / cell) as usize).clamp(1, most);
        let size = (cells(full.0, width), cells(full.1, height));
        let mut light = Grid::default();
        let mut weight = Grid::default();
        light.resize(size);
        weight.resize(size);
        let alpha = self.alpha_of(index);
        // What is hardly background says little of it.
        let share = |alpha: f32| (1.0 - alpha) * (1.0 - alpha);
        light.shrink_by((width, height), 1.0, |y, out| {
            load(plane, y, out);
            for (v, alpha) in out.iter_mut().zip(&alpha[y * width..][..width]) {
                *v *= share(*alpha);
            }
        });
        weight.shrink_by((width, height), 1.0, |y, out| {
            for (v, alpha) in out.iter_mut().zip(&alpha[y * width..][..width]) {
                *v = share(*alpha);
            }
        });
        let all: f32 = weight.values.iter().sum();
        let mean = match all > 0.0 {
            true => light.values.iter().sum::<f32>() / all,
            false => self.black[index],
        };
        let deviation = sigma * size.0 as f32 / full.0;
        // Three boxes of that radius come near to a bell of that deviation.
        let radius = (((4.0 * deviation * deviation + 1.0).sqrt() - 1.0) / 2.0).round();
        for _ in 0..3 {
            light.blur(radius as usize, &mut self.scratch);
            weight.blur(radius as usize, &mut self.scratch);
        }
        for (v, weight) in light.values.iter_mut().zip(&weight.values) {
            *v = match *weight > 1e-3 {
                true => *v / *weight,
                false => mean,
            };
        }
        let lens = Lens::new(size, (width, height));
        (light, lens)
    }

    /// One plane of the result.
    fn plane<'f, S: Sample + Sync>(
        &self,
        index: usize,
        from: impl Fn(usize) -> &'f [S] + Sync,
        to: &mut PlaneMut<'_, S>,
        behind: &Behind<'_>,
    ) {
        let (width, height) = (to.width, to.height);
        let alpha = self.alpha_of(index);
        let max = f32::from(self.output.pixels.max_value());
        let keeps_foreground = self.output.pixels.alpha;
        let lens = &self.color_lenses[index];
        let stride = to.stride;
        bands(self.threads, height, to.data, stride, |rows, band| {
            let mut ground = vec![0.0; width];
            let (mut line, mut front, mut back) = (Vec::new(), Vec::new(), Vec::new());
            for (y, out) in rows.zip(band.chunks_mut(stride)) {
                let (from, out) = (from(y), &mut out[..width]);
                let alpha = &alpha[y * width..][..width];
                if alpha.iter().all(|&a| a >= 1.0) {
                    out.copy_from_slice(from);
                    continue;
                }
                match behind {
                    Behind::Plane(plane) => load(*plane, y, &mut ground),
                    Behind::Grid(grid, lens) => {
                        lens.line(grid, y, &mut line);
                        lens.across(&line, &mut ground);
                    }
                }
                if self.spill > 0.0 {
                    lens.line(&self.colors.foreground, y, &mut front);
                    lens.line(&self.colors.background, y, &mut back);
                }
                for (x, out) in out.iter_mut().enumerate() {
                    let alpha = alpha[x];
                    if alpha >= 1.0 {
                        *out = from[x];
                        continue;
                    }
                    if alpha <= 0.0 {
                        *out = S::nearest(ground[x], max);
                        continue;
                    }
                    let shown = from[x].to_f32();
                    let mut own = shown;
                    if self.spill > 0.0 {
                        let (f, b) = (lens.at(&front, x), lens.at(&back, x));
                        let alone = f + alpha * (shown - alpha * f - (1.0 - alpha) * b);
                        own += self.spill * (alone - shown);
                    }
                    *out = S::nearest(
                        match keeps_foreground {
                            true => own,
                            false => ground[x] + alpha * (own - ground[x]),
                        },
                        max,
                    );
                }
            }
        });
    }
}

/// Samples behind the foreground.
enum Behind<'a> {
    Plane(AnyPlane<'a>),
    Grid(&'a Grid, &'a Lens),
}

/// Planes that are not alpha.
fn color_planes(format: &PictureFormat) -> usize {
    format.pixels.plane_count() - usize::from(format.pixels.alpha)
}

/// A size of the same proportion whose longest side is at most `most`.
fn within((width, height): (usize, usize), most: usize) -> (usize, usize) {
    let longest = width.max(height);
    if longest <= most {
        return (width.max(1), height.max(1));
    }
    let side = |side: usize| (side * most / longest).max(1);
    (side(width), side(height))
}

/// `value` with everything outside of `unsure` brought to 0 or 1.
fn sure(value: f32, unsure: Range<f32>) -> f32 {
    ((value - unsure.start) / (unsure.end - unsure.start)).clamp(0.0, 1.0)
}

fn multiply<S: Sample>(row: &mut [f32], by: &[S], gain: f32) {
    for (v, by) in row.iter_mut().zip(by) {
        *v *= by.to_f32() * gain;
    }
}

fn write<S: Sample>(alpha: &[f32], width: usize, max: f32, plane: &mut PlaneMut<'_, S>) {
    for (y, row) in alpha.chunks_exact(width).enumerate() {
        for (out, v) in plane.row_mut(y).iter_mut().zip(row) {
            *out = S::nearest(v * max, max);
        }
    }
}
