//! The library: files that were added or made, and the questions that are asked about them.

use crate::error::AppError;
use crate::job::{Job, JobId};
use crate::media::MediaInfo;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;
use ts_rs::TS;

/// Number of an item in the library of one data folder; never given twice.
pub type ItemId = i64;

/// What a person would call a file of the library.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum LibraryKind {
    /// One picture.
    Still,
    /// Moving pictures.
    Video,
    /// Sound only.
    Audio,
    /// Subtitles in a file of their own.
    Subtitles,
}

impl LibraryKind {
    /// Every kind, in the order in which they are offered.
    pub const ALL: [LibraryKind; 4] = [Self::Video, Self::Still, Self::Audio, Self::Subtitles];

    /// The name in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            LibraryKind::Still => "still",
            LibraryKind::Video => "video",
            LibraryKind::Audio => "audio",
            LibraryKind::Subtitles => "subtitles",
        }
    }

    /// The kind of a name in the database.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }
}

/// What was found in a file.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ItemFacts {
    /// Length, where it has one.
    pub duration_micros: Option<i64>,
    /// Pixels across, as a player shows it.
    pub width: Option<u32>,
    /// Pixels down, as a player shows it.
    pub height: Option<u32>,
    /// Codec of the main stream.
    pub codec: Option<String>,
}

/// One file of the library.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct LibraryItem {
    /// Its number.
    #[ts(type = "number")]
    pub id: ItemId,
    /// Absolute path.
    #[ts(type = "string")]
    pub path: PathBuf,
    /// Its kind: by its name until it was read, then by its content.
    pub kind: LibraryKind,
    /// Size.
    #[ts(type = "number")]
    pub size_bytes: u64,
    /// Last change of the file, in milliseconds since 1970.
    #[ts(type = "number")]
    pub modified_millis: i64,
    /// When it came into the library, in milliseconds since 1970.
    #[ts(type = "number")]
    pub added_millis: i64,
    /// Length; `None` where it has none or was not read yet.
    #[ts(type = "number | null")]
    pub duration_micros: Option<i64>,
    /// Pixels across, as a player shows it.
    pub width: Option<u32>,
    /// Pixels down, as a player shows it.
    pub height: Option<u32>,
    /// Codec of the main stream.
    pub codec: Option<String>,
    /// The job that made it; `None` for what was added.
    pub made_by: Option<JobId>,
    /// 0 to 5.
    pub stars: u8,
    /// Tags in the order of their names.
    pub tags: Vec<String>,
    /// The file was not there when it was last looked for.
    pub missing: bool,
    /// It was read, and is no media after all.
    pub unreadable: bool,
    /// Items with the same content, itself included; 1 while its content was not compared.
    pub copies: u32,
}

/// By what a list of items is ordered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum LibrarySort {
    /// When they came into the library.
    #[default]
    Added,
    /// Name, numbers by their value.
    Name,
    /// Last change of the file.
    Modified,
    /// Size of the file.
    Size,
    /// Length; what has none comes last.
    Duration,
    /// Stars.
    Stars,
    /// Kind, then name.
    Kind,
}

/// Where items came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum LibraryOrigin {
    /// The user added them.
    Added,
    /// A job made them.
    Made,
}

/// Which items, and in which order. The default is everything, newest first.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, TS)]
#[serde(default)]
pub struct LibraryQuery {
    /// Words that name, folder or tags have, each of them; accents and large letters do not count.
    pub text: String,
    /// Only these kinds; empty for all.
    pub kinds: Vec<LibraryKind>,
    /// Only those from there.
    pub origin: Option<LibraryOrigin>,
    /// Only what was made with this model.
    pub model: Option<String>,
    /// At least so many stars.
    pub least_stars: u8,
    /// With every one of these tags.
    pub tags: Vec<String>,
    /// At least so large.
    #[ts(type = "number | null")]
    pub least_bytes: Option<u64>,
    /// At most so large.
    #[ts(type = "number | null")]
    pub most_bytes: Option<u64>,
    /// Changed at this moment or later, in milliseconds since 1970.
    #[ts(type = "number | null")]
    pub since_millis: Option<i64>,
    /// Changed before this moment.
    #[ts(type = "number | null")]
    pub until_millis: Option<i64>,
    /// Only files that are not where they were.
    pub missing: bool,
    /// Only items whose content others have, too; copies stand together.
    pub duplicates: bool,
    /// The order.
    pub sort: LibrarySort,
    /// Largest or newest last instead of first; for names and kinds, Z first.
    pub reversed: bool,
}

