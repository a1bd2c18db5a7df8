//! `verify`: a file against its receipt.

use crate::output::{Output, columns};
use frameloom_app::App;
use frameloom_app::receipt::Verdict;
use frameloom_core::error::{AppError, ErrorCode};
use serde_json::json;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

pub fn run(
    app: &Arc<App>,
    file: &Path,
    receipt: Option<&Path>,
    output: &Output,
) -> Result<ExitCode, AppError> {
    let verification = app.verify(file, receipt)?;
    let is_genuine = verification.genuine;
    output.result(&json!(verification), || {
        let rows: Vec<(String, String)> = verification
            .findings
            .iter()
            .map(|finding| {
                let verdict = match finding.verdict {
                    Verdict::Same => "same",
                    Verdict::Differs => "DIFFERS",
                    Verdict::Absent => "absent",
                };
                (
                    finding.what.clone(),
                    format!("{verdict:8} {}", finding.says),
                )
            })
            .collect();
        let verdict = if is_genuine {
            "This is the file that the job made."
        } else {
            "This is not the file that the job made: it was changed or damaged since."
        };
        format!("{}\n{verdict}", columns(&rows))
    });
    Ok(if is_genuine {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(ErrorCode::VerificationFailed.exit_code())
    })
}
