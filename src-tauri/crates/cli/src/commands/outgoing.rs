use crate::output::{Output, bytes};
use frameloom_app::{App, Outgoing, OutgoingPurpose};
use frameloom_core::error::AppError;
use std::process::ExitCode;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

pub fn run(app: &App, limit: u32, hosts: bool, output: &Output) -> Result<ExitCode, AppError> {
    if hosts {
        let hosts = app.outgoing_hosts();
        output.result(&hosts, || hosts.join("\n"));
        return Ok(ExitCode::SUCCESS);
    }
    let entries = app.outgoing(None, limit)?;
    output.result(&entries, || match entries.is_empty() {
        true => "Nothing has left this computer.".to_owned(),
        false => entries.iter().map(told).collect::<Vec<_>>().join("\n"),
    });
    Ok(ExitCode::SUCCESS)
}

fn told(entry: &Outgoing) -> String {
    let what = match &entry.purpose {
        OutgoingPurpose::Model { id } => format!("the model {id}"),
        OutgoingPurpose::Catalogue => "the catalogue of models".to_owned(),
        OutgoingPurpose::Other => "something that a newer program did".to_owned(),
    };
    let end = match &entry.end {
        None => "no answer was noted".to_owned(),
        Some(end) => {
            let status = end.status.map(|status| format!("answer {status}"));
            let error = end.error.clone();
            let received = Some(format!("{} received", bytes(end.received_bytes)));
            let parts = [status, received, error];
            parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
        }
    };
    let headers = entry.headers.replace('\n', "\n    ");
    format!(
        "{}  {} {}\n  for {what}; {end}\n    {headers}",
        moment(entry.at_millis),
        entry.method,
        entry.address
    )
}

/// Date and time of day in UTC, as `2026-11-23T02:15:09Z`.
fn moment(millis: i64) -> String {
    OffsetDateTime::from_unix_timestamp(millis.div_euclid(1000))
        .ok()
        .and_then(|moment| moment.format(&Rfc3339).ok())
        // A clock that is so far off is told as it is.
        .unwrap_or_else(|| format!("{millis} ms"))
}
