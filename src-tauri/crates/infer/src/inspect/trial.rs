//! Trials with a real picture.

use super::graph::Graph;
use super::{Hints, UNSEEN, no_picture};
use crate::choose::Specimen;
use crate::error::InferError;
use crate::provider::Runtime;
use crate::setting::Setting;
use frameloom_core::model::{Layout, Normal, Packing, TensorRange, TensorType};
use frameloom_core::said;
use frameloom_core::said::{Said, SaidValue};
use half::f16;
use half::slice::HalfFloatSliceExt;
use ort::session::{Session, SessionInputValue};
use ort::value::{TensorElementType, TensorRef};
use std::sync::Arc;

/// Largest enlargement that the program knows.
const LARGEST_SCALE: usize = 8;
/// Ranges that are tried; the usual one first.
const RANGES: [TensorRange; 3] = [TensorRange::Unit, TensorRange::Byte, TensorRange::Symmetric];
/// A result so near to its picture leaves no doubt about the range, in dB.
const NO_DOUBT_DB: f64 = 28.0;
/// Ranges that differ between input and output are rare: they must fit by so much better, in dB.
const RARE_DB: f64 = 3.0;
/// A range that the numbers do not look like must fit by so much better, in dB.
const STRANGE_DB: f64 = 12.0;
/// Below this correlation with the picture, a result is none.
const LEAST_CORRELATION: f64 = 0.4;
/// Two ranges that fit a changed picture almost alike cannot be told apart, in dB.
const ALIKE_DB: f64 = 0.5;

/// An output that holds a picture, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Shaped {
    pub output: String,
    pub layout: Layout,
    pub packing: Packing,
    pub scale: usize,
}

/// The ranges of a file, with the shape of its result.
pub(super) struct Ranges {
    /// Of the input and of the output.
    pub ranges: (TensorRange, TensorRange),
    pub shaped: Shaped,
    pub sentence: String,
}

/// How far a change reaches, in pixels of the input.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Reach {
    /// Beyond this not one bit changes.
    pub exact: Option<usize>,
    /// Beyond this nobody sees a change.
    pub visible: Option<usize>,
    /// Root mean square of the change at the far end, as a part of full scale.
    pub tail: f32,
}

/// A tensor that came out.
pub(super) struct Given {
    pub name: String,
    pub shape: Vec<i64>,
    pub is_bytes: bool,
    pub values: Vec<f32>,
}

/// A session with a stranger's graph.
pub(super) struct Trier<'a> {
    session: Session,
    graph: &'a Graph,
    specimen: &'a Specimen,
}

impl<'a> Trier<'a> {
    pub(super) fn new(
        runtime: &Arc<Runtime>,
        weights: &[u8],
        graph: &'a Graph,
        specimen: &'a Specimen,
    ) -> Result<Self, InferError> {
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        let session = runtime
            .builder(&Setting::CPU, threads.min(8), false)
            .and_then(|b| match &graph.batch {
                Some(name) => Ok(b.with_dimension_override(name, 1)?),
                None => Ok(b),
            })
            .and_then(|mut b| b.commit_from_memory(weights))
            .map_err(|e| {
                no_picture(said!(
                    "onnx.not_loaded",
                    "ONNX Runtime does not load it ({error})",
                    error = Said::from(e.to_string())
                ))
            })?;
        Ok(Self {
            session,
            graph,
            specimen,
        })
    }

    /// The picture in the channels of the graph, from 0 to 1.
    pub(super) fn picture(&self, width: usize, height: usize) -> Vec<Vec<f32>> {
        let rgb = self.specimen.region(width, height);
        if self.graph.channels() == 3 {
            return rgb.to_vec();
        }
        vec![crate::choose::luma(&rgb)]
    }