/// How often something occurs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Counted {
    /// A tag, a model.
    pub name: String,
    /// How many items have it.
    pub count: u32,
}

/// What the whole library holds, for the filters and the foot of the list.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, TS)]
pub struct LibrarySummary {
    /// All items.
    pub items: u32,
    /// Items of each kind, in the order of [`LibraryKind::ALL`].
    pub kinds: Vec<u32>,
    /// Made by jobs.
    pub made: u32,
    /// Files that are not where they were.
    pub missing: u32,
    /// Items whose content others have, too.
    pub duplicates: u32,
    /// Tags by name.
    pub tags: Vec<Counted>,
    /// Models by id.
    pub models: Vec<Counted>,
    /// Items whose file was not read yet.
    pub unread: u32,
    /// Items whose content was not compared yet.
    pub unhashed: u32,
    /// Folders whose files come in by themselves.
    #[ts(type = "string[]")]
    pub watched: Vec<PathBuf>,
}

/// Everything that is known of one item. Its file is read for it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct LibraryDetails {
    /// The item.
    pub item: LibraryItem,
    /// What the file is; `None` if it cannot be read.
    pub info: Option<MediaInfo>,
    /// Why it cannot be read.
    pub error: Option<AppError>,
    /// What the camera wrote into a picture.
    pub exif: Vec<ExifFact>,
    /// SHA-256 of its content, hexadecimal, where it is known.
    pub sha256: Option<String>,
    /// The job that made it, if it is still on the list.
    pub job: Option<Box<Job>>,
    /// The file that it was made from.
    #[ts(type = "string | null")]
    pub made_from: Option<PathBuf>,
    /// Ids of the models that took part.
    pub models: Vec<String>,
    /// Other items with the same content.
    #[ts(type = "string[]")]
    pub copies: Vec<PathBuf>,
}

/// One thing that a camera wrote into a picture.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct ExifFact {
    /// What it is.
    pub name: ExifName,
    /// As people write it, without a unit.
    pub value: String,
}

/// What a camera writes into a picture, as far as it is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum ExifName {
    /// Maker and model of the camera.
    Camera,
    /// Lens.
    Lens,
    /// When it was taken: `2024-05-17 08:30:00`, by the camera's clock.
    Taken,
    /// Time of exposure in seconds: `1/250`.
    Exposure,
    /// F-number.
    Aperture,
    /// Sensitivity.
    Iso,
    /// Focal length in millimetres.
    FocalLength,
    /// Who took it.
    Artist,
    /// Whose it is.
    Copyright,
    /// The program that wrote it.
    Software,
    /// Latitude and longitude in degrees.
    Position,
}

/// What came of an import.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, TS)]
pub struct Imported {
    /// Files that were not in the library before.
    pub added: u32,
    /// Files that were.
    pub known: u32,
    /// Places that could not be read.
    pub refused: Vec<AppError>,
}

/// What the window is told about the library.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum LibraryEvent {
    /// Items came, went or moved in the order: ask for the list again.
    List,
    /// These items are known better now.
    Items {
        /// Which.
        #[ts(type = "number[]")]
        ids: Vec<ItemId>,
    },
    /// Missing files are being looked for.
    Search {
        /// So many files were compared.
        looked: u32,
        /// Of so many that may be what is missing, as far as they are known.
        of: u32,
        /// So many are.
        found: u32,
    },
}

/// What becomes of the files of items that are deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Fate {
    /// They stay where they are; only the library forgets them.
    Keep,
    /// They go to the system's bin.
    Trash,
    /// They are deleted for good.
    Delete,
}

/// What came of something done to several items.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, TS)]
pub struct Done {
    /// How many it was done to.
    pub count: u32,
    /// Why not to the others.
    pub refused: Vec<AppError>,
}
