use crate::arguments::Run;
use crate::commands::upscale::{begin, exit_code, finish, run_job};
use crate::commands::warnings;
use crate::interrupt;
use crate::output::Output;
use frameloom_app::{App, GraphRequest, read_graph};
use frameloom_core::error::{AppError, ErrorCode};
use std::process::ExitCode;
use std::sync::Arc;

/// Prints the JSON Schema.
pub fn schema() -> ExitCode {
    // The schema is JSON for people and programs alike.
    Output::new(true).result(&frameloom_core::graph::schema(), String::new);
    ExitCode::SUCCESS
}

pub fn run(app: &Arc<App>, arguments: &Run, output: &Output) -> Result<ExitCode, AppError> {
    let (Some(graph), Some(input), Some(target)) =
        (&arguments.graph, &arguments.input, &arguments.output)
    else {
        return Err(AppError::new(
            ErrorCode::InvalidRequest,
            "A graph, an input and an output are needed.",
        ));
    };
    let request = GraphRequest {
        graph: read_graph(graph)?,
        input: input.clone(),
        output: target.clone(),
        codec: arguments.making.codec.map(Into::into),
        quality: arguments.making.quality.into(),
        device: arguments.making.device.into(),
        overwrite: arguments.making.overwrite,
        drop: arguments.making.drop.clone(),
    };
    if arguments.making.dry_run {
        let plan = app.plan_graph(&request)?;
        output.result(&plan, || {
            let ((iw, ih), (ow, oh)) = (plan.input_size, plan.output_size);
            let mut text = format!("{iw} x {ih} to {ow} x {oh}: {}\n", plan.output.display());
            text.push_str(&format!("{}\n", plan.steps.join(" -> ")));
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