    /// What comes out for planes of 0 to 1.
    pub(super) fn run(
        &mut self,
        planes: &[Vec<f32>],
        width: usize,
        height: usize,
        range: TensorRange,
    ) -> Result<Vec<Given>, InferError> {
        let channels = planes.len();
        let (black, white) = range.black_white();
        let coded = |v: f32| black + (white - black) * v;
        let (shape, data): ([usize; 4], Vec<f32>) = match self.graph.layout {
            Layout::Nchw => (
                [1, channels, height, width],
                planes.iter().flatten().map(|&v| coded(v)).collect(),
            ),
            Layout::Nhwc => (
                [1, height, width, channels],
                (0..width * height)
                    .flat_map(|i| planes.iter().map(move |plane| plane[i]))
                    .map(coded)
                    .collect(),
            ),
        };
        let halves: Vec<f16>;
        let bytes: Vec<u8>;
        let failed = |e: ort::Error| {
            no_picture(said!(
                "onnx.fails",
                "it fails on a picture of {width} x {height} pixels ({error})",
                width = width,
                height = height,
                error = Said::from(e.to_string())
            ))
        };
        let input: ort::Result<SessionInputValue<'_>> = match self.graph.element {
            TensorType::Float32 => TensorRef::from_array_view((shape, &data[..])).map(Into::into),
            TensorType::Float16 => {
                halves = data.iter().map(|&v| f16::from_f32(v)).collect();
                TensorRef::from_array_view((shape, &halves[..])).map(Into::into)
            }
            TensorType::Uint8 => {
                bytes = data.iter().map(|&v| v.round() as u8).collect();
                TensorRef::from_array_view((shape, &bytes[..])).map(Into::into)
            }
        };
        let inputs = vec![(self.graph.input.as_str(), input.map_err(failed)?)];
        let outputs = self.session.run(inputs).map_err(failed)?;
        let mut given = Vec::new();
        for (name, value) in outputs.iter() {
            let Some(shape) = value.dtype().tensor_shape() else {
                continue;
            };
            let kind = value.dtype().tensor_type();
            let values = match kind {
                Some(TensorElementType::Float32) => {
                    value.try_extract_tensor::<f32>().map(|(_, v)| v.to_vec())
                }
                Some(TensorElementType::Float16) => {
                    value.try_extract_tensor::<f16>().map(|(_, v)| {
                        let mut wide = vec![0.0; v.len()];
                        v.convert_to_f32_slice(&mut wide);
                        wide
                    })
                }
                Some(TensorElementType::Uint8) => value
                    .try_extract_tensor::<u8>()
                    .map(|(_, v)| v.iter().map(|&v| f32::from(v)).collect()),
                // Numbers of another kind are no picture; the others may be.
                _ => Ok(Vec::new()),
            };
            given.push(Given {
                name: name.to_owned(),
                shape: shape.to_vec(),
                is_bytes: kind == Some(TensorElementType::Uint8),
                values: values.map_err(failed)?,
            });
        }
        Ok(given)
    }

    /// What comes out for a picture of this size, whatever it is. With `normal`, red, green and
    /// blue are brought to that mean and deviation first, and `range` is `unit`.
    pub(super) fn try_out(
        &mut self,
        (width, height): (usize, usize),
        range: TensorRange,
        normal: Option<&Normal>,
    ) -> Result<Vec<Given>, InferError> {
        let mut picture = self.picture(width, height);
        if let Some(normal) = normal {
            for (plane, (mean, deviation)) in picture
                .iter_mut()
                .zip(normal.mean.iter().zip(&normal.deviation))
            {
                for v in plane {
                    *v = (*v - mean) / deviation;
                }
            }
        }
        self.run(&picture, width, height, range)
    }

    /// The shape of the result for pictures of another size.
    pub(super) fn shape_of(
        &mut self,
        width: usize,
        height: usize,
        range: TensorRange,
    ) -> Result<Shaped, InferError> {
        let picture = self.picture(width, height);
        let given = self.run(&picture, width, height, range)?;
        shaped(&given, self.graph.channels(), width, height).map(|(shaped, _)| shaped)
    }

    /// Which numbers mean black and white: those with which the result, made small, looks most
    /// like the picture.
    pub(super) fn range(
        &mut self,
        width: usize,
        height: usize,
        hints: &Hints,
    ) -> Result<Ranges, InferError> {
        let picture = self.picture(width, height);
        let channels = picture.len();
        let ins: &[TensorRange] = match (hints.range.as_ref(), self.graph.element) {
            (Some(range), _) => std::slice::from_ref(range),
            (None, TensorType::Uint8) => &[TensorRange::Byte],
            (None, _) => &RANGES,
        };
        let mut fits: Vec<Fit> = Vec::new();
        let mut found = None;
        let mut finite = false;
        for &range_in in ins {
            let given = self.run(&picture, width, height, range_in)?;
            let (shaped, at) = shaped(&given, channels, width, height)?;
            let result = &given[at];
            found = Some(shaped.clone());
            if !result.values.iter().all(|v| v.is_finite()) {
                continue;
            }
            finite = true;
            let outs: &[TensorRange] = match (hints.range.as_ref(), result.is_bytes) {
                (_, true) => &[TensorRange::Byte],
                (Some(range), _) => std::slice::from_ref(range),
                (None, _) => &RANGES,
            };
            for &range_out in outs {
                let planes = planes(&result.values, &shaped, channels, width, height, range_out);
                let ranges = (range_in, range_out);
                let fit = Fit::of(ranges, &picture, &planes, width, shaped.scale);
                fits.push(Fit {
                    plausible: is_plausible(range_out, &result.values),
                    ..fit
                });
            }
            if fits
                .iter()
                .any(|fit| fit.is_same() && fit.db >= NO_DOUBT_DB)
            {
                break;
            }
        }
        if !finite {
            return Err(no_picture(said!(
                "onnx.not_numbers",
                "it gives values that are not numbers"
            )));
        }
        tracing::debug!(?fits, "ranges of a file");
        let ranked = |fit: &Fit| {
            let rare = if fit.is_same() { 0.0 } else { RARE_DB };
            let strange = if fit.plausible { 0.0 } else { STRANGE_DB };
            fit.db - rare - strange
        };
        let (Some(best), Some(shaped)) = (
            fits.iter().max_by(|a, b| ranked(a).total_cmp(&ranked(b))),
            found,
        ) else {
            return Err(no_picture(said!("onnx.no_result", "it gives no result")));
        };
        if best.correlation < LEAST_CORRELATION {
            return Err(no_picture(said!(
                "onnx.other_picture",
                "what it gives does not show the picture that went in (correlation {likeness}): it may be a map, or a picture that is to be read in another way",
                likeness = SaidValue::decimal(best.correlation, 2)
            )));
        }
        let rival = fits
            .iter()
            .filter(|fit| fit.ranges.0 != best.ranges.0 && fit.is_same() && fit.plausible)
            .find(|fit| best.db < NO_DOUBT_DB && (fit.db - best.db).abs() < ALIKE_DB);
        if let Some(rival) = rival
            && hints.range.is_none()
            && best.is_same()
        {
            return Err(no_picture(said!(
                "onnx.range",
                "which numbers mean black and white cannot be told, for `{one}` and `{other}` fit alike; say it by `range`",
                one = name(best.ranges.0),
                other = name(rival.ranges.0)
            )));
        }
        Ok(Ranges {
            ranges: best.ranges,
            sentence: format!(
                "Range {}: made small, the result is {:.1} dB from the picture.",
                match best.is_same() {
                    true => format!("`{}`", name(best.ranges.0)),
                    false => format!(
                        "`{}` in and `{}` out",
                        name(best.ranges.0),
                        name(best.ranges.1)
                    ),
                },
                best.db
            ),
            shaped,
        })
    }

    /// How far a change of the picture reaches: its left quarter is exchanged.
    pub(super) fn reach(
        &mut self,
        width: usize,
        height: usize,
        ranges: (TensorRange, TensorRange),
        expected: &Shaped,
    ) -> Result<Reach, InferError> {
        let picture = self.picture(width, height);
        let channels = picture.len();
        let edge = width / 4;
        let mut changed = picture.clone();
        for plane in &mut changed {
            for row in plane.chunks_exact_mut(width) {
                for v in &mut row[..edge] {
                    *v = 1.0 - *v;
                }
            }
        }
        let mut results = Vec::new();
        for input in [&picture, &changed] {
            let given = self.run(input, width, height, ranges.0)?;
            let (found, at) = shaped(&given, channels, width, height)?;
            if found != *expected {
                return Err(no_picture(said!(
                    "onnx.proportion",
                    "its result has another proportion to the picture for another size"
                )));
            }
            let values = &given[at].values;
            results.push(planes(values, &found, channels, width, height, ranges.1));
        }
        let [before, after] = &results[..] else {
            return Err(no_picture(said!("onnx.no_result", "it gives no result")));
        };
        // The largest and the mean square difference of each column, in pixels of the input.
        let scale = expected.scale;
        let mut largest = vec![0f32; width];
        let mut square = vec![0f64; width];
        for (a, b) in before.iter().zip(after) {
            for (row_a, row_b) in a
                .chunks_exact(width * scale)
                .zip(b.chunks_exact(width * scale))
            {
                for (x, (a, b)) in row_a.iter().zip(row_b).enumerate() {
                    let difference = (a - b).abs();
                    let column = x / scale;
                    largest[column] = largest[column].max(difference);
                    square[column] += f64::from(difference).powi(2);
                }
            }
        }
        let count = (channels * height * scale * scale) as f64;
        let far = |limit: f32| {
            let last = largest.iter().rposition(|&d| d > limit)?;
            Some((last + 1).saturating_sub(edge))
        };
        // The last columns feel the border as well; the far end is judged without any of them
        // being reached at all.
        let unless_everywhere = |reach: Option<usize>| {
            let reach = reach.unwrap_or(0);
            (reach < width - edge).then_some(reach)
        };
        let tail = square[width - edge..].iter().sum::<f64>() / (count * edge as f64);
        Ok(Reach {
            exact: unless_everywhere(far(0.0)),
            visible: unless_everywhere(far(UNSEEN)),
            tail: tail.sqrt() as f32,
        })
    }
}

