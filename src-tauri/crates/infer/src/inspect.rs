//! What an ONNX file does with pictures, found by reading its graph and by trying it.
//!
//! A file says nothing of how it wants to be fed. Names and sizes of its tensors stand in the
//! graph; the rest is found with a real picture: which numbers mean black and white, how much
//! larger the result is, how far the network looks around a pixel, and so how it may be cut into
//! tiles. What does not come out of it resembling what went in is no picture to picture, and is
//! refused with the reason; unless it has a number for each pixel that looks like a matte, or hears
//! windows of sound and says how probable speech is.

mod between;
mod graph;
mod matte;
mod places;
mod trial;
mod voice;
mod whole;

use crate::choose::Specimen;
use crate::error::InferError;
use crate::model::{MAX_WEIGHTS_BYTES, Model, hex};
use crate::provider::Runtime;
use frameloom_core::model::{
    Activation, Layout, Licence, MANIFEST_VERSION, ModelManifest, OutputSpec, Packing, Task,
    TensorColor, TensorRange, TensorSpec, TileSpec,
};
use frameloom_core::said;
use frameloom_core::said::Said;
use graph::Graph;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::sync::Arc;
use trial::{Shaped, Trier};

/// What the user says of a file. What is left open is found out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Hints {
    /// Output size by input size.
    pub scale: Option<u32>,
    /// Order of the dimensions.
    pub layout: Option<Layout>,
    /// Which numbers mean black and white, in and out.
    pub range: Option<TensorRange>,
    /// What the channels mean.
    pub color: Option<TensorColor>,
    /// Longest side of a tile, or of the picture that a matting model gets.
    pub tile: Option<u32>,
    /// What it does.
    pub task: Option<Task>,
    /// The channel of the foreground of a matting model, counted from 0.
    pub foreground: Option<u32>,
    /// What makes probabilities of the numbers of a matting model.
    pub activation: Option<Activation>,
    /// A model that gives mattes or places is fed with the mean and the deviation of ImageNet.
    pub imagenet: bool,
    /// What makes a picture of a picture is run as it is, whatever it is for.
    pub as_it_is: bool,
}

/// What was found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Inspection {
    /// How to feed the file.
    pub manifest: ModelManifest,
    /// How it was found, a sentence each.
    pub findings: Vec<String>,
}

/// Reads a whole ONNX file within the limit of its size.
fn read(path: &Path) -> Result<Vec<u8>, InferError> {
    let unreadable = |source| InferError::ModelUnreadable {
        source,
        path: path.to_owned(),
    };
    let file = File::open(path).map_err(unreadable)?;
    let facts = file.metadata().map_err(unreadable)?;
    if !facts.is_file() {
        return Err(no_picture(said!("onnx.no_file", "it is not a file")));
    }
    let too_large = |size_bytes| InferError::WeightsTooLarge {
        size_bytes,
        limit_bytes: MAX_WEIGHTS_BYTES,
        path: path.to_owned(),
    };
    if facts.len() > MAX_WEIGHTS_BYTES {
        return Err(too_large(facts.len()));
    }
    let mut weights = Vec::new();
    file.take(MAX_WEIGHTS_BYTES + 1)
        .read_to_end(&mut weights)
        .map_err(unreadable)?;
    if weights.len() as u64 > MAX_WEIGHTS_BYTES {
        return Err(too_large(weights.len() as u64));
    }
    Ok(weights)
}

/// Reads an ONNX file and checks that it is the one that was inspected.
///
/// # Errors
/// [`InferError::ModelUnreadable`], [`InferError::WeightsDamaged`] for another file.
pub fn load_onnx(path: &Path, manifest: &ModelManifest) -> Result<Model, InferError> {
    let weights = read(path)?;
    let found = hex(&Sha256::digest(&weights));
    if found != manifest.sha256 {
        return Err(InferError::WeightsDamaged {
            expected: format!("SHA-256 {}", manifest.sha256),
            found: format!("SHA-256 {found}"),
            path: path.to_owned(),
        });
    }
    Ok(Model::new(manifest.clone(), path, weights))
}

/// SHA-256 and size of a file, hexadecimal.
///
/// # Errors
/// [`InferError::ModelUnreadable`], [`InferError::WeightsTooLarge`].
pub fn onnx_print(path: &Path) -> Result<(u64, String), InferError> {
    let weights = read(path)?;
    Ok((weights.len() as u64, hex(&Sha256::digest(&weights))))
}

/// A refusal with its reason.
fn no_picture(reason: impl Into<Said>) -> InferError {
    InferError::NotPictureToPicture {
        reason: reason.into(),
    }
}

