use crate::arguments::Upscale;
use crate::commands::jobs::{detailed, summary};
use crate::commands::warnings;
use crate::interrupt;
use crate::output::{Output, duration, progress_line, refusal_exit_code};
use frameloom_app::inputs::{Expanded, Found, Gather, Taken, expand, names_a_folder};
use frameloom_app::{App, EnlargeWish, UpscalePlan, UpscaleRequest};
use frameloom_core::error::{AppError, ErrorCode};
use frameloom_core::job::{Job, JobEvent, JobId, JobState, PictureSizes};
use frameloom_core::media::Warning;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

pub fn run(app: &Arc<App>, arguments: &Upscale, output: &Output) -> Result<ExitCode, AppError> {
    if let Some(name) = &arguments.saved {
        // Before files are looked for: a word that is mistyped is no fault of theirs.
        app.saved_preset(name)?;
    }
    let expanded = expand(
        &arguments.inputs,
        Gather::for_sound(app.takes_sound(arguments.preset, arguments.saved.as_deref())?),
    )?;
    let found = &expanded.files;
    let many = found.len() != 1
        || !expanded.refused.is_empty()
        || found.iter().any(|f| !f.below.as_os_str().is_empty());
    if many && let Some(path) = arguments.output.as_deref().filter(|p| !names_a_folder(p)) {
        return Err(AppError::new(
            ErrorCode::InvalidRequest,
            format!(
                "`{}` names one file, and there are {} inputs.",
                path.display(),
                found.len()
            ),
        )
        .hint("Name a folder with `-o` (a `/` at its end says so), or leave it out."));
    }
    if !arguments.making.dry_run {
        interrupt::listen(output)?;
    }
    match (&found[..], many) {
        ([file], false) if arguments.making.dry_run => {
            let plan = app.plan_upscale(&request(arguments, file, 0, &taken_by(found)))?;
            output.result(&[&plan], || planned(&plan));
            Ok(ExitCode::SUCCESS)
        }
        ([file], false) => {
            let request = request(arguments, file, 0, &taken_by(found));
            let job = app.submit_upscale_directly(&request)?;
            begin(&job, output);
            let told = job.warnings;
            let job = run_job(app, &job.id, output)?;
            finish(&job, &told, output);
            Ok(exit_code(&job))
        }
        _ => batch(app, arguments, &expanded, output),
    }
}

/// The names that no result of this command may take.
fn taken_by(found: &[Found]) -> Arc<Taken> {
    let mut taken = Taken::default();
    for file in found {
        taken.insert(&file.path);
    }
    Arc::new(taken)
}

/// What became of one of many files.
struct Outcome {
    value: Value,
    /// 0, or the exit code of its failure.
    code: u8,
    /// Somebody stopped it, here or from elsewhere.
    stopped: bool,
}

impl Outcome {
    fn done(value: Value) -> Self {
        Self {
            value,
            code: 0,
            stopped: false,
        }
    }

    /// A job that came to rest, which is told; with its place among the files. `begun` has the
    /// places, and what was said of each job as it began.
    fn of(
        job: &Job,
        begun: &BTreeMap<JobId, (usize, Vec<Warning>)>,
        output: &Output,
    ) -> (usize, Self) {
        let (place, told) = begun
            .get(&job.id)
            .map_or((0, &[][..]), |(place, told)| (*place, told));
        if !output.is_json() {
            finish(job, told, output);
        }
        let outcome = Self {
            value: summary(job),
            code: exit_status(job),
            stopped: was_stopped(job),
        };
        (place, outcome)
    }

    /// A file that no job was made of, with the fields of a job.
    fn refused(input: &Path, error: &AppError, output: &Output) -> Self {
        if !output.is_json() {
            output.error(error);
        }
        Self {
            value: json!({
                "id": null,
                "state": JobState::Failed,
                "input": input,
                "output": null,
                "progress": 0.0,
                "error": error,
            }),
            code: refusal_exit_code(error.code),
            stopped: false,
        }
    }
}