fn name(range: TensorRange) -> &'static str {
    match range {
        TensorRange::Unit => "unit",
        TensorRange::Byte => "byte",
        TensorRange::Symmetric => "symmetric",
        TensorRange::Studio255 => "studio_255",
    }
}

/// How well a result fits its picture with a pair of ranges.
#[derive(Debug)]
struct Fit {
    ranges: (TensorRange, TensorRange),
    db: f64,
    correlation: f64,
    /// The numbers themselves look like this range.
    plausible: bool,
}

/// Numbers that a picture of this range has: the dark parts of one from -1 to 1 are negative, and
/// one up to 255 has more than a few.
fn is_plausible(range: TensorRange, values: &[f32]) -> bool {
    let count = values.len() as f32;
    let share =
        |test: &dyn Fn(f32) -> bool| values.iter().filter(|&&v| test(v)).count() as f32 / count;
    match range {
        TensorRange::Unit | TensorRange::Studio255 => share(&|v| (-0.5..=1.5).contains(&v)) > 0.95,
        TensorRange::Byte => share(&|v| v > 8.0) > 0.3,
        TensorRange::Symmetric => {
            share(&|v| v < -0.1) > 0.05 && share(&|v| (-1.5..=1.5).contains(&v)) > 0.95
        }
    }
}

