//! Presets: which there are, and one's own.

use crate::arguments::Presets;
use crate::output::{Output, columns};
use frameloom_app::App;
use frameloom_app::presets::{PRESET_ENDING, PresetOrigin, SavedPreset, offered};
use frameloom_core::error::AppError;
use serde_json::json;
use std::path::PathBuf;
use std::process::ExitCode;

pub fn run(app: &App, command: &Presets, output: &Output) -> Result<ExitCode, AppError> {
    match command {
        Presets::List => {
            let shelf = app.shelf()?;
            for refused in &shelf.refused {
                output.notice(&format!("{}: {}", refused.file, refused.error.message));
            }
            let words: Vec<&str> = offered().map(|preset| preset.word).collect();
            output.result(&json!({ "words": words, "presets": shelf.presets, "refused": shelf.refused }), || {
                let rows: Vec<(String, String)> = shelf.presets.iter().map(row).collect();
                format!(
                    "{}\n`frameloom do ID FILE` does one; `frameloom do --help` lists single words.",
                    columns(&rows).trim_end()
                )
            });
        }
        Presets::Show { preset } => {
            let document = app.saved_preset(preset)?;
            output.result(&document, || {
                serde_json::to_string_pretty(&document).unwrap_or_default()
            });
        }
        Presets::Add { file } => {
            let added = app.add_preset(file)?;
            output.result(&added, || {
                format!("`{}` is kept: {}.", added.id, name(&added))
            });
        }
        Presets::Export { preset, file } => {
            let usual = PathBuf::from(format!("{preset}.{PRESET_ENDING}"));
            let path = app.export_preset(preset, file.as_deref().unwrap_or(&usual))?;
            output.result(&json!({ "path": path }), || path.display().to_string());
        }
        Presets::Remove { preset } => {
            app.remove_preset(preset)?;
            output.result(&json!({ "removed": preset }), || {
                format!("`{preset}` is removed.")
            });
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// What it is called, in English where it says so.
fn name(preset: &SavedPreset) -> &str {
    let words = preset.words.get("en").or(preset.words.values().next());
    words.map_or("", |words| words.name.as_str())
}

fn row(preset: &SavedPreset) -> (String, String) {
    let own = match preset.origin {
        PresetOrigin::Own => " (own)",
        PresetOrigin::Shipped => "",
    };
    (preset.id.clone(), format!("{}{own}", name(preset)))
}
