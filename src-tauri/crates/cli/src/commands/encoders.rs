//! `encoders`: what this machine can encode with, and what each quality means for it.

use crate::output::Output;
use frameloom_app::encoders::{EncoderRow, encoders};
use frameloom_core::error::AppError;
use std::process::ExitCode;

pub fn run(output: &Output) -> Result<ExitCode, AppError> {
    let rows = encoders();
    output.result(&rows, || text(&rows));
    Ok(ExitCode::SUCCESS)
}

fn text(rows: &[EncoderRow]) -> String {
    let mut text = String::new();
    let mut codec = "";
    for row in rows {
        if row.codec != codec {
            codec = &row.codec;
            text.push_str(&format!("{codec}\n"));
        }
        let kind = if row.hardware { " (hardware)" } else { "" };
        match &row.refused {
            Some(why) => {
                text.push_str(&format!("  {}{kind}: not here ({why})\n", row.name));
                continue;
            }
            None => text.push_str(&format!("  {}{kind}: works\n", row.name)),
        }
        for preset in &row.presets {
            let said = match &preset.parameters {
                None => "refused: it has no such mode".to_owned(),
                Some(list) => {
                    let pairs = list.iter().map(|(key, value)| format!("{key}={value}"));
                    pairs.collect::<Vec<_>>().join(" ")
                }
            };
            // Named as `--quality` takes it.
            let name = format!("{:?}", preset.quality).to_lowercase();
            text.push_str(&format!("    {name:<9} {said}\n"));
        }
    }
    text
}
