//! "Run this graph": from a document and file names to a job.

use crate::inputs::{self, Taken};
use crate::models::unfit;
use crate::onnx::PlannedModels;
use crate::pictures::{self, PicturesRequest, Source};
use crate::redact::REDACTED;
use crate::request::{absolute_input, check_extension, no_picture};
use crate::{App, ComputeWish, Lane, explain, fields};
use frameloom_core::error::{AppError, ErrorCode};
use frameloom_core::graph::{Graph, Layout, MAX_DOCUMENT_BYTES, Op};
use frameloom_core::job::{
    Device, EncodeSpec, JOB_SPEC_VERSION, Job, JobSpec, PictureSizes, Quality, TrackChoice,
    VideoCodec,
};
use frameloom_core::media::{MediaKind, Warning};
use frameloom_core::said;
use frameloom_core::sequence::{NumberPattern, PictureRun};
use frameloom_engine::plan::MediumPlan;
use frameloom_engine::{EngineError, Plan};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;
use std::path::{Path, PathBuf};
use ts_rs::TS;

/// A graph and the files that it is run on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct GraphRequest {
    /// What to do.
    pub graph: Graph,
    /// The files, by the names that the graph gives its inputs; a source without one is
    /// `main`.
    #[ts(type = "Record<string, string>")]
    pub inputs: BTreeMap<String, PathBuf>,
    /// The result; its extension names the format.
    #[ts(type = "string")]
    pub output: PathBuf,
    /// Codec of a video; the best for the container where `None`.
    pub codec: Option<VideoCodec>,
    /// Quality in a word.
    pub quality: Quality,
    /// Where to compute.
    pub device: Device,
    /// How to compute; as the settings have it where it is left open.
    pub compute: ComputeWish,
    /// May an existing result be replaced?
    pub overwrite: bool,
    /// What of the source is left out.
    #[ts(type = "Array<string>")]
    pub drop: Vec<TrackChoice>,
    /// How the inputs are read that are numbered pictures; that some are without a place for a
    /// number in the name is said of the main one only.
    pub pictures: PicturesRequest,
    /// The result is for commercial work: models whose licence forbids that are refused.
    #[serde(default)]
    pub commercial: bool,
}

/// What a run of a graph would do.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct GraphPlan {
    /// Where the result will be.
    #[ts(type = "string")]
    pub output: PathBuf,
    /// Pixels of source and result; `None` for sound alone.
    pub sizes: Option<PictureSizes>,
    /// About how long a result of sound alone is, in microseconds.
    #[ts(type = "number | null")]
    pub length_micros: Option<i64>,
    /// Operations in the order in which they are done.
    pub steps: Vec<String>,
    /// Encoder of the pictures, or of sound alone, as ffmpeg names it; `None` for stills.
    pub encoder: Option<String>,
    /// About how long it will take on this computer, in microseconds; `None` where nothing like it was
    /// done and its model was not measured.
    #[ts(type = "number | null")]
    pub about_micros: Option<u64>,
    /// What the user should know before it starts.
    pub warnings: Vec<Warning>,
}

/// Reads a graph document.
///
/// # Errors
/// The file cannot be read, or is no graph of a version that this program knows; the message names
/// the node and what would be right.
pub fn read_graph(path: &Path) -> Result<Graph, AppError> {
    let mut json = Vec::new();
    std::fs::File::open(path)
        .and_then(|file| {
            file.take(MAX_DOCUMENT_BYTES as u64 + 1)
                .read_to_end(&mut json)
        })
        .map_err(|error| explain::unreadable(path, &error))?;
    let json = String::from_utf8(json).map_err(|_| {
        AppError::new(
            ErrorCode::InvalidRequest,
            format!("The graph `{}` is not UTF-8 text.", path.display()),
        )
        .hint("`frameloom run --schema` prints what a graph looks like.")
    })?;
    Graph::parse(&json)
        .and_then(|graph| graph.layout().map(drop).map(|()| graph))
        .map_err(|error| {
            explain::engine(&EngineError::from(error))
                .hint("`frameloom run --schema` prints what a graph looks like.")
        })
}

