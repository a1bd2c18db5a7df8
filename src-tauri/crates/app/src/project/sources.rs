//! The files of a project: where each is now, whether it is the same, and how it is found again.

use super::contents::{Project, candidates};
use super::files::{name_of, relative};
use super::{OpenedProject, ProjectStep, Watch, invalid, read};
use crate::{App, PicturesRequest, explain, inputs, pictures, receipt};
use frameloom_core::error::{AppError, ErrorCode};
use frameloom_core::media::{MediaInfo, MediaKind};
use frameloom_core::said;
use frameloom_core::sequence::{NumberPattern, PictureNumbers};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;
use ts_rs::TS;

/// Read at once, in bytes.
const BLOCK: usize = 4 << 20;

/// A file that takes part, as it was when the project was saved.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Media {
    /// `input:NAME` or `node:ID:PARAMETER`.
    pub role: String,
    /// Path from the project's folder.
    pub relative: Option<String>,
    /// Absolute path; may be empty.
    pub absolute: String,
    /// Which pictures of a pattern.
    pub pictures: Option<PictureNumbers>,
    pub size_bytes: u64,
    /// Last change, milliseconds since 1970; of numbered pictures that of the last of them.
    pub modified_millis: i64,
    /// Hash of its content, as receipts have it; `None` where nobody read it yet.
    pub sha256: Option<String>,
    pub summary: MediaSummary,
}

impl Media {
    /// Its path as the project tells it first.
    pub(super) fn place(&self) -> &str {
        self.relative.as_deref().unwrap_or(&self.absolute)
    }
}

/// What a probe said of a file, for people who look for it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(default)]
pub struct MediaSummary {
    /// What it is; `None` for tables, subtitles and models.
    pub kind: Option<MediaKind>,
    /// Pixels.
    pub size: Option<(u32, u32)>,
    /// Length in microseconds.
    #[ts(type = "number | null")]
    pub duration_micros: Option<i64>,
    /// Codec of the pictures, or of the sound.
    pub codec: Option<String>,
}

impl MediaSummary {
    fn of(info: &MediaInfo) -> Self {
        let main = info.main_video();
        Self {
            kind: Some(info.kind),
            size: main.map(|(_, video)| (video.width, video.height)),
            duration_micros: info.duration_micros,
            codec: main
                .map(|(stream, _)| stream)
                .or(info.streams.first())
                .map(|stream| stream.codec.clone()),
        }
    }
}

/// How a file, or a model, stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum SourceState {
    /// It is what it was.
    Same,
    /// It is what it was, in another place.
    Moved,
    /// There is something else in its place.
    Changed,
    /// It is not there.
    Missing,
}

/// A file that takes part, as it stands now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
pub struct ProjectSource {
    /// `input:NAME` or `node:ID:PARAMETER`.
    pub role: String,
    /// Its name.
    pub name: String,
    /// Where it is; where it was last if it is missing.
    #[ts(type = "string | null")]
    pub path: Option<PathBuf>,
    /// How it stands.
    pub state: SourceState,
    /// Its size when the project was saved.
    #[ts(type = "number")]
    pub size_bytes: u64,
    /// What a probe said of it.
    pub summary: MediaSummary,
}

/// Size and last change of a file, or of numbered pictures; `None` where it is not.
fn stamp(path: &Path, numbers: Option<PictureNumbers>) -> Option<(u64, i64)> {
    let of = |path: &Path| {
        let facts = std::fs::metadata(path)
            .ok()
            .filter(|facts| facts.is_file())?;
        let since = facts.modified().ok()?.duration_since(UNIX_EPOCH).ok()?;
        Some((facts.len(), i64::try_from(since.as_millis()).ok()?))
    };
    let Some((numbers, names)) = numbers.zip(NumberPattern::of_path(path)) else {
        return of(path);
    };
    let mut all = (0u64, 0i64);
    for number in numbers.all() {
        let (size, modified) = of(&names.path(path, number))?;
        all = (all.0.saturating_add(size), all.1.max(modified));
    }
    Some(all)
}

/// The hash of a file; `told` hears of every block.
fn file_hash(
    path: &Path,
    told: &mut dyn FnMut(u64) -> Result<(), AppError>,
) -> Result<String, AppError> {
    let unreadable = |error: std::io::Error| explain::unreadable(path, &error);
    let mut file = File::open(path).map_err(unreadable)?;
    let (mut hash, mut block) = (Sha256::new(), vec![0; BLOCK]);
    loop {
        let read = file.read(&mut block).map_err(unreadable)?;
        if read == 0 {
            return Ok(hash.finalize().iter().map(|b| format!("{b:02x}")).collect());
        }
        hash.update(&block[..read]);
        told(read as u64)?;
    }
}

