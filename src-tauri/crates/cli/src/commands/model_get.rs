use crate::arguments::ModelGet;
use crate::interrupt;
use crate::output::{Bar, Output, bytes, columns};
use frameloom_app::{App, CatalogueView, ModelSource, Watch, explain};
use frameloom_core::catalogue::{CatalogueModel, LicenceClass};
use frameloom_core::error::{AppError, ErrorCode};
use serde_json::json;
use std::cell::Cell;
use std::io::{IsTerminal, Write, stderr, stdin};
use std::process::ExitCode;
use std::time::{Duration, Instant};

/// How often progress is told as a line of JSON.
const OFTEN: Duration = Duration::from_millis(200);

pub fn run(app: &App, wish: &ModelGet, output: &Output) -> Result<ExitCode, AppError> {
    let source = source(wish)?;
    // A bundle may bring a newer catalogue, which then describes its models.
    app.learn_from(&source)?;
    let known = app.catalogue()?;
    for id in &wish.ids {
        let model = app.catalogue_model(id)?;
        let mut installed = known.models.iter().filter(|entry| entry.installed);
        if !installed.any(|entry| entry.model == model) {
            agree(&model, wish.yes, output)?;
        }
    }
    interrupt::listen(output)?;
    let mut entries = Vec::new();
    for id in &wish.ids {
        let size = known
            .models
            .iter()
            .find(|known| known.model.manifest.id == *id);
        let size = size.map_or(0, |known| known.model.manifest.size_bytes);
        let waiting = Waiting::new(output, id, size);
        entries.push(app.get_model(id, &source, &waiting)?);
    }
    output.result(&entries, || {
        let ids: Vec<_> = entries
            .iter()
            .map(|entry| format!("`{}`", entry.id))
            .collect();
        match ids.as_slice() {
            [id] => format!(
                "{id} is installed. `frameloom models show {}` tells more.",
                entries[0].id
            ),
            _ => format!("{} are installed.", ids.join(", ")),
        }
    });
    Ok(ExitCode::SUCCESS)
}

fn source(wish: &ModelGet) -> Result<ModelSource, AppError> {
    if let Some(address) = &wish.mirror {
        return Ok(ModelSource::Mirror {
            address: address.clone(),
        });
    }
    let Some(path) = &wish.from else {
        return Ok(ModelSource::Catalogue);
    };
    let path = std::path::absolute(path).map_err(|error| explain::unreadable(path, &error))?;
    let path = path.to_str().ok_or_else(|| {
        AppError::new(
            ErrorCode::InvalidRequest,
            "The name of this file is no text.",
        )
        .hint("Rename it.")
    })?;
    Ok(ModelSource::Path {
        path: path.to_owned(),
    })
}

/// Shows the licence, and asks whoever sits there.
fn agree(model: &CatalogueModel, yes: bool, output: &Output) -> Result<(), AppError> {
    output.notice(&licence(model));
    if yes {
        return Ok(());
    }
    let nobody = || {
        AppError::new(ErrorCode::InvalidRequest, "Nobody agreed to the licence.")
            .hint("Read it, and say --yes.")
    };
    if output.is_json() || !stdin().is_terminal() {
        return Err(nobody());
    }
    let mut answer = String::new();
    let _ = write!(stderr(), "Fetch it? [y/N] ");
    let _ = stdin().read_line(&mut answer);
    match answer.trim().to_lowercase().as_str() {
        "y" | "yes" => Ok(()),
        _ => Err(nobody()),
    }
}

fn licence(model: &CatalogueModel) -> String {
    let manifest = &model.manifest;
    let licence = &manifest.licence;
    let mut rows = vec![
        (
            manifest.id.clone(),
            format!("{}, {}", manifest.name, bytes(manifest.size_bytes)),
        ),
        (
            "licence".to_owned(),
            format!("{}: {}", licence.spdx, allows(licence.class)),
        ),
    ];
    rows.extend(licence.url.clone().map(|url| ("text".to_owned(), url)));
    rows.extend(
        licence
            .attribution
            .clone()
            .map(|credit| ("credit".to_owned(), credit)),
    );
    rows.push(("from".to_owned(), model.origin.repository.clone()));
    columns(&rows)
}

fn allows(class: Option<LicenceClass>) -> &'static str {
    match class {
        Some(LicenceClass::Free) => "free, also for commercial work",
        Some(LicenceClass::Attribution) => "free with a credit, also for commercial work",
        Some(LicenceClass::ShareAlike) => {
            "free, also for commercial work; changed weights stay under it"
        }
        Some(LicenceClass::NonCommercial) => "not for commercial work",
        Some(LicenceClass::Gated) => "after an agreement with its maker",
        None => "unknown",
    }
}

/// The catalogue as a list.
pub fn available(catalogue: &CatalogueView) -> String {
    let rows: Vec<_> = catalogue
        .models
        .iter()
        .map(|entry| {
            let manifest = &entry.model.manifest;
            let state = match entry.installed {
                true => "installed",
                false => "",
            };
            let text = format!(
                "{:>10}  {}  {}  {state}",
                bytes(manifest.size_bytes),
                manifest.licence.spdx,
                manifest.summary.get("en").map_or("", String::as_str)
            );
            (manifest.id.clone(), text)
        })
        .collect();
    let old = match catalogue.is_old {
        true => "\nThis catalogue is old; a newer one is taken with `frameloom models renew`.",
        false => "",
    };
    format!("{}{old}", columns(&rows))
}

/// Shows how far a download is, and ends it by Ctrl-C.
pub struct Waiting<'a> {
    output: &'a Output,
    bar: Bar,
    id: &'a str,
    size_bytes: u64,
    told: Cell<Option<Instant>>,
}

impl<'a> Waiting<'a> {
    pub fn new(output: &'a Output, id: &'a str, size_bytes: u64) -> Self {
        Self {
            output,
            bar: output.bar(id),
            id,
            size_bytes,
            told: Cell::new(None),
        }
    }
}

impl Watch for Waiting<'_> {
    fn progress(&self, done_bytes: u64) {
        self.bar.update_bytes(done_bytes, self.size_bytes);
        let due = self.told.get().is_none_or(|told| told.elapsed() >= OFTEN);
        if due || done_bytes == self.size_bytes {
            self.told.set(Some(Instant::now()));
            self.output.line(&json!({
                "event": "progress", "id": self.id, "done_bytes": done_bytes,
                "total_bytes": self.size_bytes,
            }));
        }
    }

    fn is_cancelled(&self) -> bool {
        interrupt::requested()
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.bar.finish();
    }
}
