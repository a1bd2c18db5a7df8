//! What a project holds, between its file and those who work with it.
//!
//! In the file every path is in the table of media alone: the document and the graph have empty texts
//! there, so that a project that is given away tells of no folder but where it must.

use super::files::{absolute, name_of, place, place_below};
use super::lock::Lock;
use super::sources::{Media, ProjectSource};
use crate::{ComputeWish, PicturesRequest};
use frameloom_core::job::{Device, Quality, TrackChoice, VideoCodec};
use frameloom_core::receipt::{ModelPrint, ProgramPrint};
use frameloom_engine::execute::real_place;
use frameloom_store::project::{MediaRow, ProjectFile};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use ts_rs::TS;

/// Parameters that name a file, by the operation that has them.
const FILE_PARAMETERS: &[(&str, &str)] = &[
    ("color", "lut"),
    ("onnx", "path"),
    ("text", "file"),
    ("subtitles", "file"),
];
/// Parameters that name a model of the program.
const MODEL_PARAMETERS: &[(&str, &str)] = &[("upscale", "model"), ("denoise", "model")];

/// How the result of a project is made.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, TS)]
#[serde(default)]
pub struct ProjectSettings {
    /// Name of the result below the project's folder, with `/` between folders.
    pub output: Option<String>,
    /// Codec of a video; the best for the container where `None`.
    pub codec: Option<VideoCodec>,
    /// Quality in a word.
    pub quality: Quality,
    /// What of the source is left out.
    #[ts(type = "Array<string>")]
    pub drop: Vec<TrackChoice>,
    /// Where to compute.
    pub device: Device,
    /// How to compute.
    pub compute: ComputeWish,
    /// How inputs are read that are numbered pictures.
    pub pictures: PicturesRequest,
    /// It is for commercial work: models whose licence forbids that are refused.
    #[serde(default)]
    pub commercial: bool,
}

/// A project as it is in its file.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Project {
    pub id: String,
    pub title: String,
    pub saved_millis: i64,
    pub program: ProgramPrint,
    /// What the canvas draws, without `run` and without paths.
    pub document: Value,
    /// What is run of it.
    pub graph: Option<Value>,
    pub settings: ProjectSettings,
    pub lock: Option<Lock>,
    pub media: Vec<Media>,
    pub models: Vec<ModelPrint>,
    /// The file that it is a later state of, in a recovery copy.
    pub origin: Option<PathBuf>,
}

/// True for what can be the id of a project.
pub(super) fn is_id(id: &str) -> bool {
    let plain = |sign: char| sign.is_ascii_alphanumeric() || sign == '-';
    (1..=64).contains(&id.len()) && id.chars().all(plain)
}

/// Longest title, in bytes.
pub(super) const MAX_TITLE: usize = 200;

/// A title as it can be shown in a line, whoever wrote it: no signs that steer a terminal, and not
/// longer than a title is.
fn shown_title(title: &str) -> String {
    let mut shown: String = title
        .chars()
        .map(|sign| if sign.is_control() { ' ' } else { sign })
        .collect();
    shown.truncate(shown.floor_char_boundary(MAX_TITLE));
    shown.trim().to_owned()
}

/// JSON that is no deeper than its reader stands.
fn parse<T: DeserializeOwned>(what: &str, json: &str) -> Result<T, String> {
    serde_json::from_str(json).map_err(|error| format!("its {what} cannot be read: {error}"))
}

fn text<T: Serialize>(value: &T) -> String {
    // Of types that are all text and numbers: there is nothing that JSON could not hold.
    serde_json::to_string(value).unwrap_or_default()
}

/// A lock that asks for no more than one that this program makes.
pub(super) fn lock_of(json: &str) -> Result<Lock, String> {
    let lock: Lock = parse("lock", json)?;
    lock.check()?;
    Ok(lock)
}