/// Many files: one that cannot be done does not stop the others, and all are told at the end.
fn batch(
    app: &Arc<App>,
    arguments: &Upscale,
    expanded: &Expanded,
    output: &Output,
) -> Result<ExitCode, AppError> {
    let found = &expanded.files;
    let mut taken = taken_by(found);
    // Each with its place among the files: pictures do not end in the order in which they begin.
    let mut outcomes: Vec<(usize, Outcome)> = expanded
        .refused
        .iter()
        .map(|refused| (0, Outcome::refused(&refused.path, &refused.error, output)))
        .collect();
    let mut begun = 0;
    // What was said of each job as it began.
    let mut told = BTreeMap::new();
    let mut together = app.batch(arguments.making.computing.wish())?;
    for (index, file) in found.iter().enumerate() {
        if interrupt::requested() {
            break;
        }
        begun += 1;
        let place = index + 1;
        let request = request(arguments, file, index, &taken);
        if arguments.making.dry_run {
            let outcome = app.plan_upscale(&request).map(|plan| {
                if !output.is_json() {
                    output.result(&plan, || planned(&plan));
                }
                (Outcome::done(json!(plan)), plan.output)
            });
            drop(request);
            let outcome = match outcome {
                Ok((outcome, path)) => {
                    Arc::make_mut(&mut taken).insert(&path);
                    outcome
                }
                Err(error) => Outcome::refused(&file.path, &error, output),
            };
            outcomes.push((place, outcome));
            continue;
        }
        let submitted = app.submit_upscale_directly(&request);
        drop(request);
        let job = match submitted {
            Ok(job) => job,
            Err(error) => {
                outcomes.push((place, Outcome::refused(&file.path, &error, output)));
                continue;
            }
        };
        Arc::make_mut(&mut taken).insert(&job.spec.output);
        begin(&job, output);
        if frameloom_app::inputs::is_picture(&file.path) {
            told.insert(job.id.clone(), (place, job.warnings));
            together.give(&job.id)?;
            while together.outstanding() >= together.depth()
                && let Some(job) = together.next(&interrupt::stopping)?
            {
                outcomes.push(Outcome::of(&job, &told, output));
            }
        } else {
            // A clip has the machine to itself.
            while let Some(job) = together.next(&interrupt::stopping)? {
                outcomes.push(Outcome::of(&job, &told, output));
            }
            told.insert(job.id.clone(), (place, job.warnings));
            let job = run_job(app, &job.id, output)?;
            Arc::make_mut(&mut taken).insert(&job.spec.output);
            outcomes.push(Outcome::of(&job, &told, output));
        }
        if outcomes.last().is_some_and(|(_, last)| last.stopped) {
            break;
        }
    }
    while let Some(job) = together.next(&interrupt::stopping)? {
        outcomes.push(Outcome::of(&job, &told, output));
    }
    drop(together);
    outcomes.sort_by_key(|(place, _)| *place);
    let outcomes: Vec<Outcome> = outcomes.into_iter().map(|(_, outcome)| outcome).collect();
    let left = found.len() - begun;
    if left > 0 {
        output.notice(&format!("{left} of {} files were not begun.", found.len()));
    }
    let worst = outcomes.iter().map(|outcome| outcome.code).max();
    let values: Vec<&Value> = outcomes.iter().map(|outcome| &outcome.value).collect();
    if output.is_json() || !arguments.making.dry_run {
        output.result(&values, || {
            let done = outcomes.iter().filter(|outcome| outcome.code == 0).count();
            format!("{done} of {} files done.", found.len())
        });
    }
    if left > 0 {
        return Ok(interrupt::exit_code());
    }
    Ok(ExitCode::from(worst.unwrap_or(0)))
}

/// How large a result is: in pixels, or in time where it is sound alone.
pub fn extent(sizes: Option<PictureSizes>, length_micros: Option<i64>) -> String {
    match (sizes, length_micros) {
        (Some(sizes), _) => {
            let ((iw, ih), (ow, oh)) = (sizes.input, sizes.output);
            format!("{iw} x {ih} to {ow} x {oh}")
        }
        (None, Some(length)) => format!("sound, {}", duration(length.max(0).unsigned_abs())),
        (None, None) => "sound".to_owned(),
    }
}

