//! `frameloom silence`: clips without their pauses, or lists of what would be kept.

use super::upscale;
use crate::arguments::Silence;
use crate::output::{Output, print, refusal_exit_code};
use frameloom_app::inputs::{Gather, expand, names_a_folder};
use frameloom_app::{App, EditFormat, UpscaleRequest};
use frameloom_core::error::{AppError, ErrorCode};
use serde_json::json;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

pub fn run(app: &Arc<App>, arguments: &Silence, output: &Output) -> Result<ExitCode, AppError> {
    match arguments.export {
        Some(format) => export(app, arguments, format, output),
        None => upscale::run(app, &arguments.upscale(), output),
    }
}

/// Writes a list for each file; one that cannot be listened to does not stop the others.
fn export(
    app: &Arc<App>,
    arguments: &Silence,
    format: EditFormat,
    output: &Output,
) -> Result<ExitCode, AppError> {
    let files = expand(&arguments.inputs, Gather::SoundToo)?.files;
    let to_standard_output = arguments.output.as_deref() == Some(Path::new("-"));
    let one_file = arguments
        .output
        .as_deref()
        .is_some_and(|path| to_standard_output || !names_a_folder(path));
    if files.len() > 1 && one_file {
        return Err(AppError::new(
            ErrorCode::InvalidRequest,
            format!(
                "One list is asked for, and there are {} inputs.",
                files.len()
            ),
        )
        .hint("Name a folder with `-o` (a `/` at its end says so), or leave it out."));
    }
    let mut code = 0;
    for file in files {
        let request = UpscaleRequest {
            input: file.path,
            output: arguments.output.clone().filter(|_| !to_standard_output),
            model: arguments.model.clone(),
            overwrite: arguments.making.overwrite,
            silence: Some(arguments.wish()),
            ..UpscaleRequest::default()
        };
        let done = if to_standard_output || arguments.making.dry_run {
            app.silence_edit(&request, format)
                .and_then(|text| print(text.as_bytes()))
        } else {
            app.save_silence_edit(&request, format).map(|path| {
                output.result(&json!({ "input": request.input, "output": path }), || {
                    path.display().to_string()
                });
            })
        };
        if let Err(error) = done {
            output.error(&error);
            code = code.max(refusal_exit_code(error.code));
        }
    }
    Ok(ExitCode::from(code))
}