impl Project {
    /// Takes a file's texts apart; the reason where one of them is not what it should be.
    pub(super) fn of_file(file: ProjectFile) -> Result<Self, String> {
        let mut facts = file.facts;
        let mut fact = |name: &str| facts.remove(name);
        let mut needed = |name: &str| fact(name).ok_or_else(|| format!("it lacks its {name}"));
        let id = needed("id")?;
        if !is_id(&id) {
            return Err("its id is none".to_owned());
        }
        let document: Value = parse("document", &needed("document")?)?;
        if !document["graph"].is_object() {
            return Err("its document has no graph".to_owned());
        }
        let saved = needed("saved_millis")?;
        let project = Self {
            title: shown_title(&needed("title")?),
            saved_millis: parse("time", &saved)?,
            program: parse("program", &needed("program")?)?,
            settings: parse("settings", &needed("settings")?)?,
            graph: fact("graph")
                .map(|json| parse("graph", &json))
                .transpose()?,
            lock: fact("lock").map(|json| lock_of(&json)).transpose()?,
            origin: fact("origin").map(PathBuf::from),
            media: file
                .media
                .into_iter()
                .map(media)
                .collect::<Result<_, _>>()?,
            models: file
                .models
                .into_iter()
                .map(|(id, sha256)| ModelPrint {
                    id,
                    sha256,
                    licence: None,
                })
                .collect(),
            id,
            document,
        };
        Ok(project)
    }

    pub(super) fn to_file(&self) -> ProjectFile {
        let mut facts = BTreeMap::from([
            ("id".to_owned(), self.id.clone()),
            ("title".to_owned(), self.title.clone()),
            ("saved_millis".to_owned(), self.saved_millis.to_string()),
            ("program".to_owned(), text(&self.program)),
            ("document".to_owned(), text(&self.document)),
            ("settings".to_owned(), text(&self.settings)),
        ]);
        if let Some(graph) = &self.graph {
            facts.insert("graph".to_owned(), text(graph));
        }
        if let Some(lock) = &self.lock {
            facts.insert("lock".to_owned(), text(lock));
        }
        if let Some(origin) = self.origin.as_deref().and_then(Path::to_str) {
            facts.insert("origin".to_owned(), origin.to_owned());
        }
        let rows = self.media.iter().map(|media| MediaRow {
            role: media.role.clone(),
            relative: media.relative.clone(),
            absolute: media.absolute.clone(),
            pictures: media.pictures.as_ref().map(text),
            size_bytes: media.size_bytes,
            modified_millis: media.modified_millis,
            sha256: media.sha256.clone(),
            summary: text(&media.summary),
        });
        ProjectFile {
            facts,
            media: rows.collect(),
            models: self
                .models
                .iter()
                .map(|model| (model.id.clone(), model.sha256.clone()))
                .collect(),
        }
    }

    /// What of it a user can change: two projects with the same are the same, whenever they were saved.
    pub(super) fn drawn(&self) -> (&Value, &ProjectSettings, &str, Vec<(&str, &str)>) {
        let media = self.media.iter();
        let media = media.map(|media| (media.role.as_str(), media.place()));
        (&self.document, &self.settings, &self.title, media.collect())
    }
}

fn media(row: MediaRow) -> Result<Media, String> {
    let known = row.role.starts_with("input:") || row.role.starts_with("node:");
    if !known {
        return Err("a file of it has no known role".to_owned());
    }
    Ok(Media {
        role: row.role,
        relative: row.relative,
        absolute: row.absolute,
        pictures: row
            .pictures
            .map(|json| parse("pictures", &json))
            .transpose()?,
        size_bytes: row.size_bytes,
        modified_millis: row.modified_millis,
        sha256: row.sha256,
        summary: parse("summary", &row.summary)?,
    })
}

/// A document of the window, taken apart for a file.
pub(super) struct Split {
    pub document: Value,
    pub graph: Option<Value>,
    pub settings: ProjectSettings,
    /// Every file that takes part, by its role.
    pub paths: BTreeMap<String, PathBuf>,
    /// Ids of models.
    pub models: BTreeSet<String>,
}

/// What a document says of its run.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Run {
    inputs: BTreeMap<String, String>,
    output: Option<String>,
    codec: Option<VideoCodec>,
    quality: Quality,
    drop: Vec<TrackChoice>,
    device: Device,
    compute: ComputeWish,
    pictures: PicturesRequest,
    commercial: bool,
}

