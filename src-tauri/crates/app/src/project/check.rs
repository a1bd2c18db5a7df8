//! Whether a locked project still makes what it made: its frames are rendered again, and whatever
//! differs is named.

use super::contents::{Project, ProjectSettings};
use super::lock::{LOCK_VERSION, Lock, PlanFacts, exactly, graph_of, processor};
use super::sources::{ProjectSource, SourceState};
use super::{ProjectStep, Watch, invalid, read};
use crate::receipt::{Finding, Verdict, absent, compared};
use crate::{App, explain};
use frameloom_core::error::{AppError, ErrorCode};
use frameloom_core::receipt::ProgramPrint;
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
    pub findings: Vec<Finding>,
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
            return Err(invalid(
                "The project is not locked, so there is nothing to hold it against.",
            )
            .hint("Lock it first: `frameloom project lock PROJECT`."));
        };
        if lock.version != LOCK_VERSION {
            return Err(AppError::new(
                ErrorCode::ProgramChanged,
                "The lock of this project was made by another version of Frameloom.",
            )
            .hint("Install the newest Frameloom, or lock the project again."));
        }
        let sources = self.project_sources(&path, &project)?;
        let mut findings = self.compare_files(&project, lock, &sources, watch)?;
        findings.extend(self.compare_models(&project, lock));
        findings.push(compare_graphs(&lock.graph, &graph_of(&project)));
        findings.push(compare_settings(&lock.settings, &project.settings));
        let made_of_the_same = findings.iter().all(|f| f.verdict == Verdict::Same);
        let work = self.render_folder()?;
        let with_model = lock.program.onnxruntime.is_some();
        let here = self.program_apart(with_model, work.path(), watch)?;
        findings.extend(compare_programs(&lock.program, &here));
        findings.push(told("processor", &lock.processor, &processor()));
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
    ) -> Result<Vec<Finding>, AppError> {
        let mut findings = Vec::new();
        for (media, source) in project.media.iter().zip(sources) {
            let (what, name) = (what(&media.role), &source.name);
            let Some(locked) = lock.files.iter().find(|file| file.role == media.role) else {
                let says = format!("{name} came in after the project was locked");
                findings.push(compared(&what, false, String::new(), says));
                continue;
            };
            let path = source.path.as_deref().unwrap_or(Path::new(""));
            if source.state == SourceState::Missing {
                findings.push(absent(&what, format!("{name} is not there")));
                continue;
            }
            let found = self.hash_source(path, media.pictures, media.size_bytes, watch)?;
            findings.push(compared(
                &what,
                found == locked.sha256,
                format!("{name} is what it was"),
                format!("{name} is another file now"),
            ));
        }
        for locked in &lock.files {
            if !project.media.iter().any(|media| media.role == locked.role) {
                let says = "it was taken out after the project was locked".to_owned();
                findings.push(compared(&what(&locked.role), false, String::new(), says));
            }
        }
        Ok(findings)
    }

    fn compare_models(&self, project: &Project, lock: &Lock) -> Vec<Finding> {
        let ids: BTreeSet<&String> = lock
            .models
            .iter()
            .chain(&project.models)
            .map(|m| &m.id)
            .collect();
        let findings = ids.into_iter().map(|id| {
            let what = format!("model {id}");
            let locked = lock.models.iter().find(|model| model.id == *id);
            if !project.models.iter().any(|model| model.id == *id) {
                let says = "it was taken out after the project was locked".to_owned();
                return compared(&what, false, String::new(), says);
            }
            let Some(locked) = locked else {
                let says = "it came in after the project was locked".to_owned();
                return compared(&what, false, String::new(), says);
            };
            // Its weights are held against their hash when it is opened.
            match self.models.load(id) {
                Ok(found) => compared(
                    &what,
                    found.manifest.sha256 == locked.sha256,
                    "its weights are those of then".to_owned(),
                    "its weights are others now".to_owned(),
                ),
                Err(error) => match explain::engine(&error).code {
                    ErrorCode::ModelNotFound => absent(&what, "it is not installed".to_owned()),
                    _ => {
                        let says = explain::engine(&error).message;
                        compared(&what, false, String::new(), says)
                    }
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
    ) -> Result<Vec<Finding>, AppError> {
        let planned =
            exactly(project, sources, work).and_then(|request| self.prepare_graph(&request));
        let (spec, plan) = match planned {
            Ok(planned) => planned,
            Err(error) => return Ok(not_rendered(lock, &error)),
        };
        let mut findings = Vec::new();
        let facts = PlanFacts::of(&plan);
        if facts != lock.plan {
            findings.push(compared(
                "plan",
                false,
                String::new(),
                plan_says(&lock.plan, &facts),
            ));
        }
        let total = lock.samples.len() as u64;
        for (done, sample) in (0..).zip(&lock.samples) {
            watch.tell(ProjectStep::Rendering, "", done, total);
            let found = match self.render_frames(&spec, &plan, &sample.mark, work, watch) {
                Ok(found) => found,
                Err(error) if error.code == ErrorCode::Cancelled => return Err(error),
                Err(error) => {
                    for frame in &sample.frames {
                        let says = format!("it cannot be rendered any more: {}", error.message);
                        findings.push(compared(
                            &frame_at(frame.at_micros, lock),
                            false,
                            String::new(),
                            says,
                        ));
                    }
                    continue;
                }
            };
            for (place, frame) in sample.frames.iter().enumerate() {
                let what = frame_at(frame.at_micros, lock);
                findings.push(match found.get(place) {
                    Some(other) if other.at_micros != frame.at_micros => compared(
                        &what,
                        false,
                        String::new(),
                        format!("it is shown at {} now", seconds(other.at_micros)),
                    ),
                    Some(other) => compared(
                        &what,
                        other.sha256 == frame.sha256,
                        "every sample is the same".to_owned(),
                        "it is another picture".to_owned(),
                    ),
                    None => compared(
                        &what,
                        false,
                        String::new(),
                        "it is not made any more".to_owned(),
                    ),
                });
            }
        }
        watch.tell(ProjectStep::Rendering, "", total, total);
        Ok(findings)
    }
}

/// `input main` for `input:main`, `file look.lut` for what a node names.
fn what(role: &str) -> String {
    match role.split_once(':') {
        Some(("input", name)) => format!("input {name}"),
        Some((_, rest)) => format!("file {}", rest.replace(':', ".")),
        None => role.to_owned(),
    }
}

fn seconds(micros: i64) -> String {
    format!("{:.3} s", micros as f64 / 1e6)
}

fn frame_at(micros: i64, lock: &Lock) -> String {
    match lock.plan.encoder {
        Some(_) => format!("frame {}", seconds(micros)),
        None => "picture".to_owned(),
    }
}

fn not_rendered(lock: &Lock, error: &AppError) -> Vec<Finding> {
    let frames = lock.samples.iter().flat_map(|sample| &sample.frames);
    let findings = frames.map(|frame| {
        let says = format!("it was not rendered: {}", error.message);
        absent(&frame_at(frame.at_micros, lock), says)
    });
    findings.collect()
}

/// Something that is told and does not count by itself.
fn told(what: &str, then: &str, now: &str) -> Finding {
    compared(
        what,
        then == now,
        now.to_owned(),
        format!("{then} then, {now} now"),
    )
}

fn compare_programs(then: &ProgramPrint, now: &ProgramPrint) -> Vec<Finding> {
    let none = "none";
    let mut findings = vec![
        told("frameloom", &then.version, &now.version),
        told("system", &then.system, &now.system),
    ];
    if then.onnxruntime.is_some() {
        let version =
            |program: &ProgramPrint| program.onnxruntime.clone().unwrap_or(none.to_owned());
        findings.push(told("onnxruntime", &version(then), &version(now)));
    }
    for (library, version) in &then.ffmpeg {
        let here = now.ffmpeg.iter().find(|(name, _)| name == library);
        let here = here.map_or(none, |(_, version)| version);
        findings.push(told(library, version, here));
    }
    findings
}

fn plan_says(then: &PlanFacts, now: &PlanFacts) -> String {
    let size = |(width, height): (u32, u32)| format!("{width} x {height}");
    let mut says = Vec::new();
    if then.input_size != now.input_size {
        says.push(format!(
            "source {} then, {} now",
            size(then.input_size),
            size(now.input_size)
        ));
    }
    if then.output_size != now.output_size {
        says.push(format!(
            "result {} then, {} now",
            size(then.output_size),
            size(now.output_size)
        ));
    }
    if then.frames != now.frames {
        let count = |frames: Option<u64>| frames.map_or("unknown".to_owned(), |n| n.to_string());
        says.push(format!(
            "{} frames then, {} now",
            count(then.frames),
            count(now.frames)
        ));
    }
    if then.encoder != now.encoder {
        let name = |facts: &PlanFacts| {
            let encoder = facts.encoder.as_ref();
            encoder.map_or("none".to_owned(), |(name, parameters)| {
                let parameters = parameters
                    .iter()
                    .map(|(key, value)| format!("{key}={value}"));
                [name.clone()]
                    .into_iter()
                    .chain(parameters)
                    .collect::<Vec<_>>()
                    .join(" ")
            })
        };
        says.push(format!("encoder {} then, {} now", name(then), name(now)));
    }
    if says.is_empty() {
        says.push("segments of another length".to_owned());
    }
    says.join("; ")
}

/// A value as it is shown, never longer than a line.
fn shown(value: &Value) -> String {
    let mut text = match value {
        Value::String(text) => text.clone(),
        Value::Null => "nothing".to_owned(),
        other => other.to_string(),
    };
    if text.chars().count() > SHOWN {
        text = text.chars().take(SHOWN).chain(['…']).collect();
    }
    text
}

/// The fields that differ between two objects.
fn differences(then: &Value, now: &Value) -> Vec<String> {
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
        (was != is).then(|| format!("{key} {} then, {} now", shown(&was), shown(&is)))
    });
    differing.collect()
}

fn compare_graphs(then: &Value, now: &Value) -> Finding {
    let nodes = |graph: &Value| -> BTreeMap<String, Value> {
        let nodes = graph["nodes"].as_array().cloned().unwrap_or_default();
        let nodes = nodes.into_iter();
        nodes
            .map(|node| (node["id"].as_str().unwrap_or_default().to_owned(), node))
            .collect()
    };
    let (old, new) = (nodes(then), nodes(now));
    let ids: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    let mut says = Vec::new();
    for id in ids {
        match (old.get(id), new.get(id)) {
            (Some(_), None) => says.push(format!("the node `{id}` is gone")),
            (None, Some(_)) => says.push(format!("the node `{id}` is new")),
            (Some(was), Some(is)) if was["op"] != is["op"] => {
                let (was, is) = (shown(&was["op"]), shown(&is["op"]));
                says.push(format!("the node `{id}`: {was} then, {is} now"));
            }
            (Some(was), Some(is)) => {
                let found = differences(&was["params"], &is["params"]);
                says.extend(
                    found
                        .into_iter()
                        .map(|what| format!("the node `{id}`: {what}")),
                );
            }
            (None, None) => {}
        }
    }
    if then["edges"] != now["edges"] {
        says.push("the wires are others".to_owned());
    }
    let same = says.is_empty();
    compared(
        "graph",
        same,
        "nodes and wires are those of then".to_owned(),
        says.join("; "),
    )
}

fn compare_settings(then: &ProjectSettings, now: &ProjectSettings) -> Finding {
    let value = |settings: &ProjectSettings| serde_json::to_value(settings).unwrap_or_default();
    let says = differences(&value(then), &value(now));
    let same = says.is_empty();
    compared(
        "settings",
        same,
        "they are those of then".to_owned(),
        says.join("; "),
    )
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
