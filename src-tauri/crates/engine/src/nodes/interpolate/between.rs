//! A frame on the way from one to the next.
//!
//! Each cell of both frames is carried along its own motion to the moment in between; where several
//! come to one place, the one whose motion is surer is in front. The new frame takes its pixels from
//! both frames along that motion. A place that one of them hides, or shows something else at, is
//! taken from the other.

use crate::EngineError;
use crate::motion::flow::Flow;
use crate::motion::gray::Gray;
use crate::nodes::cubic::Cubic;
use crate::nodes::planes::{bands, size_of};
use frameloom_core::pixel::{AnyPlane, AnyPlaneMut, PlaneMut, PlaneRef, Sample};
use frameloom_media::{Frame, FramePool};

/// A difference in brightness, of 255, and a distance in cells, by which a motion becomes half as
/// sure.
const UNSURE_BY: f32 = 12.0;
const APART: f32 = 1.0;
/// Frames whose places differ by more on average along their motion, of 255, are not one scene on
/// its way: light that flashes, water that sprays.
const MOST_APART: f32 = 22.0;
/// What moves by less than so many cells stands, and what stands is a title more often than a
/// hole in what moves: of two that are as sure, it is in front.
const STILL: f32 = 0.25;
const IN_FRONT: f32 = 1.6;
/// A frame that counts for more than this counts alone.
const ALONE: f32 = 0.995;
/// So often, motions grow into places that none came to.
const GROWTH: usize = 48;

/// What is known of two frames, on a grid of cells.
pub(super) struct Scene {
    /// From the first to the second, and back.
    there: Flow,
    back: Flow,
    /// How sure these are, 0 to 1.
    sure: [Vec<f32>; 2],
}

impl Scene {
    /// `None` where the frames have too little in common.
    pub(super) fn of(first: &Gray, second: &Gray, there: Flow, back: Flow) -> Option<Self> {
        let (sure_there, apart) = sureness(first, second, &there, &back);
        let (sure_back, _) = sureness(second, first, &back, &there);
        (apart <= MOST_APART).then_some(Self {
            there,
            back,
            sure: [sure_there, sure_back],
        })
    }
}

/// How sure the motion of each cell is, and by how much cells differ along it on average.
fn sureness(from: &Gray, to: &Gray, flow: &Flow, back: &Flow) -> (Vec<f32>, f32) {
    let mut sum = 0.0f64;
    let mut sure = Vec::with_capacity(flow.values.len());
    for y in 0..from.height {
        for (x, own) in from.row(y).iter().enumerate() {
            let (u, v) = flow.values[y * from.width + x];
            let (tx, ty) = (x as f32 + u, y as f32 + v);
            let apart = (to.at(tx, ty) - own).abs();
            sum += f64::from(apart);
            let home = back.at(tx, ty);
            let lost = (u + home.0).hypot(v + home.1);
            let (light, way) = (apart / UNSURE_BY, lost / APART);
            let outside =
                tx < -0.5 || ty < -0.5 || tx > to.width as f32 - 0.5 || ty > to.height as f32 - 0.5;
            let known = 1.0 / (1.0 + light * light + way * way);
            sure.push(if outside { 0.25 * known } else { known });
        }
    }
    (sure, (sum / from.values.len().max(1) as f64) as f32)
}

/// The motion of each cell at the moment in between, and how much the first frame counts there.
struct Middle {
    flow: Flow,
    /// Part of the first frame, 0 to 1.
    first: Vec<f32>,
}

impl Middle {
    fn of(scene: &Scene, way: f32) -> Self {
        let (width, height) = (scene.there.width, scene.there.height);
        let mut best = vec![0.0f32; width * height];
        let mut values = vec![(0.0f32, 0.0f32); width * height];
        // From the first frame forwards, and from the second backwards.
        let sides = [
            (&scene.there, &scene.sure[0], way, 1.0f32),
            (&scene.back, &scene.sure[1], 1.0 - way, -1.0),
        ];
        for (flow, sure, part, sign) in sides {
            for y in 0..height {
                for x in 0..width {
                    let (u, v) = flow.values[y * width + x];
                    let sure = sure[y * width + x];
                    let (tx, ty) = (x as f32 + part * u, y as f32 + part * v);
                    let (left, top) = (tx.floor(), ty.floor());
                    for (cx, cy) in [(0.0, 0.0), (1.0, 0.0), (0.0, 1.0), (1.0, 1.0)] {
                        let (cx, cy) = (left + cx, top + cy);
                        if cx < 0.0 || cy < 0.0 || cx >= width as f32 || cy >= height as f32 {
                            continue;
                        }
                        let near = (1.0 - (tx - cx).abs()) * (1.0 - (ty - cy).abs());
                        // What only brushes a cell does not fill it.
                        if near < 0.1 {
                            continue;
                        }
                        let at = cy as usize * width + cx as usize;
                        let front = if u.hypot(v) < STILL { IN_FRONT } else { 1.0 };
                        let weight = front * sure * (0.5 + 0.5 * near) + 1e-3;
                        if weight > best[at] {
                            best[at] = weight;
                            values[at] = (sign * u, sign * v);
                        }
                    }
                }
            }
        }
        grow(&mut values, &mut best, width, height);
        let flow = medians(Flow {
            width,
            height,
            values,
        });
        let first = weights(scene, &flow, way);
        Self { flow, first }
    }
}