/// How long it will take, as a line.
pub fn about(micros: Option<u64>, model: Option<&str>) -> String {
    match (micros, model) {
        (Some(micros), _) => format!("about {} on this computer\n", duration(micros)),
        (None, Some(model)) => format!(
            "how long it takes here is not known yet; `frameloom models measure {model}` finds out\n"
        ),
        (None, None) => String::new(),
    }
}

/// A plan in a line, with what should be known of it.
pub fn planned(plan: &UpscalePlan) -> String {
    let with = match &plan.model {
        Some(model) => format!(" with {model}"),
        None => String::new(),
    };
    let mut text = format!(
        "{}{with}: {}\n",
        extent(plan.sizes, plan.length_micros),
        plan.output.display()
    );
    text.push_str(&about(plan.about_micros, plan.model.as_deref()));
    for warning in &plan.warnings {
        text.push_str(&note(warning));
    }
    text
}

/// What should be known, as a line.
pub fn note(warning: &Warning) -> String {
    format!("note: {}\n", warnings::sentence(warning))
}

fn request(arguments: &Upscale, file: &Found, index: usize, taken: &Arc<Taken>) -> UpscaleRequest {
    let wishes = &arguments.wishes;
    UpscaleRequest {
        preset: arguments.preset,
        saved: arguments.saved.clone(),
        input: file.path.clone(),
        format: arguments.format.clone(),
        output: arguments.output.clone(),
        model: arguments.model.clone(),
        scale: arguments.scale,
        codec: arguments.making.codec.map(Into::into),
        quality: arguments.making.quality.into(),
        device: arguments.making.device.into(),
        compute: arguments.making.computing.wish(),
        name_template: arguments.name.clone(),
        counter: u32::try_from(index + 1).ok(),
        overwrite: arguments.making.overwrite,
        drop: arguments.making.drop.clone(),
        deinterlace: arguments.deinterlace.into(),
        below: file.below.clone(),
        pictures: Some(arguments.pictures.into()),
        span: None,
        sample: false,
        background: wishes.background.clone(),
        redact: wishes.redact.clone(),
        reframe: wishes.reframe.clone(),
        motion: wishes.motion.clone(),
        silence: wishes.silence,
        voice: wishes.voice,
        enlarge: (arguments.size.is_some() || arguments.source.is_some()).then_some(EnlargeWish {
            fit: arguments.size,
            source: arguments.source,
        }),
        convert: wishes.convert.clone(),
        scenes: wishes.scenes.clone(),
        look: wishes.look.clone(),
        subtitles: wishes.subtitles.clone(),
        taken: taken.clone(),
    }
}

/// The request for a file that is worked on in several jobs.
pub fn request_for(arguments: &Upscale, file: &Found) -> UpscaleRequest {
    request(arguments, file, 0, &taken_by(std::slice::from_ref(file)))
}

/// Runs requests of clips one after the other; one that fails does not stop the others. Gives the worst
/// exit code.
///
/// # Errors
/// The database refuses.
pub fn each(
    app: &Arc<App>,
    requests: Vec<UpscaleRequest>,
    dry_run: bool,
    output: &Output,
) -> Result<u8, AppError> {
    let count = requests.len();
    let mut taken: Option<Arc<Taken>> = None;
    let mut outcomes: Vec<Outcome> = Vec::new();
    for mut request in requests {
        if interrupt::requested() || outcomes.last().is_some_and(|last| last.stopped) {
            break;
        }
        let mut names = taken.take().unwrap_or_else(|| request.taken.clone());
        request.taken = names.clone();
        let done = match dry_run {
            true => app.plan_upscale(&request).map(|plan| {
                if !output.is_json() {
                    output.result(&plan, || planned(&plan));
                }
                (Outcome::done(json!(plan)), plan.output)
            }),
            false => app.submit_upscale_directly(&request).and_then(|job| {
                begin(&job, output);
                let told = BTreeMap::from([(job.id.clone(), (0, job.warnings))]);
                let job = run_job(app, &job.id, output)?;
                Ok((Outcome::of(&job, &told, output).1, job.spec.output))
            }),
        };
        request.taken = Arc::default();
        outcomes.push(match done {
            Ok((outcome, path)) => {
                Arc::make_mut(&mut names).insert(&path);
                outcome
            }
            Err(error) => Outcome::refused(&request.input, &error, output),
        });
        taken = Some(names);
    }
    let left = count - outcomes.len();
    if left > 0 {
        output.notice(&format!("{left} of {count} files were not begun."));
    }
    let values: Vec<&Value> = outcomes.iter().map(|outcome| &outcome.value).collect();
    if output.is_json() || !dry_run {
        output.result(&values, || {
            let done = outcomes.iter().filter(|outcome| outcome.code == 0).count();
            format!("{done} of {count} files done.")
        });
    }
    let worst = outcomes.iter().map(|outcome| outcome.code).max();
    Ok(match left {
        0 => worst.unwrap_or(0),
        _ => ErrorCode::Interrupted.exit_code(),
    })
}

