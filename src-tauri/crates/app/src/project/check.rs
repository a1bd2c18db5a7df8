//! Whether a locked project still makes what it made: its frames are rendered again, and whatever
//! differs is named.

use super::contents::{Project, ProjectSettings};
use super::finding::{ProjectFinding, Remark, Subject};
use super::lock::{LOCK_VERSION, Lock, PlanFacts, exactly, graph_of, processor};
use super::sources::{ProjectSource, SourceState};
use super::{ProjectStep, Watch, invalid, read};
use crate::receipt::Verdict;
use crate::{App, explain};
use frameloom_core::error::{AppError, ErrorCode};
use frameloom_core::receipt::ProgramPrint;
use frameloom_core::said;
use frameloom_engine::Models;
use serde::Serialize;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use ts_rs::TS;

/// Longest value that is shown of a parameter.
const SHOWN: usize = 60;

/// A project held against its lock.
#[derive(Debug, Clone, PartialEq, Serialize, TS)]
pub struct ProjectVerification {
    /// True if files, models, graph, settings and every frame that was rendered again are the same.
    /// Other versions of programs are told, and count only by what they change.
    pub same: bool,
    /// When it was locked, in milliseconds since 1970.
    #[ts(type = "number")]
    pub locked_millis: i64,
    /// Frames that were rendered again.
    pub rendered: u32,
    /// All that was compared.
    pub findings: Vec<ProjectFinding>,
}

impl App {
    /// Renders the frames of a project's lock again and compares them, and everything that they are
    /// made of.
    ///
    /// # Errors
    /// The project is not locked or cannot be read, or it was stopped. What differs is no error.
    pub fn verify_project(
        &self,
        path: &Path,
        watch: &Watch<'_>,
    ) -> Result<ProjectVerification, AppError> {
        let path = std::path::absolute(path).map_err(|error| explain::unreadable(path, &error))?;
        let project = read(&path)?;
        let Some(lock) = &project.lock else {
            return Err(invalid(said!(
                "project.not_locked",
                "The project is not locked, so there is nothing to hold it against."
            ))
            .hint("Lock it first: `frameloom project lock PROJECT`."));
        };
        if lock.version != LOCK_VERSION {
            return Err(AppError::new(
                ErrorCode::ProgramChanged,
                said!(
                    "project.other_lock",
                    "The lock of this project was made by another version of Frameloom."
                ),
            )
            .hint("Install the newest Frameloom, or lock the project again."));
        }
        let sources = self.project_sources(&path, &project, watch)?;
        let mut findings = self.compare_files(&project, lock, &sources, watch)?;
        findings.extend(self.compare_models(&project, lock));
        findings.push(compare_graphs(&lock.graph, &graph_of(&project)));
        findings.push(compare_settings(&lock.settings, &project.settings));
        let made_of_the_same = findings.iter().all(|f| f.verdict == Verdict::Same);
        let work = self.render_folder()?;
        let with_model = lock.program.onnxruntime.is_some();
        let here = self.program_apart(with_model, work.path(), watch)?;
        findings.extend(compare_programs(&lock.program, &here));
        findings.push(ProjectFinding::values(
            Subject::Processor,
            Some(&lock.processor),
            Some(&processor()),
        ));
        let frames = self.compare_frames(&project, lock, &sources, work.path(), watch)?;
        let rendered = frames
            .iter()
            .filter(|f| f.verdict != Verdict::Absent)
            .count();
        let all = frames
            .iter()
            .all(|finding| finding.verdict == Verdict::Same);
        findings.extend(frames);
        Ok(ProjectVerification {
            same: made_of_the_same && all && rendered > 0,
            locked_millis: lock.locked_millis,
            rendered: u32::try_from(rendered).unwrap_or(u32::MAX),
            findings,
        })
    }

