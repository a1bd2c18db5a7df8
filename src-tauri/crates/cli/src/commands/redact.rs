//! `frameloom redact`: who is seen, shown by number, and files that are redacted.

use super::scenes::Watching;
use super::upscale;
use crate::arguments::{Redact, Upscale};
use crate::interrupt;
use crate::output::{Output, refusal_exit_code};
use frameloom_app::inputs::{Found, Gather, expand};
use frameloom_app::{App, FacesView, UpscaleRequest, keep_of};
use frameloom_core::error::{AppError, ErrorCode};
use frameloom_core::said;
use serde_json::json;
use std::collections::BTreeSet;
use std::process::ExitCode;
use std::sync::Arc;

pub fn run(app: &Arc<App>, arguments: &Redact, output: &Output) -> Result<ExitCode, AppError> {
    let work = arguments.upscale();
    let is_only = !arguments.only.is_empty();
    if !arguments.list && arguments.keep.is_empty() && !is_only {
        return upscale::run(app, &work, output);
    }
    let expanded = expand(&arguments.inputs, Gather::Pictures)?;
    let [file] = &expanded.files[..] else {
        return Err(AppError::new(
            ErrorCode::InvalidRequest,
            said!(
                "faces.one_file",
                "Faces are chosen in one file at a time, and there are {count}.",
                count = expanded.files.len()
            ),
        )
        .hint("Name one file."));
    };
    interrupt::listen(output)?;
    let done = match arguments.list {
        true => list(app, arguments, &work, file, output).map(|()| ExitCode::SUCCESS),
        false => kept(app, arguments, work, file, output),
    };
    match done {
        Err(_) if interrupt::requested() => Ok(interrupt::exit_code()),
        Err(error) => {
            output.error(&error);
            Ok(ExitCode::from(refusal_exit_code(error.code)))
        }
        done => done,
    }
}

fn watching(file: &Found, output: &Output) -> Watching {
    let name = file.path.file_name().unwrap_or_default();
    Watching::new(&name.to_string_lossy(), output)
}

/// Who is seen, and a sheet of them.
fn list(
    app: &Arc<App>,
    arguments: &Redact,
    work: &Upscale,
    file: &Found,
    output: &Output,
) -> Result<(), AppError> {
    let request = UpscaleRequest {
        output: None,
        ..upscale::request_for(work, file)
    };
    let mut watch = watching(file, output);
    let view = app.faces(&request, &mut watch);
    watch.finish();
    let view = view?;
    let sheet = match &arguments.sheet {
        Some(path) => {
            let overwrite = arguments.making.overwrite;
            Some(app.save_face_sheet(&request, path, overwrite, &mut watch)?)
        }
        None => None,
    };
    let told = json!({ "input": request.input, "faces": view.faces, "left_out": view.left_out, "sheet": sheet });
    output.result(&told, || {
        let mut text = listed(&view);
        if let Some(path) = &sheet {
            text.push_str(&format!("{}\n", path.display()));
        }
        text
    });
    Ok(())
}

/// For people: number, times, place, and its part of the picture.
fn listed(view: &FacesView) -> String {
    let mut text = String::new();
    for face in &view.faces {
        let seconds = |micros: i64| micros as f64 / 1e6;
        let [left, top, right, bottom] = face.sides.map(|side| side * 100.0);
        text.push_str(&format!(
            "{:>4}  {:>9.3} s to {:>9.3} s  {:>5} pictures  at {:.0}, {:.0} %  {:.1} % of the picture\n",
            face.number,
            seconds(face.from_micros),
            seconds(face.to_micros),
            face.pictures,
            0.5 * (left + right),
            0.5 * (top + bottom),
            (right - left) * (bottom - top) / 100.0,
        ));
    }
    if view.faces.is_empty() {
        text.push_str("Nothing was found.\n");
    }
    if view.left_out > 0 {
        text.push_str(&format!(
            "{} more for a moment only; they are always covered.\n",
            view.left_out
        ));
    }
    text
}

/// Redacts a file in which faces stay visible.
fn kept(
    app: &Arc<App>,
    arguments: &Redact,
    mut work: Upscale,
    file: &Found,
    output: &Output,
) -> Result<ExitCode, AppError> {
    let is_only = !arguments.only.is_empty();
    let numbers = match is_only {
        true => &arguments.only,
        false => &arguments.keep,
    };
    let numbers: BTreeSet<u32> = numbers.iter().copied().collect();
    let request = upscale::request_for(&work, file);
    let mut watch = watching(file, output);
    let view = app.faces(&request, &mut watch);
    watch.finish();
    let keep = keep_of(&view?, &numbers, is_only)?;
    if let Some(wish) = &mut work.wishes.redact {
        wish.keep = keep;
    }
    upscale::run(app, &work, output)
}
