//! Files that see a whole picture: those that make it lighter, paint it anew, or say how near
//! everything is.
//!
//! What such a file was made for does not stand in it. A map of one number for each pixel that is
//! smooth and no matte is taken for distances, and what makes a darkened picture much lighter for a
//! file that does just that; of a style only the user knows.

use super::graph::Graph;
use super::trial::{Given, Trier};
use super::{Hints, MULTIPLES, no_picture};
use crate::choose::Specimen;
use crate::error::InferError;
use crate::provider::Runtime;
use crate::relax::relaxed;
use frameloom_core::model::{
    DepthSpec, Layout, Normal, OutputSpec, Packing, Task, TensorRange, TensorType, TileSpec,
};
use frameloom_core::said;
use std::sync::Arc;

/// Longest side of the picture where the file takes any.
const USUAL_SIDE: u32 = 640;
/// How dark the picture is that shows whether a file makes pictures lighter, and how many times
/// lighter its result must be.
const DARK: f32 = 0.15;
const LIGHTER: f32 = 1.8;
/// Neighbours in a map of distances differ by less than this part of how far its values spread.
const SMOOTH: f32 = 0.2;
/// A network that was trained on bytes sees nearly nothing in numbers up to 1: what it gives
/// spreads by less than this part.
const BLIND: f32 = 0.5;

/// How such a file is fed and read.
pub(super) struct Found {
    pub task: Task,
    pub depth: Option<DepthSpec>,
    pub range: TensorRange,
    pub output: OutputSpec,
    pub tile: TileSpec,
    pub findings: Vec<String>,
}

/// A file, and what it takes to try it.
pub(super) struct File<'a> {
    pub runtime: &'a Arc<Runtime>,
    pub weights: &'a [u8],
    pub specimen: &'a Specimen,
    pub graph: &'a Graph,
}

/// How a file of this task is fed and read.
pub(super) fn look(
    task: Task,
    file: &File<'_>,
    trier: &mut Trier<'_>,
    hints: &Hints,
) -> Result<Found, InferError> {
    let graph = file.graph;
    if graph.channels() != 3 {
        return Err(no_picture(said!(
            "onnx.whole_colours",
            "such a model takes red, green and blue, and it takes one channel"
        )));
    }
    let planes = if task == Task::Depth { 1 } else { 3 };
    let normal = (task == Task::Depth && hints.imagenet).then_some(Normal::IMAGENET);
    let size = graph.first_size();
    let (range, how) = match (graph.element, normal, hints.range, task) {
        (TensorType::Uint8, ..) => (TensorRange::Byte, "It takes bytes."),
        (_, Some(_), ..) => (
            TensorRange::Unit,
            "Fed with the mean and the deviation of ImageNet, as was said.",
        ),
        (_, _, Some(range), _) => (range, "The range is the one that was said."),
        (.., Task::Style) => (
            TensorRange::Byte,
            "Black and white are taken for 0 and 255, as most such files have it; if colours come out wrong, `range` says otherwise.",
        ),
        (.., Task::Depth) if is_blind(trier, size)? => (
            TensorRange::Byte,
            "Black and white are taken for 0 and 255: numbers up to 1 tell it nearly nothing.",
        ),
        _ => (
            TensorRange::Unit,
            "Black and white are taken for 0 and 1; if it comes out wrong, `range` or `imagenet` says otherwise.",
        ),
    };
    let given = trier.try_out(size, range, normal.as_ref())?;
    let Some((name, layout, is_bytes)) = given
        .iter()
        .find_map(|given| Some((given, shape(given, planes, size)?)))
        .filter(|(given, _)| given.values.iter().all(|v| v.is_finite()))
        .map(|(given, layout)| (given.name.clone(), layout, given.is_bytes))
    else {
        return Err(no_picture(said!(
            "onnx.whole_output",
            "none of its outputs has {planes} finite numbers for each pixel of the picture",
            planes = planes
        )));
    };
    let mut findings = vec![
        match task {
            Task::Light => format!("The output `{name}` is taken for the picture, made lighter."),
            Task::Style => format!("The output `{name}` is taken for the picture, painted anew."),
            _ => format!(
                "The output `{name}` has one number for each pixel, taken for how near it is."
            ),
        },
        how.to_owned(),
    ];
    // A size that an exporter wrote down need not be the only one.
    let feed = (range, normal);
    let tile = match graph.fixed_size() {
        None => open_tile(trier, graph, feed, (planes, &name), hints)?,
        Some(fixed) => match relaxed_tile(file, feed, (planes, &name), hints) {
            Some(tile) => {
                findings.push(format!(
                    "Its graph names {} x {} pixels; other sizes were tried, and work.",
                    fixed.0, fixed.1
                ));
                tile
            }
            None => tile(1, Some(fixed), fixed.0.min(fixed.1), fixed.0.max(fixed.1)),
        },
    };
    findings.push(match tile.only_size() {
        Some((width, height)) => format!(
            "Pictures are brought to {width} x {height} pixels for it, and what it gives back to theirs."
        ),
        None => format!(
            "Pictures are brought to {} pixels on their longest side for it, where nobody says otherwise, and what it gives back to theirs.",
            tile.preferred
        ),
    });
    Ok(Found {
        task,
        depth: (task == Task::Depth).then_some(DepthSpec {
            far_is_large: false,
            normal,
        }),
        range,
        output: OutputSpec {
            name,
            layout,
            packing: Packing::Pixels,
            range: is_bytes.then_some(TensorRange::Byte),
        },
        tile,
        findings,
    })
}

