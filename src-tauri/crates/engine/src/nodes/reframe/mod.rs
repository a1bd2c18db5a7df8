//! Clips cut to another shape, around what matters in them.
//!
//! Where faces are, or else where something moves, says where each picture is to be cut; the way
//! of the crop is smoothed within each shot ([`path`]), and the picture is cut at parts of a pixel.
//! Only the axis that loses something moves; nothing is enlarged.

mod path;

use super::cubic::Cubic;
use super::overlay::since;
use super::planes::{bands, size_of};
use super::redact::{Finder, faces};
use super::temporal::{Give, Temporal, Timed};
use super::{Filter, Node, Opened, Opening, PictureFormat};
use crate::EngineError;
use crate::motion::gray::Gray;
use crate::motion::{Pyramid, Shrink, is_cut};
use frameloom_core::graph::{ReframeParams, ReframeShape, parse_keys};
use frameloom_core::pixel::{AnyPlane, AnyPlaneMut, PlaneMut, PlaneRef, Sample};
use frameloom_core::said;
use frameloom_core::said::Said;
use frameloom_core::time::FrameRate;
use frameloom_infer::CancelHandle;
use frameloom_media::{Frame, FramePool};
use path::{Want, between, middle};
use std::collections::VecDeque;

/// Pictures that a window reaches to each side.
const MOST_REACH: u64 = 60;
const LEAST_REACH: u64 = 3;
/// A clip without a rate has this one.
const USUAL_RATE: f64 = 25.0;
/// People are shown together if they fit into so much of the crop.
const TOGETHER: f64 = 0.85;
/// How much motion is wanted beside a face, and the middle beside motion.
const MOTION: f64 = 0.05;
const REST: f64 = 0.0005;
/// Smaller changes of grey, of 255, are noise.
const NOISE: f32 = 6.0;

/// What comes out of `input`.
///
/// # Errors
/// What is wrong, in words.
pub(super) fn output_format(
    params: &ReframeParams,
    input: &PictureFormat,
) -> Result<PictureFormat, Said> {
    if let Some(keys) = &params.keys {
        parse_keys(keys).map_err(|reason| {
            said!(
                "reframe.keys",
                "its places cannot be read: {reason}",
                reason = Said::from(reason)
            )
        })?;
    }
    let mut output = input.clone();
    (output.width, output.height) = size(params.shape, input);
    if output.width < 16 || output.height < 16 {
        return Err(said!(
            "reframe.too_small",
            "nothing is left of pictures of {width} x {height} pixels in this shape",
            width = input.width,
            height = input.height
        ));
    }
    Ok(output)
}

/// Width and height of the largest part of pictures in this shape, with even sides.
fn size(shape: ReframeShape, input: &PictureFormat) -> (u32, u32) {
    largest(shape, (input.width, input.height), aspect(input))
}

/// Width and height in pixels of what [`Op::Reframe`](frameloom_core::graph::Op::Reframe) makes of
/// pictures of this size with pixels as wide as high.
pub fn reframed_size(shape: ReframeShape, size: (u32, u32)) -> (u32, u32) {
    largest(shape, size, 1.0)
}

/// `aspect` is the width of a pixel by its height.
fn largest(shape: ReframeShape, (width, height): (u32, u32), aspect: f64) -> (u32, u32) {
    let (across, down) = shape.sides();
    // Width by height in samples.
    let ratio = f64::from(across) / f64::from(down) / aspect;
    let even = |side: f64| ((side / 2.0).round() as u32) * 2;
    match f64::from(width) / f64::from(height.max(1)) > ratio {
        true => (even(f64::from(height) * ratio).min(width), height),
        false => (width, even(f64::from(width) / ratio).min(height)),
    }
}

/// Width of a pixel by its height.
fn aspect(format: &PictureFormat) -> f64 {
    let ratio = format.sample_aspect_ratio;
    match ratio.num > 0 && ratio.den > 0 {
        true => ratio.to_f64(),
        false => 1.0,
    }
}

/// Pictures before and after one that say where it is cut, in a clip of this rate.
pub(super) fn reach(params: &ReframeParams, rate: Option<FrameRate>) -> u64 {
    let rate = rate.map_or(USUAL_RATE, |rate| rate.ratio().to_f64());
    let pictures = (params.smooth.clamp(0.0, 10.0) * rate).round();
    (pictures as u64).clamp(LEAST_REACH, MOST_REACH)
}

