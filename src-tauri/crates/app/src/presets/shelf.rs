//! The presets that are at hand: those that came with the program, and files of the user's.

use super::document::{MAX_PRESET_BYTES, PresetDocument, PresetSettings, PresetWords, is_id};
use super::fit::{Misfit, lacking, misfit};
use super::{PRESET_VERSION, PresetId, offered, steps};
use crate::request::UpscaleRequest;
use crate::{App, RedactWish, Span, explain};
use frameloom_core::error::{AppError, ErrorCode};
use frameloom_core::job::Quality;
use frameloom_core::media::{MediaInfo, MediaKind, StreamKind};
use frameloom_core::said;
use serde::Serialize;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use ts_rs::TS;

/// The presets that came with the program, in the order in which they are shown.
const SHIPPED: &[&str] = &[
    include_str!("../../../../../assets/shelf/old-family-video-to-hd.json"),
    include_str!("../../../../../assets/shelf/old-photo-freshened.json"),
    include_str!("../../../../../assets/shelf/video-to-4k.json"),
    include_str!("../../../../../assets/shelf/photo-twice-as-large.json"),
    include_str!("../../../../../assets/shelf/podcast-clean-up.json"),
    include_str!("../../../../../assets/shelf/voice-for-broadcast.json"),
    include_str!("../../../../../assets/shelf/lecture-without-pauses.json"),
    include_str!("../../../../../assets/shelf/vertical-short.json"),
    include_str!("../../../../../assets/shelf/square-post.json"),
    include_str!("../../../../../assets/shelf/portrait-feed.json"),
    include_str!("../../../../../assets/shelf/blur-all-faces.json"),
    include_str!("../../../../../assets/shelf/black-bars-on-faces.json"),
    include_str!("../../../../../assets/shelf/hide-text.json"),
    include_str!("../../../../../assets/shelf/product-photo-on-white.json"),
    include_str!("../../../../../assets/shelf/cut-out-for-editing.json"),
    include_str!("../../../../../assets/shelf/meeting-background-blur.json"),
    include_str!("../../../../../assets/shelf/handheld-calmed.json"),
    include_str!("../../../../../assets/shelf/smooth-60.json"),
    include_str!("../../../../../assets/shelf/send-by-mail.json"),
    include_str!("../../../../../assets/shelf/chat-sticker.json"),
    include_str!("../../../../../assets/shelf/web-pictures.json"),
    include_str!("../../../../../assets/shelf/pictures-without-traces.json"),
    include_str!("../../../../../assets/shelf/dark-video-brightened.json"),
    include_str!("../../../../../assets/shelf/edit-master.json"),
];

/// Most files of the user's that are looked at.
const MOST_OWN: usize = 500;

/// Where a preset is from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum PresetOrigin {
    /// It came with the program.
    Shipped,
    /// The user made or imported it.
    Own,
}

/// A preset that is at hand.
#[derive(Debug, Clone, PartialEq, Serialize, TS)]
pub struct SavedPreset {
    /// Its name for machines.
    pub id: String,
    /// Where it is from.
    pub origin: PresetOrigin,
    /// What it is called and what it does, by language.
    pub words: BTreeMap<String, PresetWords>,
    /// A picture to know it by, as a `data:` address.
    pub picture: Option<String>,
    /// What it is for.
    pub takes: Vec<MediaKind>,
    /// What it does, where a word of the table says it.
    pub base: PresetId,
}

/// The presets that are at hand.
#[derive(Debug, Clone, PartialEq, Serialize, TS)]
pub struct Shelf {
    /// Those that can be used.
    pub presets: Vec<SavedPreset>,
    /// Files in the user's folder of presets that cannot, and why.
    pub refused: Vec<RefusedPreset>,
}

/// A file that is no preset.
#[derive(Debug, Clone, PartialEq, Serialize, TS)]
pub struct RefusedPreset {
    /// Its name, without the folder.
    pub file: String,
    /// What is wrong with it.
    pub error: AppError,
}

/// Whether a preset of the shelf is for a file.
#[derive(Debug, Clone, PartialEq, Serialize, TS)]
pub struct SavedFit {
    /// The preset.
    pub id: String,
    /// Why it is not; `None` where it is.
    pub misfit: Option<Misfit>,
}