/// The main input and the others by their names, absolute.
fn inputs_of(
    layout: &Layout<'_>,
    given: &BTreeMap<String, PathBuf>,
) -> Result<(PathBuf, BTreeMap<String, PathBuf>), AppError> {
    let names = layout.inputs();
    if let Some(unknown) = given.keys().find(|name| !names.contains(&name.as_str())) {
        return Err(AppError::new(
            ErrorCode::InvalidRequest,
            said!(
                "graph.no_input",
                "The graph has no input `{name}`.",
                name = unknown
            ),
        )
        .hint(format!("Its inputs are {}.", names.join(", "))));
    }
    let mut files = BTreeMap::new();
    for name in &names {
        let Some(path) = given.get(*name) else {
            return Err(AppError::new(
                ErrorCode::InvalidRequest,
                said!(
                    "graph.open_input",
                    "The graph has an input `{name}`, and no file was given for it.",
                    name = *name
                ),
            )
            .hint(format!("Add `--in {name}=FILE`.")));
        };
        files.insert((*name).to_owned(), absolute_input(path)?);
    }
    let main = files.remove(layout.main_input()).unwrap_or_default();
    Ok((main, files))
}

/// The files that a graph is run on, opened.
pub(crate) struct GraphSources {
    /// The main one.
    pub main: Source,
    /// Absolute paths of the others, by the names that the graph gives them.
    pub inputs: BTreeMap<String, PathBuf>,
    /// Which numbered pictures those of them are that are patterns.
    pub input_pictures: BTreeMap<String, PictureRun>,
    /// What the user should know of the others.
    told: Vec<Warning>,
}

/// Opens what a request names.
///
/// # Errors
/// An input is not named, one too many is, or a file cannot be read.
pub(crate) fn graph_sources(
    request: &GraphRequest,
    layout: &Layout<'_>,
) -> Result<GraphSources, AppError> {
    let (input, mut inputs) = inputs_of(layout, &request.inputs)?;
    let mut input_pictures = BTreeMap::new();
    let mut told = Vec::new();
    for (name, other) in &mut inputs {
        let rate = request
            .pictures
            .rate
            .filter(|_| pictures::is_pattern(other));
        let sequence = false;
        let source = pictures::open(other, PicturesRequest { rate, sequence })?;
        if let Some(run) = source.pictures {
            input_pictures.insert(name.clone(), run);
            told.extend(source.info.warnings);
        }
        *other = source.input;
    }
    // The rate is that of all numbered pictures; where only others are, it is not the main's.
    let is_main =
        input_pictures.is_empty() || request.pictures.sequence || pictures::is_pattern(&input);
    let of_main = PicturesRequest {
        rate: request.pictures.rate.filter(|_| is_main),
        ..request.pictures
    };
    Ok(GraphSources {
        main: pictures::open(&input, of_main)?,
        inputs,
        input_pictures,
        told,
    })
}

/// True if something is made unrecognisable.
fn redacts(graph: &Graph) -> bool {
    graph
        .nodes
        .iter()
        .any(|node| matches!(node.op, Op::Redact(_)))
}

/// What of the source is left out: what the user says, and what would tell what a node hides.
fn left_out(request: &GraphRequest) -> Vec<TrackChoice> {
    let mut drop = request.drop.clone();
    if redacts(&request.graph) {
        drop.extend(
            REDACTED
                .iter()
                .filter(|choice| !request.drop.contains(choice)),
        );
    }
    drop
}

impl App {
    /// What a run would do, without doing it.
    ///
    /// # Errors
    /// The graph, the input or the output cannot be used, in a sentence.
    pub fn plan_graph(&self, request: &GraphRequest) -> Result<GraphPlan, AppError> {
        let (spec, mut plan) = self.prepare_graph(request)?;
        plan.warnings.extend(self.room_warning(&spec, &plan));
        let ops = spec
            .graph
            .ordered_ops()
            .map_err(|e| explain::engine(&e.into()))?;
        Ok(GraphPlan {
            about_micros: self.about_micros(&spec, &plan),
            sizes: plan.sizes,
            length_micros: match &plan.medium {
                MediumPlan::Sound(alone) => alone.length_micros,
                _ => None,
            },
            steps: ops.iter().map(|(id, _)| (*id).to_owned()).collect(),
            encoder: match &plan.medium {
                MediumPlan::Video(video) => Some(video.pictures_encoder().to_owned()),
                MediumPlan::Still | MediumPlan::StillByFfmpeg => None,
                MediumPlan::Sound(alone) => Some(alone.encoder().to_owned()),
            },
            warnings: plan.warnings,
            output: spec.output,
        })
    }

