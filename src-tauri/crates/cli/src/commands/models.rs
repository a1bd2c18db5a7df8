use super::model_get;
use crate::arguments::{self, Models};
use crate::interrupt;
use crate::output::{Output, bytes, columns};
use frameloom_app::choices::{Decision, Remembered, Trial};
use frameloom_app::{
    App, Imported, MatteHints, ModelEntry, ModelImport, ModelSpeed, ModelState, explain,
};
use frameloom_core::error::{AppError, ErrorCode};
use frameloom_core::job::Device;
use frameloom_core::model::Task;
use serde::de::DeserializeOwned;
use serde_json::json;
use std::process::ExitCode;

pub fn run(app: &App, command: &Models, output: &Output) -> Result<ExitCode, AppError> {
    match command {
        Models::List => {
            let entries = app.list_models(false);
            output.result(&entries, || list(&entries));
        }
        Models::Show { id } => {
            let (entry, card) = app.model(id)?;
            output.result(&json!({ "model": entry, "card": card }), || {
                show(&entry, card.as_deref())
            });
        }
        Models::Inspect { file } => {
            let found = app.inspect_onnx(file)?;
            output.result(&found, || found.findings.join("\n"));
        }
        Models::Import(wish) => {
            let imported = app.import_model(&import(wish)?)?;
            output.result(&imported, || installed(&imported));
        }
        Models::Available => {
            let catalogue = app.catalogue()?;
            output.result(&catalogue, || model_get::available(&catalogue));
        }
        Models::Get(wish) => return model_get::run(app, wish, output),
        Models::Bundle { ids, to } => {
            let bundled = app.bundle_models(ids, to)?;
            output.result(&bundled, || {
                format!(
                    "{} is written: {}, {}.\nTake it along with `frameloom models get {} --from {}`.",
                    bundled.path.display(),
                    bytes(bundled.size_bytes),
                    bundled.models.join(", "),
                    bundled.models.join(" "),
                    bundled.path.display()
                )
            });
        }
        Models::Renew { from } => {
            interrupt::listen(output)?;
            let catalogue =
                app.renew_catalogue(from, &model_get::Waiting::new(output, "catalogue", 0))?;
            output.result(&catalogue, || model_get::available(&catalogue));
        }
        Models::Remove { id } => {
            app.remove_model(id)?;
            output.result(&json!({ "removed": id }), || format!("`{id}` is removed."));
        }
        Models::Measure { id } => {
            let speed = app.measure_speed_apart(id)?;
            // What sees or hears one way only has nothing to choose.
            let choices = match app.may_choose(id)? {
                true => app.measure_model(id)?,
                false => Vec::new(),
            };
            let measured = json!({ "speed": speed, "choices": choices });
            output.result(&measured, || {
                format!("{}\n{}", how_fast(&speed), measurements(&choices))
                    .trim_end()
                    .to_owned()
            });
        }
        Models::Verify { repair } => {
            if *repair {
                app.repair_models()?;
            }
            let entries = app.list_models(true);
            output.result(&entries, || list(&entries));
            if entries.iter().any(|e| e.state != ModelState::Ready) {
                return Ok(ExitCode::from(ErrorCode::ModelInvalid.exit_code()));
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// The wish in the words of a graph document.
fn import(wish: &arguments::ModelImport) -> Result<ModelImport, AppError> {
    let file =
        std::path::absolute(&wish.file).map_err(|error| explain::unreadable(&wish.file, &error))?;
    let path = file.to_str().ok_or_else(|| {
        AppError::new(
            ErrorCode::InvalidRequest,
            "The name of this file is no text.",
        )
        .hint("Rename it.")
    })?;
    let params = json!({
        "path": path, "scale": wish.scale, "layout": wish.layout, "range": wish.range,
        "color": wish.color, "tile": wish.tile,
    });
    Ok(ModelImport {
        file: serde_json::from_value(params).map_err(explain::internal)?,
        id: wish.id.clone(),
        name: wish.name.clone(),
        licence: wish.licence.clone(),
        credit: wish.credit.clone(),
        faithful: wish.faithful,
        task: said(wish.task.as_deref())?,
        matte: Some(MatteHints {
            foreground: wish.foreground,
            activation: said(wish.activation.as_deref())?,
            imagenet: wish.imagenet,
        }),
    })
}

/// One of the words that the command line knows, as the manifest has it.
fn said<T: DeserializeOwned>(word: Option<&str>) -> Result<Option<T>, AppError> {
    word.map(|word| serde_json::from_value(json!(word)).map_err(explain::internal))
        .transpose()
}

fn installed(imported: &Imported) -> String {
    let id = &imported.model.id;
    let manifest = imported.model.manifest.as_ref();
    let scale = manifest.map_or(1, |m| m.scale);
    let task = manifest.map(|m| m.task);
    let is_matte = task == Some(Task::Matte);
    let use_it = match scale {
        _ if is_matte => format!("Use it by `background FILE --model {id}`."),
        _ if task == Some(Task::Faces) => format!("Use it by `redact FILE --model {id}`."),
        _ if task == Some(Task::Text) => format!("Use it by `redact FILE --text --model {id}`."),
        _ if task == Some(Task::VoiceActivity) => {
            format!("Use it by `silence FILE --model {id}`.")
        }
        _ if task == Some(Task::SpeechCleaning) => format!("Use it by `voice FILE --model {id}`."),
        _ if task == Some(Task::Light) => format!("Use it by `light FILE --model {id}`."),
        _ if task == Some(Task::Style) => format!("Use it by `style FILE --model {id}`."),
        _ if task == Some(Task::Depth) => format!("Use it by `depth FILE --model {id}`."),
        _ if task == Some(Task::Between) => format!("Use it by `interpolate FILE --model {id}`."),
        1 => format!(
            "Use it as the `model` of a node `denoise`, or by `upscale --scale 1 --model {id}`."
        ),
        _ => format!("Use it by `upscale --model {id}`."),
    };
    format!(
        "{}\n`{id}` is installed. {use_it}",
        imported.findings.join("\n")
    )
}

fn list(entries: &[ModelEntry]) -> String {
    let rows: Vec<_> = entries
        .iter()
        .map(|entry| (entry.id.clone(), describe(entry)))
        .collect();
    columns(&rows)
}

/// Speed and memory in a line.
fn how_fast(speed: &ModelSpeed) -> String {
    let done = match speed.size {
        Some((width, height)) => {
            format!("{:.1} pictures of {width}x{height} a second", speed.fps)
        }
        None => format!("{:.0} seconds of sound a second", speed.fps),
    };
    let memory = speed
        .memory_bytes
        .map(|taken| format!(", with {} of memory", bytes(taken)));
    format!("{done} on {}{}", speed.provider, memory.unwrap_or_default())
}

/// Every candidate once, and what each precision comes to.
fn measurements(measured: &[Remembered]) -> String {
    let mut rows = Vec::new();
    for known in measured {
        let decision = &known.decision;
        let choice = &decision.choice;
        let used = decision
            .trials
            .iter()
            .find(|t| t.device == choice.device && t.arithmetic == choice.arithmetic);
        rows.push((
            known.precision.as_str().to_owned(),
            match used {
                Some(trial) => format!(
                    "{} in {}: {}",
                    choice.provider,
                    choice.arithmetic.as_str(),
                    result(decision, trial)
                ),
                None => format!(
                    "{} in {}; there is nothing to choose from",
                    choice.provider,
                    choice.arithmetic.as_str()
                ),
            },
        ));
        let passed_over = decision
            .trials
            .iter()
            .filter(|t| used != Some(*t) && t.device != Device::Cpu);
        for trial in passed_over {
            let text = format!(
                "  not {} in {}: {}",
                trial.provider,
                trial.arithmetic.as_str(),
                result(decision, trial)
            );
            rows.push((String::new(), text));
        }
    }
    columns(&rows)
}

fn result(decision: &Decision, trial: &Trial) -> String {
    if let Some(reason) = &trial.refused {
        return reason.clone();
    }
    let speed = decision
        .speed_ratio(trial)
        .map(|ratio| format!("{ratio:.2} times as fast as the processor's own kernels"));
    let distance = trial
        .psnr_db
        .map(|db| format!("{db:.1} dB from the exact result"));
    match trial.device {
        Device::Cpu => "the exact result itself".to_owned(),
        _ => [speed, distance]
            .into_iter()
            .flatten()
            .collect::<Vec<_>>()
            .join(", "),
    }
}

fn describe(entry: &ModelEntry) -> String {
    let state = match entry.state {
        ModelState::Ready => "ready".to_owned(),
        ModelState::Missing | ModelState::Damaged => format!(
            "not usable: {}",
            entry.message.as_deref().unwrap_or("it is damaged")
        ),
    };
    match &entry.manifest {
        Some(manifest) if manifest.task != Task::Upscale => format!(
            "{:<5}  {:>7}  {}  {state}",
            match manifest.task {
                Task::Upscale | Task::Matte => "matte",
                Task::Faces => "faces",
                Task::Text => "text",
                Task::VoiceActivity | Task::SpeechCleaning => "sound",
                Task::Light => "light",
                Task::Style => "style",
                Task::Depth => "depth",
                Task::Between => "between",
            },
            bytes(manifest.size_bytes),
            manifest.licence.spdx
        ),
        Some(manifest) => format!(
            "x{}  {:>10}  {}  {state}",
            manifest.scale,
            bytes(manifest.size_bytes),
            manifest.licence.spdx
        ),
        None => state,
    }
}

fn show(entry: &ModelEntry, card: Option<&str>) -> String {
    let mut rows = vec![
        ("id".to_owned(), entry.id.clone()),
        ("state".to_owned(), describe(entry)),
    ];
    if let Some(manifest) = &entry.manifest {
        rows.push(("name".to_owned(), manifest.name.clone()));
        rows.push(("sha256".to_owned(), manifest.sha256.clone()));
        if let Some(credit) = &manifest.licence.attribution {
            rows.push(("credit".to_owned(), credit.clone()));
        }
        if let Some(summary) = manifest.summary.get("en") {
            rows.push(("summary".to_owned(), summary.clone()));
        }
    }
    let mut text = columns(&rows);
    if let Some(card) = card {
        text.push('\n');
        text.push_str(card);
    }
    text
}