/// Finds out how to feed `path`, or why that makes no picture of a picture.
///
/// It is a stranger's file: call this in a process of its own, with a limit of time.
///
/// # Errors
/// [`InferError::NotPictureToPicture`] with the reason, and the errors of reading the file.
pub fn inspect(
    runtime: &Arc<Runtime>,
    path: &Path,
    hints: &Hints,
    specimen: &Specimen,
) -> Result<Inspection, InferError> {
    let weights = read(path)?;
    let sha256 = hex(&Sha256::digest(&weights));
    let size_bytes = weights.len() as u64;
    if hints.task.is_none_or(Task::is_of_sound)
        && let Some((manifest, findings)) =
            voice::look(runtime, &weights, path, (&sha256, size_bytes))?
    {
        return checked(manifest, findings);
    }
    if hints.task.is_some_and(Task::is_of_sound) {
        return Err(no_picture(said!(
            "onnx.no_sound",
            "it is said to work on sound; such a model takes windows of sound [1, samples] or spectra [1, bins, 1, 2] with what it remembers, and gives that memory back"
        )));
    }
    if hints.task.is_none_or(|task| task == Task::Between) {
        let file = between::File {
            runtime,
            weights: &weights,
            path,
            specimen,
        };
        let print = (sha256.clone(), size_bytes);
        let found = between::look(&file, hints.range, |input, layout, element| {
            let input = TensorSpec {
                name: input.to_owned(),
                layout,
                color: between::color(hints.color),
                range: TensorRange::Unit,
                element,
            };
            bare_of(path, print.clone(), input)
        })?;
        match found {
            Some((manifest, findings)) => return checked(manifest, findings),
            None if hints.task.is_some() => return Err(between::none()),
            None => {}
        }
    }
    let graph = Graph::read(runtime, &weights, hints)?;
    let mut findings = vec![graph.sentence()];
    let mut trier = Trier::new(runtime, &weights, &graph, specimen)?;
    let file = whole::File {
        runtime,
        weights: &weights,
        specimen,
        graph: &graph,
    };

    let (width, height) = graph.first_size();
    let channels = graph.channels();
    let color = color(channels, hints, &mut findings)?;
    let print = (sha256, size_bytes);
    if let Some(task) = hints.task.filter(|task| task.sees_whole()) {
        let found = whole::look(task, &file, &mut trier, hints)?;
        return of_whole(path, print, &graph, (color, found), findings);
    }
    // What no picture comes out of may be a matte.
    let pictures = match hints.task {
        Some(Task::Matte) => Err(no_picture("it is said to give a matte")),
        Some(Task::Faces | Task::Text) => Err(no_picture("it is said to find something")),
        _ => trier.range(width, height, hints),
    };
    let found = match (pictures, hints.task) {
        (Ok(found), _) => found,
        (Err(refusal), Some(Task::Upscale)) => return Err(refusal),
        (Err(refusal), task) => {
            // A map of text looks like a matte, and letters tell them apart.
            if task != Some(Task::Matte)
                && let Some(found) = places::look(&mut trier, &graph, hints)?
            {
                findings.extend(found.findings);
                let manifest = ModelManifest {
                    task: found.task,
                    output: found.output,
                    tile: found.tile,
                    places: Some(found.spec),
                    restyles: false,
                    ..bare(path, print, &graph, (color, found.range))
                };
                return checked(manifest, findings);
            }
            let matte = matte::look(&mut trier, &graph, hints)?;
            if matte.is_none() && task.is_none() && whole::looks_like_depth(&mut trier, &graph)? {
                let found = whole::look(Task::Depth, &file, &mut trier, hints)?;
                return of_whole(path, print, &graph, (color, found), findings);
            }
            let found = matte.ok_or(refusal)?;
            findings.extend(found.findings);
            let manifest = ModelManifest {
                task: Task::Matte,
                scale: 1,
                output: found.output,
                tile: found.tile,
                matte: Some(found.spec),
                restyles: false,
                ..bare(path, print, &graph, (color, found.range))
            };
            return checked(manifest, findings);
        }
    };
    let (ranges, shaped, sentence) = (found.ranges, found.shaped, found.sentence);
    if hints.task.is_none()
        && !hints.as_it_is
        && shaped.scale == 1
        && whole::makes_lighter(&mut trier, &graph, ranges.0)?
    {
        let found = whole::look(Task::Light, &file, &mut trier, hints)?;
        return of_whole(path, print, &graph, (color, found), findings);
    }
    findings.push(sentence);
    if let Some(wanted) = hints.scale
        && wanted as usize != shaped.scale
    {
        return Err(no_picture(said!(
            "onnx.scale",
            "it enlarges {scale} times, not {wanted} times",
            scale = shaped.scale,
            wanted = wanted
        )));
    }
    findings.push(match (shaped.scale, shaped.packing) {
        (1, _) => "The result has the size of the picture; if it paints in a style, or makes dark pictures lighter, say so by the task `style` or `light`.".to_owned(),
        (scale, Packing::Pixels) => format!("The result is {scale} times as large."),
        (scale, Packing::Subpixel) => {
            format!("The result is {scale} times as large, packed as sub-pixels in channels.")
        }
    });
    let tile = tiles(&mut trier, &graph, ranges, &shaped, hints, &mut findings)?;
    let manifest = ModelManifest {
        scale: shaped.scale as u32,
        output: OutputSpec {
            name: shaped.output.clone(),
            layout: shaped.layout,
            packing: shaped.packing,
            range: (ranges.1 != ranges.0).then_some(ranges.1),
        },
        tile,
        ..bare(path, print, &graph, (color, ranges.0))
    };
    checked(manifest, findings)
}

