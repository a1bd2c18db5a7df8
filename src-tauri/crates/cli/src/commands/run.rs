use crate::arguments::Run;
use crate::commands::upscale::{about, begin, exit_code, extent, finish, run_job};
use crate::commands::warnings;
use crate::interrupt;
use crate::output::Output;
use frameloom_app::project::is_project;
use frameloom_app::{App, GraphRequest, read_graph};
use frameloom_core::error::{AppError, ErrorCode};
use frameloom_core::graph::SourceParams;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

/// Prints the JSON Schema.
pub fn schema() -> ExitCode {
    // The schema is JSON for people and programs alike.
    Output::new(true).result(&frameloom_core::graph::schema(), String::new);
    ExitCode::SUCCESS
}

/// Names and files of `--in NAME=FILE`. What has no name, or exists as it stands, is the main one.
pub fn inputs(given: &[PathBuf]) -> Result<BTreeMap<String, PathBuf>, AppError> {
    let mut files = BTreeMap::new();
    for text in given {
        let named = text
            .to_str()
            .filter(|_| !text.exists())
            .and_then(|text| text.split_once('='))
            .filter(|(name, _)| {
                !name.is_empty()
                    && name
                        .chars()
                        .all(|c| c.is_alphanumeric() || matches!(c, '-' | '_'))
            });
        let (name, path) = match named {
            Some((name, path)) => (name.to_owned(), PathBuf::from(path)),
            None => (SourceParams::MAIN.to_owned(), text.clone()),
        };
        if files.insert(name.clone(), path).is_some() {
            return Err(AppError::new(
                ErrorCode::InvalidRequest,
                format!("Two files are given for the input `{name}`."),
            )
            .hint("Give each input one file: `--in main=a.mp4 --in logo=b.png`."));
        }
    }
    Ok(files)
}

/// What a project asks for, with what the command line says over it.
fn request_of_project(
    app: &Arc<App>,
    project: &Path,
    arguments: &Run,
    output: &Output,
) -> Result<GraphRequest, AppError> {
    let files = inputs(&arguments.inputs)?;
    let run = app.project_run(project, &files, arguments.output.as_deref())?;
    for source in &run.changed {
        output.notice(&format!(
            "`{}` is another file than when the project was saved.",
            source.name
        ));
    }
    let limits = arguments.making.computing.wish();
    let mut request = run.request;
    request.overwrite = arguments.making.overwrite;
    request.commercial |= arguments.commercial;
    request.compute.threads = limits.threads.or(request.compute.threads);
    request.compute.priority = limits.priority.or(request.compute.priority);
    Ok(request)
}

fn request_of_graph(graph: &Path, arguments: &Run) -> Result<GraphRequest, AppError> {
    let missing = |what: &str, option: &str| {
        AppError::new(ErrorCode::InvalidRequest, format!("A graph needs {what}."))
            .hint(format!("Name it with {option}."))
    };
    let Some(target) = &arguments.output else {
        return Err(missing("a file for its result", "--out FILE"));
    };
    if arguments.inputs.is_empty() {
        return Err(missing("a source", "--in FILE"));
    }
    Ok(GraphRequest {
        graph: read_graph(graph)?,
        inputs: inputs(&arguments.inputs)?,
        output: target.clone(),
        codec: arguments.making.codec.map(Into::into),
        quality: arguments.making.quality.into(),
        device: arguments.making.device.into(),
        compute: arguments.making.computing.wish(),
        overwrite: arguments.making.overwrite,
        drop: arguments.making.drop.clone(),
        pictures: arguments.pictures.into(),
        commercial: arguments.commercial,
    })
}

pub fn run(app: &Arc<App>, arguments: &Run, output: &Output) -> Result<ExitCode, AppError> {
    let Some(graph) = &arguments.graph else {
        return Err(
            AppError::new(ErrorCode::InvalidRequest, "A graph or a project is needed.")
                .hint("Name one: `frameloom run graph.json --in a.mp4 --out b.mp4`."),
        );
    };
    let request = match is_project(graph) {
        true => request_of_project(app, graph, arguments, output)?,
        false => request_of_graph(graph, arguments)?,
    };
    if arguments.making.dry_run {
        let plan = app.plan_graph(&request)?;
        output.result(&plan, || {
            let extent = extent(plan.sizes, plan.length_micros);
            let mut text = format!("{extent}: {}\n", plan.output.display());
            text.push_str(&format!("{}\n", plan.steps.join(" -> ")));
            text.push_str(&about(plan.about_micros, None));
            for warning in &plan.warnings {
                text.push_str(&format!("note: {}\n", warnings::sentence(warning)));
            }
            text
        });
        return Ok(ExitCode::SUCCESS);
    }
    interrupt::listen(output)?;
    let job = app.submit_graph_directly(&request)?;
    begin(&job, output);
    let told = job.warnings;
    let job = run_job(app, &job.id, output)?;
    finish(&job, &told, output);
    Ok(exit_code(&job))
}
