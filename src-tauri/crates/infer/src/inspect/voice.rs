//! Networks of sound, found by the shape of their graph and a trial: those that hear whether somebody
//! speaks, and those that take noise out of speech.

use super::no_picture;
use crate::error::InferError;
use crate::provider::Runtime;
use crate::setting::Setting;
use crate::speech::SpeechSession;
use crate::voice::{VoiceNames, VoiceSession};
use frameloom_core::model::{
    Layout, Licence, MANIFEST_VERSION, ModelManifest, OutputSpec, Packing, Task, TensorColor,
    TensorRange, TensorSpec, TensorType, TileSpec,
};
use frameloom_core::said;
use frameloom_core::said::SaidValue;
use ort::session::builder::GraphOptimizationLevel;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

/// In silence nobody speaks: a network that says more is of another kind, or is fed otherwise.
const MOST_IN_SILENCE: f32 = 0.3;

/// What a network of sound is, with how that was found; `None` for a graph of another family.
pub(super) fn look(
    runtime: &Arc<Runtime>,
    weights: &[u8],
    path: &Path,
    print: (&str, u64),
) -> Result<Option<(ModelManifest, Vec<String>)>, InferError> {
    let opened = runtime
        .builder(&Setting::CPU, 1, false)
        .and_then(|b| Ok(b.with_optimization_level(GraphOptimizationLevel::Disable)?))
        .and_then(|mut b| b.commit_from_memory(weights));
    // What cannot even be loaded is refused with its reason by whoever looks for pictures.
    let Ok(session) = opened else { return Ok(None) };
    // Its memory goes in as well.
    if session.inputs().len() < 2 {
        return Ok(None);
    }
    let names = VoiceNames::of(&session);
    drop(session);
    match names {
        Some(names) => hears(runtime, weights, &names, path, print).map(Some),
        None => Ok(cleans(runtime, path, print)),
    }
}

/// A network that hears whether somebody speaks.
fn hears(
    runtime: &Arc<Runtime>,
    weights: &[u8],
    names: &VoiceNames,
    path: &Path,
    print: (&str, u64),
) -> Result<(ModelManifest, Vec<String>), InferError> {
    let mut session = VoiceSession::of(runtime, weights, "model")?;
    let mut most = 0f32;
    for _ in 0..31 {
        most = most.max(session.hear(&[0.0; VoiceSession::WINDOW])?);
    }
    if most > MOST_IN_SILENCE {
        return Err(no_picture(said!(
            "onnx.hears_silence",
            "it looks like a model that hears speech, and hears it in silence ({share})",
            share = SaidValue::decimal(f64::from(most), 2)
        )));
    }
    let findings = vec![
        format!(
            "The input `{}` takes windows of {} samples of sound, {} a second; it remembers what came before.",
            names.input(),
            VoiceSession::WINDOW,
            VoiceSession::RATE
        ),
        format!(
            "It gives the probability that somebody speaks: at most {:.0} % in silence.",
            most * 100.0
        ),
    ];
    let tensors = (names.input(), names.output());
    Ok((
        manifest(Task::VoiceActivity, path, print, tensors),
        findings,
    ))
}

/// A network that takes noise out of speech.
fn cleans(
    runtime: &Arc<Runtime>,
    path: &Path,
    print: (&str, u64),
) -> Option<(ModelManifest, Vec<String>)> {
    let session = SpeechSession::open(runtime, path).ok()?;
    let (input, output) = session.names();
    let findings = vec![
        format!(
            "The input `{input}` takes spectra of {} bins, one at a time; it remembers what came before.",
            session.bins()
        ),
        "It gives a spectrum of the same size: it takes noise out of speech.".to_owned(),
    ];
    let tensors = (input, output);
    Some((
        manifest(Task::SpeechCleaning, path, print, tensors),
        findings,
    ))
}

/// A network of sound has no pictures: of how it is fed, only the names of its tensors mean something.
fn manifest(
    task: Task,
    path: &Path,
    (sha256, size_bytes): (&str, u64),
    (input, output): (&str, &str),
) -> ModelManifest {
    ModelManifest {
        version: MANIFEST_VERSION,
        id: super::id_of(path, sha256),
        name: path
            .file_stem()
            .map_or_else(String::new, |stem| stem.to_string_lossy().into_owned()),
        task,
        scale: 1,
        file: "model.onnx".to_owned(),
        sha256: sha256.to_owned(),
        size_bytes,
        licence: Licence::named("LicenseRef-unknown"),
        input: TensorSpec {
            name: input.to_owned(),
            layout: Layout::Nchw,
            color: TensorColor::Luma,
            range: TensorRange::Symmetric,
            element: TensorType::Float32,
        },
        output: OutputSpec {
            name: output.to_owned(),
            layout: Layout::Nchw,
            packing: Packing::Pixels,
            range: None,
        },
        tile: TileSpec {
            overlap: 0,
            feather: 0,
            multiple: 1,
            min: 1,
            max: None,
            preferred: VoiceSession::WINDOW as u32,
            fixed: None,
            whole: None,
        },
        matte: None,
        depth: None,
        places: None,
        between: None,
        restyles: false,
        summary: BTreeMap::new(),
    }
}
