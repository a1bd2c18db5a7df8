//! `project`, and `verify` of one.

use crate::arguments::{NewProject, Project};
use crate::commands::run::inputs;
use crate::output::{Output, bytes, columns};
use frameloom_app::project::{
    OpenedProject, ProjectFinding, ProjectProgress, ProjectSource, ProjectStep, SourceState, Watch,
};
use frameloom_app::receipt::Verdict;
use frameloom_app::{App, GraphRequest, read_graph};
use frameloom_core::error::{AppError, ErrorCode};
use frameloom_core::job::JobId;
use serde_json::json;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// Nothing stops it but the end of the command: what is half done is not in any file's place.
static NEVER: AtomicBool = AtomicBool::new(false);

/// Progress as JSON lines, or as nothing: a terminal shows what comes out.
fn progress(output: &Output) -> impl Fn(&ProjectProgress) + use<> {
    let output = Output::new(output.is_json());
    move |told| {
        let step = match told.step {
            ProjectStep::Reading => "reading",
            ProjectStep::Copying => "copying",
            ProjectStep::Rendering => "rendering",
        };
        output.line(&json!({
            "event": "progress", "step": step, "name": told.name, "done": told.done, "total": told.total,
        }));
    }
}

pub fn run(app: &Arc<App>, command: &Project, output: &Output) -> Result<ExitCode, AppError> {
    let told = progress(output);
    let watch = Watch::new(&told, &NEVER);
    match command {
        Project::New(new) => {
            let saved = make(app, new, &watch)?;
            output.result(&saved, || format!("Saved as {}.", saved.path.display()));
        }
        Project::Show { project } => {
            let opened = app.open_project(project, &watch)?;
            output.result(&opened, || show(&opened));
        }
        Project::Relink {
            project,
            file,
            anyway,
        } => {
            let Some((role, path)) = file.split_once('=') else {
                return Err(AppError::new(
                    ErrorCode::InvalidRequest,
                    format!("`{file}` does not say which file is where."),
                )
                .hint("Write ROLE=FILE, as in input:main=clip.mp4."));
            };
            let opened =
                app.relink_project(project, role, &PathBuf::from(path), *anyway, &watch)?;
            output.result(&opened, || show(&opened));
        }
        Project::Lock { project } => {
            let locked = app.lock_project(project, &watch)?;
            output.result(&locked, || {
                format!(
                    "Locked. `frameloom verify {}` renders its frames again.",
                    locked.path.display()
                )
            });
        }
        Project::Collect {
            project,
            folder,
            dry_run: true,
        } => {
            let forecast = app.forecast_collect(project, folder)?;
            output.result(&forecast, || {
                let free = forecast.free_bytes.map_or("unknown".to_owned(), bytes);
                let needed = bytes(forecast.bytes);
                format!("{} files, {needed}; {free} are free there.", forecast.files)
            });
        }
        Project::Collect {
            project, folder, ..
        } => {
            let collected = app.collect_project(project, folder, &watch)?;
            output.result(&collected, || {
                let mut text = format!(
                    "Copied {} files, {}: {}\n",
                    collected.files,
                    bytes(collected.bytes),
                    collected.path.display()
                );
                for name in &collected.changed {
                    text.push_str(&format!(
                        "note: `{name}` is another file than when the project was saved\n"
                    ));
                }
                text
            });
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn make(
    app: &Arc<App>,
    new: &NewProject,
    watch: &Watch<'_>,
) -> Result<frameloom_app::project::ProjectSaved, AppError> {
    if let Some(id) = &new.job {
        return app.new_project_of_job(&new.project, &JobId(id.clone()), watch);
    }
    let Some(graph) = &new.graph else {
        return Err(AppError::new(
            ErrorCode::InvalidRequest,
            "A project needs a graph or a job.",
        )
        .hint("Name one: --graph graph.json, or --job ID."));
    };
    let request = GraphRequest {
        graph: read_graph(graph)?,
        inputs: inputs(&new.inputs)?,
        output: match (&new.output, new.project.parent()) {
            // A name alone means the project's folder.
            (Some(output), Some(folder)) if output.is_relative() => folder.join(output),
            (output, _) => output.clone().unwrap_or_default(),
        },
        codec: new.codec.map(Into::into),
        quality: new.quality.into(),
        device: new.device.into(),
        compute: new.computing.wish(),
        overwrite: false,
        drop: new.drop.clone(),
        pictures: new.pictures.into(),
        commercial: new.commercial,
    };
    app.new_project(&new.project, &request, new.title.as_deref(), watch)
}

fn state(state: SourceState) -> &'static str {
    match state {
        SourceState::Same => "same",
        SourceState::Moved => "moved",
        SourceState::Changed => "CHANGED",
        SourceState::Missing => "MISSING",
    }
}

fn source(source: &ProjectSource) -> (String, String) {
    let path = source.path.as_ref();
    let path = path.map_or_else(String::new, |path| path.display().to_string());
    let size = bytes(source.size_bytes);
    let says = format!("{:8} {path}, {size}", state(source.state));
    (source.role.clone(), says)
}

fn show(project: &OpenedProject) -> String {
    let mut rows = vec![("project".to_owned(), project.title.clone())];
    let mut row = |name: &str, value: String| rows.push((name.to_owned(), value));
    row("file", project.path.display().to_string());
    row("saved by", format!("Frameloom {}", project.program));
    let output = project.settings.output.clone();
    row("result", output.unwrap_or_else(|| "not named".to_owned()));
    row(
        "locked",
        if project.locked_millis.is_some() {
            "yes"
        } else {
            "no"
        }
        .to_owned(),
    );
    rows.extend(project.sources.iter().map(source));
    for model in &project.models {
        let name = format!("model {}", model.id);
        rows.push((name, state(model.state).to_owned()));
    }
    let mut text = columns(&rows);
    if project.recovery.is_some() {
        text.push_str("There are changes that were not saved; the window offers them when it opens the project.\n");
    }
    text
}

/// Renders the frames of a lock again.
pub fn verify(app: &Arc<App>, project: &Path, output: &Output) -> Result<ExitCode, AppError> {
    let told = progress(output);
    let found = app.verify_project(project, &Watch::new(&told, &NEVER))?;
    output.result(&found, || {
        let row = |finding: &ProjectFinding| {
            let verdict = match finding.verdict {
                Verdict::Same => "same",
                Verdict::Differs => "DIFFERS",
                Verdict::Absent => "absent",
            };
            (
                finding.what.clone(),
                format!("{verdict:8} {}", finding.says),
            )
        };
        let rows: Vec<_> = found.findings.iter().map(row).collect();
        let verdict = if found.same {
            "This project still makes what it made when it was locked."
        } else {
            "This project does not make what it made when it was locked."
        };
        format!("{}\n{verdict}", columns(&rows))
    });
    Ok(match found.same {
        true => ExitCode::SUCCESS,
        false => ExitCode::from(ErrorCode::VerificationFailed.exit_code()),
    })
}