impl App {
    /// Every file of a project as it stands now.
    pub(super) fn project_sources(
        &self,
        path: &Path,
        project: &Project,
        watch: &Watch<'_>,
    ) -> Result<Vec<ProjectSource>, AppError> {
        let sources = project.media.iter().map(|media| {
            let (found, state) = self.find_source(path, media, watch)?;
            Ok(ProjectSource {
                role: media.role.clone(),
                name: found.as_deref().map(name_of).unwrap_or_default(),
                path: found,
                state,
                size_bytes: media.size_bytes,
                summary: media.summary.clone(),
            })
        });
        sources.collect()
    }

    /// The first place where the file is what it was; else the first where there is something; else
    /// one of the library with its content.
    fn find_source(
        &self,
        project: &Path,
        media: &Media,
        watch: &Watch<'_>,
    ) -> Result<(Option<PathBuf>, SourceState), AppError> {
        let places = candidates(media, project);
        let mut other = None;
        for (place, path) in places.iter().enumerate() {
            match self.is_same(media, path, watch)? {
                Some(true) => {
                    let near = place == 0 || media.relative.is_none();
                    let state = if near {
                        SourceState::Same
                    } else {
                        SourceState::Moved
                    };
                    return Ok((Some(path.clone()), state));
                }
                Some(false) if other.is_none() => other = Some(path.clone()),
                _ => {}
            }
        }
        if let Some(found) = self.in_library(media, watch)? {
            return Ok((Some(found), SourceState::Moved));
        }
        Ok(match other {
            Some(path) => (Some(path), SourceState::Changed),
            None => (places.into_iter().next(), SourceState::Missing),
        })
    }

    /// Whether a file has the content that it had; `None` where there is none.
    ///
    /// # Errors
    /// `watch` was stopped.
    fn is_same(
        &self,
        media: &Media,
        path: &Path,
        watch: &Watch<'_>,
    ) -> Result<Option<bool>, AppError> {
        let Some((size_bytes, modified_millis)) = stamp(path, media.pictures) else {
            return Ok(None);
        };
        if size_bytes != media.size_bytes {
            return Ok(Some(false));
        }
        // Never read, or not touched since.
        let Some(sha256) = &media.sha256 else {
            return Ok(Some(true));
        };
        if modified_millis == media.modified_millis {
            return Ok(Some(true));
        }
        let print = || self.hash_source(path, media.pictures, size_bytes, watch);
        // A project that was copied has files of another time: each is read once, not whenever the
        // project is looked at.
        let found = match media.pictures {
            None => self.source_prints.of(path, print),
            Some(_) => print(),
        };
        watch.check()?;
        Ok(found.ok().map(|found| found == *sha256))
    }

    /// A file of the library with this content, that is there and still has it.
    fn in_library(&self, media: &Media, watch: &Watch<'_>) -> Result<Option<PathBuf>, AppError> {
        let Some(sha256) = media.sha256.as_deref().filter(|_| media.pictures.is_none()) else {
            return Ok(None);
        };
        let ids = self
            .store
            .items_of_content(sha256)
            .map_err(explain::store)?;
        let items = self.store.library_items(&ids).map_err(explain::store)?;
        for item in items {
            if self.is_same(media, &item.path, watch)? == Some(true) {
                return Ok(Some(item.path));
            }
        }
        Ok(None)
    }

    /// What is known of a file that takes part, read as far as nobody did before. `before` is what the
    /// project knew of this role. Without `watch`, no content is read.
    pub(super) fn describe_source(
        &self,
        (role, path): (&str, &Path),
        folder: &Path,
        request: PicturesRequest,
        before: Option<&Media>,
        watch: Option<&Watch<'_>>,
    ) -> Result<Media, AppError> {
        let path = std::path::absolute(path).map_err(|error| explain::unreadable(path, &error))?;
        let text = path.to_str().ok_or_else(|| {
            invalid(said!(
                "name.no_text",
                "The name `{path}` is not valid Unicode.",
                path = path.display()
            ))
            .hint("Rename the file or its folder.")
        })?;
        let before = before.filter(|before| {
            before.absolute == text || candidates(before, &folder.join("project")).contains(&path)
        });
        let numbers = match before {
            Some(before) => before.pictures,
            None => numbers_of(&path, request),
        };
        let place = |media: Media| Media {
            relative: relative(folder, &path),
            absolute: text.to_owned(),
            ..media
        };
        let Some((size_bytes, modified_millis)) = stamp(&path, numbers) else {
            // It stays in the project as it was, and is named when that is opened.
            let unknown = Media {
                role: role.to_owned(),
                relative: None,
                absolute: String::new(),
                pictures: numbers,
                size_bytes: 0,
                modified_millis: 0,
                sha256: None,
                summary: MediaSummary::default(),
            };
            return Ok(place(before.cloned().unwrap_or(unknown)));
        };
        let unchanged = before.filter(|before| {
            (before.size_bytes, before.modified_millis) == (size_bytes, modified_millis)
        });
        let mut media = Media {
            role: role.to_owned(),
            relative: None,
            absolute: String::new(),
            pictures: numbers,
            size_bytes,
            modified_millis,
            sha256: unchanged.and_then(|before| before.sha256.clone()),
            summary: match unchanged {
                Some(before) => before.summary.clone(),
                None => summary_of(role, &path, request),
            },
        };
        if let (None, Some(watch)) = (&media.sha256, watch) {
            media.sha256 = Some(self.hash_source(&path, numbers, size_bytes, watch)?);
        }
        Ok(place(media))
    }

