//! Documents of the canvas: saved as they are drawn, whether they can run or not, with what they
//! were before; what is wrong with them; and the graph of a job as a document to go on from.

use crate::jobs::fresh_name;
use crate::{App, UpscaleRequest, explain, now_millis};
use frameloom_core::error::{AppError, ErrorCode};
use frameloom_core::graph::{self, Fault, Graph, MAX_DOCUMENT_BYTES, NodeKind, Op};
use frameloom_core::job::{JobId, JobSpec};
use frameloom_core::media::{MediaInfo, MediaKind};
use frameloom_core::said;
use frameloom_core::said::Said;
use frameloom_store::{GraphRow, KeepVersions};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use ts_rs::TS;

/// Two versions are at least this far apart: work of a minute is what is lost at most by going
/// back, and a day of drawing does not fill the list.
const VERSIONS_APART_MILLIS: i64 = 60_000;
/// Versions that are kept of a document.
const MOST_VERSIONS: u32 = 100;
/// Longest name of a document, in bytes.
const MAX_NAME: usize = 200;

/// A document in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
pub struct CanvasEntry {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Nodes in it.
    pub nodes: u32,
    /// When it was last changed, in milliseconds since 1970.
    #[ts(type = "number")]
    pub changed_millis: i64,
}

/// A document with what is drawn.
#[derive(Debug, Clone, PartialEq, Serialize, TS)]
pub struct CanvasGraph {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// What the window draws; the program looks at its `graph` only.
    #[ts(type = "unknown")]
    pub document: Value,
    /// When it was last changed, in milliseconds since 1970.
    #[ts(type = "number")]
    pub changed_millis: i64,
}

/// A document to be saved.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct CanvasSave {
    /// Its id; a new one is given where `None`.
    pub id: Option<String>,
    /// Its name.
    pub name: String,
    /// What is drawn, a JSON object with a `graph`.
    #[ts(type = "unknown")]
    pub document: Value,
    /// What it replaces is kept as a version, however young the last one is.
    pub keep: bool,
}

/// What a document was before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
pub struct CanvasVersion {
    /// When it was saved, in milliseconds since 1970. It names the version.
    #[ts(type = "number")]
    pub saved_millis: i64,
    /// Nodes in it.
    pub nodes: u32,
}

fn invalid(message: impl Into<Said>) -> AppError {
    AppError::new(ErrorCode::InvalidRequest, message)
}

fn gone(id: &str) -> AppError {
    invalid(said!("canvas.none", "There is no graph `{id}`.", id = id))
        .hint("It may have been removed; open another, or begin a new one.")
}

fn parse(json: &str) -> Result<Value, AppError> {
    serde_json::from_str(json).map_err(explain::internal)
}

fn count_nodes(json: &str) -> u32 {
    let document: Value = serde_json::from_str(json).unwrap_or_default();
    let nodes = document["graph"]["nodes"].as_array().map_or(0, Vec::len);
    u32::try_from(nodes).unwrap_or(u32::MAX)
}

impl From<&GraphRow> for CanvasEntry {
    fn from(row: &GraphRow) -> Self {
        Self {
            id: row.id.clone(),
            name: row.name.clone(),
            nodes: count_nodes(&row.document),
            changed_millis: row.changed_millis,
        }
    }
}

impl App {
    /// Every operation that a node can have.
    pub fn node_kinds(&self) -> Vec<NodeKind> {
        graph::kinds()
    }

    /// Everything that keeps a graph from running, each fault with its place; none where it can.
    /// The document may be unfinished in any way.
    pub fn check_graph(&self, document: &Value) -> Vec<Fault> {
        graph::faults(document)
    }

    /// All documents, the one that was changed last first.
    ///
    /// # Errors
    /// The database refuses.
    pub fn canvas_graphs(&self) -> Result<Vec<CanvasEntry>, AppError> {
        let rows = self.store.graphs().map_err(explain::store)?;
        Ok(rows.iter().map(CanvasEntry::from).collect())
    }

    /// A document.
    ///
    /// # Errors
    /// There is none of this id.
    pub fn canvas_graph(&self, id: &str) -> Result<CanvasGraph, AppError> {
        let found = self.store.graph(id).map_err(explain::store)?;
        let row = found.ok_or_else(|| gone(id))?;
        Ok(CanvasGraph {
            document: parse(&row.document)?,
            id: row.id,
            name: row.name,
            changed_millis: row.changed_millis,
        })
    }

