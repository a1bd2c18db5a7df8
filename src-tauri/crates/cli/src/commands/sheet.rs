//! `frameloom sheet`: many files on one picture.

use super::scenes::Watching;
use crate::arguments::Sheet;
use crate::interrupt;
use crate::output::{Output, refusal_exit_code};
use frameloom_app::inputs::{Gather, Refused, expand};
use frameloom_app::{App, SheetWish};
use frameloom_core::error::AppError;
use serde_json::json;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

pub fn run(app: &Arc<App>, arguments: &Sheet, output: &Output) -> Result<ExitCode, AppError> {
    let expanded = expand(&arguments.inputs, Gather::Pictures)?;
    interrupt::listen(output)?;
    let files: Vec<PathBuf> = expanded
        .files
        .iter()
        .map(|file| file.path.clone())
        .collect();
    let name = arguments.output.file_name().unwrap_or_default();
    let mut watch = Watching::new(&name.to_string_lossy(), output);
    let count = files.len();
    let mut wish = SheetWish::of(files, arguments.output.clone());
    wish.columns = arguments.columns;
    wish.picture = arguments.size.unwrap_or(wish.picture);
    wish.names = !arguments.no_names;
    let written = app.save_sheet(&wish, arguments.overwrite, &mut watch);
    watch.finish();
    let written = written?;
    let shown = count - written.unshown.len();
    let mut unshown = written.unshown;
    unshown.extend(expanded.refused);
    if !output.is_json() {
        for Refused { path, error } in &unshown {
            output.notice(&format!("Not shown: {}", path.display()));
            output.error(error);
        }
    }
    let value = json!({
        "output": written.path,
        "shown": shown,
        "not_shown": unshown
            .iter()
            .map(|Refused { path, error }| json!({ "input": path, "error": error }))
            .collect::<Vec<_>>(),
    });
    output.result(&value, || format!("{}\n", written.path.display()));
    let worst = unshown
        .iter()
        .map(|refused| refusal_exit_code(refused.error.code));
    Ok(ExitCode::from(worst.max().unwrap_or(0)))
}
