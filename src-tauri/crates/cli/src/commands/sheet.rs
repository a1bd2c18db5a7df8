//! `frameloom sheet`: many files on one picture.

use super::scenes::Watching;
use crate::arguments::Sheet;
use crate::interrupt;
use crate::output::{Output, refusal_exit_code};
use frameloom_app::App;
use frameloom_app::inputs::{Gather, expand};
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
    let written = app.save_sheet(&files, &arguments.output, arguments.overwrite, &mut watch);
    watch.finish();
    let written = written?;
    let shown = files.len() - written.unshown.len();
    let mut unshown = written.unshown;
    unshown.extend(expanded.refused.into_iter().map(|r| (r.path, r.error)));
    if !output.is_json() {
        for (path, error) in &unshown {
            output.notice(&format!("Not shown: {}", path.display()));
            output.error(error);
        }
    }
    let value = json!({
        "output": written.path,
        "shown": shown,
        "not_shown": unshown
            .iter()
            .map(|(path, error)| json!({ "input": path, "error": error }))
            .collect::<Vec<_>>(),
    });
    output.result(&value, || format!("{}\n", written.path.display()));
    let worst = unshown
        .iter()
        .map(|(_, error)| refusal_exit_code(error.code));
    Ok(ExitCode::from(worst.max().unwrap_or(0)))
}