    /// Saves a document as it is, and keeps what it replaces from time to time.
    ///
    /// # Errors
    /// It is no object with a `graph`, or larger than a graph may be; or the database refuses, and
    /// then what was saved before is still there.
    pub fn save_canvas(&self, save: &CanvasSave) -> Result<CanvasEntry, AppError> {
        if !save.document["graph"].is_object() {
            return Err(invalid("A document of the canvas needs a `graph`."));
        }
        let name = save.name.trim();
        if name.is_empty() || name.len() > MAX_NAME {
            return Err(invalid(said!(
                "canvas.name",
                "The name of a graph has 1 to {most} bytes.",
                most = MAX_NAME
            )));
        }
        let json = serde_json::to_string(&save.document).map_err(explain::internal)?;
        if json.len() > 2 * MAX_DOCUMENT_BYTES {
            return Err(invalid(said!(
                "canvas.too_large",
                "The graph has {bytes} bytes; {most} are the limit.",
                bytes = json.len(),
                most = 2 * MAX_DOCUMENT_BYTES
            ))
            .hint("Shorten texts and comments, or make two graphs of it."));
        }
        let id = save.id.clone().unwrap_or_else(fresh_name);
        let now = now_millis();
        let keep = KeepVersions {
            apart_millis: if save.keep { 0 } else { VERSIONS_APART_MILLIS },
            most: MOST_VERSIONS,
        };
        self.store
            .save_graph(&id, name, &json, now, keep)
            .map_err(explain::store)?;
        Ok(CanvasEntry {
            id,
            name: name.to_owned(),
            nodes: count_nodes(&json),
            changed_millis: now,
        })
    }

    /// Removes a document with its versions.
    ///
    /// # Errors
    /// There is none of this id.
    pub fn remove_canvas(&self, id: &str) -> Result<(), AppError> {
        match self.store.remove_graph(id).map_err(explain::store)? {
            true => Ok(()),
            false => Err(gone(id)),
        }
    }

    /// What a document was before, the newest first.
    ///
    /// # Errors
    /// The database refuses.
    pub fn canvas_versions(&self, id: &str) -> Result<Vec<CanvasVersion>, AppError> {
        let versions = self.store.graph_versions(id).map_err(explain::store)?;
        let version = |(saved_millis, json): (i64, String)| CanvasVersion {
            saved_millis,
            nodes: count_nodes(&json),
        };
        Ok(versions.into_iter().map(version).collect())
    }

    /// A document as it was at one of its versions.
    ///
    /// # Errors
    /// There is no such version any more.
    pub fn canvas_version(&self, id: &str, saved_millis: i64) -> Result<Value, AppError> {
        let versions = self.store.graph_versions(id).map_err(explain::store)?;
        let found = versions.into_iter().find(|(at, _)| *at == saved_millis);
        let (_, json) = found.ok_or_else(|| {
            invalid(said!(
                "canvas.version",
                "This version of the graph is no longer kept."
            ))
            .hint("Choose another one of the list.")
        })?;
        parse(&json)
    }

    /// What "enlarge this" would submit, as a graph to go on from. Nothing is stored.
    ///
    /// # Errors
    /// As [`App::plan_upscale`].
    pub fn upscale_as_graph(&self, request: &UpscaleRequest) -> Result<JobSpec, AppError> {
        let (mut spec, ..) = self.prepare(request)?;
        let info = self.probe(&spec.input).ok();
        make_upright(&mut spec, info.as_ref());
        Ok(spec)
    }

    /// What a job did, as a graph to go on from.
    ///
    /// # Errors
    /// There is no such job.
    pub fn job_as_graph(&self, id: &JobId) -> Result<JobSpec, AppError> {
        let mut spec = self.job(id)?.spec;
        // A source that is gone is named when the graph is run; what was done can be shown.
        let info = self.probe(&spec.input).ok();
        make_upright(&mut spec, info.as_ref());
        Ok(spec)
    }
}

/// Sizes of a clip that is enlarged are those of its coded picture; on the canvas they are those
/// that a player shows.
fn make_upright(spec: &mut JobSpec, info: Option<&MediaInfo>) {
    let video = info
        .filter(|info| info.kind == MediaKind::Video)
        .and_then(MediaInfo::main_video)
        .map(|(_, video)| video);
    let turned = video.is_some_and(|video| video.rotation_degrees.rem_euclid(180) == 90);
    if !spec.upright && turned {
        swap_sides(&mut spec.graph);
    }
    spec.upright = true;
}

fn swap_sides(graph: &mut Graph) {
    for node in &mut graph.nodes {
        if let Op::Resize(size) = &mut node.op {
            std::mem::swap(&mut size.width, &mut size.height);
        }
    }
}
