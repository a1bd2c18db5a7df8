//! Everything that is known of one item.

use crate::{App, explain, inputs};
use frameloom_core::error::AppError;
use frameloom_core::library::{ItemId, LibraryDetails, LibraryKind};

impl App {
    /// Everything that is known of one item: its file is read for it. A file that cannot be read
    /// has its reason in the answer.
    ///
    /// # Errors
    /// There is no such item.
    pub fn library_details(&self, id: ItemId) -> Result<LibraryDetails, AppError> {
        let item = self.library_item(id)?;
        let provenance = self.store.provenance(id).map_err(explain::store)?;
        let (info, error) = match inputs::probe(&item.path) {
            Ok(info) => (Some(info), None),
            Err(error) => (None, Some(error)),
        };
        let exif = match item.kind {
            // What is no picture after all has none, and why is in `error`.
            LibraryKind::Still => frameloom_still::exif_facts(&item.path).unwrap_or_default(),
            _ => Vec::new(),
        };
        let mut copies = Vec::new();
        if let Some(sha256) = &provenance.sha256 {
            let same = self
                .store
                .items_of_content(sha256)
                .map_err(explain::store)?;
            let items = self.store.library_items(&same).map_err(explain::store)?;
            copies.extend(items.into_iter().filter(|i| i.id != id).map(|i| i.path));
        }
        let job = item.made_by.as_ref().and_then(|job| self.job(job).ok());
        Ok(LibraryDetails {
            info,
            error,
            exif,
            sha256: provenance.sha256,
            job: job.map(Box::new),
            made_from: provenance.made_from,
            models: provenance.models,
            copies,
            item,
        })
    }
}
