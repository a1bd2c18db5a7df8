use crate::arguments::Jobs;
use crate::commands::upscale::{exit_code, run_job};
use crate::commands::warnings;
use crate::interrupt;
use crate::output::{Output, bytes, columns, duration};
use frameloom_app::{App, Likeness, SoundFigures, SoundOfBoth};
use frameloom_core::error::AppError;
use frameloom_core::job::{Job, JobId, JobState};
use serde_json::{Value, json};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

pub fn run(app: &Arc<App>, command: &Jobs, output: &Output) -> Result<ExitCode, AppError> {
    match command {
        Jobs::List => {
            let jobs = app.jobs()?;
            if let Some(notice) = app.unreadable_notice()? {
                output.notice(&notice);
            }
            let rows: Vec<Value> = jobs.iter().map(summary).collect();
            output.result(&rows, || list(&jobs));
        }
        Jobs::Show { id, receipt: true } => {
            let receipt = app.receipt(&JobId(id.clone()))?;
            output.result(&json!(receipt), || {
                serde_json::to_string_pretty(&receipt).unwrap_or_default()
            });
        }
        Jobs::Show { id, .. } => {
            let job = app.job(&JobId(id.clone()))?;
            output.result(&detailed(&job), || show(&job));
        }
        Jobs::Compare { id, at } => compare(app, &JobId(id.clone()), *at, output)?,
        Jobs::Resume { id, limits } => {
            let id = JobId(id.clone());
            interrupt::listen(output)?;
            app.limit(&id, limits.threads, limits.priority.map(Into::into))?;
            app.resume_directly(&id)?;
            let job = run_job(app, &id, output)?;
            output.result(&detailed(&job), || show(&job));
            return Ok(exit_code(&job));
        }
        Jobs::Pause { id } => {
            let id = JobId(id.clone());
            app.pause(&id)?;
            let job = until_at_rest(app, &id)?;
            output.result(&summary(&job), || match job.state {
                JobState::Paused => {
                    format!("Job {id} is paused. Go on with: frameloom jobs resume {id}")
                }
                JobState::Running => {
                    format!("Job {id} was told to pause, and will when its segment is done.")
                }
                state => format!("Job {id} is {}.", state.as_str()),
            });
        }
        Jobs::Cancel { id } => {
            let id = JobId(id.clone());
            app.cancel(&id)?;
            let job = until_at_rest(app, &id)?;
            output.result(&summary(&job), || match job.state {
                JobState::Cancelled => format!("Job {id} is cancelled."),
                state => format!("Job {id} was told to stop and is still {}.", state.as_str()),
            });
        }
        Jobs::Remove { id } => {
            let id = JobId(id.clone());
            app.remove(&id)?;
            output.result(&json!({ "removed": id }), || {
                format!("Job {id} was taken off the list.")
            });
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Waits a few seconds for a running job to come to rest.
fn until_at_rest(app: &Arc<App>, id: &JobId) -> Result<Job, AppError> {
    for _ in 0..100 {
        let job = app.job(id)?;
        if job.state != JobState::Running {
            return Ok(job);
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    app.job(id)
}

/// The fields that scripts rely on.
pub fn summary(job: &Job) -> Value {
    json!({
        "id": job.id,
        "state": job.state,
        "input": job.spec.input,
        "output": job.spec.output,
        "progress": job.progress.fraction(),
        "frames_done": job.progress.done,
        "frames_total": job.progress.total,
        "elapsed_micros": job.progress.elapsed_micros,
        "error": job.error,
        "warnings": job.warnings,
        "provider": job.provider,
        "sizes": job.sizes,
        "created_millis": job.created_millis,
        "finished_millis": job.finished_millis,
    })
}

/// A job with everything that was asked for.
pub fn detailed(job: &Job) -> Value {
    let mut value = summary(job);
    value["spec"] = json!(job.spec);
    value
}

fn list(jobs: &[Job]) -> String {
    if jobs.is_empty() {
        return "No jobs.".to_owned();
    }
    let rows: Vec<_> = jobs
        .iter()
        .map(|job| {
            let percent = (job.progress.fraction() * 100.0).floor();
            (
                job.id.to_string(),
                format!(
                    "{:11}  {percent:>3} %  {}",
                    job.state.as_str(),
                    job.spec.output.display()
                ),
            )
        })
        .collect();
    columns(&rows)
}

/// Moments at which a result is compared where none is named.
const MOMENTS: i64 = 5;

/// Tells how alike a result and its source are.
fn compare(app: &App, id: &JobId, at: Option<f64>, output: &Output) -> Result<(), AppError> {
    let receipt = app.receipt(id)?;
    if receipt.sizes.is_none() {
        let both = app.job_sound(id)?;
        output.result(&both, || heard(&both));
        return Ok(());
    }
    let span = receipt.checks.span_micros;
    let moments: Vec<i64> = match (at, span) {
        (Some(seconds), _) => vec![(seconds.clamp(0.0, 1e9) * 1e6) as i64],
        (None, Some((first, last))) => (0..MOMENTS)
            .map(|n| (last - first) / (2 * MOMENTS) * (2 * n + 1))
            .collect(),
        (None, None) => vec![0],
    };
    let mut found = Vec::new();
    for at_micros in moments {
        found.push((at_micros, app.job_likeness(id, at_micros)?));
    }
    let listed: Vec<_> = found
        .iter()
        .map(|(at_micros, likeness)| json!({ "at_micros": at_micros, "likeness": likeness }))
        .collect();
    output.result(&json!(listed), || {
        let lines = found.iter().map(|(at_micros, likeness)| {
            format!("{:>9.3} s  {}", *at_micros as f64 / 1e6, told(likeness))
        });
        lines.collect::<Vec<_>>().join("\n")
    });
    Ok(())
}

fn heard(both: &SoundOfBoth) -> String {
    let line = |name: &str, of: &SoundFigures| {
        let mut parts = vec![duration(of.length_micros.max(0).unsigned_abs())];
        parts.push(match of.loudness {
            Some(loudness) => format!("{loudness:.1} LUFS"),
            None => "silent".to_owned(),
        });
        parts.extend(of.peak.map(|peak| format!("{peak:.1} dBTP")));
        parts.push(bytes(of.size_bytes));
        format!("{name:<7} {}", parts.join("  "))
    };
    [line("before", &both.before), line("after", &both.after)].join("\n")
}

fn told(likeness: &Likeness) -> String {
    let Some(picture) = &likeness.picture else {
        return "not of one shape".to_owned();
    };
    let mut parts = vec![match picture.psnr_db {
        Some(db) => format!("PSNR {db:.1} dB"),
        None => "no difference".to_owned(),
    }];
    parts.extend(picture.ssim.map(|ssim| format!("SSIM {ssim:.3}")));
    if let Some(both) = &likeness.blemishes {
        parts.push(format!(
            "noise {:.1} -> {:.1}",
            both.before.noise, both.after.noise
        ));
        parts.push(format!(
            "edges of blocks {:.1} -> {:.1}",
            both.before.blocks, both.after.blocks
        ));
    }
    parts.join("  ")
}

fn show(job: &Job) -> String {
    let mut rows: Vec<(String, String)> = Vec::new();
    let mut row = |name: &str, value: String| rows.push((name.to_owned(), value));
    row("job", job.id.to_string());
    row("state", job.state.as_str().to_owned());
    row("input", job.spec.input.display().to_string());
    row("output", job.spec.output.display().to_string());
    if let Some(sizes) = job.sizes {
        let ((iw, ih), (ow, oh)) = (sizes.input, sizes.output);
        row("pixels", format!("{iw} x {ih} to {ow} x {oh}"));
    }
    let total = job
        .progress
        .total
        .map_or_else(|| "?".to_owned(), |total| total.to_string());
    row("done", format!("{} of {total}", job.progress.done));
    row("elapsed", duration(job.progress.elapsed_micros));
    if let Some(provider) = &job.provider {
        row(
            "computed by",
            format!("{}, {}", provider.provider, provider.arithmetic.as_str()),
        );
        if let Some(reason) = &provider.reason {
            row("", reason.clone());
        }
        if let Some(reason) = &provider.fallback_reason {
            row("", reason.clone());
        }
    }
    for warning in &job.warnings {
        row("note", warnings::sentence(warning));
    }
    if let Some(error) = &job.error {
        row("error", error.message.clone());
        if let Some(details) = &error.details {
            row("", details.clone());
        }
        if let Some(hint) = &error.hint {
            row("hint", hint.clone());
        }
    }
    columns(&rows)
}