/// The presets that came with the program.
fn shipped() -> impl Iterator<Item = PresetDocument> {
    static READ: LazyLock<Vec<PresetDocument>> = LazyLock::new(|| {
        // A test reads every one of them.
        let documents = SHIPPED.iter().map(|json| PresetDocument::parse(json));
        documents.filter_map(Result::ok).collect()
    });
    READ.iter().cloned()
}

fn unknown(name: &str) -> AppError {
    AppError::new(
        ErrorCode::InvalidRequest,
        said!(
            "preset.unknown",
            "There is no preset `{preset}`.",
            preset = name
        ),
    )
    .hint(format!(
        "`frameloom presets list` shows those that are at hand; single words are {}.",
        offered()
            .map(|preset| preset.word)
            .collect::<Vec<_>>()
            .join(", ")
    ))
}

/// Reads a preset out of a file.
fn read(path: &Path) -> Result<PresetDocument, AppError> {
    let mut json = String::new();
    std::fs::File::open(path)
        .and_then(|file| {
            file.take(MAX_PRESET_BYTES as u64 + 1)
                .read_to_string(&mut json)
        })
        .map_err(|error| explain::unreadable(path, &error))?;
    PresetDocument::parse(&json)
}

/// True if this is a file, and no id.
fn is_path(name: &str) -> bool {
    !is_id(name)
}

impl App {
    fn preset_path(&self, id: &str) -> PathBuf {
        self.places.presets().join(format!("{id}.json"))
    }

