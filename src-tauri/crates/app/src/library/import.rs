//! Files come in: what the user names, what folders hold, what jobs made.

use super::{absolute, stamp_at, stamp_of};
use crate::{App, explain, inputs, now_millis};
use frameloom_core::error::{AppError, ErrorCode};
use frameloom_core::job::{Job, JobId, JobState};
use frameloom_core::library::{Imported, ItemFacts, ItemId, LibraryKind};
use frameloom_core::media::{MediaInfo, MediaKind, StreamKind};
use frameloom_core::said;
use frameloom_store::{NewItem, Origin};
use std::io::Read;
use std::path::{Path, PathBuf};

/// Extensions of files that folders are searched for.
const KINDS: &[(LibraryKind, &[&str])] = &[
    (
        LibraryKind::Video,
        &[
            "3gp", "avi", "flv", "m2ts", "m4v", "mkv", "mov", "mp4", "mpeg", "mpg", "mts", "mxf",
            "ogv", "ts", "webm", "wmv", "y4m",
        ],
    ),
    (
        LibraryKind::Still,
        &[
            "apng", "avif", "bmp", "exr", "gif", "hdr", "heic", "heif", "ico", "jfif", "jpe",
            "jpeg", "jpg", "mpo", "pgm", "png", "pnm", "ppm", "qoi", "tga", "tif", "tiff", "webp",
        ],
    ),
    (
        LibraryKind::Audio,
        &[
            "aac", "ac3", "aif", "aiff", "flac", "m4a", "mka", "mp3", "oga", "ogg", "opus", "wav",
            "wma",
        ],
    ),
    (LibraryKind::Subtitles, &["ass", "srt", "ssa", "vtt"]),
];

/// How deep folders are searched.
const MAX_DEPTH: usize = 32;

/// Rows of one transaction: others wait for the database no longer than that.
const CHUNK_ITEMS: usize = 500;

/// Packets of an MPEG transport stream begin with it; nothing in TypeScript does.
const TRANSPORT_SYNC: u8 = 0x47;

/// The kind of a file by its name.
pub(super) fn kind_by_name(path: &Path) -> Option<LibraryKind> {
    let extension = path.extension()?.to_str()?.to_ascii_lowercase();
    KINDS
        .iter()
        .find(|(_, known)| known.contains(&extension.as_str()))
        .map(|(kind, _)| *kind)
}

/// Kind and facts of what a probe found; `None` for a file that holds neither pictures nor sound
/// nor text.
pub(super) fn facts_of(info: &MediaInfo) -> Option<(LibraryKind, ItemFacts)> {
    let kind = match info.kind {
        MediaKind::Video => LibraryKind::Video,
        MediaKind::Still => LibraryKind::Still,
        MediaKind::Audio => LibraryKind::Audio,
        MediaKind::Other => {
            let has_text = info.streams.iter().any(|s| s.kind == StreamKind::Subtitle);
            if !has_text {
                return None;
            }
            LibraryKind::Subtitles
        }
    };
    let wanted = match kind {
        LibraryKind::Audio => StreamKind::Audio,
        LibraryKind::Subtitles => StreamKind::Subtitle,
        LibraryKind::Still | LibraryKind::Video => StreamKind::Video,
    };
    let main = info.main_video();
    let size = main.map(|(_, video)| match video.rotation_degrees.rem_euclid(180) {
        90 => (video.height, video.width),
        _ => (video.width, video.height),
    });
    let codec = main
        .map(|(stream, _)| stream)
        .or_else(|| info.streams.iter().find(|stream| stream.kind == wanted));
    let facts = ItemFacts {
        duration_micros: info.duration_micros.filter(|_| kind != LibraryKind::Still),
        width: size.map(|(width, _)| width),
        height: size.map(|(_, height)| height),
        codec: codec.map(|stream| stream.codec.clone()),
    };
    Some((kind, facts))
}

/// Calls `found` with every file below `folder` that is media by its name, and `refused` with
/// folders that cannot be read. Links to folders are not followed. Ends between two folders when
/// `goes_on` says no.
pub(super) fn walk(
    folder: &Path,
    found: &mut dyn FnMut(NewItem),
    refused: &mut dyn FnMut(AppError),
    goes_on: &dyn Fn() -> bool,
) {
    let mut waiting = vec![(folder.to_owned(), 0)];
    while let Some((folder, depth)) = waiting.pop() {
        if !goes_on() {
            return;
        }
        match list(&folder, found, &mut |_| ()) {
            Ok(below) if depth < MAX_DEPTH => {
                waiting.extend(below.into_iter().rev().map(|path| (path, depth + 1)));
            }
            Ok(_) => {}
            Err(error) => refused(explain::unreadable(&folder, &error)),
        }
    }
}

/// Calls `found` with the media of one folder, by name, and `empty` with the last change, in
/// milliseconds since 1970, of a file that would be media but holds nothing (yet); returns the
/// folders in it.
pub(super) fn list(
    folder: &Path,
    found: &mut dyn FnMut(NewItem),
    empty: &mut dyn FnMut(i64),
) -> std::io::Result<Vec<PathBuf>> {
    let mut children: Vec<_> = std::fs::read_dir(folder)?.collect::<Result<_, _>>()?;
    children.sort_by_key(std::fs::DirEntry::file_name);
    let mut folders = Vec::new();
    for child in children {
        let path = child.path();
        // Names that are no text cannot be stored; who names such a file itself is told so.
        if path.to_str().is_none() || child.file_name().to_string_lossy().starts_with('.') {
            continue;
        }
        let Ok(kind) = child.file_type() else {
            continue;
        };
        if kind.is_dir() {
            folders.push(path);
        } else if let Some(item) = new_item(&path) {
            found(item);
        } else if let Some((0, modified_millis)) = stamp_at(&path)
            && kind_by_name(&path).is_some()
        {
            empty(modified_millis);
        }
    }
    Ok(folders)
}