/// Fills the cells that no motion came to with the mean of those around, from the border inwards.
fn grow(values: &mut [(f32, f32)], best: &mut [f32], width: usize, height: usize) {
    for _ in 0..GROWTH {
        let mut filled = Vec::new();
        for y in 0..height {
            for x in 0..width {
                if best[y * width + x] > 0.0 {
                    continue;
                }
                let (mut sum, mut count) = ((0.0, 0.0), 0.0f32);
                for v in y.saturating_sub(1)..(y + 2).min(height) {
                    for u in x.saturating_sub(1)..(x + 2).min(width) {
                        if best[v * width + u] > 0.0 {
                            let value = values[v * width + u];
                            sum = (sum.0 + value.0, sum.1 + value.1);
                            count += 1.0;
                        }
                    }
                }
                if count > 0.0 {
                    filled.push((y * width + x, (sum.0 / count, sum.1 / count)));
                }
            }
        }
        if filled.is_empty() {
            return;
        }
        for (at, value) in filled {
            values[at] = value;
            best[at] = 1e-3;
        }
    }
}

/// Each motion as the median of the nine around it.
fn medians(flow: Flow) -> Flow {
    let (width, height) = (flow.width, flow.height);
    let mut values = Vec::with_capacity(flow.values.len());
    let (mut us, mut vs) = ([0.0f32; 9], [0.0f32; 9]);
    for y in 0..height {
        for x in 0..width {
            let mut count = 0;
            for v in y.saturating_sub(1)..(y + 2).min(height) {
                for u in x.saturating_sub(1)..(x + 2).min(width) {
                    (us[count], vs[count]) = flow.values[v * width + u];
                    count += 1;
                }
            }
            let middle = |list: &mut [f32]| {
                let at = list.len() / 2;
                *list.select_nth_unstable_by(at, f32::total_cmp).1
            };
            values.push((middle(&mut us[..count]), middle(&mut vs[..count])));
        }
    }
    Flow { values, ..flow }
}

/// How much the first frame counts in each cell.
fn weights(scene: &Scene, flow: &Flow, way: f32) -> Vec<f32> {
    let (width, height) = (flow.width, flow.height);
    let sure = |which: usize, x: f32, y: f32| {
        let x = (x.round().max(0.0) as usize).min(width - 1);
        let y = (y.round().max(0.0) as usize).min(height - 1);
        scene.sure[which][y * width + x]
    };
    // Where a frame surely shows something that moves otherwise, it does not show this.
    let shows = |own: (f32, f32), wanted: (f32, f32), sure: f32| {
        let apart = (own.0 - wanted.0).hypot(own.1 - wanted.1) / APART;
        1.0 / (1.0 + 4.0 * sure * sure * apart * apart)
    };
    let mut first = Vec::with_capacity(flow.values.len());
    for y in 0..height {
        for x in 0..width {
            let (u, v) = flow.values[y * width + x];
            let (ax, ay) = (x as f32 - way * u, y as f32 - way * v);
            let (bx, by) = (x as f32 + (1.0 - way) * u, y as f32 + (1.0 - way) * v);
            let back = scene.back.at(bx, by);
            let inside = |x: f32, y: f32| {
                x >= -0.5 && y >= -0.5 && x <= width as f32 - 0.5 && y <= height as f32 - 0.5
            };
            let part = |inside: bool, shows: f32| if inside { shows + 0.01 } else { 1e-3 };
            let a = (1.0 - way)
                * part(
                    inside(ax, ay),
                    shows(scene.there.at(ax, ay), (u, v), sure(0, ax, ay)),
                );
            let b = way
                * part(
                    inside(bx, by),
                    shows((-back.0, -back.1), (u, v), sure(1, bx, by)),
                );
            first.push(a / (a + b).max(1e-9));
        }
    }
    first
}

