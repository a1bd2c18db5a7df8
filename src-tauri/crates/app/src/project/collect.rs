//! A copy of a project with every file that it needs, in one folder.

use super::contents::Project;
use super::files::{
    name_of, plain_name, remove_left_behind, set_permissions, sync_folder, unfinished_in,
};
use super::request::refuse_missing;
use super::sources::{Media, ProjectSource, SourceState};
use super::{ProjectStep, Watch, invalid, read};
use crate::library::rename_without_replacing;
use crate::{App, disk, explain, now_millis};
use frameloom_core::error::{AppError, ErrorCode};
use frameloom_core::said;
use frameloom_core::said::SaidValue;
use frameloom_core::sequence::NumberPattern;
use serde::Serialize;
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use ts_rs::TS;

/// Folder below that of the copy where the files go.
const MEDIA_FOLDER: &str = "media";
/// Read and written at once.
const BLOCK: usize = 1 << 20;

/// What collecting a project would do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
pub struct CollectForecast {
    /// Files that are copied.
    pub files: u32,
    /// Their bytes.
    #[ts(type = "number")]
    pub bytes: u64,
    /// Bytes that may still be written there; `None` where the system does not tell.
    #[ts(type = "number | null")]
    pub free_bytes: Option<u64>,
}

/// A project that was collected.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
pub struct Collected {
    /// The copy of the project.
    #[ts(type = "string")]
    pub path: PathBuf,
    /// Files that were copied.
    pub files: u32,
    /// Their bytes.
    #[ts(type = "number")]
    pub bytes: u64,
    /// Names of files that are something else than when the project was saved. They were copied as
    /// they are.
    pub changed: Vec<String>,
}

/// A file to be copied.
struct Copy {
    from: PathBuf,
    /// Name below the folder for media.
    to: PathBuf,
    bytes: u64,
}

/// Removes what was made unless all of it was.
struct Made {
    files: Vec<PathBuf>,
    folders: Vec<PathBuf>,
    keep: bool,
}

impl Drop for Made {
    fn drop(&mut self) {
        if self.keep {
            return;
        }
        for file in &self.files {
            let _ = std::fs::remove_file(file);
        }
        // Only where nothing else came into them meanwhile.
        for folder in self.folders.iter().rev() {
            let _ = std::fs::remove_dir(folder);
        }
    }
}

impl App {
    /// What collecting a project into a folder would take.
    ///
    /// # Errors
    /// The project cannot be read, or a file of it is missing.
    pub fn forecast_collect(
        &self,
        path: &Path,
        folder: &Path,
    ) -> Result<CollectForecast, AppError> {
        let path = std::path::absolute(path).map_err(|error| explain::unreadable(path, &error))?;
        let project = read(&path)?;
        let sources = self.project_sources(&path, &project, &Watch::quiet())?;
        refuse_missing(&sources)?;
        let (copies, _) = plan(&project, &sources)?;
        Ok(CollectForecast {
            files: u32::try_from(copies.len()).unwrap_or(u32::MAX),
            bytes: copies.iter().map(|copy| copy.bytes).sum(),
            free_bytes: disk::free_bytes(folder),
        })
    }