/// Takes a document apart. `folder` is that of the project.
pub(super) fn split(mut document: Value, graph: Option<Value>, folder: &Path) -> Split {
    let run = document
        .as_object_mut()
        .and_then(|object| object.remove("run"))
        .and_then(|run| serde_json::from_value::<Run>(run).ok())
        .unwrap_or_default();
    let mut paths: BTreeMap<String, PathBuf> = run
        .inputs
        .into_iter()
        .filter(|(_, path)| !path.is_empty())
        .map(|(name, path)| (format!("input:{name}"), PathBuf::from(path)))
        .collect();
    let mut models = BTreeSet::new();
    let mut graph = graph;
    for graph in document.get_mut("graph").into_iter().chain(&mut graph) {
        each_parameter(graph, FILE_PARAMETERS, &mut |role, value| {
            if let Some(path) = value.as_str().filter(|path| !path.is_empty()) {
                paths.insert(role, PathBuf::from(path));
                *value = Value::String(String::new());
            }
        });
        each_parameter(graph, MODEL_PARAMETERS, &mut |_, value| {
            models.extend(value.as_str().map(str::to_owned));
        });
    }
    let output = run
        .output
        .map(PathBuf::from)
        .filter(|path| !path.as_os_str().is_empty());
    let settings = ProjectSettings {
        output: output.map(|output| {
            let below = super::files::relative(folder, &output);
            let below = below.filter(|below| place_below(folder, below).is_some());
            below.unwrap_or_else(|| name_of(&output))
        }),
        codec: run.codec,
        quality: run.quality,
        drop: run.drop,
        device: run.device,
        compute: run.compute,
        pictures: run.pictures,
        commercial: run.commercial,
    };
    Split {
        document,
        graph,
        settings,
        paths,
        models,
    }
}

/// Calls `each` with the parameters of a graph that `which` names, however unfinished the graph is.
fn each_parameter(
    graph: &mut Value,
    which: &[(&str, &str)],
    each: &mut dyn FnMut(String, &mut Value),
) {
    let nodes = graph.get_mut("nodes").and_then(Value::as_array_mut);
    for node in nodes.into_iter().flatten() {
        let id = node["id"].as_str().unwrap_or_default().to_owned();
        let op = node["op"].as_str().unwrap_or_default().to_owned();
        for (_, parameter) in which.iter().filter(|(of, _)| *of == op) {
            let params = node.get_mut("params").and_then(Value::as_object_mut);
            if let Some(value) = params.and_then(|params| params.get_mut(*parameter)) {
                each(format!("node:{id}:{parameter}"), value);
            }
        }
    }
}

/// Puts paths back into a graph.
pub(super) fn fill_graph(graph: &mut Value, paths: &BTreeMap<&str, &Path>) {
    each_parameter(graph, FILE_PARAMETERS, &mut |role, value| {
        if let Some(path) = paths.get(role.as_str()) {
            *value = json!(path);
        }
    });
}

/// Where the files of a project are, by their roles; one that is missing is where it was last.
pub(super) fn paths_of(sources: &[ProjectSource]) -> BTreeMap<&str, &Path> {
    let paths = sources.iter();
    let paths = paths.filter_map(|source| Some((source.role.as_str(), source.path.as_deref()?)));
    paths.collect()
}

/// The place of the result; `None` where there is none, or a link leads it out of the project's
/// folder, where a project has no say.
pub(super) fn output_of(settings: &ProjectSettings, project: &Path) -> Option<PathBuf> {
    let folder = project.parent()?;
    let place = place_below(folder, settings.output.as_deref()?)?;
    let home = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
    // A link in the place of the result itself is a name that is taken.
    real_place(&place).starts_with(home).then_some(place)
}

/// The document of a project as the window works with it.
pub(super) fn filled(project: &Project, path: &Path, sources: &[ProjectSource]) -> Value {
    let mut document = project.document.clone();
    let paths = paths_of(sources);
    if let Some(graph) = document.get_mut("graph") {
        fill_graph(graph, &paths);
    }
    let inputs: Map<String, Value> = paths
        .iter()
        .filter_map(|(role, path)| Some((role.strip_prefix("input:")?.to_owned(), json!(path))))
        .collect();
    let settings = &project.settings;
    document["run"] = json!({
        "inputs": inputs,
        "output": output_of(settings, path),
        "codec": settings.codec,
        "quality": settings.quality,
        "drop": settings.drop,
        "device": settings.device,
        "compute": settings.compute,
        "pictures": settings.pictures,
        "overwrite": false,
        "commercial": settings.commercial,
    });
    document
}