    /// Submits a run for a caller that does it itself with [`App::run_job`].
    ///
    /// # Errors
    /// As [`App::plan_graph`]; then nothing was stored.
    pub fn submit_graph_directly(&self, request: &GraphRequest) -> Result<Job, AppError> {
        let (spec, plan) = self.prepare_graph(request)?;
        self.submit(spec, &plan, Lane::Direct)
    }

    /// Submits a run to the queue.
    ///
    /// # Errors
    /// As [`App::plan_graph`]; then nothing was stored.
    pub fn submit_graph(&self, request: &GraphRequest) -> Result<Job, AppError> {
        let (spec, plan) = self.prepare_graph(request)?;
        self.submit(spec, &plan, Lane::Queue)
    }

    /// Names the models of a graph whose licences forbid commercial work. Of a model that is not
    /// installed nothing is known; the plan refuses it anyway.
    fn refuse_non_commercial(&self, graph: &Graph) -> Result<(), AppError> {
        let refused: BTreeSet<String> = self
            .models_in(graph)
            .into_iter()
            .filter(|manifest| manifest.licence.forbids_commerce())
            .map(|manifest| format!("`{}` ({})", manifest.name, manifest.licence.spdx))
            .collect();
        if refused.is_empty() {
            return Ok(());
        }
        let names: Vec<_> = refused.into_iter().collect();
        Err(unfit(said!(
            "graph.commercial",
            "This is for commercial work, and these models are not: {models}.",
            models = names.join(", ")
        ))
        .hint("Choose other models, or say that it is not commercial."))
    }

    pub(crate) fn prepare_graph(
        &self,
        request: &GraphRequest,
    ) -> Result<(JobSpec, Plan), AppError> {
        // Before an input is even opened: a graph that cannot run is refused at once.
        let layout = request
            .graph
            .layout()
            .map_err(|e| explain::engine(&e.into()))?;
        if request.commercial {
            self.refuse_non_commercial(&request.graph)?;
        }
        let compute = request.compute.or(self.settings()?.compute);
        self.check_device(&request.device, &compute)?;
        let GraphSources {
            main:
                Source {
                    input,
                    pictures,
                    mut info,
                },
            inputs,
            input_pictures,
            told,
        } = graph_sources(request, &layout)?;
        if let Some(still) = pictures::first_frame_only(&input, Some(&request.output), &info)? {
            info = still;
        }
        let report = fields::learn(&input, &mut info)?;
        if !inputs::has_picture(&info) && info.kind != MediaKind::Audio {
            return Err(no_picture(&input, &info));
        }
        let wanted = std::path::absolute(&request.output)
            .map_err(|error| explain::unwritable(&request.output, &error))?;
        check_extension(&wanted, info.kind)?;
        let mut taken = Taken::default();
        // Nor is any other input overwritten.
        for (name, path) in &inputs {
            match (input_pictures.get(name), NumberPattern::of_path(path)) {
                (Some(run), Some(names)) => {
                    pictures::check_names(&wanted, path, true)?;
                    run.numbers()
                        .for_each(|n| taken.insert(&names.path(path, n)));
                }
                _ => taken.insert(path),
            }
        }
        let output = self.place_output(wanted, &input, request.overwrite, &taken)?;
        let spec = JobSpec {
            version: JOB_SPEC_VERSION,
            input,
            pictures,
            output,
            overwrite: request.overwrite,
            graph: request.graph.clone(),
            encode: EncodeSpec {
                codec: request.codec,
                quality: request.quality,
                drop: left_out(request),
                srgb: false,
            },
            device: request.device.clone(),
            inputs,
            input_pictures,
            compute,
            upright: true,
            sample: false,
        };
        let mut plan = frameloom_engine::plan(&spec, &info, &PlannedModels::new(self))
            .map_err(|e| explain::engine(&e))?;
        plan.warnings.extend(fields::telecine(report));
        if redacts(&request.graph) {
            plan.warnings.push(Warning::dropped(said!(
                "lost.redacted",
                "what the file tells beside its pictures and sound, because something in it is made unrecognisable"
            )));
        }
        plan.warnings.extend(told);
        Ok((spec, plan))
    }
}
