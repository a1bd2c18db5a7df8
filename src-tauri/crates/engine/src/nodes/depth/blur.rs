//! Pictures with some of their distances out of focus.
//!
//! What is behind the subject is blurred in three strengths, each of the pixels alone that are out
//! of focus themselves: of the sharp subject nothing runs into its surroundings, so it has no halo.
//! What is before the subject is blurred with its edge and laid over, as a lens does it.

use super::super::PictureFormat;
use super::super::grid::{Grid, Lens};
use super::super::planes::{bands, load, size_of};
use super::super::refined::Refiner;
use crate::EngineError;
use frameloom_core::graph::DepthSide;
use frameloom_core::pixel::{AnyPlane, AnyPlaneMut, PlaneMut, Sample};
use frameloom_media::Frame;

/// Strengths, in parts of the strongest.
const LEVELS: [f32; 3] = [0.25, 0.5, 1.0];
/// So much nearer or farther than the subject is still sharp, and so much more is blurred most.
/// Parts of what lies between the nearest and the farthest.
const SHARP: f32 = 0.1;
const UNTIL: f32 = 0.5;
/// An edge that is out of focus covers by so much more than its blurred matte says: inside of it the
/// sharp one must not shine through.
const COVERS: f32 = 1.6;

/// Blurs pictures of one format.
pub(super) struct Lenses {
    size: (f32, f32),
    /// Standard deviation of the strongest blur, in pixels.
    sigma: f32,
    side: DepthSide,
    planes: usize,
    scratch: Vec<f32>,
}

/// What lies on one side of the subject in one strength: the light and how much of it there is.
struct Blurred {
    light: Grid,
    weight: Grid,
    lens: Lens,
}

/// How far out of focus a distance is: -1 (nearer) to 1 (farther).
fn defocus(value: f32, focus: f32, side: DepthSide) -> f32 {
    let apart = focus - value;
    let far = match side {
        DepthSide::Background => apart.max(0.0),
        DepthSide::Foreground => apart.min(0.0),
        DepthSide::Both => apart,
    };
    let much = ((far.abs() - SHARP) / (UNTIL - SHARP)).clamp(0.0, 1.0);
    much.copysign(far)
}

impl Lenses {
    pub(super) fn new(output: &PictureFormat, sigma: f32, side: DepthSide) -> Self {
        Self {
            size: (output.width as f32, output.height as f32),
            sigma,
            side,
            planes: output.pixels.plane_count() - usize::from(output.pixels.alpha),
            scratch: Vec::new(),
        }
    }

    /// Paints `frame`, whose distances are refined, sharp at the distance `focus`.
    pub(super) fn paint(
        &mut self,
        frame: &Frame,
        out: &mut Frame,
        distances: &Refiner,
        focus: f32,
        threads: usize,
    ) -> Result<(), EngineError> {
        let max = f32::from(frame.format().max_value());
        let side = self.side;
        for index in 0..self.planes {
            let plane = frame.plane(index);
            let values = distances.plane(index);
            let far: Vec<Blurred> = match side {
                DepthSide::Foreground => Vec::new(),
                _ => self.blurred(
                    plane,
                    |level, v| {
                        // What is hardly out of focus says little of what is.
                        let much = defocus(v, focus, side).max(0.0);
                        let share = (much / (0.5 * LEVELS[level])).min(1.0);
                        share * share
                    },
                    values,
                ),
            };
            let near: Vec<Blurred> = match side {
                DepthSide::Background => Vec::new(),
                _ => self.blurred(
                    plane,
                    |level, v| membership(level, -defocus(v, focus, side)),
                    values,
                ),
            };
            let layers = Layers {
                far,
                near,
                values,
                focus,
                side,
                max,
            };
            match (plane, out.plane_mut(index)?) {
                (AnyPlane::U8(from), AnyPlaneMut::U8(mut to)) => {
                    layers.paint(|y| from.row(y), &mut to, threads);
                }
                (AnyPlane::U16(from), AnyPlaneMut::U16(mut to)) => {
                    layers.paint(|y| from.row(y), &mut to, threads);
                }
                _ => {}
            }
        }
        copy_alpha(frame, out)
    }

    /// A plane in every strength, of the samples that `share` counts for it by their distance.
    fn blurred(
        &mut self,
        plane: AnyPlane<'_>,
        share: impl Fn(usize, f32) -> f32,
        values: &[f32],
    ) -> Vec<Blurred> {
        let (width, height) = size_of(plane);
        let mut all = Vec::with_capacity(LEVELS.len());
        for (level, part) in LEVELS.into_iter().enumerate() {
            let sigma = self.sigma * part;
            // Four cells are enough for one standard deviation.
            let cell = (sigma / 4.0).max(1.0);
            let cells = |side: f32, most: usize| ((side / cell) as usize).clamp(1, most);
            let size = (cells(self.size.0, width), cells(self.size.1, height));
            let mut light = Grid::default();
            let mut weight = Grid::default();
            light.resize(size);
            weight.resize(size);
            light.shrink_by((width, height), 1.0, |y, out| {
                load(plane, y, out);
                for (v, value) in out.iter_mut().zip(&values[y * width..][..width]) {
                    *v *= share(level, *value);
                }
            });
            weight.shrink_by((width, height), 1.0, |y, out| {
                for (v, value) in out.iter_mut().zip(&values[y * width..][..width]) {
                    *v = share(level, *value);
                }
            });
            let deviation = sigma * size.0 as f32 / self.size.0;
            // Three boxes of that radius come near to a bell of that deviation.
            let radius = (((4.0 * deviation * deviation + 1.0).sqrt() - 1.0) / 2.0).round();
            for _ in 0..3 {
                light.blur(radius as usize, &mut self.scratch);
                weight.blur(radius as usize, &mut self.scratch);
            }
            all.push(Blurred {
                light,
                weight,
                lens: Lens::new(size, (width, height)),
            });
        }
        all
    }
}