/// What was found of a file that sees the whole picture.
fn of_whole(
    path: &Path,
    print: (String, u64),
    graph: &Graph,
    (color, found): (TensorColor, whole::Found),
    mut findings: Vec<String>,
) -> Result<Inspection, InferError> {
    findings.extend(found.findings);
    let manifest = ModelManifest {
        task: found.task,
        output: found.output,
        tile: found.tile,
        depth: found.depth,
        restyles: found.task != Task::Depth,
        ..bare(path, print, graph, (color, found.range))
    };
    checked(manifest, findings)
}

/// What holds of every file; its result and its tiles are still to be said.
fn bare(
    path: &Path,
    print: (String, u64),
    graph: &Graph,
    (color, range): (TensorColor, TensorRange),
) -> ModelManifest {
    let input = TensorSpec {
        name: graph.input.clone(),
        layout: graph.layout,
        color,
        range,
        element: graph.element,
    };
    bare_of(path, print, input)
}

/// What holds of every file that is fed so.
fn bare_of(path: &Path, (sha256, size_bytes): (String, u64), input: TensorSpec) -> ModelManifest {
    let layout = input.layout;
    ModelManifest {
        version: MANIFEST_VERSION,
        id: id_of(path, &sha256),
        name: path
            .file_stem()
            .map_or_else(String::new, |stem| stem.to_string_lossy().into_owned()),
        task: Task::Upscale,
        scale: 1,
        file: "model.onnx".to_owned(),
        sha256,
        size_bytes,
        licence: Licence::named("LicenseRef-unknown"),
        input,
        output: OutputSpec {
            name: String::new(),
            layout,
            packing: Packing::Pixels,
            range: None,
        },
        tile: TileSpec {
            overlap: 0,
            feather: 0,
            multiple: 1,
            min: 1,
            max: None,
            preferred: USUAL_SIDE,
            fixed: None,
            whole: None,
        },
        matte: None,
        depth: None,
        places: None,
        between: None,
        // Nobody says what it was made for.
        restyles: true,
        summary: BTreeMap::new(),
    }
}

/// By the same rules as for an installed model.
fn checked(manifest: ModelManifest, findings: Vec<String>) -> Result<Inspection, InferError> {
    let json = serde_json::to_string(&manifest).unwrap_or_default();
    let manifest = ModelManifest::parse(&json).map_err(|error| {
        no_picture(said!(
            "onnx.unfeedable",
            "it cannot be fed: {error}",
            error = Said::from(error.to_string())
        ))
    })?;
    Ok(Inspection { manifest, findings })
}

/// A name that is one of this file only: its own, and the beginning of its hash.
fn id_of(path: &Path, sha256: &str) -> String {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    let plain: String = stem
        .chars()
        .map(|c| match c.to_ascii_lowercase() {
            c if c.is_ascii_lowercase() || c.is_ascii_digit() => c,
            _ => '-',
        })
        .take(40)
        .collect();
    format!("onnx-{}-{}", plain.trim_matches('-'), &sha256[..8])
}

fn color(
    channels: usize,
    hints: &Hints,
    findings: &mut Vec<String>,
) -> Result<TensorColor, InferError> {
    match (channels, hints.color) {
        (1, None) => {
            findings.push("One channel: it works on the luma.".to_owned());
            Ok(TensorColor::Luma)
        }
        (3, None) => {
            findings.push(
                "Three channels, taken for red, green, blue; `color` says `bgr` if they are not."
                    .to_owned(),
            );
            Ok(TensorColor::Rgb)
        }
        (count, Some(color)) if color.channels() == count => Ok(color),
        (count, _) => Err(no_picture(said!(
            "onnx.colour",
            "it takes {count} channels, and `color` says another number",
            count = count
        ))),
    }
}