    fn compare_files(
        &self,
        project: &Project,
        lock: &Lock,
        sources: &[ProjectSource],
        watch: &Watch<'_>,
    ) -> Result<Vec<ProjectFinding>, AppError> {
        let mut findings = Vec::new();
        for (media, source) in project.media.iter().zip(sources) {
            let (subject, name) = (subject(&media.role), source.name.clone());
            let Some(locked) = lock.files.iter().find(|file| file.role == media.role) else {
                findings.push(ProjectFinding::differs(subject, Remark::Added));
                continue;
            };
            let path = source.path.as_deref().unwrap_or(Path::new(""));
            if source.state == SourceState::Missing {
                let gone = Remark::FileGone { name };
                findings.push(ProjectFinding::absent(subject, gone));
                continue;
            }
            let found = self.hash_source(path, media.pictures, media.size_bytes, watch)?;
            let same = found == locked.sha256;
            let other = Remark::OtherFile { name };
            findings.push(ProjectFinding::compared(subject, same, other));
        }
        for locked in &lock.files {
            if !project.media.iter().any(|media| media.role == locked.role) {
                let subject = subject(&locked.role);
                findings.push(ProjectFinding::differs(subject, Remark::TakenOut));
            }
        }
        Ok(findings)
    }

    fn compare_models(&self, project: &Project, lock: &Lock) -> Vec<ProjectFinding> {
        let ids: BTreeSet<&String> = lock
            .models
            .iter()
            .chain(&project.models)
            .map(|m| &m.id)
            .collect();
        let findings = ids.into_iter().map(|id| {
            let subject = Subject::Model { id: id.clone() };
            let locked = lock.models.iter().find(|model| model.id == *id);
            if !project.models.iter().any(|model| model.id == *id) {
                return ProjectFinding::differs(subject, Remark::TakenOut);
            }
            let Some(locked) = locked else {
                return ProjectFinding::differs(subject, Remark::Added);
            };
            // Its weights are held against their hash when it is opened.
            match self.models.load(id) {
                Ok(found) => {
                    let same = found.manifest.sha256 == locked.sha256;
                    ProjectFinding::compared(subject, same, Remark::OtherWeights)
                }
                Err(error) => match explain::engine(&error) {
                    error if error.code == ErrorCode::ModelNotFound => {
                        ProjectFinding::absent(subject, Remark::NotInstalled)
                    }
                    error => ProjectFinding::differs(subject, Remark::unusable(error)),
                },
            }
        });
        findings.collect()
    }

    fn compare_frames(
        &self,
        project: &Project,
        lock: &Lock,
        sources: &[ProjectSource],
        work: &Path,
        watch: &Watch<'_>,
    ) -> Result<Vec<ProjectFinding>, AppError> {
        let planned =
            exactly(project, sources, work).and_then(|request| self.prepare_graph(&request));
        let (spec, plan) = match planned {
            Ok(planned) => planned,
            Err(error) => return Ok(not_rendered(lock, &error)),
        };
        let mut findings = Vec::new();
        let facts = PlanFacts::of(&plan);
        if facts != lock.plan {
            let changes = plan_changes(&lock.plan, &facts);
            findings.push(ProjectFinding::changes(Subject::Plan, changes));
        }
        let total = lock.samples.len() as u64;
        for (done, sample) in (0..).zip(&lock.samples) {
            watch.tell(ProjectStep::Rendering, "", done, total);
            let found = match self.render_frames(&spec, &plan, &sample.mark, work, watch) {
                Ok(found) => found,
                Err(error) if error.code == ErrorCode::Cancelled => return Err(error),
                Err(error) => {
                    let why = Remark::unrenderable(error);
                    findings.extend(sample.frames.iter().map(|frame| {
                        ProjectFinding::differs(frame_at(frame.at_micros, lock), why.clone())
                    }));
                    continue;
                }
            };
            for (place, frame) in sample.frames.iter().enumerate() {
                let subject = frame_at(frame.at_micros, lock);
                findings.push(match found.get(place) {
                    Some(other) if other.at_micros != frame.at_micros => {
                        let at_micros = other.at_micros;
                        ProjectFinding::differs(subject, Remark::Moved { at_micros })
                    }
                    Some(other) => {
                        let same = other.sha256 == frame.sha256;
                        ProjectFinding::compared(subject, same, Remark::OtherPicture)
                    }
                    None => ProjectFinding::differs(subject, Remark::NotMade),
                });
            }
        }
        watch.tell(ProjectStep::Rendering, "", total, total);
        Ok(findings)
    }
}