    /// The user's presets and the files that are none, by their names.
    fn own_presets(&self) -> Result<(Vec<PresetDocument>, Vec<RefusedPreset>), AppError> {
        let folder = self.places.presets();
        let entries = match std::fs::read_dir(&folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Ok(Default::default());
            }
            Err(error) => return Err(explain::data_folder(&folder, &error)),
        };
        let mut paths: Vec<PathBuf> = entries
            .filter_map(|entry| Some(entry.ok()?.path()))
            .filter(|path| path.extension().is_some_and(|ending| ending == "json"))
            .take(MOST_OWN)
            .collect();
        paths.sort();
        let (mut own, mut refused) = (Vec::new(), Vec::new());
        for path in paths {
            let stem = path.file_stem().and_then(|stem| stem.to_str());
            match read(&path) {
                // The name of the file counts: somebody may have copied one.
                Ok(document) => {
                    own.extend(stem.filter(|stem| is_id(stem)).map(|stem| PresetDocument {
                        id: stem.to_owned(),
                        ..document
                    }))
                }
                Err(error) => refused.push(RefusedPreset {
                    file: path
                        .file_name()
                        .map_or_else(String::new, |name| name.to_string_lossy().into_owned()),
                    error,
                }),
            }
        }
        Ok((own, refused))
    }

    /// The presets that are at hand: those that came with the program, then the user's.
    ///
    /// # Errors
    /// The user's folder of presets cannot be read.
    pub fn shelf(&self) -> Result<Shelf, AppError> {
        let (own, refused) = self.own_presets()?;
        let view = |document: PresetDocument, origin| SavedPreset {
            takes: document.kinds(),
            base: document.base(),
            id: document.id,
            origin,
            words: document.words,
            picture: document.picture,
        };
        let presets = shipped()
            .map(|document| view(document, PresetOrigin::Shipped))
            .chain(own.into_iter().map(|own| view(own, PresetOrigin::Own)))
            .collect();
        Ok(Shelf { presets, refused })
    }

    /// A preset by its id, or out of a file.
    ///
    /// # Errors
    /// There is none, or it cannot be used.
    pub fn saved_preset(&self, name: &str) -> Result<PresetDocument, AppError> {
        if let Some(found) = shipped().find(|document| document.id == name) {
            return Ok(found);
        }
        if is_path(name) {
            let path = Path::new(name);
            return match path.symlink_metadata() {
                Err(_) if !name.contains(['/', '\\', '.']) => Err(unknown(name)),
                _ => read(path),
            };
        }
        let path = self.preset_path(name);
        match path.symlink_metadata() {
            Err(_) => Err(unknown(name)),
            Ok(_) => Ok(PresetDocument {
                id: name.to_owned(),
                ..read(&path)?
            }),
        }
    }

    /// Puts a preset on the shelf, under its id or, where that is taken, one with a number behind it.
    ///
    /// # Errors
    /// The file is no preset, or the shelf cannot be written.
    pub fn add_preset(&self, file: &Path) -> Result<SavedPreset, AppError> {
        self.put_preset(read(file)?)
    }

    /// Keeps how `request` says that something is done as a preset of the user's, called `name` in
    /// `language`.
    ///
    /// # Errors
    /// The name is empty or too long, or the shelf cannot be written.
    pub fn save_preset(
        &self,
        name: &str,
        language: &str,
        request: &UpscaleRequest,
        kind: MediaKind,
    ) -> Result<SavedPreset, AppError> {
        let words = PresetWords {
            name: name.trim().to_owned(),
            about: String::new(),
        };
        let (request, from) = self.with_saved(request)?;
        let mut document = match from {
            // What is done stays; how it is done may have been changed.
            Some(document) => document,
            None => PresetDocument {
                frameloom_preset: PRESET_VERSION,
                id: String::new(),
                words: BTreeMap::new(),
                picture: None,
                takes: Vec::new(),
                word: Some(request.preset),
                steps: Vec::new(),
                settings: PresetSettings::default(),
            },
        };
        document.id = id_of(name);
        document.words = BTreeMap::from([(language.to_owned(), words)]);
        document.settings = settings_of(&request, kind, document.settings);
        self.put_preset(document)
    }

    fn put_preset(&self, mut document: PresetDocument) -> Result<SavedPreset, AppError> {
        document.check()?;
        let folder = self.places.presets();
        let failed = |error: &std::io::Error| explain::data_folder(&folder, error);
        std::fs::create_dir_all(&folder).map_err(|e| failed(&e))?;
        let taken: Vec<String> = shipped().map(|shipped| shipped.id).collect();
        let stem = document.id.clone();
        for number in 1..10_000 {
            if number > 1 {
                let end = format!("-{number}");
                let most = stem.len().min(64 - end.len());
                document.id = format!("{}{end}", &stem[..most]);
            }
            if taken.contains(&document.id) {
                continue;
            }
            let json = serde_json::to_string_pretty(&document).map_err(explain::internal)?;
            let mut file = tempfile::NamedTempFile::new_in(&folder).map_err(|e| failed(&e))?;
            file.write_all(json.as_bytes()).map_err(|e| failed(&e))?;
            match file.persist_noclobber(self.preset_path(&document.id)) {
                Ok(_) => {
                    return Ok(SavedPreset {
                        takes: document.kinds(),
                        base: document.base(),
                        id: document.id,
                        origin: PresetOrigin::Own,
                        words: document.words,
                        picture: document.picture,
                    });
                }
                Err(error) if error.error.kind() == std::io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(failed(&error.error)),
            }
        }
        Err(failed(&std::io::ErrorKind::AlreadyExists.into()))
    }

    /// Writes a preset as a file to share; never over another file.
    ///
    /// # Errors
    /// There is no such preset, or the file cannot be written.
    pub fn export_preset(&self, id: &str, to: &Path) -> Result<PathBuf, AppError> {
        let document = self.saved_preset(id)?;
        let mut json = serde_json::to_string_pretty(&document).map_err(explain::internal)?;
        json.push('\n');
        std::fs::OpenOptions::new()
            .write(true)
            .create_new(true)
            .open(to)
            .and_then(|mut file| file.write_all(json.as_bytes()))
            .map_err(|error| explain::unwritable(to, &error))?;
        Ok(to.to_owned())
    }

    /// Takes a preset of the user's off the shelf.
    ///
    /// # Errors
    /// It came with the program, there is none, or it cannot be removed.
    pub fn remove_preset(&self, id: &str) -> Result<(), AppError> {
        if shipped().any(|document| document.id == id) {
            return Err(AppError::new(
                ErrorCode::InvalidRequest,
                said!(
                    "preset.shipped",
                    "The preset `{preset}` came with the program and stays.",
                    preset = id
                ),
            )
            .hint("Only presets that you made or imported can be removed."));
        }
        let path = self.preset_path(id);
        if !is_id(id) || path.symlink_metadata().is_err() {
            return Err(unknown(id));
        }
        std::fs::remove_file(&path).map_err(|error| explain::data_folder(&path, &error))
    }

    /// Which presets of the shelf a file is for, of which `span` is taken.
    ///
    /// # Errors
    /// The user's folder of presets cannot be read.
    pub fn saved_fits(
        &self,
        info: &MediaInfo,
        span: Option<Span>,
    ) -> Result<Vec<SavedFit>, AppError> {
        let tasks = self.model_tasks();
        let fit = |document: PresetDocument| {
            let read = document.read_steps().unwrap_or_default();
            let base = document.base();
            // A word that covers text needs another model than the one for faces.
            let needs: Vec<_> = match document.word {
                Some(_) => document.settings.needs(base),
                None => steps::needs(&read),
            };
            let has_sound = info.streams.iter().any(|s| s.kind == StreamKind::Audio);
            let only_sound = steps::wants_sound(&read) && !has_sound;
            let misfit = misfit(base.preset(), info, span)
                .or((!document.kinds().contains(&info.kind)).then_some(Misfit::NotForIt))
                .or(only_sound.then_some(Misfit::NoSound))
                .or_else(|| needs.into_iter().find_map(|task| lacking(task, &tasks)));
            SavedFit {
                id: document.id,
                misfit,
            }
        };
        let (own, _) = self.own_presets()?;
        Ok(shipped().chain(own).map(fit).collect())
    }

    /// True if a preset, or one of the shelf, is for sound alone as well.
    ///
    /// # Errors
    /// There is no such preset.
    pub fn takes_sound(&self, preset: PresetId, saved: Option<&str>) -> Result<bool, AppError> {
        let kinds = match saved {
            Some(name) => self.saved_preset(name)?.kinds(),
            None => preset.preset().takes.to_vec(),
        };
        Ok(kinds.contains(&MediaKind::Audio))
    }

    /// The request with what its preset of the shelf says, and that preset.
    pub(crate) fn with_saved<'a>(
        &self,
        request: &'a UpscaleRequest,
    ) -> Result<(Cow<'a, UpscaleRequest>, Option<PresetDocument>), AppError> {
        let Some(name) = &request.saved else {
            return match request.preset {
                PresetId::Steps => Err(unknown("steps")),
                _ => Ok((Cow::Borrowed(request), None)),
            };
        };
        let document = self.saved_preset(name)?;
        let mut made = request.clone();
        document.settings.put_into(&mut made);
        made.preset = document.base();
        Ok((Cow::Owned(made), Some(document)))
    }
}