impl Fit {
    fn is_same(&self) -> bool {
        self.ranges.0 == self.ranges.1
    }

    fn of(
        ranges: (TensorRange, TensorRange),
        picture: &[Vec<f32>],
        result: &[Vec<f32>],
        width: usize,
        scale: usize,
    ) -> Self {
        let mut sum = Sums::default();
        for (picture, result) in picture.iter().zip(result) {
            for (y, row) in picture.chunks_exact(width).enumerate() {
                for (x, &a) in row.iter().enumerate() {
                    // The mean of the pixels that one pixel became.
                    let mut mean = 0.0;
                    for dy in 0..scale {
                        let start = (y * scale + dy) * width * scale + x * scale;
                        let pixels = &result[start..start + scale];
                        mean += pixels.iter().map(|v| v.clamp(-1.0, 2.0)).sum::<f32>();
                    }
                    sum.add(f64::from(a), f64::from(mean) / (scale * scale) as f64);
                }
            }
        }
        Self {
            ranges,
            db: sum.db(),
            correlation: sum.correlation(),
            plausible: true,
        }
    }
}

#[derive(Default)]
struct Sums {
    n: f64,
    a: f64,
    b: f64,
    aa: f64,
    bb: f64,
    ab: f64,
    dd: f64,
}

impl Sums {
    fn add(&mut self, a: f64, b: f64) {
        self.n += 1.0;
        self.a += a;
        self.b += b;
        self.aa += a * a;
        self.bb += b * b;
        self.ab += a * b;
        self.dd += (a - b) * (a - b);
    }