/// `input:main` is a source, `node:look:lut` what a node names.
fn subject(role: &str) -> Subject {
    match role.split_once(':') {
        Some(("input", name)) => Subject::Input {
            name: name.to_owned(),
        },
        Some((_, rest)) => Subject::File {
            name: rest.replace(':', "."),
        },
        None => Subject::File {
            name: role.to_owned(),
        },
    }
}

fn frame_at(at_micros: i64, lock: &Lock) -> Subject {
    match lock.plan.encoder {
        Some(_) => Subject::Frame { at_micros },
        None => Subject::Picture,
    }
}

fn not_rendered(lock: &Lock, error: &AppError) -> Vec<ProjectFinding> {
    let frames = lock.samples.iter().flat_map(|sample| &sample.frames);
    let findings = frames.map(|frame| {
        let subject = frame_at(frame.at_micros, lock);
        ProjectFinding::absent(subject, Remark::not_rendered(error))
    });
    findings.collect()
}

/// Versions are told, and do not count by themselves.
fn compare_programs(then: &ProgramPrint, now: &ProgramPrint) -> Vec<ProjectFinding> {
    let program = |name: &str, then: Option<&str>, now: Option<&str>| {
        let name = name.to_owned();
        ProjectFinding::values(Subject::Program { name }, then, now)
    };
    let mut findings = vec![
        program("frameloom", Some(&then.version), Some(&now.version)),
        ProjectFinding::values(Subject::System, Some(&then.system), Some(&now.system)),
    ];
    if then.onnxruntime.is_some() {
        let (then, now) = (then.onnxruntime.as_deref(), now.onnxruntime.as_deref());
        findings.push(program("onnxruntime", then, now));
    }
    for (library, version) in &then.ffmpeg {
        let here = now.ffmpeg.iter().find(|(name, _)| name == library);
        let here = here.map(|(_, version)| version.as_str());
        findings.push(program(library, Some(version), here));
    }
    findings
}

fn plan_changes(then: &PlanFacts, now: &PlanFacts) -> Vec<Remark> {
    let mut changes = Vec::new();
    if let (Some(then), Some(now)) = (then.input_size, now.input_size)
        && then != now
    {
        changes.push(Remark::SourceSize { then, now });
    }
    if let (Some(then), Some(now)) = (then.output_size, now.output_size)
        && then != now
    {
        changes.push(Remark::ResultSize { then, now });
    }
    if then.frames != now.frames {
        let (then, now) = (then.frames, now.frames);
        changes.push(Remark::FrameCount { then, now });
    }
    if then.encoder != now.encoder {
        let name = |facts: &PlanFacts| {
            facts.encoder.as_ref().map(|(name, parameters)| {
                let parameters = parameters
                    .iter()
                    .map(|(key, value)| format!("{key}={value}"));
                let words: Vec<String> = [name.clone()].into_iter().chain(parameters).collect();
                words.join(" ")
            })
        };
        let (then, now) = (name(then), name(now));
        changes.push(Remark::Encoder { then, now });
    }
    if changes.is_empty() {
        changes.push(Remark::Segments);
    }
    changes
}

/// A value as it is shown, never longer than a line; `None` for nothing.
fn shown(value: &Value) -> Option<String> {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Null => return None,
        other => other.to_string(),
    };
    Some(match text.chars().count() > SHOWN {
        true => text.chars().take(SHOWN).chain(['…']).collect(),
        false => text,
    })
}

/// A field that differs between two objects: its name, and what it was and is.
type Difference = (String, Option<String>, Option<String>);