    /// Copies a project and every file that it needs into a folder, which is made if it is missing.
    /// Every copy is read back and compared. Nothing is replaced; names that are taken get a number.
    ///
    /// # Errors
    /// A file is missing, there is no room, something cannot be written or does not arrive whole, or it
    /// was stopped; then nothing that was copied stays.
    pub fn collect_project(
        &self,
        path: &Path,
        folder: &Path,
        watch: &Watch<'_>,
    ) -> Result<Collected, AppError> {
        let path = std::path::absolute(path).map_err(|error| explain::unreadable(path, &error))?;
        let folder =
            std::path::absolute(folder).map_err(|error| explain::unwritable(folder, &error))?;
        let mut project = read(&path)?;
        let sources = self.project_sources(&path, &project, watch)?;
        refuse_missing(&sources)?;
        let target = folder.join(plain_name(&name_of(&path)));
        if target.symlink_metadata().is_ok() {
            return Err(AppError::new(
                ErrorCode::OutputUnwritable,
                said!(
                    "file.there",
                    "There is a file `{path}` already.",
                    path = target.display()
                ),
            )
            .hint("Choose an empty folder."));
        }
        let (copies, places) = plan(&project, &sources)?;
        let total: u64 = copies.iter().map(|copy| copy.bytes).sum();
        if let Some(free) = disk::free_bytes(&folder).filter(|free| *free < total) {
            return Err(AppError::new(
                ErrorCode::DiskFull,
                said!(
                    "project.no_room",
                    "The files of the project have {size}, and {free} are left on that disk.",
                    size = SaidValue::Size { bytes: total },
                    free = SaidValue::Size { bytes: free }
                ),
            )
            .hint("Free some space, or choose a folder on another disk."));
        }
        let mut made = Made {
            files: Vec::new(),
            folders: Vec::new(),
            keep: false,
        };
        let media = folder.join(MEDIA_FOLDER);
        make_folder(&folder, &mut made)?;
        make_folder(&media, &mut made)?;
        remove_left_behind(&media);
        let names = free_names(&copies, &media);
        let mut done = 0;
        let mut hashes = Vec::with_capacity(copies.len());
        for (copy, name) in copies.iter().zip(&names) {
            let to = media.join(name);
            if let Some(parent) = to.parent() {
                make_folder(parent, &mut made)?;
            }
            hashes.push(copy_whole(&copy.from, &to, &mut made, &mut |bytes| {
                done += bytes;
                watch.tell(ProjectStep::Copying, &name_of(&copy.from), done, total);
                watch.check()
            })?);
        }
        let folders: BTreeSet<_> = names.iter().filter_map(|name| name.parent()).collect();
        folders
            .iter()
            .for_each(|below| sync_folder(&media.join(below)));
        for (row, place) in project.media.iter_mut().zip(&places) {
            arrive(row, place, &copies, &names, &hashes, &media)?;
        }
        project.id = crate::jobs::fresh_name();
        project.saved_millis = now_millis();
        super::files::write_whole(&target, &project.to_file())?;
        made.keep = true;
        let changed = sources.iter();
        let changed = changed.filter(|source| source.state == SourceState::Changed);
        Ok(Collected {
            path: target,
            files: u32::try_from(copies.len()).unwrap_or(u32::MAX),
            bytes: total,
            changed: changed.map(|source| source.name.clone()).collect(),
        })
    }
}

/// Which copies make up a row of media: the first and how many.
type Place = (usize, usize);

/// What is copied, and which copies each row of media is.
fn plan(project: &Project, sources: &[ProjectSource]) -> Result<(Vec<Copy>, Vec<Place>), AppError> {
    let mut copies: Vec<Copy> = Vec::new();
    let mut places = Vec::new();
    // One file of two roles is copied once.
    let mut known: BTreeMap<PathBuf, Place> = BTreeMap::new();
    for (media, source) in project.media.iter().zip(sources) {
        let path = source.path.clone().unwrap_or_default();
        if let Some(place) = known.get(&path) {
            places.push(*place);
            continue;
        }
        let first = copies.len();
        let mut add = |from: PathBuf, to: PathBuf| -> Result<(), AppError> {
            let facts = from
                .metadata()
                .map_err(|error| explain::unreadable(&from, &error))?;
            copies.push(Copy {
                from,
                to,
                bytes: facts.len(),
            });
            Ok(())
        };
        match media.pictures.zip(NumberPattern::of_path(&path)) {
            Some((numbers, names)) => {
                let folder = plain_name(names.title());
                for number in numbers.all() {
                    let to = Path::new(&folder).join(names.name(number));
                    add(names.path(&path, number), to)?;
                }
            }
            None => add(path.clone(), PathBuf::from(plain_name(&name_of(&path))))?,
        }
        let place = (first, copies.len() - first);
        known.insert(path, place);
        places.push(place);
    }
    Ok((copies, places))
}

/// Names below the folder for media that nothing has, on disks that do not tell large letters from
/// small ones either. Numbered pictures keep theirs, and their folder gets the number.
fn free_names(copies: &[Copy], media: &Path) -> Vec<PathBuf> {
    let mut taken: BTreeSet<String> = BTreeSet::new();
    let mut folders: BTreeMap<(PathBuf, PathBuf), PathBuf> = BTreeMap::new();
    let mut free = |wanted: &Path| {
        let (stem, extension) = (
            wanted.file_stem().unwrap_or_default().to_string_lossy(),
            wanted.extension().map(|e| e.to_string_lossy().into_owned()),
        );
        let ending = extension.map_or_else(String::new, |extension| format!(".{extension}"));
        let mut name = format!("{stem}{ending}");
        let mut number = 2;
        while taken.contains(&name.to_lowercase()) || media.join(&name).symlink_metadata().is_ok() {
            name = format!("{stem} ({number}){ending}");
            number += 1;
        }
        taken.insert(name.to_lowercase());
        PathBuf::from(name)
    };
    let names = copies.iter().map(|copy| {
        let parent = copy.to.parent().filter(|p| !p.as_os_str().is_empty());
        match parent {
            None => free(&copy.to),
            Some(parent) => {
                let from = copy.from.parent().unwrap_or(Path::new("")).to_owned();
                let folder = folders
                    .entry((from, parent.to_owned()))
                    .or_insert_with(|| free(parent));
                folder.join(copy.to.file_name().unwrap_or_default())
            }
        }
    });
    names.collect()
}

