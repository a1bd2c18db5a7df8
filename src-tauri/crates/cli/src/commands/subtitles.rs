//! `frameloom subtitles`: subtitles in other formats, at other times, in pictures or as tracks.

use super::scenes::Watching;
use super::upscale;
use crate::arguments::Subtitles;
use crate::interrupt;
use crate::output::{Output, print, refusal_exit_code};
use frameloom_app::inputs::names_a_folder;
use frameloom_app::subtitles::{NewTrack, SavedSubtitles, SubtitleFormat};
use frameloom_app::{App, SubtitleWish};
use frameloom_core::error::{AppError, ErrorCode};
use serde_json::json;
use std::path::Path;
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
    for input in &arguments.inputs {
        if interrupt::requested() {
            return Ok(interrupt::exit_code());
        }
        let done = match arguments.add {
            Some(_) => add(app, arguments, &wish, input, output),
            None => write(app, arguments, &wish, input, to_standard_output, output),
        };
        match done {
            Ok(()) => {}
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

/// Writes a copy of a clip with another track.
fn add(
    app: &Arc<App>,
    arguments: &Subtitles,
    wish: &SubtitleWish,
    input: &Path,
    output: &Output,
) -> Result<(), AppError> {
    let track = NewTrack {
        language: arguments.language.clone(),
        title: arguments.title.clone(),
        is_default: arguments.default,
        drop: arguments.making.drop.clone(),
    };
    let name = input.file_name().unwrap_or_default().to_string_lossy();
    let mut watch = Watching::new(&name, output);
    let done = app.add_subtitles(
        input,
        wish,
        &track,
        arguments.output.as_deref(),
        arguments.making.overwrite,
        &mut watch,
    );
    watch.finish();
    let done = done?;
    tell_lost(done.unreadable, done.before_zero, output);
    output.result(&json!({ "input": input, "added": done }), || {
        done.output.display().to_string()
    });
    Ok(())
}