impl PresetSettings {
    /// Says it in a request.
    fn put_into(&self, request: &mut UpscaleRequest) {
        fn put<T: Clone>(said: &Option<T>, into: &mut Option<T>) {
            if let Some(value) = said {
                *into = Some(value.clone());
            }
        }
        put(&self.codec, &mut request.codec);
        put(&self.model, &mut request.model);
        put(&self.scale, &mut request.scale);
        put(&self.background, &mut request.background);
        put(&self.redact, &mut request.redact);
        put(&self.reframe, &mut request.reframe);
        put(&self.motion, &mut request.motion);
        put(&self.silence, &mut request.silence);
        put(&self.voice, &mut request.voice);
        put(&self.look, &mut request.look);
        put(&self.enlarge, &mut request.enlarge);
        put(&self.convert, &mut request.convert);
        put(&self.subtitles, &mut request.subtitles);
        // Who names the result has the last word.
        if request.name_template.is_none()
            && request
                .output
                .as_deref()
                .is_none_or(crate::inputs::names_a_folder)
        {
            request.name_template = self.name.clone();
        }
        if let Some(quality) = self.quality {
            request.quality = quality;
        }
        if let Some(deinterlace) = self.deinterlace {
            request.deinterlace = deinterlace;
        }
        for choice in &self.drop {
            if !request.drop.contains(choice) {
                request.drop.push(*choice);
            }
        }
    }

    /// The kinds of models that a word of the table needs, said in this way.
    fn needs(&self, word: PresetId) -> Vec<frameloom_core::model::Task> {
        use crate::RedactWhat;
        use frameloom_core::model::Task;
        match (word, self.redact.as_ref().map(|wish| wish.what)) {
            (PresetId::Redact, Some(RedactWhat::Text)) => vec![Task::Text],
            (PresetId::Redact, Some(RedactWhat::Areas)) => Vec::new(),
            _ => word.needs().into_iter().collect(),
        }
    }
}