    /// The hash of a file, which is read for it.
    pub(super) fn hash_source(
        &self,
        path: &Path,
        numbers: Option<PictureNumbers>,
        size_bytes: u64,
        watch: &Watch<'_>,
    ) -> Result<String, AppError> {
        let name = name_of(path);
        watch.check()?;
        watch.tell(ProjectStep::Reading, &name, 0, size_bytes);
        let mut done = 0;
        let mut told = |bytes: u64| {
            done += bytes;
            watch.tell(ProjectStep::Reading, &name, done, size_bytes.max(done));
            watch.check()
        };
        let Some((numbers, names)) = numbers.zip(NumberPattern::of_path(path)) else {
            return file_hash(path, &mut told);
        };
        let mut list = receipt::PictureList::default();
        for number in numbers.all() {
            let sha256 = file_hash(&names.path(path, number), &mut told)?;
            list.add(&sha256, &names.name(number));
        }
        Ok(list.sha256())
    }

    /// Says where a file of a project is now, and saves the project so. With `anyway` a file of another
    /// content is taken.
    ///
    /// # Errors
    /// There is no such file, it is another one, or the project cannot be saved.
    pub fn relink_project(
        &self,
        project: &Path,
        role: &str,
        file: &Path,
        anyway: bool,
        watch: &Watch<'_>,
    ) -> Result<OpenedProject, AppError> {
        let path =
            std::path::absolute(project).map_err(|error| explain::unreadable(project, &error))?;
        let before = read(&path)?;
        let unknown = || {
            invalid(format!("The project has no file `{role}`."))
                .hint("`frameloom project show` lists its files.")
        };
        if !before.media.iter().any(|media| media.role == role) {
            return Err(unknown());
        }
        let folder = path.parent().unwrap_or(Path::new("/"));
        let request = before.settings.pictures;
        let found = self.describe_source((role, file), folder, request, None, Some(watch))?;
        // Read again behind the hashing, which takes its time: what was saved meanwhile stays.
        let mut contents = read(&path)?;
        let media = contents.media.iter_mut().find(|media| media.role == role);
        let media = media.ok_or_else(unknown)?;
        if found.sha256.is_none() {
            let gone = std::io::Error::from(std::io::ErrorKind::NotFound);
            return Err(explain::unreadable(file, &gone));
        }
        if media.sha256.is_some() && media.sha256 != found.sha256 && !anyway {
            return Err(AppError::new(
                ErrorCode::InputChanged,
                said!(
                    "project.other_file",
                    "`{name}` holds something else than the file that the project was saved with.",
                    name = name_of(file)
                ),
            )
            .hint("Choose another file, or take this one all the same (--anyway)."));
        }
        *media = found;
        self.write_project(&path, &contents)?;
        self.open_project(&path, watch)
    }
}

/// The numbers of a pattern's pictures.
fn numbers_of(path: &Path, request: PicturesRequest) -> Option<PictureNumbers> {
    if !pictures::is_pattern(path) {
        return None;
    }
    let found = pictures::open(path, request).ok()?;
    found.pictures.map(|run| run.picture_numbers())
}

fn summary_of(role: &str, path: &Path, request: PicturesRequest) -> MediaSummary {
    // What a node names is a table, subtitles or a model: no probe knows them.
    if !role.starts_with("input:") {
        return MediaSummary::default();
    }
    let info = match pictures::is_pattern(path) {
        true => pictures::open(path, request).map(|source| source.info),
        false => inputs::probe(path),
    };
    // What cannot be read is told when it is run.
    info.map(|info| MediaSummary::of(&info)).unwrap_or_default()
}
