//! How near everything in a picture is: shown, or taken for putting some of it out of focus.
//!
//! A network says in small how near each pixel is, in no unit, and to each picture anew. In a clip
//! both its maps and where they begin and end are evened out over neighbouring pictures
//! ([`super::steady`]), so that a map does not pump; edges come to those of the picture
//! ([`super::refined`]).

mod blur;

use super::grid::Grid;
use super::planes::bands;
use super::refined::Refiner;
use super::steady::{Seen, steadied};
use super::windowed::{self, Look, Small};
use super::{Opened, Opening, PictureFormat};
use crate::EngineError;
use crate::rgb::exact_samples_of_rgb;
use blur::Lenses;
pub(super) use blur::copy_alpha;
use frameloom_core::graph::{DepthColors, DepthParams, DepthShow};
use frameloom_core::model::Task;
use frameloom_core::pixel::{AnyPlaneMut, PlaneMut, Planes, Sample};
use frameloom_core::said;
use frameloom_core::said::Said;
use frameloom_infer::{CancelHandle, WholeSession};
use frameloom_media::{Frame, FramePool};

/// Pictures before and after one that say how near things are in it.
pub(super) const REACH: usize = 8;
/// Radius of the windows in which edges are found, in cells, and the root of which luma varies by
/// at an edge.
const EDGES: (usize, f32) = (6, 1e-3);
/// Part of the pixels that are nearer, and farther, than what counts as the nearest and the
/// farthest: single pixels of a network may be anywhere.
const ENDS: f32 = 0.02;
/// Shades of a map.
const SHADES: usize = 1024;

/// What comes out of `input`.
///
/// # Errors
/// What is wrong, in words.
pub(super) fn output_format(
    params: &DepthParams,
    task: Task,
    input: &PictureFormat,
) -> Result<PictureFormat, Said> {
    if task != Task::Depth {
        return Err(said!(
            "depth.no_distances",
            "the model `{model}` tells no distances; a model is needed that does, as `frameloom models available` lists them",
            model = &params.model
        ));
    }
    let mut output = input.clone();
    let has_colors = params.show == DepthShow::Map && params.colors == DepthColors::Heat;
    if has_colors && input.pixels.planes == Planes::Gray {
        output.pixels.planes = Planes::Gbr;
        output.color = super::converted_color(input, Planes::Gbr);
    }
    Ok(output)
}

/// Opens the node: with a memory of time for a clip whose distances are steadied.
pub(super) fn open(
    params: &DepthParams,
    input: &PictureFormat,
    output: PictureFormat,
    opening: &Opening<'_>,
) -> Result<Opened, EngineError> {
    let (session, choice) = opening.session_of(&params.model)?;
    let session = WholeSession::new(session)?;
    let size = session.size_for((input.width as usize, input.height as usize), None);
    let steady = input.pace != super::Pace::STILL && params.smooth > 0.0;
    let node = Depth {
        session,
        small: Small::new(size)?,
        planes: Vec::new(),
        strength: params.smooth.clamp(0.0, 1.0) as f32,
        focus: params.focus.map(|focus| focus.clamp(0.0, 1.0) as f32),
        refiner: Refiner::new(input, opening.threads, EDGES),
        painter: match params.show {
            DepthShow::Map => Painter::Map(shades(params.colors, &output)),
            DepthShow::Blur => {
                let sigma = params.blur / 100.0 * f64::from(input.height);
                Painter::Blur(Lenses::new(&output, sigma as f32, params.side))
            }
        },
        pool: FramePool::new(output.pixels, output.width, output.height)?,
        threads: opening.threads.max(1),
        output,
    };
    Ok((windowed::node(node, steady.then_some(REACH)), Some(choice)))
}

/// The node.
struct Depth {
    session: WholeSession,
    small: Small,
    planes: Vec<Vec<f32>>,
    /// How much the distances of neighbours count.
    strength: f32,
    focus: Option<f32>,
    refiner: Refiner,
    painter: Painter,
    pool: FramePool,
    threads: usize,
    output: PictureFormat,
}

enum Painter {
    /// The samples of each shade, plane by plane.
    Map(Vec<Vec<f32>>),
    Blur(Lenses),
}