/// A file that is media by its name.
fn new_item(path: &Path) -> Option<NewItem> {
    let kind = kind_by_name(path)?;
    let (size_bytes, modified_millis) = stamp_at(path).filter(|(size, _)| *size > 0)?;
    let is_script = path
        .extension()
        .is_some_and(|extension| extension.eq_ignore_ascii_case("ts"))
        && !begins_with(path, TRANSPORT_SYNC);
    (!is_script).then(|| NewItem {
        path: path.to_owned(),
        kind,
        size_bytes,
        modified_millis,
    })
}

fn begins_with(path: &Path, byte: u8) -> bool {
    let mut head = [0];
    std::fs::File::open(path)
        .and_then(|mut file| file.read_exact(&mut head))
        .is_ok_and(|()| head[0] == byte)
}

impl App {
    /// Adds files, and all media below folders, to the library. What is there already stays as it
    /// is. Returns when everything is on the list; what the files are is read afterwards.
    ///
    /// # Errors
    /// The database refuses. Files and folders that cannot be read are in the answer.
    pub fn import(&self, paths: &[PathBuf]) -> Result<Imported, AppError> {
        let mut imported = Imported::default();
        let mut batch: Vec<NewItem> = Vec::new();
        let mut failure = None;
        for path in paths {
            let (path, facts) = match absolute(path).and_then(|path| {
                let facts =
                    std::fs::metadata(&path).map_err(|error| explain::unreadable(&path, &error))?;
                Ok((path, facts))
            }) {
                Ok(found) => found,
                Err(error) => {
                    imported.refused.push(error);
                    continue;
                }
            };
            if facts.is_dir() {
                let mut refused = Vec::new();
                walk(
                    &path,
                    &mut |item| {
                        batch.push(item);
                        if batch.len() >= CHUNK_ITEMS && failure.is_none() {
                            failure = self.take_in(&mut batch, &mut imported).err();
                        }
                    },
                    &mut |error| refused.push(error),
                    &|| true,
                );
                imported.refused.append(&mut refused);
            } else {
                match named(&path, &facts) {
                    Ok(item) => batch.push(item),
                    Err(error) => imported.refused.push(error),
                }
            }
            if let Some(error) = failure {
                return Err(error);
            }
        }
        self.take_in(&mut batch, &mut imported)?;
        self.library.wake();
        Ok(imported)
    }

    fn take_in(&self, batch: &mut Vec<NewItem>, to: &mut Imported) -> Result<(), AppError> {
        if batch.is_empty() {
            return Ok(());
        }
        let added = self
            .store
            .add_to_library(batch, now_millis(), false)
            .map_err(explain::store)?
            .len();
        to.added += u32::try_from(added).unwrap_or(u32::MAX);
        to.known += u32::try_from(batch.len() - added).unwrap_or(u32::MAX);
        batch.clear();
        if added > 0 {
            self.tell_list();
        }
        Ok(())
    }

    /// Takes in what jobs of any process made since the last time. Returns the new items.
    ///
    /// # Errors
    /// The database refuses.
    pub(super) fn take_results(&self) -> Result<Vec<ItemId>, AppError> {
        let mut taken = Vec::new();
        for id in self
            .store
            .jobs_unknown_to_library()
            .map_err(explain::store)?
        {
            // One that cannot be read is told of where jobs are listed.
            if let Ok(job) = self.job(&id) {
                taken.extend(self.take_result(&id, &job)?);
            }
        }
        if !taken.is_empty() {
            self.tell_list();
        }
        Ok(taken)
    }

    fn take_result(&self, id: &JobId, job: &Job) -> Result<Option<ItemId>, AppError> {
        debug_assert_eq!(job.state, JobState::Succeeded);
        // A sample goes with its job; a run of numbered pictures is no file; a result may be gone.
        let item = new_item(&job.spec.output).filter(|_| !job.spec.sample);
        let receipt = self.receipt(id).ok();
        let models: Vec<String> = receipt
            .iter()
            .flat_map(|receipt| &receipt.models)
            .map(|model| model.id.clone())
            .collect();
        let sha256 = receipt
            .as_ref()
            .map(|receipt| &receipt.output)
            .filter(|print| {
                item.as_ref()
                    .is_some_and(|i| i.size_bytes == print.size_bytes)
            })
            .map(|print| print.sha256.as_str());
        let origin = Origin {
            job: id,
            made_from: &job.spec.input,
            models: &models,
            sha256,
        };
        self.store
            .add_made_to_library(item.as_ref(), &origin, now_millis())
            .map_err(explain::store)
    }
}

/// A file that the user named: by its content where its name says nothing.
fn named(path: &Path, facts: &std::fs::Metadata) -> Result<NewItem, AppError> {
    if let Some(item) = new_item(path) {
        return Ok(item);
    }
    let info = inputs::probe(path)?;
    let Some((kind, _)) = facts_of(&info) else {
        return Err(AppError::new(
            ErrorCode::InputUnsupported,
            said!(
                "library.no_media",
                "`{path}` holds no picture, sound or subtitles.",
                path = path.display()
            ),
        )
        .hint("Choose another file."));
    };
    let (size_bytes, modified_millis) = stamp_of(facts);
    Ok(NewItem {
        path: path.to_owned(),
        kind,
        size_bytes,
        modified_millis,
    })
}
