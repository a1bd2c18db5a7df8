//! Writing a result that is no job: to a place of its own first, then under its name.

use crate::explain;
use frameloom_core::error::AppError;
use frameloom_engine::execute::{free_output, is_same_file};
use std::path::{Path, PathBuf};

/// Has `write` fill a file beside `wanted` and gives it that name, or the next that is free; one that is
/// taken is replaced if `overwrite` says so, but never `input`. Folders are made.
///
/// # Errors
/// That of `write`, or nothing can be written there; then nothing is left behind.
pub(crate) fn saved(
    wanted: &Path,
    input: &Path,
    overwrite: bool,
    write: impl FnOnce(&Path) -> Result<(), AppError>,
) -> Result<PathBuf, AppError> {
    let unwritable = |error: std::io::Error| explain::unwritable(wanted, &error);
    let wanted = std::path::absolute(wanted).map_err(unwritable)?;
    let folder = wanted.parent().unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder).map_err(unwritable)?;
    let mut builder = tempfile::Builder::new();
    builder.prefix(".frameloom-");
    // Such a file is for its owner alone, and a result is not, unless the owner's mask says so.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    let place = builder
        .tempfile_in(folder)
        .map_err(unwritable)?
        .into_temp_path();
    write(&place)?;
    std::fs::File::open(&place)
        .and_then(|file| file.sync_all())
        .map_err(unwritable)?;
    let taken = |path: &Path| {
        let used = path.symlink_metadata().is_ok();
        is_same_file(path, input) || (used && !overwrite)
    };
    let path = free_output(&wanted, taken);
    match overwrite {
        true => place.persist(&path),
        false => place.persist_noclobber(&path),
    }
    .map_err(|error| unwritable(error.error))?;
    Ok(path)
}
