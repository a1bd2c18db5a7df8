//! The same to every file that comes into a folder.

use super::upscale::{begin, finish, run_job};
use crate::arguments::Watch;
use crate::interrupt;
use crate::output::Output;
use frameloom_app::watch::WatchEvent;
use frameloom_app::{App, Lane, WatchRule};
use frameloom_core::error::AppError;
use frameloom_core::job::{Job, JobId};
use serde_json::json;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How often the folder is looked at.
const EVERY: Duration = Duration::from_millis(1000);
/// How long is waited before what was cut short or could not be done now is tried again.
const AGAIN: Duration = Duration::from_secs(30);

pub fn run(app: &Arc<App>, watch: &Watch, output: &Output) -> Result<ExitCode, AppError> {
    let rule = WatchRule {
        preset: watch.preset.clone(),
        output: watch.output.clone(),
        quality: watch.quality.into(),
        model: watch.model.clone(),
    };
    let settle = Duration::from_secs_f64(watch.settle);
    let mut watcher = app.watch(&watch.folder, &rule, Lane::Direct, settle)?;
    interrupt::listen(output)?;
    if !output.is_json() && !watch.once {
        output.notice(&format!(
            "Watching {}. Ctrl-C ends it.",
            watcher.folder().display()
        ));
    }
    let (mut done, mut failed) = (0_u64, 0_u64);
    let mut tried: Option<Instant> = None;
    loop {
        // What an earlier command left, and what waited for the disk.
        if tried.is_none_or(|tried| tried.elapsed() >= AGAIN) {
            for id in watcher.cut_short(app)? {
                go_on(app, &id, output)?;
                if interrupt::requested() {
                    return Ok(interrupt::exit_code());
                }
            }
            tried = Some(Instant::now());
        }
        let mut worked = false;
        let mut waits = false;
        for event in watcher.look(app, Instant::now())? {
            match &event {
                WatchEvent::Begun(job) => {
                    begin(job, output);
                    done_with(&run_job(app, &job.id, output)?, output);
                    worked = true;
                }
                WatchEvent::Done { .. } => done += 1,
                WatchEvent::Failed { .. } => failed += 1,
                WatchEvent::Waiting { .. } => waits = true,
                WatchEvent::Known(_) => {}
            }
            tell(&event, output);
            if interrupt::requested() {
                return Ok(interrupt::exit_code());
            }
        }
        if watch.once && !worked && (waits || watcher.outstanding(app)? == 0) {
            break;
        }
        if !worked {
            pause();
        }
        if interrupt::requested() {
            return Ok(interrupt::exit_code());
        }
    }
    output.result(&json!({ "done": done, "failed": failed }), || {
        format!("{done} done, {failed} failed.")
    });
    Ok(match failed {
        0 => ExitCode::SUCCESS,
        _ => ExitCode::from(3),
    })
}

/// Waits until the folder is looked at again, or somebody wants the command to end.
fn pause() {
    let begun = Instant::now();
    while begun.elapsed() < EVERY && !interrupt::requested() {
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// Goes on with a job that was cut short.
fn go_on(app: &Arc<App>, id: &JobId, output: &Output) -> Result<(), AppError> {
    match app.resume_directly(id) {
        Ok(job) => done_with(&run_job(app, &job.id, output)?, output),
        // Its source changed, for instance: it is told, and stays as it is.
        Err(error) => told(&error, output),
    }
    Ok(())
}

/// Says how a job ended; in JSON, the events say it.
fn done_with(job: &Job, output: &Output) {
    if !output.is_json() {
        finish(job, &job.warnings, output);
    }
}

/// An error for people; in JSON, the events hold it.
fn told(error: &AppError, output: &Output) {
    if !output.is_json() {
        output.error(error);
    }
}

fn tell(event: &WatchEvent, output: &Output) {
    let line = match event {
        WatchEvent::Begun(_) => return,
        WatchEvent::Done { job, source } => json!({
            "event": "done", "id": job.id, "output": job.spec.output, "source": source,
        }),
        WatchEvent::Failed {
            path,
            error,
            source,
        } => {
            told(error, output);
            json!({ "event": "failed", "path": path, "error": error, "source": source })
        }
        WatchEvent::Waiting { path, error } => {
            told(error, output);
            json!({ "event": "waiting", "path": path, "error": error })
        }
        WatchEvent::Known(path) => {
            if !output.is_json() {
                output.notice(&format!(
                    "{} was worked on before; it is left where it is.",
                    path.display()
                ));
            }
            json!({ "event": "known", "path": path })
        }
    };
    output.line(&line);
}