/// Opens the node: with a memory of time for a clip whose crop finds its way itself.
pub(super) fn open(
    params: &ReframeParams,
    input: &PictureFormat,
    output: PictureFormat,
    opening: &Opening<'_>,
) -> Result<Opened, EngineError> {
    let cutter = Cutter {
        cubic: Cubic::new(),
        threads: opening.threads.max(1),
        pool: FramePool::new(output.pixels, output.width, output.height)?,
        is_across: output.width < input.width,
        output,
    };
    if let Some(keys) = &params.keys {
        let keys = parse_keys(keys).map_err(|reason| EngineError::Node {
            node: "reframe".to_owned(),
            reason: reason.into(),
        })?;
        let node = Keyed {
            keys,
            cutter,
            input: input.clone(),
            zero: opening.zero,
        };
        return Ok((Node::Filter(Box::new(node)), None));
    }
    let (finder, choice) = match &params.model {
        Some(id) => {
            let (finder, choice) = faces(id, input, opening)?;
            (Some(finder), Some(choice))
        }
        None => (None, None),
    };
    let side = |whole: u32, part: u32| f64::from(part) / f64::from(whole.max(1));
    let eye = Eye {
        finder,
        shrink: Shrink::new(input.width, input.height),
        is_across: cutter.is_across,
        share: match cutter.is_across {
            true => side(input.width, cutter.output.width),
            false => side(input.height, cutter.output.height),
        },
        last: None,
    };
    let node = match input.pace == super::Pace::STILL {
        true => Node::Filter(Box::new(Still { eye, cutter })),
        false => Node::Temporal(Box::new(Clip {
            eye,
            cutter,
            reach: reach(params, input.pace.frame_rate) as usize,
            held: VecDeque::new(),
            given: 0,
        })),
    };
    Ok((node, choice))
}

/// Says where pictures want to be cut.
struct Eye {
    finder: Option<Finder>,
    shrink: Shrink,
    /// The crop moves from left to right, and not from top to bottom.
    is_across: bool,
    /// The crop as a part of the picture, along that axis.
    share: f64,
    last: Option<Pyramid>,
}

impl Eye {
    fn look(&mut self, frame: &Frame) -> Result<Want, EngineError> {
        let seen = Pyramid::of(frame, &self.shrink);
        let is_cut = self
            .last
            .as_ref()
            .is_some_and(|last| is_cut(last.finest(), seen.finest()));
        let mut spans: Vec<(f64, f64)> = Vec::new();
        if let Some(finder) = &mut self.finder {
            let mut found = finder.see(frame)?.found;
            let area = |sides: [f32; 4]| (sides[2] - sides[0]) * (sides[3] - sides[1]);
            found.sort_by(|a, b| area(b.sides).total_cmp(&area(a.sides)));
            spans.extend(found.iter().map(|found| match self.is_across {
                true => (f64::from(found.sides[0]), f64::from(found.sides[2])),
                false => (f64::from(found.sides[1]), f64::from(found.sides[3])),
            }));
        }
        let (at, weight) = match together(&spans, TOGETHER * self.share) {
            Some(at) => (at, 1.0),
            None => match &self.last {
                Some(last) if !is_cut => moving(last.finest(), seen.finest(), self.is_across),
                _ => (0.5, REST),
            },
        };
        self.last = Some(seen);
        // The crop stays within the picture.
        let half = 0.5 * self.share;
        Ok(Want {
            at: at.clamp(half, (1.0 - half).max(half)),
            weight,
            is_cut,
        })
    }
}

/// The middle of the first span and of those that fit into a crop of `most` with it.
fn together(spans: &[(f64, f64)], most: f64) -> Option<f64> {
    let (mut from, mut to) = *spans.first()?;
    for (left, right) in &spans[1..] {
        let (wider, farther) = (from.min(*left), to.max(*right));
        if farther - wider <= most {
            (from, to) = (wider, farther);
        }
    }
    Some(0.5 * (from + to))
}

/// The middle of what changed, and how much that is wanted.
fn moving(before: &Gray, after: &Gray, is_across: bool) -> (f64, f64) {
    let (mut sum, mut weights) = (0.0f64, 0.0f64);
    for y in 0..after.height.min(before.height) {
        for (x, (a, b)) in before.row(y).iter().zip(after.row(y)).enumerate() {
            let change = f64::from(((a - b).abs() - NOISE).max(0.0));
            let at = match is_across {
                true => (x as f64 + 0.5) / after.width as f64,
                false => (y as f64 + 0.5) / after.height as f64,
            };
            sum += change * at;
            weights += change;
        }
    }
    if weights <= 0.0 {
        return (0.5, REST);
    }
    let mean = weights / (after.width * after.height).max(1) as f64;
    (sum / weights, (MOTION * mean).clamp(REST, MOTION))
}

/// Cuts pictures.
struct Cutter {
    cubic: Cubic,
    threads: usize,
    pool: FramePool,
    is_across: bool,
    output: PictureFormat,
}