fn differences(then: &Value, now: &Value) -> Vec<Difference> {
    let empty = serde_json::Map::new();
    let (then, now) = (
        then.as_object().unwrap_or(&empty),
        now.as_object().unwrap_or(&empty),
    );
    let keys: BTreeSet<&String> = then.keys().chain(now.keys()).collect();
    let value = |object: &serde_json::Map<String, Value>, key: &String| {
        object.get(key).cloned().unwrap_or(Value::Null)
    };
    let differing = keys.into_iter().filter_map(|key| {
        let (was, is) = (value(then, key), value(now, key));
        (was != is).then(|| (key.clone(), shown(&was), shown(&is)))
    });
    differing.collect()
}

fn compare_graphs(then: &Value, now: &Value) -> ProjectFinding {
    let nodes = |graph: &Value| -> BTreeMap<String, Value> {
        let nodes = graph["nodes"].as_array().cloned().unwrap_or_default();
        let nodes = nodes.into_iter();
        nodes
            .map(|node| (node["id"].as_str().unwrap_or_default().to_owned(), node))
            .collect()
    };
    let (old, new) = (nodes(then), nodes(now));
    let ids: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    let mut changes = Vec::new();
    for id in ids {
        let node = id.clone();
        match (old.get(id), new.get(id)) {
            (Some(_), None) => changes.push(Remark::NodeGone { node }),
            (None, Some(_)) => changes.push(Remark::NodeNew { node }),
            (Some(was), Some(is)) if was["op"] != is["op"] => {
                let (then, now) = (shown(&was["op"]), shown(&is["op"]));
                let (then, now) = (then.unwrap_or_default(), now.unwrap_or_default());
                changes.push(Remark::NodeKind { node, then, now });
            }
            (Some(was), Some(is)) => {
                let found = differences(&was["params"], &is["params"]);
                changes.extend(
                    found
                        .into_iter()
                        .map(|(name, then, now)| Remark::Parameter {
                            node: node.clone(),
                            name,
                            then,
                            now,
                        }),
                );
            }
            (None, None) => {}
        }
    }
    if then["edges"] != now["edges"] {
        changes.push(Remark::Wires);
    }
    ProjectFinding::changes(Subject::Graph, changes)
}

fn compare_settings(then: &ProjectSettings, now: &ProjectSettings) -> ProjectFinding {
    let value = |settings: &ProjectSettings| serde_json::to_value(settings).unwrap_or_default();
    let changes = differences(&value(then), &value(now)).into_iter();
    let changes = changes.map(|(name, then, now)| Remark::Setting { name, then, now });
    ProjectFinding::changes(Subject::Settings, changes.collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_differs_between_two_graphs_is_named_by_node_and_parameter() {
        let graph = |nodes: Value| json!({"version": 2, "nodes": nodes, "edges": []});
        let then = graph(json!([
            {"id": "size", "op": "resize", "params": {"width": 640, "height": 360}},
            {"id": "up", "op": "upscale", "params": {"model": "loom-x2"}},
        ]));
        assert_eq!(compare_graphs(&then, &then).verdict, Verdict::Same);
        let now = graph(json!([
            {"id": "size", "op": "resize", "params": {"width": 800, "height": 360}},
            {"id": "turn", "op": "flip", "params": {}},
        ]));
        let found = compare_graphs(&then, &now);
        assert_eq!(found.verdict, Verdict::Differs);
        assert_eq!(
            found.says,
            "the node `size`: width 640 then, 800 now; the node `turn` is new; the node `up` is gone"
        );
    }

    #[test]
    fn what_differs_between_settings_is_named() {
        let then = ProjectSettings::default();
        let now = ProjectSettings {
            output: Some("b.mp4".to_owned()),
            ..ProjectSettings::default()
        };
        assert_eq!(
            compare_settings(&then, &now).says,
            "output nothing then, b.mp4 now"
        );
    }
}