/// Where a file of a project may be: below or beside its folder, then where it was on the machine that
/// saved it.
pub(super) fn candidates(media: &Media, project: &Path) -> Vec<PathBuf> {
    let folder = project.parent().unwrap_or(Path::new("/"));
    let near = media.relative.as_deref();
    let near = near.and_then(|relative| place(folder, relative));
    let mut found: Vec<PathBuf> = near.into_iter().collect();
    found.extend(absolute(&media.absolute));
    found.dedup();
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_leave_the_document_for_the_table_and_come_back() {
        let folder = Path::new("/home/mai/film");
        let graph = json!({"version": 2, "edges": [], "nodes": [
            {"id": "look", "op": "color", "params": {"lut": "/home/mai/film/look.cube"}},
            {"id": "up", "op": "upscale", "params": {"model": "loom-x2"}},
            {"id": "half done", "op": "text"},
        ]});
        let document = json!({"version": 1, "graph": graph, "run": {
            "inputs": {"main": "/home/mai/a.mp4", "logo": ""},
            "output": "/home/mai/film/out/b.mp4", "quality": "archive", "overwrite": true,
        }});
        let found = split(document, Some(graph), folder);
        let text = found.document.to_string() + &found.graph.unwrap().to_string();
        assert!(!text.contains("mai"), "{text}");
        assert_eq!(found.settings.output.as_deref(), Some("out/b.mp4"));
        assert_eq!(found.settings.quality, Quality::Archive);
        let roles: Vec<_> = found.paths.keys().collect();
        assert_eq!(roles, ["input:main", "node:look:lut"]);
        assert_eq!(found.models.iter().collect::<Vec<_>>(), ["loom-x2"]);
    }

    #[test]
    fn a_result_outside_of_the_projects_folder_comes_beside_it() {
        let document = |output: &str| json!({"graph": {}, "run": {"output": output}});
        let name = |output: &str| {
            split(document(output), None, Path::new("/p"))
                .settings
                .output
        };
        assert_eq!(name("/other/x.mp4").as_deref(), Some("x.mp4"));
        assert_eq!(name("/p/x.mp4").as_deref(), Some("x.mp4"));
        let settings = ProjectSettings {
            output: Some("../../.bashrc".to_owned()),
            ..ProjectSettings::default()
        };
        assert_eq!(output_of(&settings, Path::new("/p/q.frameloom")), None);
    }

    #[cfg(unix)]
    #[test]
    fn a_link_leads_no_result_out_of_the_projects_folder() {
        let folder = tempfile::tempdir().unwrap();
        let (home, other) = (folder.path().join("film"), folder.path().join("other"));
        std::fs::create_dir(&home).unwrap();
        std::fs::create_dir(&other).unwrap();
        std::os::unix::fs::symlink(&other, home.join("out")).unwrap();
        // The folder itself may be reached through a link.
        std::os::unix::fs::symlink(&home, folder.path().join("link")).unwrap();
        let place = |project: &str, output: &str| {
            let settings = ProjectSettings {
                output: Some(output.to_owned()),
                ..ProjectSettings::default()
            };
            output_of(&settings, &folder.path().join(project))
        };
        assert_eq!(place("film/a.frameloom", "out/x.mp4"), None);
        assert_eq!(place("film/a.frameloom", "out/new/x.mp4"), None);
        assert_eq!(
            place("film/a.frameloom", "new/x.mp4"),
            Some(home.join("new/x.mp4"))
        );
        assert_eq!(
            place("link/a.frameloom", "x.mp4"),
            Some(folder.path().join("link/x.mp4"))
        );
    }

    #[test]
    fn a_title_of_a_stranger_is_a_line_that_steers_no_terminal() {
        assert_eq!(shown_title("Ngõ nhỏ"), "Ngõ nhỏ");
        assert_eq!(shown_title(" a\u{1b}[2Jb\r\nc\u{9b}31m "), "a [2Jb  c 31m");
        let long = shown_title(&"é".repeat(5000));
        assert!(long.len() <= MAX_TITLE && long.starts_with('é'));
    }
}
