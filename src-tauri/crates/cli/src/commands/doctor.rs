use crate::output::{Output, bytes, columns};
use frameloom_app::{App, Report};
use frameloom_core::error::AppError;
use std::process::ExitCode;

pub fn run(app: &App, output: &Output) -> Result<ExitCode, AppError> {
    let report = app.doctor();
    output.result(&report, || text(&report));
    Ok(ExitCode::SUCCESS)
}

fn text(report: &Report) -> String {
    let mut rows: Vec<(String, String)> = Vec::new();
    let mut row = |name: &str, value: String| rows.push((name.to_owned(), value));
    row("frameloom", report.version.clone());
    row(
        "system",
        format!("{}, {}", report.system, report.architecture),
    );
    row(
        "processor",
        format!("{}, {} cores", report.processor, report.cores),
    );
    row(
        "memory",
        format!(
            "{}, {} free",
            bytes(report.memory_bytes),
            bytes(report.available_memory_bytes)
        ),
    );
    let free = report.free_bytes.map_or_else(
        || "unknown free space".to_owned(),
        |free| bytes(free) + " free",
    );
    row(
        "data folder",
        format!("{}, {free}", report.data_folder.display()),
    );
    match &report.runtime {
        Ok(runtime) => {
            row("onnx runtime", runtime.version.clone());
            row("", runtime.library.display().to_string());
            for device in &runtime.devices {
                let vendor = match device.vendor.as_str() {
                    "" => String::new(),
                    vendor => format!("{vendor} "),
                };
                row(
                    "  device",
                    format!("{vendor}{}, by {}", device.kind, device.provider),
                );
            }
            for provider in &runtime.providers {
                let speed = match &provider.speed {
                    Ok(fps) => format!("{fps:.1} fps from 640x360 with loom-x2"),
                    Err(reason) => format!("not usable: {reason}"),
                };
                row(&format!("  {}", provider.name), speed);
            }
        }
        Err(reason) => row("onnx runtime", format!("not usable: {reason}")),
    }
    for known in &report.choices {
        let choice = &known.decision.choice;
        row(
            &format!("choice {}", known.model),
            format!(
                "{} for `{}`: {} in {}",
                known.device.as_str(),
                known.precision.as_str(),
                choice.provider,
                choice.arithmetic.as_str()
            ),
        );
        if let Some(reason) = &choice.reason {
            row("", reason.clone());
        }
    }
    for library in &report.ffmpeg {
        row(
            &format!("ffmpeg {}", library.name),
            format!("{}, {}", library.version, library.licence),
        );
    }
    for encoder in &report.encoders {
        row(
            &format!("encoder {}", encoder.name),
            match &encoder.problem {
                None => "works".to_owned(),
                Some(problem) => format!("not usable: {problem}"),
            },
        );
    }
    columns(&rows)
}
