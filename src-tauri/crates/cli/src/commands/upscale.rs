use crate::arguments::Upscale;
use crate::commands::jobs::{detailed, summary};
use crate::commands::warnings;
use crate::output::{Output, duration, progress_line};
use frameloom_app::inputs::{Found, expand};
use frameloom_app::{App, Stopping, UpscaleRequest};
use frameloom_core::error::{AppError, ErrorCode};
use frameloom_core::job::{Job, JobEvent, JobId, JobState};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

pub fn run(app: &Arc<App>, arguments: &Upscale, output: &Output) -> Result<ExitCode, AppError> {
    let found = expand(&arguments.inputs)?;
    let many = found.len() > 1 || found.iter().any(|f| !f.below.as_os_str().is_empty());
    if many && let Some(path) = arguments.output.as_deref().filter(|p| names_a_file(p)) {
        return Err(AppError::new(
            ErrorCode::InvalidRequest,
            format!(
                "`{}` names one file, and there are {} inputs.",
                path.display(),
                found.len()
            ),
        )
        .hint("Name a folder with `-o`, or leave it out."));
    }
    if arguments.dry_run {
        let mut plans = Vec::new();
        for (index, file) in found.iter().enumerate() {
            plans.push(app.plan_upscale(&request(arguments, file, index))?);
        }
        output.result(&plans, || {
            plans
                .iter()
                .map(|plan| {
                    let ((iw, ih), (ow, oh)) = (plan.input_size, plan.output_size);
                    format!(
                        "{iw} x {ih} to {ow} x {oh} with {}: {}\n",
                        plan.model,
                        plan.output.display()
                    )
                })
                .collect()
        });
        return Ok(ExitCode::SUCCESS);
    }
    if let [file] = &found[..] {
        let job = app.submit_upscale_directly(&request(arguments, file, 0))?;
        let job = run_job(app, &job.id, output)?;
        finish(&job, output);
        return Ok(exit_code(&job));
    }
    batch(app, arguments, &found, output)
}

/// Many files: one that cannot be done does not stop the others, and all are told at the end.
fn batch(
    app: &Arc<App>,
    arguments: &Upscale,
    found: &[Found],
    output: &Output,
) -> Result<ExitCode, AppError> {
    let mut results: Vec<Value> = Vec::new();
    let mut worst: Option<AppError> = None;
    let mut failed = 0;
    for (index, file) in found.iter().enumerate() {
        let outcome = app
            .submit_upscale_directly(&request(arguments, file, index))
            .and_then(|job| run_job(app, &job.id, output));
        let error = match &outcome {
            Ok(job) => {
                results.push(summary(job));
                if !output.is_json() {
                    finish(job, output);
                }
                match job.state {
                    JobState::Succeeded => None,
                    _ => Some(job.error.clone().unwrap_or_else(|| {
                        AppError::new(ErrorCode::Interrupted, "The job was stopped.")
                    })),
                }
            }
            Err(error) => {
                results.push(json!({ "input": file.path, "state": "refused", "error": error }));
                if !output.is_json() {
                    output.error(error);
                }
                Some(error.clone())
            }
        };
        if let Some(error) = error {
            failed += 1;
            let stop = error.code == ErrorCode::Interrupted;
            if worst
                .as_ref()
                .is_none_or(|w| w.code.exit_code() < error.code.exit_code())
            {
                worst = Some(error);
            }
            if stop {
                break;
            }
        }
    }
    output.result(&results, || {
        format!("{} of {} files done.", results.len() - failed, found.len())
    });
    Ok(worst.map_or(ExitCode::SUCCESS, |error| {
        ExitCode::from(error.code.exit_code())
    }))
}

fn names_a_file(path: &Path) -> bool {
    !path.is_dir()
        && !path.as_os_str().to_string_lossy().ends_with(['/', '\\'])
        && path.extension().is_some()
}