    fn db(&self) -> f64 {
        -10.0 * (self.dd / self.n.max(1.0)).max(1e-12).log10()
    }

    fn correlation(&self) -> f64 {
        let covariance = self.ab - self.a * self.b / self.n;
        let spread = (self.aa - self.a * self.a / self.n) * (self.bb - self.b * self.b / self.n);
        if spread > 0.0 {
            covariance / spread.sqrt()
        } else {
            0.0
        }
    }
}

/// The output that holds a picture, and its place among the outputs.
fn shaped(
    given: &[Given],
    channels: usize,
    width: usize,
    height: usize,
) -> Result<(Shaped, usize), InferError> {
    let mut reasons = Vec::new();
    for (at, given) in given.iter().enumerate() {
        match shape(given, channels, width, height) {
            Ok(shaped) => return Ok((shaped, at)),
            Err(reason) => reasons.push(reason),
        }
    }
    Err(no_picture(Said::several(reasons).unwrap_or_else(|| {
        said!("onnx.no_result", "it gives no result")
    })))
}

fn shape(given: &Given, channels: usize, width: usize, height: usize) -> Result<Shaped, Said> {
    let Given { name, shape, .. } = given;
    if given.values.is_empty() {
        return Err(said!(
            "onnx.output_numbers",
            "its output `{name}` holds no numbers of a picture",
            name = name
        ));
    }
    let &[1, first, second, third] = &shape[..] else {
        return Err(said!(
            "onnx.output_list",
            "its output `{name}` has the shape {shape}, which is no picture: rather a list, a class or a position",
            name = name,
            shape = format!("{shape:?}")
        ));
    };
    for (layout, c, h, w) in [
        (Layout::Nchw, first, second, third),
        (Layout::Nhwc, third, first, second),
    ] {
        let (c, h, w) = (c as usize, h as usize, w as usize);
        let scale = w / width;
        let fits =
            (1..=LARGEST_SCALE).contains(&scale) && (w, h) == (width * scale, height * scale);
        let shaped = |packing, scale| Shaped {
            output: name.clone(),
            layout,
            packing,
            scale,
        };
        if fits && c == channels {
            return Ok(shaped(Packing::Pixels, scale));
        }
        let phases = c / channels;
        let side = (2..=LARGEST_SCALE).find(|s| s * s == phases);
        if let Some(side) = side
            && fits
            && scale == 1
            && c == channels * phases
        {
            return Ok(shaped(Packing::Subpixel, side));
        }
    }
    let size = |s: i64| s == width as i64 || s == height as i64;
    let maps = [first, third].into_iter().find(|&c| !size(c));
    Err(match maps {
        Some(c) if c == 1 && channels == 3 => said!(
            "onnx.output_mask",
            "its output `{name}` has one channel where the picture has three: a mask, a depth or a probability, not a picture",
            name = name
        ),
        _ => said!(
            "onnx.output_shape",
            "its output `{name}` has the shape {shape} for a picture of {channels} channels, {width} x {height}: no picture of that or a larger size",
            name = name,
            shape = format!("{shape:?}"),
            channels = channels,
            width = width,
            height = height
        ),
    })
}

/// The planes of a result, from 0 to 1.
fn planes(
    values: &[f32],
    shaped: &Shaped,
    channels: usize,
    width: usize,
    height: usize,
    range: TensorRange,
) -> Vec<Vec<f32>> {
    let scale = shaped.scale;
    let (w, h) = (width * scale, height * scale);
    let (black, white) = range.black_white();
    let (phase, depth, tensor_w, tensor_h) = match shaped.packing {
        Packing::Pixels => (1, channels, w, h),
        Packing::Subpixel => (scale, channels * scale * scale, width, height),
    };
    (0..channels)
        .map(|channel| {
            let mut plane = Vec::with_capacity(w * h);
            for y in 0..h {
                for x in 0..w {
                    let d = channel * phase * phase + (y % phase) * phase + x % phase;
                    let (x, y) = (x / phase, y / phase);
                    let at = match shaped.layout {
                        Layout::Nchw => (d * tensor_h + y) * tensor_w + x,
                        Layout::Nhwc => (y * tensor_w + x) * depth + d,
                    };
                    plane.push((values[at] - black) / (white - black));
                }
            }
            plane
        })
        .collect()
}