/// Makes frames of one format.
pub(super) struct Between {
    pool: FramePool,
    cubic: Cubic,
    threads: usize,
}

impl Between {
    pub(super) fn new(pool: FramePool, threads: usize) -> Self {
        Self {
            pool,
            cubic: Cubic::new(),
            threads: threads.max(1),
        }
    }

    /// The frame at `way` (0 to 1) from one frame to another; a cell is `factor` pixels wide.
    pub(super) fn frame(
        &self,
        (first, second): (&Frame, &Frame),
        scene: &Scene,
        way: f64,
        factor: usize,
    ) -> Result<Frame, EngineError> {
        let way = way as f32;
        let middle = Middle::of(scene, way);
        let mut out = self.pool.get()?;
        out.copy_props_from(first)?;
        let max = f32::from(first.format().max_value());
        let full = (first.width() as f32, first.height() as f32);
        for index in 0..first.format().plane_count() {
            let (width, height) = size_of(first.plane(index));
            let look = Look {
                middle: &middle,
                way,
                max,
                cell: factor as f32,
                pixel: (full.0 / width as f32, full.1 / height as f32),
            };
            match (
                first.plane(index),
                second.plane(index),
                out.plane_mut(index)?,
            ) {
                (AnyPlane::U8(a), AnyPlane::U8(b), AnyPlaneMut::U8(to)) => {
                    self.plane((&a, &b), to, &look);
                }
                (AnyPlane::U16(a), AnyPlane::U16(b), AnyPlaneMut::U16(to)) => {
                    self.plane((&a, &b), to, &look);
                }
                // All frames of a clip have its format.
                _ => {}
            }
        }
        Ok(out)
    }

    fn plane<S: Sample>(
        &self,
        (a, b): (&PlaneRef<'_, S>, &PlaneRef<'_, S>),
        to: PlaneMut<'_, S>,
        look: &Look<'_>,
    ) {
        let (width, height, stride) = (to.width, to.height, to.stride);
        bands(self.threads, height, to.data, stride, |rows, band| {
            for (y, row) in rows.zip(band.chunks_mut(stride)) {
                for (x, out) in row[..width].iter_mut().enumerate() {
                    let ((u, v), part) = look.at(x, y);
                    let from = |plane, along: f32| {
                        let (x, y) = (x as f32 + along * u, y as f32 + along * v);
                        self.cubic.at(plane, f64::from(x), f64::from(y))
                    };
                    let value = if part > ALONE {
                        from(a, -look.way)
                    } else if part < 1.0 - ALONE {
                        from(b, 1.0 - look.way)
                    } else {
                        part * from(a, -look.way) + (1.0 - part) * from(b, 1.0 - look.way)
                    };
                    *out = S::nearest(value, look.max);
                }
            }
        });
    }
}

/// The moment in between, for the samples of a plane.
struct Look<'a> {
    middle: &'a Middle,
    way: f32,
    max: f32,
    /// Pixels of a cell.
    cell: f32,
    /// Pixels of a sample.
    pixel: (f32, f32),
}

impl Look<'_> {
    /// The motion of a sample, in samples, and the part of the first frame.
    #[inline(always)]
    fn at(&self, x: usize, y: usize) -> ((f32, f32), f32) {
        let flow = &self.middle.flow;
        let place = |at: usize, pixel: f32, side: usize| {
            let cell = (at as f32 + 0.5) * pixel / self.cell - 0.5;
            cell.clamp(0.0, (side - 1) as f32)
        };
        let (cx, cy) = (
            place(x, self.pixel.0, flow.width),
            place(y, self.pixel.1, flow.height),
        );
        let (left, top) = (cx as usize, cy as usize);
        let (right, bottom) = (
            (left + 1).min(flow.width - 1),
            (top + 1).min(flow.height - 1),
        );
        let (fx, fy) = (cx - left as f32, cy - top as f32);
        let corners = [
            (top * flow.width + left, (1.0 - fx) * (1.0 - fy)),
            (top * flow.width + right, fx * (1.0 - fy)),
            (bottom * flow.width + left, (1.0 - fx) * fy),
            (bottom * flow.width + right, fx * fy),
        ];
        let (mut u, mut v, mut first) = (0.0, 0.0, 0.0);
        for (at, weight) in corners {
            u += weight * flow.values[at].0;
            v += weight * flow.values[at].1;
            first += weight * self.middle.first[at];
        }
        let (sx, sy) = (self.cell / self.pixel.0, self.cell / self.pixel.1);
        ((u * sx, v * sy), first)
    }
}