fn request(arguments: &Upscale, file: &Found, index: usize) -> UpscaleRequest {
    let below = |folder: &PathBuf| {
        if file.below.as_os_str().is_empty() {
            folder.clone()
        } else {
            // A trailing separator says that it is a folder even if it does not exist yet.
            folder.join(&file.below).join("")
        }
    };
    UpscaleRequest {
        input: file.path.clone(),
        output: arguments.output.as_ref().map(below),
        model: arguments.model.clone(),
        scale: arguments.scale,
        codec: arguments.codec.map(Into::into),
        quality: arguments.quality.into(),
        device: arguments.device.into(),
        name_template: arguments.name.clone(),
        counter: u32::try_from(index + 1).ok(),
        overwrite: arguments.overwrite,
    }
}

/// Runs a submitted job in front of the user: progress, Ctrl-C once to finish the segment, twice
/// to stop at once.
pub fn run_job(app: &Arc<App>, id: &JobId, output: &Output) -> Result<Job, AppError> {
    let job = app.job(id)?;
    let label = job
        .spec
        .input
        .file_name()
        .map_or_else(String::new, |n| n.to_string_lossy().into_owned());
    let bar = Arc::new(output.bar(&label));
    let listening = Arc::new(AtomicBool::new(true));
    {
        let (bar, listening, id) = (bar.clone(), listening.clone(), id.clone());
        let json = Output::new(output.is_json());
        app.listen(move |event| {
            if let JobEvent::Progress { id: of, progress } = event
                && *of == id
            {
                bar.update(progress);
                json.line(&progress_line(of, progress));
            }
            listening.load(Ordering::Relaxed)
        });
    }
    on_ctrl_c(app, id)?;
    let result = app.run_job(id);
    listening.store(false, Ordering::Relaxed);
    bar.finish();
    result
}

/// The job that Ctrl-C is meant for, and how often it was pressed for it.
static CURRENT: Mutex<Option<(Arc<App>, JobId)>> = Mutex::new(None);
static PRESSED: AtomicU32 = AtomicU32::new(0);
static HANDLER: OnceLock<()> = OnceLock::new();

fn on_ctrl_c(app: &Arc<App>, id: &JobId) -> Result<(), AppError> {
    *CURRENT.lock().unwrap_or_else(PoisonError::into_inner) = Some((app.clone(), id.clone()));
    PRESSED.store(0, Ordering::SeqCst);
    if HANDLER.set(()).is_err() {
        return Ok(());
    }
    ctrlc::set_handler(|| {
        let current = CURRENT
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        let Some((app, id)) = current else { return };
        let (stopping, message) = match PRESSED.fetch_add(1, Ordering::SeqCst) {
            0 => (
                Stopping::Interrupt,
                "Finishing the running segment; press Ctrl-C again to stop at once.",
            ),
            _ => (Stopping::InterruptNow, "Stopping."),
        };
        Output::new(false).notice(message);
        if let Err(error) = app.stop(&id, stopping) {
            Output::new(false).error(&error);
        }
    })
    .map_err(|error| {
        AppError::new(ErrorCode::Internal, "Ctrl-C cannot be handled.").details(error.to_string())
    })
}

/// Shows how a job ended.
fn finish(job: &Job, output: &Output) {
    if job.state != JobState::Succeeded && !output.is_json() {
        if let Some(error) = &job.error {
            output.error(error);
        }
        if job.state == JobState::Cancelled {
            output.notice("The job was cancelled; its parts are removed.");
        }
        if job.state.is_resumable() {
            output.notice(&format!("Resume it with: frameloom jobs resume {}", job.id));
        }
        return;
    }
    output.result(&detailed(job), || {
        let mut text = String::new();
        for warning in &job.warnings {
            text.push_str(&format!("note: {}\n", warnings::sentence(warning)));
        }
        text.push_str(&format!(
            "{}  ({})",
            job.spec.output.display(),
            duration(job.progress.elapsed_micros)
        ));
        text
    });
}

pub fn exit_code(job: &Job) -> ExitCode {
    match job.state {
        JobState::Succeeded => ExitCode::SUCCESS,
        JobState::Paused | JobState::Interrupted => {
            ExitCode::from(ErrorCode::Interrupted.exit_code())
        }
        _ => ExitCode::from(
            job.error
                .as_ref()
                .map_or(ErrorCode::Cancelled, |e| e.code)
                .exit_code(),
        ),
    }
}
