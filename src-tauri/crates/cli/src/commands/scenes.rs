//! `frameloom scenes`: the shots of clips, shown or written.

use super::upscale;
use crate::arguments::Scenes;
use crate::interrupt;
use crate::output::{Bar, Output, print, refusal_exit_code};
use frameloom_app::inputs::{Found, Gather, expand, names_a_folder};
use frameloom_app::{App, SceneExport, SceneWatch, ScenesView, UpscaleRequest};
use frameloom_core::error::{AppError, ErrorCode};
use serde_json::json;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

/// A bar that fills while pictures are looked at, until Ctrl-C.
pub struct Watching {
    bar: Bar,
    output: Output,
}

impl Watching {
    /// `name` stands before the bar.
    pub fn new(name: &str, output: &Output) -> Self {
        Self {
            bar: output.bar(name),
            output: Output::new(output.is_json()),
        }
    }

    /// Takes the bar off the terminal.
    pub fn finish(&self) {
        self.bar.finish();
    }
}

impl SceneWatch for Watching {
    fn told(&mut self, part: f64) {
        self.bar.part(part);
        self.output
            .line(&json!({ "event": "progress", "fraction": part }));
    }

    fn is_wanted(&self) -> bool {
        !interrupt::requested()
    }
}

pub fn run(app: &Arc<App>, arguments: &Scenes, output: &Output) -> Result<ExitCode, AppError> {
    let expanded = expand(&arguments.inputs, Gather::Pictures)?;
    let files = &expanded.files;
    let to = arguments.to.as_deref();
    let to_standard_output = to == Some(Path::new("-"));
    let one_file = to.is_some_and(|path| to_standard_output || !names_a_folder(path));
    let is_split = arguments.export == Some(SceneExport::Files);
    if one_file && (files.len() > 1 || is_split) {
        return Err(AppError::new(
            ErrorCode::InvalidRequest,
            match is_split {
                true => "The files of shots need a folder.".to_owned(),
                false => format!(
                    "One file is asked for, and there are {} inputs.",
                    files.len()
                ),
            },
        )
        .hint("Name a folder with `--to` (a `/` at its end says so), or leave it out."));
    }
    interrupt::listen(output)?;
    let mut code = 0;
    for refused in &expanded.refused {
        output.error(&refused.error);
        code = code.max(refusal_exit_code(refused.error.code));
    }
    for file in files {
        if interrupt::requested() {
            return Ok(interrupt::exit_code());
        }
        let done = match arguments.export {
            Some(SceneExport::Files) => split(app, arguments, file, output),
            export => one(app, arguments, file, export, to_standard_output, output).map(|()| 0),
        };
        match done {
            Ok(worst) => code = code.max(worst),
            Err(_) if interrupt::requested() => return Ok(interrupt::exit_code()),
            Err(error) => {
                output.error(&error);
                code = code.max(refusal_exit_code(error.code));
            }
        }
    }
    Ok(ExitCode::from(code))
}

fn watching(file: &Found, output: &Output) -> Watching {
    let name = file.path.file_name().unwrap_or_default();
    Watching::new(&name.to_string_lossy(), output)
}

/// Shows the shots of a file, or writes them as anything but files.
fn one(
    app: &Arc<App>,
    arguments: &Scenes,
    file: &Found,
    export: Option<SceneExport>,
    to_standard_output: bool,
    output: &Output,
) -> Result<(), AppError> {
    let request = UpscaleRequest {
        input: file.path.clone(),
        output: arguments.to.clone().filter(|_| !to_standard_output),
        overwrite: arguments.making.overwrite,
        scenes: Some(arguments.wish()),
        ..UpscaleRequest::default()
    };
    let mut watch = watching(file, output);
    match export {
        Some(export) if to_standard_output => {
            let text = app.scene_text(&request, export, &mut watch);
            watch.finish();
            print(text?.as_bytes())
        }
        Some(export) if !arguments.making.dry_run => {
            let path = app.save_scenes(&request, export, &mut watch);
            watch.finish();
            let path = path?;
            output.result(&json!({ "input": request.input, "output": path }), || {
                path.display().to_string()
            });
            Ok(())
        }
        _ => {
            let view = app.scenes(&request, &mut watch);
            watch.finish();
            let view = view?;
            let told = json!({ "input": request.input, "scenes": view });
            output.result(&told, || listed(&view));
            Ok(())
        }
    }
}

/// The shots for people: number, begin, length, frames.
fn listed(view: &ScenesView) -> String {
    let mut text = String::new();
    for (number, shot) in (1..).zip(&view.shots) {
        let seconds = |micros: i64| micros as f64 / 1e6;
        let comes = if shot.dissolves { "  dissolve" } else { "" };
        text.push_str(&format!(
            "{number:>4}  {:>10.3} s  {:>9.3} s  frames {} to {}{comes}\n",
            seconds(shot.from_micros),
            seconds(shot.to_micros - shot.from_micros),
            shot.from_frame,
            shot.to_frame.saturating_sub(1),
        ));
    }
    text
}

/// Makes a file of each shot, one after the other; gives the worst exit code.
fn split(
    app: &Arc<App>,
    arguments: &Scenes,
    file: &Found,
    output: &Output,
) -> Result<u8, AppError> {
    let request = upscale::request_for(&arguments.upscale(), file);
    let mut watch = watching(file, output);
    let requests = app.scene_requests(&request, &mut watch);
    watch.finish();
    upscale::each(app, requests?, arguments.making.dry_run, output)
}