impl Cutter {
    /// The part of a picture whose middle is `at`, 0 to 1.
    fn cut(&self, frame: &Frame, at: f64) -> Result<Frame, EngineError> {
        let mut out = self.pool.get()?;
        out.copy_props_from(frame)?;
        let max = f32::from(frame.format().max_value());
        let (whole, part) = match self.is_across {
            true => (frame.width(), self.output.width),
            false => (frame.height(), self.output.height),
        };
        let room = f64::from(whole.saturating_sub(part));
        let shift = (at * f64::from(whole) - 0.5 * f64::from(part)).clamp(0.0, room);
        for index in 0..frame.format().plane_count() {
            let plane = frame.plane(index);
            let (width, height) = size_of(plane);
            // Samples of the plane per pixel.
            let by = match self.is_across {
                true => (shift * width as f64 / f64::from(frame.width()), 0.0),
                false => (0.0, shift * height as f64 / f64::from(frame.height())),
            };
            match (plane, out.plane_mut(index)?) {
                (AnyPlane::U8(from), AnyPlaneMut::U8(to)) => self.plane(&from, to, by, max),
                (AnyPlane::U16(from), AnyPlaneMut::U16(to)) => self.plane(&from, to, by, max),
                // The pool was made for this depth.
                _ => {}
            }
        }
        Ok(out)
    }

    fn plane<S: Sample>(
        &self,
        from: &PlaneRef<'_, S>,
        to: PlaneMut<'_, S>,
        (x, y): (f64, f64),
        max: f32,
    ) {
        let (width, height, stride) = (to.width, to.height, to.stride);
        bands(self.threads, height, to.data, stride, |rows, band| {
            for (row, line) in rows.zip(band.chunks_mut(stride)) {
                for (column, out) in line[..width].iter_mut().enumerate() {
                    let value = self.cubic.at(from, column as f64 + x, row as f64 + y);
                    *out = S::nearest(value, max);
                }
            }
        });
    }
}

/// The node whose way was named.
struct Keyed {
    keys: Vec<(f64, f64)>,
    cutter: Cutter,
    input: PictureFormat,
    zero: i64,
}

impl Filter for Keyed {
    fn output(&self) -> &PictureFormat {
        &self.cutter.output
    }

    fn process(&mut self, frame: &Frame) -> Result<Frame, EngineError> {
        let seconds = since(&self.input, self.zero, frame) as f64 / 1e6;
        let at = between(&self.keys, seconds).unwrap_or(0.5);
        self.cutter.cut(frame, at)
    }
}

/// The node for a picture by itself.
struct Still {
    eye: Eye,
    cutter: Cutter,
}

impl Filter for Still {
    fn output(&self) -> &PictureFormat {
        &self.cutter.output
    }

    fn cancel_handle(&self) -> Option<CancelHandle> {
        self.eye.finder.as_ref().map(Finder::cancel_handle)
    }

    fn process(&mut self, frame: &Frame) -> Result<Frame, EngineError> {
        let want = self.eye.look(frame)?;
        self.cutter.cut(frame, want.at)
    }
}

/// A picture with where it wants to be cut.
struct Held {
    /// `None` once it was given.
    timed: Option<Timed>,
    want: Want,
}

/// The node for clips.
struct Clip {
    eye: Eye,
    cutter: Cutter,
    reach: usize,
    /// Up to `reach` pictures that were given, and those that wait.
    held: VecDeque<Held>,
    given: usize,
}

impl Clip {
    /// Gives the first picture that waits.
    fn give_next(&mut self, give: &mut Give<'_>) -> Result<(), EngineError> {
        let at = self.given;
        self.given += 1;
        let Some(timed) = self.held.get_mut(at).and_then(|held| held.timed.take()) else {
            return Ok(());
        };
        let window: Vec<Want> = self.held.iter().map(|held| held.want).collect();
        let frame = self
            .cutter
            .cut(&timed.frame, middle(&window, at, self.reach))?;
        while self.given > self.reach {
            self.held.pop_front();
            self.given -= 1;
        }
        give(Timed { frame, ..timed })
    }
}

impl Temporal for Clip {
    fn output(&self) -> &PictureFormat {
        &self.cutter.output
    }

    fn restart(&mut self) -> Result<(), EngineError> {
        self.eye.last = None;
        self.held.clear();
        self.given = 0;
        Ok(())
    }

    fn push(&mut self, timed: Timed, give: &mut Give<'_>) -> Result<(), EngineError> {
        let want = self.eye.look(&timed.frame)?;
        self.held.push_back(Held {
            timed: Some(timed),
            want,
        });
        if self.held.len() > self.given + self.reach {
            self.give_next(give)?;
        }
        Ok(())
    }

    fn finish(&mut self, give: &mut Give<'_>) -> Result<(), EngineError> {
        while self.given < self.held.len() {
            self.give_next(give)?;
        }
        Ok(())
    }
}