/// Side of the tile on which it is tried how far the network looks.
const LOOK_SIDE: usize = 192;
/// Side of a tile where the file takes any: large enough, and kind to memory.
const USUAL_SIDE: u32 = 256;
/// Largest side that is tried to be cut by: what encoders and decoders of U-shape ask for.
const MULTIPLES: [usize; 7] = [1, 2, 4, 8, 16, 32, 64];
/// What a change far away may move in a result: more shows as a seam whatever is done about it.
/// Parts of full scale, as a root mean square.
const SEAM: f32 = 0.03;
/// What nobody sees: half a step of 8 bit.
const UNSEEN: f32 = 0.5 / 255.0;

/// How the file may be cut into tiles.
fn tiles(
    trier: &mut Trier,
    graph: &Graph,
    ranges: (TensorRange, TensorRange),
    shaped: &Shaped,
    hints: &Hints,
    findings: &mut Vec<String>,
) -> Result<TileSpec, InferError> {
    let fixed = graph.fixed_size();
    let multiple = match fixed {
        Some(_) => 1,
        None => multiple(trier, graph, ranges, shaped)?,
    };
    let (width, height) = fixed.unwrap_or_else(|| {
        let side = LOOK_SIDE.next_multiple_of(multiple);
        (side, side)
    });
    let reach = trier.reach(width, height, ranges, shaped)?;
    let most = width.min(height) / 3;
    let (overlap, feather, whole) = match (reach.exact, reach.visible) {
        (Some(exact), _) if exact <= most => {
            findings.push(format!(
                "A pixel of the result depends on at most {exact} pixels around it: tiles meet exactly."
            ));
            (exact, 0, false)
        }
        (_, Some(visible)) if visible <= most => {
            findings.push(format!(
                "Nothing farther away than {visible} pixels changes the result visibly: tiles overlap and are blended."
            ));
            (visible.max(16).min(most), visible.clamp(8, 16), false)
        }
        _ if reach.tail <= UNSEEN => {
            findings.push(format!(
                "The whole tile has an influence everywhere that nobody sees ({:.2} % of full scale): tiles overlap and are blended.",
                reach.tail * 100.0
            ));
            (most.min(32), most.min(32), false)
        }
        _ if reach.tail <= SEAM => {
            findings.push(format!(
                "The whole tile has a little influence everywhere ({:.1} % of full scale): tiles overlap widely and are blended; look for seams.",
                reach.tail * 100.0
            ));
            (most.min(48), most.min(48), false)
        }
        _ => {
            findings.push(format!(
                "Every part of the picture changes the whole result ({:.1} % of full scale): it is not cut into tiles{}.",
                reach.tail * 100.0,
                match fixed {
                    Some((width, height)) =>
                        format!(", and takes pictures of {width} x {height} pixels only"),
                    None => String::new(),
                }
            ));
            (0, 0, true)
        }
    };
    let overlap = overlap.next_multiple_of(multiple) as u32;
    let preferred = match (fixed, whole) {
        (Some((width, height)), _) => width.max(height) as u32,
        (None, true) => 8192,
        (None, false) => {
            let wanted = hints.tile.unwrap_or(USUAL_SIDE);
            wanted.clamp(2 * overlap + multiple as u32, 8192)
        }
    };
    let min = fixed.map_or(graph.least_side().next_multiple_of(multiple), |(w, h)| {
        w.min(h)
    });
    Ok(TileSpec {
        overlap,
        feather: (feather as u32).min(overlap),
        multiple: multiple as u32,
        min: min as u32,
        max: None,
        preferred,
        fixed: fixed.map(|(width, height)| (width as u32, height as u32)),
        whole: whole.then_some(true),
    })
}

/// The smallest number that the sides must be multiples of, by trying sides that are multiples of
/// it and of nothing larger.
fn multiple(
    trier: &mut Trier,
    graph: &Graph,
    ranges: (TensorRange, TensorRange),
    shaped: &Shaped,
) -> Result<usize, InferError> {
    let base = graph.least_side().next_multiple_of(128);
    for multiple in MULTIPLES {
        let (width, height) = (base + multiple, base - multiple);
        if let Ok(found) = trier.shape_of(width, height, ranges.0)
            && found == *shaped
        {
            return Ok(multiple);
        }
    }
    Err(no_picture(said!(
        "onnx.every_proportion",
        "its result has another proportion to the picture for every size that was tried"
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_gets_a_handle_of_its_own() {
        let sha = "0123456789abcdef".repeat(4);
        assert_eq!(
            id_of(Path::new("/a/2x Nomos_Uni.onnx"), &sha),
            "onnx-2x-nomos-uni-01234567"
        );
        assert_eq!(id_of(Path::new("/a/模型.onnx"), &sha), "onnx--01234567");
    }
}