/// What of a request can be kept as a preset; `before` is what its preset said already.
fn settings_of(
    request: &UpscaleRequest,
    kind: MediaKind,
    before: PresetSettings,
) -> PresetSettings {
    let (clip_format, still_format) = match kind {
        MediaKind::Still => (None, request.format.clone()),
        _ => (request.format.clone(), None),
    };
    PresetSettings {
        clip_format: clip_format.or(before.clip_format),
        still_format: still_format.or(before.still_format),
        codec: request.codec,
        quality: Some(request.quality).filter(|quality| *quality != Quality::default()),
        name: request.name_template.clone(),
        model: request.model.clone(),
        scale: request.scale,
        deinterlace: Some(request.deinterlace).filter(|d| *d != Default::default()),
        drop: request.drop.clone(),
        background: request.background.clone(),
        // Who stays visible is of one file.
        redact: request.redact.clone().map(|wish| RedactWish {
            keep: None,
            keep_from_micros: None,
            ..wish
        }),
        reframe: request.reframe.clone(),
        motion: request.motion.clone(),
        silence: request.silence,
        voice: request.voice,
        look: request.look.clone(),
        enlarge: request.enlarge,
        convert: request.convert.clone(),
        subtitles: request.subtitles.clone(),
    }
}

/// A name for machines made of one for people.
fn id_of(name: &str) -> String {
    let mut id = String::new();
    for letter in name.to_lowercase().chars() {
        if letter.is_ascii_alphanumeric() {
            id.push(letter);
        } else if !id.is_empty() && !id.ends_with('-') {
            id.push('-');
        }
        if id.len() == 40 {
            break;
        }
    }
    let id = id.trim_end_matches('-');
    match id.is_empty() {
        true => "preset".to_owned(),
        false => id.to_owned(),
    }
}

/// The request with the ending that its preset says for such a file.
///
/// # Errors
/// The preset is not for such files.
pub(crate) fn with_format<'a>(
    request: &'a UpscaleRequest,
    document: Option<&PresetDocument>,
    input: &Path,
    info: &MediaInfo,
) -> Result<Cow<'a, UpscaleRequest>, AppError> {
    let Some(document) = document else {
        return Ok(Cow::Borrowed(request));
    };
    if !document.kinds().contains(&info.kind) {
        let says = match info.kind {
            MediaKind::Still => said!(
                "fit.no_clip",
                "`{name}` is a picture, and this is for clips.",
                name = input.display()
            ),
            MediaKind::Audio => said!(
                "fit.no_pictures",
                "`{name}` is sound alone, and this is for pictures.",
                name = input.display()
            ),
            _ => said!(
                "fit.no_still",
                "`{name}` is a clip, and this is for pictures.",
                name = input.display()
            ),
        };
        return Err(AppError::new(ErrorCode::InvalidRequest, says)
            .hint("Choose another file, or something else to do."));
    }
    let format = match info.kind {
        MediaKind::Still => &document.settings.still_format,
        // An ending for clips is none for them.
        MediaKind::Audio => &None,
        _ => &document.settings.clip_format,
    };
    if request.format.is_some() || format.is_none() {
        return Ok(Cow::Borrowed(request));
    }
    let named = request
        .output
        .as_deref()
        .is_some_and(|path| !crate::inputs::names_a_folder(path));
    Ok(match named {
        true => Cow::Borrowed(request),
        false => Cow::Owned(UpscaleRequest {
            format: format.clone(),
            ..request.clone()
        }),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_preset_that_ships_can_be_read_and_has_its_words_in_three_languages() {
        let mut ids = Vec::new();
        for json in SHIPPED {
            let document = PresetDocument::parse(json)
                .unwrap_or_else(|error| panic!("{}: {json}", error.message));
            for language in ["en", "vi", "fr"] {
                let words = &document.words[language];
                assert!(!words.about.is_empty(), "{} {language}", document.id);
            }
            let settings = &document.settings;
            let preset = document.base().preset();
            for (format, all) in [
                (&settings.clip_format, preset.clip_formats),
                (&settings.still_format, preset.still_formats),
            ] {
                if let Some(format) = format {
                    assert!(all.contains(&format.as_str()), "{}: {format}", document.id);
                }
            }
            assert!(
                !ids.contains(&document.id),
                "{} is there twice",
                document.id
            );
            assert!(document.id.parse::<PresetId>().is_err(), "{}", document.id);
            ids.push(document.id);
        }
        assert!(ids.len() >= 20);
    }

    #[test]
    fn a_name_for_machines_is_made_of_any_name() {
        assert_eq!(id_of("Old film, to HD!"), "old-film-to-hd");
        assert_eq!(id_of("Phim gia đình"), "phim-gia-nh");
        assert_eq!(id_of("影片"), "preset");
        assert!(is_id(&id_of(&"ab ".repeat(100))));
    }
}