/// What is kept of a picture.
struct Distances {
    seen: Seen,
    /// The farthest and the nearest, in the numbers of the network.
    ends: (f32, f32),
    /// How near the subject is, likewise.
    subject: f32,
}

impl Look for Depth {
    type Seen = Distances;

    fn output(&self) -> &PictureFormat {
        &self.output
    }

    fn cancel_handle(&self) -> Option<CancelHandle> {
        Some(self.session.cancel_handle())
    }

    fn see(&mut self, frame: &Frame, _: Option<&Distances>) -> Result<Distances, EngineError> {
        let rgb = self.small.rgb(frame)?;
        let (width, height) = self.small.size();
        let [r, g, b] = &rgb;
        self.session
            .run([r, g, b], (width, height), &mut self.planes)?;
        let map = Grid {
            width,
            height,
            values: self.planes.first().cloned().unwrap_or_default(),
        };
        Ok(Distances {
            ends: ends(&map.values),
            subject: subject(&map),
            seen: Seen { rgb, map },
        })
    }

    fn is_cut(before: &Distances, next: &Distances) -> bool {
        before.seen.is_cut(&next.seen)
    }

    fn make(
        &mut self,
        frame: &Frame,
        own: &Distances,
        before: &[&Distances],
        after: &[&Distances],
    ) -> Result<Frame, EngineError> {
        let neighbours = || before.iter().chain(after).copied();
        let mut map = steadied(
            &own.seen,
            neighbours().map(|other| &other.seen),
            self.strength,
        );
        let mean = |of: &dyn Fn(&Distances) -> f32| {
            let (mut sum, mut weight) = (of(own), 1.0);
            for other in neighbours() {
                sum += self.strength * of(other);
                weight += self.strength;
            }
            sum / weight
        };
        let (far, near) = (mean(&|d| d.ends.0), mean(&|d| d.ends.1));
        let subject = mean(&|d| d.subject);
        // A picture of one distance is far as a whole.
        let gain = match near - far {
            spread if spread > f32::EPSILON * near.abs().max(far.abs()).max(1e-6) => 1.0 / spread,
            _ => 0.0,
        };
        let unit = |v: f32| ((v - far) * gain).clamp(0.0, 1.0);
        for v in &mut map.values {
            *v = unit(*v);
        }
        self.refiner.refine(frame, &map, |v, _| v.clamp(0.0, 1.0));
        let focus = self.focus.unwrap_or(unit(subject));

        let mut out = self.pool.get()?;
        out.copy_props_from(frame)?;
        if frame.format().planes != self.output.pixels.planes {
            out.set_color(&self.output.color);
        }
        let max = f32::from(self.output.pixels.max_value());
        match &mut self.painter {
            Painter::Map(shades) => {
                for (index, shades) in shades.iter().enumerate() {
                    let values = self.refiner.plane(index);
                    match out.plane_mut(index)? {
                        AnyPlaneMut::U8(mut to) => {
                            paint(values, shades, max, &mut to, self.threads)
                        }
                        AnyPlaneMut::U16(mut to) => {
                            paint(values, shades, max, &mut to, self.threads)
                        }
                    }
                }
                copy_alpha(frame, &mut out)?;
            }
            Painter::Blur(lenses) => {
                lenses.paint(frame, &mut out, &self.refiner, focus, self.threads)?;
            }
        }
        Ok(out)
    }
}

/// The values that a part of [`ENDS`] of all is below and above.
fn ends(values: &[f32]) -> (f32, f32) {
    if values.is_empty() {
        return (0.0, 0.0);
    }
    let mut sorted = values.to_vec();
    let at = (ENDS * sorted.len() as f32) as usize;
    let last = sorted.len() - 1;
    let low = *sorted.select_nth_unstable_by(at, f32::total_cmp).1;
    let high = *sorted.select_nth_unstable_by(last - at, f32::total_cmp).1;
    (low, high)
}