fn make_folder(folder: &Path, made: &mut Made) -> Result<(), AppError> {
    let missing: Vec<&Path> = folder
        .ancestors()
        .take_while(|folder| !folder.exists())
        .collect();
    for folder in missing.into_iter().rev() {
        std::fs::create_dir(folder).map_err(|error| explain::unwritable(folder, &error))?;
        made.folders.push(folder.to_owned());
    }
    Ok(())
}

/// Copies a file, flushes it, reads it back and compares. Gives its hash.
fn copy_whole(
    from: &Path,
    to: &Path,
    made: &mut Made,
    step: &mut dyn FnMut(u64) -> Result<(), AppError>,
) -> Result<String, AppError> {
    let unreadable = |error: std::io::Error| explain::unreadable(from, &error);
    let unwritable = |error: std::io::Error| explain::unwritable(to, &error);
    let mut source = File::open(from).map_err(unreadable)?;
    // It gets its name when it is whole: what a kill leaves behind must not pass for the file.
    let mut target = unfinished_in(to.parent().unwrap_or(to)).map_err(unwritable)?;
    let (mut hash, mut block) = (Sha256::new(), vec![0; BLOCK]);
    loop {
        let read = source.read(&mut block).map_err(unreadable)?;
        if read == 0 {
            break;
        }
        hash.update(&block[..read]);
        target.write_all(&block[..read]).map_err(unwritable)?;
        step(read as u64)?;
    }
    set_permissions(target.as_file(), to)
        .and_then(|()| target.as_file().sync_all())
        .map_err(unwritable)?;
    let target = target.into_temp_path();
    let sha256: String = hash.finalize().iter().map(|b| format!("{b:02x}")).collect();
    let (_, found) = frameloom_engine::file_sha256(&target, &|| ()).map_err(unwritable)?;
    if found != sha256 {
        return Err(AppError::new(
            ErrorCode::VerificationFailed,
            said!(
                "project.not_whole",
                "`{name}` did not arrive whole.",
                name = name_of(to)
            ),
        )
        .hint("Check the disk that it was copied to, then try again."));
    }
    // Never over something that came there meanwhile.
    rename_without_replacing(&target, to)?;
    made.files.push(to.to_owned());
    Ok(sha256)
}

/// Lets a row of media say where its copies are.
fn arrive(
    row: &mut Media,
    &(first, count): &Place,
    copies: &[Copy],
    names: &[PathBuf],
    hashes: &[String],
    media: &Path,
) -> Result<(), AppError> {
    let lost = || {
        invalid(said!(
            "project.lost",
            "A file of the project was lost on the way."
        ))
    };
    let name = names.get(first).ok_or_else(lost)?;
    let below = match row.pictures {
        // The pattern stands for its pictures.
        Some(_) => {
            let pattern = Path::new(&row.absolute)
                .file_name()
                .and_then(|name| NumberPattern::parse(name.to_str()?))
                .or_else(|| {
                    let own = row.relative.as_deref()?.rsplit('/').next()?;
                    NumberPattern::parse(own)
                });
            let text = pattern.ok_or_else(lost)?.text();
            name.with_file_name(text)
        }
        None => name.clone(),
    };
    let below = below.to_str().ok_or_else(lost)?.replace('\\', "/");
    row.relative = Some(format!("{MEDIA_FOLDER}/{below}"));
    row.absolute = String::new();
    row.size_bytes = copies[first..first + count]
        .iter()
        .map(|copy| copy.bytes)
        .sum();
    // The copy is younger than the file was; by its hash it is known again.
    let times = (first..first + count).filter_map(|at| {
        let facts = media.join(names.get(at)?).metadata().ok()?;
        let since = facts
            .modified()
            .ok()?
            .duration_since(std::time::UNIX_EPOCH)
            .ok()?;
        i64::try_from(since.as_millis()).ok()
    });
    row.modified_millis = times.max().unwrap_or(0);
    if row.pictures.is_none() {
        row.sha256 = hashes.get(first).cloned();
    } else {
        let mut list = Sha256::new();
        for at in first..first + count {
            let name = names.get(at).and_then(|name| name.file_name());
            let (Some(name), Some(hash)) = (name, hashes.get(at)) else {
                return Err(lost());
            };
            list.update(format!("{hash}  {}\n", name.to_string_lossy()));
        }
        row.sha256 = Some(list.finalize().iter().map(|b| format!("{b:02x}")).collect());
    }
    Ok(())
}
