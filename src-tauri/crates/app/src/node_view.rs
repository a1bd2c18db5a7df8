//! What leaves a node at a moment: a picture for whoever builds a graph.
//!
//! The caller cuts the graph behind the node and asks for what comes out at the end. It is planned
//! as a run would be, and made by a process of its own ([`crate::viewer`]).

use crate::graph_request::{GraphRequest, GraphSources, graph_sources};
use crate::inputs::has_picture;
use crate::onnx::PlannedModels;
use crate::pictures::Source;
use crate::preview::EncodedPicture;
use crate::request::no_picture;
use crate::viewer::{Ask, Facts, Said, known_choices, overtaken};
use crate::{App, explain};
use frameloom_core::error::{AppError, ErrorCode};
use frameloom_core::graph::{Graph, Op};
use frameloom_core::job::{Device, EncodeSpec, JOB_SPEC_VERSION, JobSpec, TrackChoice, VideoCodec};
use frameloom_core::job::{ProviderChoice, Quality};
use frameloom_core::media::MediaKind;
use frameloom_core::said;
use frameloom_core::sequence::NumberPattern;
use frameloom_engine::Plan;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::UNIX_EPOCH;
use ts_rs::TS;

/// Longest side of a picture that is asked for.
const MAX_SIDE: u32 = 2048;
/// Plans that are kept: of the nodes that are looked at while the time moves.
const PLANS: usize = 16;
/// What kept pictures may take.
const CACHE_BYTES: usize = 64 << 20;

/// Which picture is wanted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct ViewRequest {
    /// The graph, cut behind the node, and its files. Where the result would go and how it would be
    /// coded does not matter.
    pub run: GraphRequest,
    /// Time in the source that the graph shows first, from its beginning.
    #[ts(type = "number")]
    pub at_micros: i64,
    /// Longest side of what is shown, in pixels. The picture is made whole and reduced at the end.
    pub max_side: u32,
}

/// What leaves a node.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum NodeView {
    /// A picture.
    Picture {
        /// Its name for [`App::node_picture`].
        key: String,
        /// Its pixels as it leaves the node, upright.
        size: (u32, u32),
        /// When the source's frame is shown that it belongs to, from the source's beginning.
        #[ts(type = "number")]
        at_micros: i64,
        /// Only a part went through the models, which would have taken too long for all of it; the
        /// rest is enlarged by a plain kernel.
        partial: bool,
        /// Where that part is, where it can be said.
        place: Option<PartPlace>,
    },
    /// Nothing, for the graph cuts that moment away.
    Outside {
        /// First moment that is left.
        #[ts(type = "number")]
        from_micros: i64,
        /// First moment that is out again; `None` for the end of the source.
        #[ts(type = "number | null")]
        to_micros: Option<i64>,
    },
}

/// A part of a picture, in shares of its width and height.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, TS)]
pub struct PartPlace {
    /// Where it begins.
    pub left: f64,
    /// Where it begins.
    pub top: f64,
    /// Where it ends.
    pub right: f64,
    /// Where it ends.
    pub bottom: f64,
}

/// A request that is planned.
#[derive(Debug)]
struct Ready {
    key: String,
    spec: JobSpec,
    plan: Plan,
    chosen: BTreeMap<String, ProviderChoice>,
}

/// Plans and pictures of nodes that were looked at.
#[derive(Debug, Default)]
pub(crate) struct Views {
    plans: Mutex<VecDeque<Arc<Ready>>>,
    seen: Mutex<VecDeque<Seen>>,
}

#[derive(Debug, Clone)]
struct Seen {
    key: String,
    view: NodeView,
    picture: Option<Arc<EncodedPicture>>,
}

impl Views {
    fn plan(&self, key: &str) -> Option<Arc<Ready>> {
        let plans = self.plans.lock().unwrap_or_else(PoisonError::into_inner);
        plans.iter().find(|ready| ready.key == key).cloned()
    }

    fn keep_plan(&self, ready: &Arc<Ready>) {
        let mut plans = self.plans.lock().unwrap_or_else(PoisonError::into_inner);
        plans.push_back(ready.clone());
        while plans.len() > PLANS {
            plans.pop_front();
        }
    }

    fn seen(&self, key: &str) -> Option<Seen> {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let at = seen.iter().position(|known| known.key == key)?;
        let found = seen.remove(at)?;
        seen.push_back(found.clone());
        Some(found)
    }

    fn keep(&self, new: Seen) {
        let bytes = |seen: &Seen| seen.picture.as_ref().map_or(256, |p| p.bytes.len());
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.push_back(new);
        let mut total: usize = seen.iter().map(bytes).sum();
        while total > CACHE_BYTES && seen.len() > 1 {
            total -= seen.pop_front().map_or(0, |old| bytes(&old));
        }
    }
}

impl App {
    /// What leaves the graph of a request at its moment. One picture is made at a time: a newer
    /// request ends the one before it, which then fails as [`ErrorCode::Cancelled`].
    ///
    /// # Errors
    /// The graph or a file cannot be used, in a sentence; the process that makes the picture
    /// crashed; or a newer request came.
    pub fn view_node(&self, request: &ViewRequest) -> Result<NodeView, AppError> {
        let turn = self.viewer.turn();
        let ready = self.ready(request)?;
        let max_side = request.max_side.clamp(16, MAX_SIDE);
        let key = digest(&format!("{} {} {max_side}", ready.key, request.at_micros));
        if let Some(seen) = self.views.seen(&key) {
            return Ok(seen.view);
        }
        let ask = Ask {
            spec: ready.spec.clone(),
            plan: ready.plan.clone(),
            chosen: ready.chosen.clone(),
            at_micros: request.at_micros,
            max_side,
        };
        let (view, picture) = match self.viewer.ask(self, &ask, turn)? {
            (Said::Picture { facts, .. }, bytes) => {
                let picture = EncodedPicture {
                    mime: "image/png",
                    bytes,
                };
                (shown(facts, &key), Some(Arc::new(picture)))
            }
            (
                Said::Outside {
                    from_micros,
                    to_micros,
                },
                _,
            ) => {
                let outside = NodeView::Outside {
                    from_micros,
                    to_micros,
                };
                (outside, None)
            }
            (Said::Refused(error), _) => return Err(error),
            (Said::Stopped, _) => return Err(overtaken()),
        };
        self.views.keep(Seen {
            key,
            view: view.clone(),
            picture,
        });
        Ok(view)
    }