/// How near the subject is: what four fifths of the picture, the middle counting most, are farther
/// than.
fn subject(map: &Grid) -> f32 {
    const FARTHER: f32 = 0.8;
    let bell = |at: usize, side: usize| {
        let off = (at as f32 + 0.5) / side as f32 - 0.5;
        (-off * off / (2.0 * 0.28 * 0.28)).exp()
    };
    let mut weighed: Vec<(f32, f32)> = Vec::with_capacity(map.values.len());
    for (y, row) in map.values.chunks_exact(map.width.max(1)).enumerate() {
        let high = bell(y, map.height);
        let cells = row.iter().enumerate();
        weighed.extend(cells.map(|(x, &v)| (v, high * bell(x, map.width))));
    }
    weighed.sort_by(|a, b| a.0.total_cmp(&b.0));
    let all: f32 = weighed.iter().map(|(_, weight)| weight).sum();
    let mut sum = 0.0;
    for (v, weight) in &weighed {
        sum += weight;
        if sum >= FARTHER * all {
            return *v;
        }
    }
    0.0
}

/// The samples of each shade of a map, plane by plane, without those of transparency.
fn shades(colors: DepthColors, output: &PictureFormat) -> Vec<Vec<f32>> {
    let size = (output.width, output.height);
    let mut planes: Vec<Vec<f32>> = Vec::new();
    for shade in 0..SHADES {
        let v = shade as f32 / (SHADES - 1) as f32;
        let rgb = match colors {
            DepthColors::Gray => [v; 3],
            DepthColors::Heat => heat(v),
        };
        let samples = exact_samples_of_rgb(output.pixels, &output.color, size, rgb);
        planes.resize_with(samples.len().max(planes.len()), Vec::new);
        for (plane, sample) in planes.iter_mut().zip(samples) {
            plane.push(sample);
        }
    }
    planes.truncate(output.pixels.plane_count() - usize::from(output.pixels.alpha));
    planes
}

/// From dark violet over red to light yellow; each step about as much lighter as the last.
fn heat(v: f32) -> [f32; 3] {
    const STOPS: [[f32; 3]; 6] = [
        [0.02, 0.02, 0.10],
        [0.26, 0.06, 0.42],
        [0.58, 0.15, 0.40],
        [0.86, 0.32, 0.22],
        [0.98, 0.64, 0.10],
        [0.99, 0.98, 0.70],
    ];
    let at = v.clamp(0.0, 1.0) * (STOPS.len() - 1) as f32;
    let low = (at as usize).min(STOPS.len() - 2);
    let part = at - low as f32;
    let (a, b) = (STOPS[low], STOPS[low + 1]);
    [0, 1, 2].map(|i| a[i] + (b[i] - a[i]) * part)
}

fn paint<S: Sample + Send>(
    values: &[f32],
    shades: &[f32],
    max: f32,
    to: &mut PlaneMut<'_, S>,
    threads: usize,
) {
    let (width, height, stride) = (to.width, to.height, to.stride);
    let last = shades.len() - 1;
    bands(threads, height, to.data, stride, |rows, band| {
        for (y, out) in rows.zip(band.chunks_mut(stride)) {
            let values = &values[y * width..][..width];
            for (out, v) in out.iter_mut().zip(values) {
                let at = v * last as f32;
                let low = (at as usize).min(last - 1);
                let (a, b) = (shades[low], shades[low + 1]);
                *out = S::nearest(a + (b - a) * (at - low as f32), max);
            }
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn single_pixels_are_not_the_ends_of_a_map() {
        let mut values: Vec<f32> = (0..1000).map(|v| 100.0 + v as f32).collect();
        (values[3], values[700]) = (-1e6, 1e6);
        let (far, near) = ends(&values);
        assert!(
            (far - 120.0).abs() <= 2.0 && (near - 1080.0).abs() <= 2.0,
            "{far} {near}"
        );
        assert_eq!(ends(&[]), (0.0, 0.0));
    }

    #[test]
    fn the_subject_is_what_stands_in_front_near_the_middle() {
        let (width, height) = (60, 40);
        let cells = (0..width * height).map(|i| (i % width, i / width));
        let map = Grid {
            width,
            height,
            // Somebody in the middle; something nearer in a corner.
            values: cells
                .map(|(x, y)| match (x, y) {
                    (22..38, 8..40) => 5.0,
                    (50.., 30..) => 9.0,
                    _ => 1.0,
                })
                .collect(),
        };
        assert_eq!(subject(&map), 5.0);
    }
}