/// How far something that is out of focus by `much` belongs to a strength; all together are 1, less
/// what is nearly sharp.
fn membership(level: usize, much: f32) -> f32 {
    let own = LEVELS[level];
    let below = match level {
        0 => 0.0,
        _ => LEVELS[level - 1],
    };
    match LEVELS.get(level + 1) {
        Some(&above) if much > own => ((above - much) / (above - own)).max(0.0),
        None if much > own => 1.0,
        _ => ((much - below) / (own - below)).clamp(0.0, 1.0),
    }
}

/// A plane and what is laid under and over it.
struct Layers<'a> {
    far: Vec<Blurred>,
    near: Vec<Blurred>,
    values: &'a [f32],
    focus: f32,
    side: DepthSide,
    max: f32,
}

impl Layers<'_> {
    fn paint<'f, S: Sample + Sync + Send>(
        &self,
        from: impl Fn(usize) -> &'f [S] + Sync,
        to: &mut PlaneMut<'_, S>,
        threads: usize,
    ) {
        /// Less than that of a blurred layer says nothing of its light.
        const LEAST: f32 = 1e-3;
        let (width, height, stride) = (to.width, to.height, to.stride);
        bands(threads, height, to.data, stride, |rows, band| {
            let lines = || vec![(Vec::new(), Vec::new()); LEVELS.len()];
            let (mut far, mut near) = (lines(), lines());
            for (y, out) in rows.zip(band.chunks_mut(stride)) {
                for (layers, lines) in [(&self.far, &mut far), (&self.near, &mut near)] {
                    for (layer, (light, weight)) in layers.iter().zip(lines) {
                        layer.lens.line(&layer.light, y, light);
                        layer.lens.line(&layer.weight, y, weight);
                    }
                }
                let values = &self.values[y * width..][..width];
                let pixels = out.iter_mut().zip(from(y)).zip(values).enumerate();
                for (x, ((out, own), value)) in pixels {
                    let mut shown = own.to_f32();
                    let much = defocus(*value, self.focus, self.side);
                    if much > 0.0 {
                        let (mut below, mut last) = (0.0, shown);
                        for (level, (layer, lines)) in self.far.iter().zip(&far).enumerate() {
                            let weight = layer.lens.at(&lines.1, x);
                            let soft = match weight > LEAST {
                                true => layer.lens.at(&lines.0, x) / weight,
                                false => last,
                            };
                            let reached = LEVELS[level];
                            if much <= reached {
                                let part = (much - below) / (reached - below);
                                last += (soft - last) * part;
                                break;
                            }
                            (below, last) = (reached, soft);
                        }
                        shown = last;
                    }
                    for (layer, lines) in self.near.iter().zip(&near) {
                        let weight = layer.lens.at(&lines.1, x);
                        if weight > LEAST {
                            let soft = layer.lens.at(&lines.0, x) / weight;
                            shown += (soft - shown) * (weight * COVERS).min(1.0);
                        }
                    }
                    *out = S::nearest(shown, self.max);
                }
            }
        });
    }
}

/// Transparency stays what it is.
pub(in crate::nodes) fn copy_alpha(frame: &Frame, out: &mut Frame) -> Result<(), EngineError> {
    let (Some(from), Some(to)) = (frame.format().alpha_plane(), out.format().alpha_plane()) else {
        return Ok(());
    };
    match (frame.plane(from), out.plane_mut(to)?) {
        (AnyPlane::U8(from), AnyPlaneMut::U8(mut to)) => {
            for y in 0..to.height {
                to.row_mut(y).copy_from_slice(from.row(y));
            }
        }
        (AnyPlane::U16(from), AnyPlaneMut::U16(mut to)) => {
            for y in 0..to.height {
                to.row_mut(y).copy_from_slice(from.row(y));
            }
        }
        _ => {}
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_near_the_focus_is_sharp_and_each_side_is_told_from_the_other() {
        assert_eq!(defocus(0.5, 0.55, DepthSide::Both), 0.0);
        assert_eq!(defocus(0.0, 0.9, DepthSide::Both), 1.0);
        assert_eq!(defocus(0.9, 0.0, DepthSide::Both), -1.0);
        assert_eq!(defocus(0.9, 0.0, DepthSide::Background), 0.0);
        assert_eq!(defocus(0.0, 0.9, DepthSide::Foreground), 0.0);
        for much in [0.3, 0.5, 0.75, 1.0] {
            let all: f32 = (0..LEVELS.len()).map(|level| membership(level, much)).sum();
            assert!((all - 1.0).abs() < 1e-6, "{much}: {all}");
        }
        assert_eq!(membership(0, -0.5), 0.0);
    }
}
