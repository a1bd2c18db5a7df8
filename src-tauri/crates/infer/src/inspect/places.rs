//! Files that find something: candidates with boxes and probabilities, or a map of text.
//!
//! What kind of thing candidates are shows in no file; nearly all small networks of this form find
//! faces, so that is taken, and said. A map that shines where letters stand and nowhere else is one
//! of text.

use super::graph::Graph;
use super::trial::{Given, Trier};
use super::{Hints, MULTIPLES, no_picture};
use crate::error::InferError;
use frameloom_core::model::{
    Layout, Normal, OutputSpec, Packing, PlacesHead, PlacesSpec, Task, TensorRange, TensorType,
    TileSpec,
};

/// Fewer candidates are no detector's.
const LEAST_CANDIDATES: i64 = 16;
/// Longest side that a picture is brought to where the file takes any.
const USUAL_SIDE: u32 = 960;
/// How large letters are drawn: eight of them are about as wide as a sign in a picture.
const LETTER_SCALE: usize = 4;

/// How a file finds something.
pub(super) struct Found {
    pub task: Task,
    pub spec: PlacesSpec,
    pub range: TensorRange,
    pub output: OutputSpec,
    pub tile: TileSpec,
    pub findings: Vec<String>,
}

/// How a file finds something, as far as it may. `None` if it does not look like it, and nobody
/// said that it does.
pub(super) fn look(
    trier: &mut Trier<'_>,
    graph: &Graph,
    hints: &Hints,
) -> Result<Option<Found>, InferError> {
    let is_said = hints.task.is_some();
    if graph.channels() != 3 || graph.element != TensorType::Float32 {
        return match is_said {
            true => Err(no_picture(
                "places are found in red, green and blue of 32-bit floats, and it takes something else",
            )),
            false => Ok(None),
        };
    }
    let usual = if hints.task == Some(Task::Text) || hints.imagenet {
        Normal::IMAGENET
    } else {
        Normal::BYTE_127
    };
    let normal = (hints.range.is_none() || hints.imagenet).then_some(usual);
    let size = graph.first_size();
    let range = match normal {
        Some(_) => TensorRange::Unit,
        None => hints.range.unwrap_or(TensorRange::Unit),
    };
    if hints.task != Some(Task::Text) {
        let given = trier.try_out(size, range, normal.as_ref())?;
        if let Some(head) = boxes(&given) {
            return Ok(Some(of_boxes(graph, head, (normal, range))));
        }
    }
    if hints.task != Some(Task::Faces) {
        return map(trier, graph, hints);
    }
    Err(no_picture(
        "it gives no boxes `[1, n, 4]` with probabilities `[1, n, classes]`",
    ))
}

fn of_boxes(
    graph: &Graph,
    (boxes, scores, class): (String, String, u32),
    (normal, range): (Option<Normal>, TensorRange),
) -> Found {
    let (width, height) = graph.first_size();
    let fixed = graph.fixed_size().map(|_| (width as u32, height as u32));
    let findings = vec![
        format!(
            "The outputs `{boxes}` and `{scores}` are boxes and probabilities: it finds something, which is taken for faces."
        ),
        match normal {
            Some(normal) if normal == Normal::IMAGENET => {
                "Fed with the mean and the deviation of ImageNet, as was said.".to_owned()
            }
            Some(_) => "Fed with bytes less 127, by 128, as most such files; if it finds nothing, `range` or `imagenet` says otherwise.".to_owned(),
            None => "The range is the one that was said.".to_owned(),
        },
        format!("Pictures, and parts of them, are brought to {width} x {height} pixels for it. It computes on the processor."),
    ];
    Found {
        task: Task::Faces,
        range,
        output: output(scores.clone(), Layout::Nchw),
        spec: PlacesSpec {
            head: PlacesHead::Boxes {
                boxes,
                scores,
                class,
            },
            normal,
        },
        tile: tile(
            1,
            (width.min(height)) as u32,
            fixed,
            width.max(height) as u32,
        ),
        findings,
    }
}

fn output(name: String, layout: Layout) -> OutputSpec {
    OutputSpec {
        name,
        layout,
        packing: Packing::Pixels,
        range: None,
    }
}

fn tile(multiple: u32, min: u32, fixed: Option<(u32, u32)>, preferred: u32) -> TileSpec {
    TileSpec {
        overlap: 0,
        feather: 0,
        multiple,
        min,
        max: None,
        preferred,
        fixed,
        whole: Some(true),
    }
}

/// The outputs with boxes and with probabilities, and the class that counts.
fn boxes(given: &[Given]) -> Option<(String, String, u32)> {
    let rows = |given: &Given| match given.shape[..] {
        [1, count, width] if count >= LEAST_CANDIDATES && !given.values.is_empty() => {
            Some((count, width))
        }
        _ => None,
    };
    let boxes = given
        .iter()
        .find(|given| rows(given).is_some_and(|(_, width)| width == 4))?;
    let (count, _) = rows(boxes)?;
    let scores = given.iter().find(|given| {
        let shares = || given.values.iter().all(|v| (-0.001..=1.001).contains(v));
        rows(given).is_some_and(|(n, width)| n == count && (1..=2).contains(&width)) && shares()
    })?;
    let (_, classes) = rows(scores)?;
    // By custom the background comes first.
    Some((
        boxes.name.clone(),
        scores.name.clone(),
        (classes - 1) as u32,
    ))
}