/// Says what should be known before the work begins.
pub fn begin(job: &Job, output: &Output) {
    for warning in &job.warnings {
        let sentence = warnings::sentence(warning);
        if output.is_json() {
            output.line(&json!({
                "event": "warning",
                "id": job.id,
                "warning": warning,
                "message": sentence,
            }));
        } else {
            output.notice(&format!("note: {sentence}"));
        }
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
    let _meant = interrupt::meant_for(app, id);
    if interrupt::requested() {
        // Between its submission and now.
        app.pause(id)?;
        return app.job(id);
    }
    let bar = output.bar(&label);
    let bar = Arc::new(match job.sizes {
        Some(_) => bar,
        None => bar.of_sound(),
    });
    let listening = Arc::new(AtomicBool::new(true));
    {
        let (bar, listening, id) = (bar.clone(), listening.clone(), id.clone());
        let (output, weak) = (Output::new(output.is_json()), Arc::downgrade(app));
        app.listen(move |event| {
            match event {
                JobEvent::Progress { id: of, progress } if *of == id => {
                    bar.update(progress);
                    output.line(&progress_line(of, progress));
                }
                // A worker that was only just started may not have heard of Ctrl-C.
                JobEvent::Changed { job } if job.id == id && job.state == JobState::Running => {
                    if let (Some(stopping), Some(app)) = (interrupt::stopping(), weak.upgrade())
                        && let Err(error) = app.stop(&id, stopping)
                    {
                        output.error(&error);
                    }
                }
                _ => {}
            }
            listening.load(Ordering::Relaxed)
        });
    }
    let result = app.run_job(id);
    listening.store(false, Ordering::Relaxed);
    bar.finish();
    result
}

/// Shows how a job ended; `told` are the warnings that were shown when it began.
pub fn finish(job: &Job, told: &[Warning], output: &Output) {
    if job.state != JobState::Succeeded && !output.is_json() {
        if let Some(error) = &job.error {
            output.error(error);
        }
        if job.state == JobState::Cancelled {
            output.notice("The job was cancelled; its parts are removed.");
        }
        if resuming_may_help(job) {
            output.notice(&format!("Resume it with: frameloom jobs resume {}", job.id));
        }
        return;
    }
    output.result(&detailed(job), || {
        let mut text = String::new();
        for warning in job.warnings.iter().filter(|w| !told.contains(w)) {
            text.push_str(&note(warning));
        }
        text.push_str(&format!(
            "{}  ({})",
            job.spec.output.display(),
            duration(job.progress.elapsed_micros)
        ));
        text
    });
}

/// True for a job that rests because somebody wanted it to.
fn was_stopped(job: &Job) -> bool {
    matches!(job.state, JobState::Paused | JobState::Interrupted)
        && job
            .error
            .as_ref()
            .is_none_or(|error| error.code == ErrorCode::Interrupted)
}

/// A job that failed for a reason that stays would only fail again.
fn resuming_may_help(job: &Job) -> bool {
    job.state.is_resumable()
        && (job.state != JobState::Failed
            || job.error.as_ref().is_none_or(|e| e.code.is_retryable()))
}

pub fn exit_code(job: &Job) -> ExitCode {
    ExitCode::from(exit_status(job))
}

pub fn exit_status(job: &Job) -> u8 {
    match job.state {
        JobState::Succeeded => 0,
        JobState::Paused | JobState::Interrupted => ErrorCode::Interrupted.exit_code(),
        _ => job
            .error
            .as_ref()
            .map_or(ErrorCode::Cancelled, |e| e.code)
            .exit_code(),
    }
}
