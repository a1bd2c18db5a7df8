//! From a graph or a job to a project, and from a project to a run.

use super::contents::{self, Project, paths_of};
use super::sources::{ProjectSource, SourceState};
use super::{ProjectSave, ProjectSaved, Watch, invalid, read, save};
use crate::request::absolute_input;
use crate::{App, GraphRequest, PicturesRequest, explain};
use frameloom_core::error::{AppError, ErrorCode};
use frameloom_core::graph::Graph;
use frameloom_core::job::JobId;
use frameloom_core::said;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The run of a project.
#[derive(Debug, Clone)]
pub struct ProjectRun {
    /// What is submitted.
    pub request: GraphRequest,
    /// Files that are something else than when the project was saved.
    pub changed: Vec<ProjectSource>,
}

impl App {
    /// A new project of a graph with its files.
    ///
    /// # Errors
    /// There is a file of this name, or it cannot be written.
    pub fn new_project(
        &self,
        path: &Path,
        request: &GraphRequest,
        title: Option<&str>,
        watch: &Watch<'_>,
    ) -> Result<ProjectSaved, AppError> {
        let path = save::with_extension(path)?;
        if path.symlink_metadata().is_ok() {
            return Err(AppError::new(
                ErrorCode::OutputUnwritable,
                said!(
                    "file.there",
                    "There is a file `{path}` already.",
                    path = path.display()
                ),
            )
            .hint("Choose another name, or remove that file first."));
        }
        let inputs: BTreeMap<&String, PathBuf> = request
            .inputs
            .iter()
            .map(|(name, path)| Ok((name, absolute_input(path)?)))
            .collect::<Result<_, AppError>>()?;
        let output = match request.output.file_name() {
            Some(_) => Some(absolute_input(&request.output)?),
            None => None,
        };
        let graph = serde_json::to_value(&request.graph).map_err(explain::internal)?;
        let title = title.map_or_else(
            || {
                let stem = path.file_stem().unwrap_or_default();
                stem.to_string_lossy().into_owned()
            },
            str::to_owned,
        );
        let document = json!({
            "version": 1,
            "graph": graph,
            "run": {
                "inputs": inputs,
                "output": output,
                "codec": request.codec,
                "quality": request.quality,
                "drop": request.drop,
                "device": request.device,
                "compute": request.compute,
                "pictures": request.pictures,
                "commercial": request.commercial,
            },
        });
        let save = ProjectSave {
            path,
            from: None,
            id: None,
            title,
            document,
            graph,
        };
        self.save_project(&save, watch)
    }

    /// A new project of what a job did.
    ///
    /// # Errors
    /// There is no such job; as [`App::new_project`].
    pub fn new_project_of_job(
        &self,
        path: &Path,
        id: &JobId,
        watch: &Watch<'_>,
    ) -> Result<ProjectSaved, AppError> {
        let spec = self.job_as_graph(id)?;
        let main = spec
            .graph
            .layout()
            .map_err(|error| explain::engine(&error.into()))?
            .main_input()
            .to_owned();
        let mut inputs = spec.inputs;
        inputs.insert(main, spec.input);
        let run = spec.pictures.or(spec.input_pictures.into_values().next());
        let request = GraphRequest {
            graph: spec.graph,
            inputs,
            output: spec.output,
            codec: spec.encode.codec,
            quality: spec.encode.quality,
            device: spec.device,
            compute: crate::ComputeWish {
                precision: Some(spec.compute.precision),
                deterministic: spec.compute.deterministic,
                ..crate::ComputeWish::default()
            },
            overwrite: false,
            drop: spec.encode.drop,
            pictures: PicturesRequest {
                rate: run.map(|run| run.rate),
                sequence: false,
            },
            commercial: false,
        };
        self.new_project(path, &request, None, watch)
    }