/// True if what a file gives looks like distances: one smooth number for each pixel.
pub(super) fn looks_like_depth(trier: &mut Trier<'_>, graph: &Graph) -> Result<bool, InferError> {
    if graph.channels() != 3 || graph.element == TensorType::Uint8 {
        return Ok(false);
    }
    let size = graph.first_size();
    let given = trier.try_out(size, TensorRange::Byte, None)?;
    let map = given.iter().find(|given| shape(given, 1, size).is_some());
    Ok(map.is_some_and(|map| {
        let spread = spread(&map.values);
        let steps = map.values.chunks_exact(size.0).flat_map(|row| {
            let pairs = row.windows(2);
            pairs.map(|pair| (pair[1] - pair[0]).abs())
        });
        let mean = steps.sum::<f32>() / map.values.len() as f32;
        spread.is_finite() && spread > 0.0 && mean < SMOOTH * spread
    }))
}

/// True if a file makes a darkened picture much lighter and keeps what it shows.
pub(super) fn makes_lighter(
    trier: &mut Trier<'_>,
    graph: &Graph,
    range: TensorRange,
) -> Result<bool, InferError> {
    if graph.channels() != 3 || range != TensorRange::Unit {
        return Ok(false);
    }
    let size = graph.first_size();
    let dark: Vec<Vec<f32>> = trier
        .picture(size.0, size.1)
        .into_iter()
        .map(|plane| plane.into_iter().map(|v| v * DARK).collect())
        .collect();
    let given = trier.run(&dark, size.0, size.1, range)?;
    let mean = |values: &[f32]| values.iter().sum::<f32>() / values.len().max(1) as f32;
    let before = dark.iter().map(|plane| mean(plane)).sum::<f32>() / 3.0;
    let lighter = given.iter().find(|given| shape(given, 3, size).is_some());
    Ok(lighter.is_some_and(|given| mean(&given.values) > LIGHTER * before))
}

/// True if numbers from 0 to 1 tell a network much less than those from 0 to 255.
fn is_blind(trier: &mut Trier<'_>, size: (usize, usize)) -> Result<bool, InferError> {
    let mut spreads = [0.0; 2];
    for (range, found) in [TensorRange::Unit, TensorRange::Byte]
        .into_iter()
        .zip(&mut spreads)
    {
        let given = trier.try_out(size, range, None)?;
        if let Some(map) = given.iter().find(|given| shape(given, 1, size).is_some()) {
            *found = spread(&map.values);
        }
    }
    Ok(spreads[0] < BLIND * spreads[1])
}

/// Standard deviation.
fn spread(values: &[f32]) -> f32 {
    let count = values.len().max(1) as f32;
    let mean = values.iter().sum::<f32>() / count;
    let square = values.iter().map(|v| (v - mean) * (v - mean)).sum::<f32>();
    (square / count).sqrt()
}

/// The layout of an output with so many planes of the picture's size.
fn shape(given: &Given, planes: usize, (width, height): (usize, usize)) -> Option<Layout> {
    let (planes, width, height) = (planes as i64, width as i64, height as i64);
    if given.values.is_empty() {
        return None;
    }
    match given.shape[..] {
        [1, c, h, w] if (c, h, w) == (planes, height, width) => Some(Layout::Nchw),
        [1, h, w, c] if (c, h, w) == (planes, height, width) => Some(Layout::Nhwc),
        // One plane without a dimension of its own.
        [1, h, w] if (1, h, w) == (planes, height, width) => Some(Layout::Nchw),
        _ => None,
    }
}

fn tile(multiple: usize, fixed: Option<(usize, usize)>, min: usize, preferred: usize) -> TileSpec {
    TileSpec {
        overlap: 0,
        feather: 0,
        multiple: multiple as u32,
        min: min as u32,
        max: None,
        preferred: preferred as u32,
        fixed: fixed.map(|(w, h)| (w as u32, h as u32)),
        whole: Some(true),
    }
}

/// For a graph that leaves sizes open: which multiples it takes.
fn open_tile(
    trier: &mut Trier<'_>,
    graph: &Graph,
    (range, normal): (TensorRange, Option<Normal>),
    (planes, name): (usize, &str),
    hints: &Hints,
) -> Result<TileSpec, InferError> {
    let base = graph.least_side().next_multiple_of(128);
    for multiple in MULTIPLES {
        let size = (base + multiple, base - multiple);
        let Ok(given) = trier.try_out(size, range, normal.as_ref()) else {
            continue;
        };
        let fits = |given: &Given| given.name == name && shape(given, planes, size).is_some();
        if given.iter().any(fits) {
            let least = graph.least_side().next_multiple_of(multiple);
            let preferred = hints.tile.unwrap_or(USUAL_SIDE).max(32);
            return Ok(tile(multiple, None, least, preferred as usize));
        }
    }
    Err(no_picture(said!(
        "onnx.whole_sizes",
        "what it gives has another size than the picture for every size that was tried"
    )))
}

/// For a graph that names one size: which multiples its operators take, if any.
fn relaxed_tile(
    file: &File<'_>,
    feed: (TensorRange, Option<Normal>),
    result: (usize, &str),
    hints: &Hints,
) -> Option<TileSpec> {
    let (width, height) = file.graph.fixed_size()?;
    let weights = relaxed(file.weights, &file.graph.input, file.graph.layout)?;
    let graph = Graph::read(file.runtime, &weights, hints).ok()?;
    if graph.fixed_size().is_some() {
        return None;
    }
    let mut trier = Trier::new(file.runtime, &weights, &graph, file.specimen).ok()?;
    let found = open_tile(&mut trier, &graph, feed, result, hints).ok()?;
    let preferred = hints.tile.unwrap_or(width.max(height) as u32);
    Some(TileSpec { preferred, ..found })
}
