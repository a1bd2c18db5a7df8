//! `frameloom subtitles`: subtitles in other formats, at other times, in pictures or as tracks.

use super::upscale;
use crate::arguments::Subtitles;
use crate::interrupt;
use crate::output::{Output, print, refusal_exit_code};
use frameloom_app::inputs::{Found, Taken, names_a_folder};
use frameloom_app::subtitles::{SavedSubtitles, SubtitleFormat};
use frameloom_app::{App, SubtitleWish, UpscaleRequest};
use frameloom_core::error::{AppError, ErrorCode};
use frameloom_core::job::JobState;
use serde_json::json;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

pub fn run(app: &Arc<App>, arguments: &Subtitles, output: &Output) -> Result<ExitCode, AppError> {
    let wish = arguments.wish().map_err(|sentence| {
        AppError::new(ErrorCode::InvalidRequest, sentence)
            .hint("Give `--sync` two pairs of times that are far apart.")
    })?;
    if arguments.burn.is_some() {
        return upscale::run(app, &arguments.upscale(wish), output);
    }
    let to = arguments.output.as_deref();
    let to_standard_output = to == Some(Path::new("-"));
    let one_file = to.is_some_and(|path| to_standard_output || !names_a_folder(path));
    if one_file && arguments.inputs.len() > 1 {
        return Err(AppError::new(
            ErrorCode::InvalidRequest,
            format!(
                "One file is asked for, and there are {} inputs.",
                arguments.inputs.len()
            ),
        )
        .hint("Name a folder with `-o` (a `/` at its end says so), or leave it out."));
    }
    interrupt::listen(output)?;
    let mut code = 0;
    // Names that no copy may take, even where it may overwrite.
    let mut taken = Taken::default();
    for input in &arguments.inputs {
        taken.insert(input);
    }
    for input in &arguments.inputs {
        if interrupt::requested() {
            return Ok(interrupt::exit_code());
        }
        let done = match arguments.add {
            Some(_) => add(app, arguments, &wish, input, &mut taken, output),
            None => write(app, arguments, &wish, input, to_standard_output, output).map(|()| 0),
        };
        match done {
            Ok(done) => code = code.max(done),
            Err(_) if interrupt::requested() => return Ok(interrupt::exit_code()),
            Err(error) => {
                output.error(&error);
                code = code.max(refusal_exit_code(error.code));
            }
        }
    }
    Ok(ExitCode::from(code))
}

/// Says what is not in the result.
fn tell_lost(unreadable: usize, before_zero: usize, output: &Output) {
    if output.is_json() {
        return;
    }
    if unreadable > 0 {
        output.notice(&format!(
            "{unreadable} lines are damaged, or longer than any text, and left out."
        ));
    }
    if before_zero > 0 {
        output.notice(&format!(
            "{before_zero} lines would be over before the beginning, and are left out."
        ));
    }
}

/// Writes the subtitles of a file in another format.
fn write(
    app: &Arc<App>,
    arguments: &Subtitles,
    wish: &SubtitleWish,
    input: &Path,
    to_standard_output: bool,
    output: &Output,
) -> Result<(), AppError> {
    let is_shown = to_standard_output || arguments.making.dry_run;
    let done: SavedSubtitles = if is_shown {
        let format = arguments.export.unwrap_or(SubtitleFormat::Srt);
        app.subtitle_text(input, wish, format)?
    } else {
        app.save_subtitles(
            input,
            wish,
            arguments.export,
            arguments.output.as_deref(),
            arguments.making.overwrite,
        )?
    };
    tell_lost(done.unreadable, done.before_zero, output);
    if is_shown {
        return print(done.text.as_bytes());
    }
    output.result(&json!({ "input": input, "subtitles": done }), || {
        done.output
            .as_deref()
            .map_or_else(String::new, |path| path.display().to_string())
    });
    Ok(())
}

/// Makes a copy of a clip with another track: a job like any other. Gives the exit code.
fn add(
    app: &Arc<App>,
    arguments: &Subtitles,
    wish: &SubtitleWish,
    input: &Path,
    taken: &mut Taken,
    output: &Output,
) -> Result<u8, AppError> {
    let found = Found {
        path: input.to_path_buf(),
        below: PathBuf::new(),
    };
    let request = UpscaleRequest {
        taken: Arc::new(taken.clone()),
        ..upscale::request_for(&arguments.upscale(wish.clone()), &found)
    };
    if arguments.making.dry_run {
        let plan = app.plan_upscale(&request)?;
        taken.insert(&plan.output);
        output.result(&[&plan], || upscale::planned(&plan));
        return Ok(0);
    }
    let job = app.submit_upscale_directly(&request)?;
    taken.insert(&job.spec.output);
    upscale::begin(&job, output);
    let told = job.warnings;
    let job = upscale::run_job(app, &job.id, output)?;
    if job.state != JobState::Succeeded {
        upscale::finish(&job, &told, output);
        return Ok(upscale::exit_status(&job));
    }
    let added = app.added_subtitles(&job)?;
    let value = json!({ "input": input, "added": added, "job": job.id });
    output.result(&value, || {
        let new = job
            .warnings
            .iter()
            .filter(|warning| !told.contains(warning));
        let mut text: String = new.map(upscale::note).collect();
        text.push_str(&added.output.display().to_string());
        text
    });
    Ok(0)
}