    /// What running a project would submit. `inputs` go before those of the project, `output` before
    /// its own.
    ///
    /// # Errors
    /// A file is missing, or the project is locked and a file is not what it was; the graph cannot run;
    /// there is no name for the result.
    pub fn project_run(
        &self,
        path: &Path,
        inputs: &BTreeMap<String, PathBuf>,
        output: Option<&Path>,
    ) -> Result<ProjectRun, AppError> {
        let path = std::path::absolute(path).map_err(|error| explain::unreadable(path, &error))?;
        let project = read(&path)?;
        let mut sources = self.project_sources(&path, &project, &Watch::quiet())?;
        for (name, file) in inputs {
            let role = format!("input:{name}");
            let known = sources.iter_mut().find(|source| source.role == role);
            let Some(source) = known else {
                return Err(invalid(said!(
                    "project.no_input",
                    "The project has no input `{name}`.",
                    name = name
                ))
                .hint("`frameloom project show` lists its inputs."));
            };
            source.path = Some(file.clone());
            source.state = SourceState::Same;
        }
        refuse_missing(&sources)?;
        let mut changed = sources.clone();
        changed.retain(|source| source.state == SourceState::Changed);
        if let (Some(_), Some(source)) = (&project.lock, changed.first()) {
            return Err(AppError::new(
                ErrorCode::InputChanged,
                format!(
                    "The project is locked, and `{}` is another file than it was locked with.",
                    source.name
                ),
            )
            .hint("Put the original file back, or lock the project again with what is there."));
        }
        let output = match output {
            Some(output) => output.to_owned(),
            None => contents::output_of(&project.settings, &path).ok_or_else(|| {
                invalid(said!(
                    "project.no_output",
                    "The project names no file for its result."
                ))
                .hint("Name one with --out.")
            })?,
        };
        Ok(ProjectRun {
            request: request_of(&project, &sources, output)?,
            changed,
        })
    }
}

/// Refuses where files are missing, with the names of all of them.
pub(super) fn refuse_missing(sources: &[ProjectSource]) -> Result<(), AppError> {
    let missing = sources.iter();
    let missing = missing.filter(|source| source.state == SourceState::Missing);
    let names: Vec<String> = missing
        .map(|source| format!("`{}` ({})", source.name, source.role))
        .collect();
    if names.is_empty() {
        return Ok(());
    }
    Err(AppError::new(
        ErrorCode::InputNotFound,
        format!(
            "These files of the project are missing: {}.",
            names.join(", ")
        ),
    )
    .hint(
        "Put them back, or say where they are now: `frameloom project relink PROJECT ROLE=FILE`.",
    ))
}

/// The graph of a project with its files, and how it is run.
pub(super) fn request_of(
    project: &Project,
    sources: &[ProjectSource],
    output: PathBuf,
) -> Result<GraphRequest, AppError> {
    let paths = paths_of(sources);
    let inputs = paths
        .iter()
        .filter_map(|(role, path)| {
            Some((role.strip_prefix("input:")?.to_owned(), (*path).to_owned()))
        })
        .collect::<BTreeMap<String, PathBuf>>();
    let mut graph: Value = project
        .graph
        .clone()
        .unwrap_or_else(|| project.document["graph"].clone());
    contents::fill_graph(&mut graph, &paths);
    let graph = Graph::try_from(graph).map_err(|error| explain::engine(&error.into()))?;
    // A source that no wire leads to any more may still be in the project.
    let named: Vec<String> = graph
        .layout()
        .map_err(|error| explain::engine(&error.into()))?
        .inputs()
        .into_iter()
        .map(str::to_owned)
        .collect();
    let settings = &project.settings;
    Ok(GraphRequest {
        inputs: inputs
            .into_iter()
            .filter(|(name, _)| named.contains(name))
            .collect(),
        graph,
        output,
        codec: settings.codec,
        quality: settings.quality,
        device: settings.device.clone(),
        compute: settings.compute,
        overwrite: false,
        drop: settings.drop.clone(),
        pictures: settings.pictures,
        commercial: settings.commercial,
    })
}