    /// Ends the picture at hand, for nobody waits for it any more.
    pub fn stop_viewing(&self) {
        self.viewer.turn();
    }

    /// The picture that [`App::view_node`] named.
    ///
    /// # Errors
    /// It is not kept any more.
    pub fn node_picture(&self, key: &str) -> Result<Arc<EncodedPicture>, AppError> {
        let found = self.views.seen(key).and_then(|seen| seen.picture);
        found.ok_or_else(|| {
            AppError::new(
                ErrorCode::InputNotFound,
                said!("preview.gone", "This picture is no longer kept."),
            )
            .hint("Ask for it again.")
        })
    }

    /// Plans a request, or finds its plan again.
    fn ready(&self, request: &ViewRequest) -> Result<Arc<Ready>, AppError> {
        let run = &request.run;
        let layout = run.graph.layout().map_err(|e| explain::engine(&e.into()))?;
        let compute = run.compute.or(self.settings()?.compute);
        let mut text = serde_json::to_string(&run.graph).map_err(explain::internal)?;
        text.push_str(&format!(" {:?} {compute:?} {:?}", run.device, run.pictures));
        for (name, path) in &run.inputs {
            text.push_str(&format!(" {name} {}", stamp(path)));
        }
        for path in files_of(&run.graph) {
            text.push_str(&format!(" {}", stamp(&path)));
        }
        let key = digest(&text);
        if let Some(ready) = self.views.plan(&key) {
            return Ok(ready);
        }
        let GraphSources {
            main:
                Source {
                    input,
                    pictures,
                    info,
                },
            inputs,
            input_pictures,
            ..
        } = graph_sources(run, &layout)?;
        if !has_picture(&info) {
            return Err(no_picture(&input, &info));
        }
        // What a plan needs to be one; nothing is ever written there.
        let name = match info.kind {
            MediaKind::Still => "view.png",
            _ => "view.mkv",
        };
        let spec = JobSpec {
            version: JOB_SPEC_VERSION,
            input,
            pictures,
            inputs,
            input_pictures,
            output: self.places.jobs().join(name),
            overwrite: false,
            graph: run.graph.clone(),
            encode: EncodeSpec {
                codec: (info.kind != MediaKind::Still).then_some(VideoCodec::Ffv1),
                quality: Quality::Lossless,
                drop: TrackChoice::KINDS
                    .iter()
                    .map(|(choice, _)| *choice)
                    .filter(|choice| *choice != TrackChoice::Rotation)
                    .collect(),
                srgb: false,
            },
            device: run.device.clone(),
            compute,
            upright: true,
            sample: false,
        };
        let plan = frameloom_engine::plan(&spec, &info, &PlannedModels::new(self))
            .map_err(|e| explain::engine(&e))?;
        let chosen = known_choices(self, &spec, &plan);
        let ready = Arc::new(Ready {
            key,
            spec: JobSpec {
                // What was measured is in `chosen`; measuring takes longer than a look may.
                device: match spec.device {
                    Device::Auto => Device::Cpu,
                    named => named,
                },
                ..spec
            },
            plan,
            chosen,
        });
        self.views.keep_plan(&ready);
        Ok(ready)
    }
}

fn shown(facts: Facts, key: &str) -> NodeView {
    NodeView::Picture {
        key: key.to_owned(),
        size: facts.size,
        at_micros: facts.at_micros,
        partial: facts.partial,
        place: facts.place.map(|[left, top, right, bottom]| PartPlace {
            left,
            top,
            right,
            bottom,
        }),
    }
}

pub(crate) fn digest(text: &str) -> String {
    let digest = Sha256::digest(text.as_bytes());
    digest[..16].iter().map(|b| format!("{b:02x}")).collect()
}

/// What a file is as far as a look at its folder tells; of numbered pictures, that of the first.
fn stamp(path: &Path) -> String {
    let file = match NumberPattern::of_path(path).filter(|_| !path.exists()) {
        Some(names) => frameloom_media::numbers_of(path, &names)
            .ok()
            .and_then(|numbers| numbers.first().map(|first| names.path(path, *first)))
            .unwrap_or_else(|| path.to_owned()),
        None => path.to_owned(),
    };
    let facts = file.metadata().ok();
    let modified = facts.as_ref().and_then(|facts| facts.modified().ok());
    let nanos = modified
        .and_then(|time| time.duration_since(UNIX_EPOCH).ok())
        .map_or(0, |since| since.as_nanos());
    let length = facts.map_or(0, |facts| facts.len());
    format!("{} {length} {nanos}", path.display())
}

/// Files that the nodes of a graph read.
fn files_of(graph: &Graph) -> Vec<PathBuf> {
    let named = graph.nodes.iter().filter_map(|node| match &node.op {
        Op::Color(params) => params.lut.clone(),
        Op::Onnx(params) => Some(params.path.clone()),
        Op::Text(params) => params.file.clone(),
        Op::Subtitles(params) => Some(params.file.clone()),
        _ => None,
    });
    named.map(PathBuf::from).collect()
}