/// A map of text, tried on letters.
fn map(trier: &mut Trier<'_>, graph: &Graph, hints: &Hints) -> Result<Option<Found>, InferError> {
    let is_said = hints.task.is_some();
    let normal = Normal::IMAGENET;
    let (width, height) = graph.fixed_size().unwrap_or((320, 192));
    let (sign, letters) = sign(width, height);
    let fed: Vec<Vec<f32>> = normal
        .mean
        .iter()
        .zip(&normal.deviation)
        .map(|(mean, deviation)| sign.iter().map(|v| (v - mean) / deviation).collect())
        .collect();
    let given = match trier.run(&fed, width, height, TensorRange::Unit) {
        Ok(given) => given,
        Err(_) if !is_said => return Ok(None),
        Err(error) => return Err(error),
    };
    let of_size = |given: &&Given| {
        given.shape == [1, 1, height as i64, width as i64]
            && given.values.iter().all(|v| (-0.001..=1.001).contains(v))
    };
    let Some(map) = given.iter().find(of_size) else {
        return match is_said {
            true => Err(no_picture(
                "it gives no probability for each pixel, `[1, 1, height, width]`",
            )),
            false => Ok(None),
        };
    };
    let (mut on, mut off) = ((0.0, 0usize), (0.0, 0usize));
    for (at, v) in map.values.iter().enumerate() {
        let (x, y) = (at % width, at / width);
        let [left, top, right, bottom] = letters;
        let margin = 4 * LETTER_SCALE;
        if (left..right).contains(&x) && (top..bottom).contains(&y) {
            on = (on.0 + f64::from(*v), on.1 + 1);
        } else if x + margin < left
            || x >= right + margin
            || y + margin < top
            || y >= bottom + margin
        {
            off = (off.0 + f64::from(*v), off.1 + 1);
        }
    }
    let (on, off) = (on.0 / on.1.max(1) as f64, off.0 / off.1.max(1) as f64);
    if on < 0.2 || off > 0.05 {
        return match is_said {
            true => Err(no_picture(
                "it does not find letters that were drawn for it",
            )),
            false => Ok(None),
        };
    }
    let name = map.name.clone();
    let fixed = graph.fixed_size().map(|(w, h)| (w as u32, h as u32));
    let multiple = match fixed {
        Some(_) => 1,
        None => multiple(trier, &normal)?,
    };
    let preferred = match fixed {
        Some((w, h)) => w.max(h),
        None => hints.tile.unwrap_or(USUAL_SIDE).max(32),
    };
    Ok(Some(Found {
        task: Task::Text,
        range: TensorRange::Unit,
        output: output(name.clone(), Layout::Nchw),
        findings: vec![
            format!(
                "The output `{name}` shines where letters were drawn, and nowhere else: it finds text."
            ),
            format!(
                "Pictures are brought to at most {preferred} pixels on their longest side for it. It computes on the processor."
            ),
        ],
        spec: PlacesSpec {
            head: PlacesHead::Map { output: name },
            normal: Some(normal),
        },
        tile: tile(multiple, graph.least_side() as u32, fixed, preferred),
    }))
}

/// The smallest number that the sides must be multiples of.
fn multiple(trier: &mut Trier<'_>, normal: &Normal) -> Result<u32, InferError> {
    for multiple in MULTIPLES {
        let (width, height) = (256 + multiple, 256 - multiple);
        let fits = |given: &Given| given.shape == [1, 1, height as i64, width as i64];
        if let Ok(given) = trier.try_out((width, height), TensorRange::Unit, Some(normal))
            && given.iter().any(fits)
        {
            return Ok(multiple as u32);
        }
    }
    Err(no_picture(
        "its map has another size than the picture for every size that was tried",
    ))
}

/// Letters of five columns by seven rows; a row is five bits.
const LETTERS: [[u8; 7]; 8] = [
    [0x1f, 0x04, 0x04, 0x04, 0x04, 0x04, 0x04], // T
    [0x1f, 0x10, 0x10, 0x1e, 0x10, 0x10, 0x1f], // E
    [0x11, 0x0a, 0x04, 0x04, 0x04, 0x0a, 0x11], // X
    [0x1f, 0x04, 0x04, 0x04, 0x04, 0x04, 0x04], // T
    [0x11, 0x11, 0x11, 0x1f, 0x11, 0x11, 0x11], // H
    [0x1f, 0x10, 0x10, 0x1e, 0x10, 0x10, 0x1f], // E
    [0x1e, 0x11, 0x11, 0x1e, 0x14, 0x12, 0x11], // R
    [0x1f, 0x10, 0x10, 0x1e, 0x10, 0x10, 0x1f], // E
];

/// A light picture with dark letters in its middle, and the sides of the letters in pixels.
fn sign(width: usize, height: usize) -> (Vec<f32>, [usize; 4]) {
    let scale = LETTER_SCALE.min(width / (6 * LETTERS.len())).max(1);
    let (w, h) = (6 * LETTERS.len() * scale, 7 * scale);
    let (left, top) = (width.saturating_sub(w) / 2, height.saturating_sub(h) / 2);
    let mut picture = vec![0.85; width * height];
    for y in 0..h.min(height) {
        for x in 0..w.min(width) {
            let (column, row) = (x / scale, y / scale);
            let bits = LETTERS[column / 6][row];
            let within = column % 6;
            if within < 5 && bits >> (4 - within) & 1 == 1 {
                picture[(top + y) * width + left + x] = 0.1;
            }
        }
    }
    (picture, [left, top, left + w, top + h])
}
