//! From what a user points at to files that can be processed, and names for the results.

use crate::explain;
use crate::pictures::is_animated;
use frameloom_core::error::{AppError, ErrorCode};
use frameloom_core::media::{MediaInfo, MediaKind};
use frameloom_core::said;
use frameloom_core::said::Said;
use frameloom_core::sequence::NumberPattern;
use frameloom_engine::execute::real_place;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use ts_rs::TS;

/// File name extensions that a folder is searched for. A file named directly is judged by its
/// content alone.
const EXTENSIONS: &[&str] = &[
    "3gp", "apng", "avi", "avif", "bmp", "flv", "gif", "ico", "jfif", "jpe", "jpeg", "jpg", "m2ts",
    "m4v", "mkv", "mov", "mp4", "mpeg", "mpg", "mpo", "mts", "mxf", "ogv", "pgm", "png", "pnm",
    "ppm", "qoi", "tga", "tif", "tiff", "ts", "webm", "webp", "wmv",
];

/// Endings of files of sound alone.
const SOUND_EXTENSIONS: &[&str] = &[
    "aac", "ac3", "aif", "aiff", "amr", "ape", "caf", "flac", "m4a", "m4b", "mka", "mp3", "oga",
    "ogg", "opus", "w64", "wav", "wma", "wv",
];

/// Which files of a folder are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gather {
    /// Videos and pictures.
    Pictures,
    /// Those, and sound alone.
    SoundToo,
}

impl Gather {
    /// For what takes sound alone, or does not.
    pub fn for_sound(takes_sound: bool) -> Self {
        match takes_sound {
            true => Gather::SoundToo,
            false => Gather::Pictures,
        }
    }
}

/// How deep folders are searched, and how many files are taken, before a whole disk becomes
/// everybody's problem.
const MAX_DEPTH: usize = 32;
const MAX_FILES: usize = 100_000;

/// A file found through an input, with its place below the folder that was named.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Found {
    /// Absolute path.
    #[ts(type = "string")]
    pub path: PathBuf,
    /// Folder below the named one; empty for a file that was named directly.
    #[ts(type = "string")]
    pub below: PathBuf,
}

/// What inputs lead to.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, TS)]
pub struct Expanded {
    /// Files, in the order of the inputs and of their names.
    pub files: Vec<Found>,
    /// Folders inside of the named ones that cannot be read. They do not stop the others.
    pub refused: Vec<Refused>,
}

/// A place that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Refused {
    /// Absolute path.
    #[ts(type = "string")]
    pub path: PathBuf,
    /// Why.
    pub error: AppError,
}

/// Names that a command must not give to a result, even where it may overwrite: its inputs, and
/// the results that it made before.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Taken(BTreeSet<PathBuf>);

impl Taken {
    /// Takes a name, by whatever way one may come to it.
    pub fn insert(&mut self, path: &Path) {
        self.0.insert(real_place(path));
        if let Ok(target) = path.canonicalize() {
            self.0.insert(target);
        }
    }

    /// Is this name taken?
    pub fn contains(&self, path: &Path) -> bool {
        !self.0.is_empty()
            && (self.0.contains(&real_place(path))
                // On a disk that does not tell large letters from small ones.
                || path.canonicalize().is_ok_and(|path| self.0.contains(&path)))
    }
}

/// Replaces folders by the media files in them, at any depth, in the order of their names. Links
/// to folders are not followed: what they lead to was not named, or is found under its own name.
///
/// # Errors
/// A path does not exist or cannot be read, or a folder holds no media.
pub fn expand(inputs: &[PathBuf], gather: Gather) -> Result<Expanded, AppError> {
    let mut expanded = Expanded::default();
    for input in inputs {
        let path =
            std::path::absolute(input).map_err(|error| explain::unreadable(input, &error))?;
        let is_folder = match std::fs::metadata(&path) {
            Ok(metadata) => metadata.is_dir(),
            // Numbered pictures are one clip, and no file has that name.
            Err(_) if NumberPattern::of_path(&path).is_some() => false,
            Err(error) => return Err(explain::unreadable(input, &error)),
        };
        if !is_folder {
            expanded.files.push(Found {
                path,
                below: PathBuf::new(),
            });
            continue;
        }
        let before = (expanded.files.len(), expanded.refused.len());
        walk(&path, Path::new(""), 0, (gather, &|_| false), &mut expanded)
            .map_err(|error| explain::unreadable(input, &error))?;
        if (expanded.files.len(), expanded.refused.len()) == before {
            return Err(AppError::new(
                ErrorCode::InputUnsupported,
                match gather {
                    Gather::Pictures => said!(
                        "folder.nothing",
                        "The folder `{path}` holds no video or picture.",
                        path = input.display()
                    ),
                    Gather::SoundToo => said!(
                        "folder.no_media",
                        "The folder `{path}` holds no video, picture or sound.",
                        path = input.display()
                    ),
                },
            )
            .hint("Choose a folder with media files, or name the files themselves."));
        }
    }
    Ok(expanded)
}

/// The media files in a folder and below it, without the folders that `skips` names. What cannot be
/// read below it is left out.
///
/// # Errors
/// The folder cannot be read.
pub(crate) fn media_below(
    folder: &Path,
    gather: Gather,
    skips: &dyn Fn(&Path) -> bool,
) -> std::io::Result<Vec<Found>> {
    let mut found = Expanded::default();
    walk(folder, Path::new(""), 0, (gather, skips), &mut found)?;
    Ok(found.files)
}

fn walk(
    folder: &Path,
    below: &Path,
    depth: usize,
    (gather, skips): (Gather, &dyn Fn(&Path) -> bool),
    to: &mut Expanded,
) -> std::io::Result<()> {
    let mut children: Vec<_> = std::fs::read_dir(folder)?.collect::<Result<_, _>>()?;
    children.sort_by_key(std::fs::DirEntry::file_name);
    for child in children {
        let (path, name) = (child.path(), child.file_name());
        if name.to_string_lossy().starts_with('.') || to.files.len() >= MAX_FILES {
            continue;
        }
        let Ok(kind) = child.file_type() else {
            continue;
        };
        if kind.is_dir() {
            if depth == MAX_DEPTH || skips(&path) {
                continue;
            }
            if let Err(error) = walk(&path, &below.join(&name), depth + 1, (gather, skips), to) {
                to.refused.push(Refused {
                    error: explain::unreadable(&path, &error),
                    path,
                });
            }
        } else if has_media_extension(&path, gather)
            // A link to a file is that file; one that leads to a folder or nowhere is nothing.
            && (!kind.is_symlink() || std::fs::metadata(&path).is_ok_and(|m| !m.is_dir()))
        {
            to.files.push(Found {
                path,
                below: below.to_owned(),
            });
        }
    }
    Ok(())
}

fn has_media_extension(path: &Path, gather: Gather) -> bool {
    path.extension()
        .and_then(OsStr::to_str)
        .is_some_and(|extension| is_media_extension(extension, gather))
}

fn is_media_extension(extension: &str, gather: Gather) -> bool {
    let extension = extension.to_ascii_lowercase();
    let is_sound = || SOUND_EXTENSIONS.contains(&extension.as_str());
    EXTENSIONS.contains(&extension.as_str()) || (gather == Gather::SoundToo && is_sound())
}

/// What a file is: a still picture by the picture reader, anything else by ffmpeg.
///
/// # Errors
/// It is missing, unreadable or no media.
pub fn probe(path: &Path) -> Result<MediaInfo, AppError> {
    let metadata = std::fs::metadata(path).map_err(|error| explain::unreadable(path, &error))?;
    if metadata.is_dir() {
        return Err(AppError::new(
            ErrorCode::InputUnsupported,
            said!(
                "file.folder",
                "`{path}` is a folder, not a file.",
                path = path.display()
            ),
        )
        .hint("Name a file in it."));
    }
    if !metadata.is_file() {
        return Err(AppError::new(
            ErrorCode::InputUnsupported,
            said!(
                "file.device",
                "`{path}` is a device or a pipe, not a regular file.",
                path = path.display()
            ),
        )
        .hint("Save what it gives to a file first, and name that file."));
    }
    if metadata.len() == 0 {
        return Err(AppError::new(
            ErrorCode::InputUnreadable,
            said!("file.nothing", "`{path}` is empty.", path = path.display()),
        )
        .hint("Copy or download the file again."));
    }
    let info = if frameloom_still::is_still(path).map_err(|e| explain::still(&e))? {
        let still = frameloom_still::probe(path).map_err(|e| explain::still(&e))?;
        // One that moves is a clip, unless only its first frame can be decoded.
        match is_animated(&still).then(|| frameloom_media::probe(path)) {
            Some(Ok(clip)) if clip.kind == MediaKind::Video => clip,
            _ => still,
        }
    } else {
        probe_by_ffmpeg(path)?
    };
    // A header may lie, and ffmpeg believes in a file's extension where its content says nothing.
    if let Some((stream, video)) = info.main_video()
        && (video.width == 0 || video.height == 0)
    {
        return Err(AppError::new(
            ErrorCode::InputUnreadable,
            said!(
                "file.not_as",
                "`{path}` cannot be read as {codec}.",
                path = path.display(),
                codec = stream.codec.as_str()
            ),
        )
        .hint(explain::hint(ErrorCode::InputUnreadable).unwrap_or_default()));
    }
    Ok(info)
}

fn probe_by_ffmpeg(path: &Path) -> Result<MediaInfo, AppError> {
    frameloom_media::probe(path).map_err(|e| {
        if is_heif(path) {
            return AppError::new(
                ErrorCode::InputUnsupported,
                said!(
                    "file.heic",
                    "`{path}` is a HEIC picture, which cannot be read here.",
                    path = path.display()
                ),
            )
            .hint("Export it as JPEG or PNG from the photo app of your phone or computer.")
            .details(e.to_string());
        }
        explain::media(&e)
    })
}

/// True for a picture in the HEIF container other than AVIF (ISO/IEC 23008-12, brands).
fn is_heif(path: &Path) -> bool {
    let mut head = [0; 12];
    std::fs::File::open(path)
        .and_then(|mut file| std::io::Read::read_exact(&mut file, &mut head))
        .is_ok_and(|()| {
            &head[4..8] == b"ftyp"
                && matches!(
                    &head[8..12],
                    b"heic" | b"heix" | b"heim" | b"heis" | b"hevc" | b"mif1" | b"msf1"
                )
        })
}

/// True for a still picture, by its content.
pub fn is_picture(path: &Path) -> bool {
    frameloom_still::is_still(path).unwrap_or(false)
}

/// True for codecs that throw something away.
pub fn is_lossy(info: &MediaInfo) -> bool {
    const LOSSLESS: &[&str] = &[
        "apng",
        "bmp",
        "cfhd",
        "dnxhd",
        "dpx",
        "exr",
        "ffv1",
        "ffvhuff",
        "gif",
        "hdr",
        "huffyuv",
        "ico",
        "magicyuv",
        "png",
        "pnm",
        "prores",
        "qoi",
        "qtrle",
        "rawvideo",
        "targa",
        "tga",
        "tiff",
        "utvideo",
        "v210",
        "webp-lossless",
    ];
    info.main_video()
        .is_none_or(|(stream, _)| !LOSSLESS.contains(&stream.codec.as_str()))
}

/// Variables that a name template may hold.
pub const TEMPLATE_VARIABLES: &[&str] = &[
    "name", "model", "scale", "width", "height", "counter", "shot",
];

/// The name that a result gets where the user gave no template.
pub const DEFAULT_TEMPLATE: &str = "{name}_{scale}x";

/// What a name template is filled with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NameParts<'a> {
    /// File name of the source without its extension.
    pub name: &'a str,
    /// Id of the model.
    pub model: &'a str,
    /// Enlargement.
    pub scale: u32,
    /// Pixels of the result; `None` for sound alone.
    pub size: Option<(u32, u32)>,
    /// Position among the inputs of one command, from 1.
    pub counter: usize,
}

/// Fills a name template.
///
/// # Errors
/// An unknown variable, an open brace, or a name that leads into another folder.
pub fn fill_template(template: &str, parts: &NameParts<'_>) -> Result<String, AppError> {
    let refuse = |message: Said| {
        Err(
            AppError::new(ErrorCode::InvalidRequest, message).hint(format!(
                "A name may hold {}.",
                TEMPLATE_VARIABLES
                    .iter()
                    .map(|v| format!("{{{v}}}"))
                    .collect::<Vec<_>>()
                    .join(", ")
            )),
        )
    };
    let mut name = String::new();
    let mut rest = template;
    while let Some(open) = rest.find('{') {
        name.push_str(&rest[..open]);
        let Some(close) = rest[open..].find('}') else {
            return refuse(said!(
                "name.brace",
                "The name `{name}` has a brace that is not closed.",
                name = template
            ));
        };
        match &rest[open + 1..open + close] {
            "name" => name.push_str(parts.name),
            "model" => name.push_str(parts.model),
            "scale" => name.push_str(&parts.scale.to_string()),
            side @ ("width" | "height") => match parts.size {
                Some((width, height)) => {
                    let pixels = if side == "width" { width } else { height };
                    name.push_str(&pixels.to_string());
                }
                None => {
                    return refuse(said!(
                        "name.no_size",
                        "The name holds `{word}`, and sound has no size in pixels.",
                        word = format!("{{{side}}}")
                    ));
                }
            },
            "counter" => name.push_str(&format!("{:04}", parts.counter)),
            "shot" => name.push_str(&format!("{:03}", parts.counter)),
            other => match digits_of(other) {
                // As many digits as are asked for.
                Some(digits) => name.push_str(&format!("{:0digits$}", parts.counter)),
                None => {
                    return refuse(said!(
                        "name.variable",
                        "The name holds `{word}`, which is not known.",
                        word = format!("{{{other}}}")
                    ));
                }
            },
        }
        rest = &rest[open + close + 1..];
    }
    name.push_str(rest);
    if name.trim().is_empty() || name.contains(['/', '\\', '\0']) || name == "." || name == ".." {
        return refuse(said!(
            "name.impossible",
            "`{name}` is not a possible file name.",
            name = name
        ));
    }
    Ok(name)
}

/// The digits of a number in a template, as `shot:03` or `counter:05` has them: 1 to 9.
fn digits_of(variable: &str) -> Option<usize> {
    let (name, width) = variable.split_once(':')?;
    let digits = width.strip_prefix('0')?.parse().ok()?;
    (matches!(name, "shot" | "counter") && (1..=9).contains(&digits)).then_some(digits)
}

/// Longest name of a file that disks take, in the units of [`name_length`], less the room for a
/// number behind a name that is taken.
const MAX_NAME: usize = 255 - " (99999)".len();

/// Length of a file name as disks count it: UTF-16 units on Windows, bytes elsewhere.
fn name_length(name: &str) -> usize {
    if cfg!(windows) {
        name.encode_utf16().count()
    } else {
        name.len()
    }
}

/// Fills a name template and adds the extension. Where disks would not take a name of this
/// length, the source's part of it is shortened.
///
/// # Errors
/// As [`fill_template`]; a template that is too long by itself.
pub fn fill_name(
    template: &str,
    parts: &NameParts<'_>,
    extension: &str,
) -> Result<String, AppError> {
    let mut parts = parts.clone();
    loop {
        let name = format!("{}.{extension}", fill_template(template, &parts)?);
        if name_length(&name) <= MAX_NAME {
            return Ok(name);
        }
        let Some((last, _)) = parts.name.char_indices().next_back() else {
            break;
        };
        parts.name = parts.name[..last].trim_end();
        // A template without the name does not get shorter by it.
        if !template.contains("{name}") || parts.name.is_empty() {
            break;
        }
    }
    Err(AppError::new(
        ErrorCode::InvalidRequest,
        said!("name.too_long", "The name of the result is too long."),
    )
    .hint("Give a shorter template."))
}

/// True for a path that is a folder, or is meant to become one.
pub fn names_a_folder(path: &Path) -> bool {
    path.is_dir()
        || path.as_os_str().to_string_lossy().ends_with(['/', '\\'])
        || path.extension().is_none()
            && !bare_ending(path).is_some_and(|e| is_media_extension(e, Gather::SoundToo))
}

/// The `mp4` of a path whose last part is `.mp4` alone: a hidden folder, or a file whose name was
/// forgotten.
pub(crate) fn bare_ending(path: &Path) -> Option<&str> {
    let name = path.file_name().and_then(OsStr::to_str)?;
    name.strip_prefix('.').filter(|rest| !rest.contains('.'))
}

/// True for moving pictures and stills.
pub fn has_picture(info: &MediaInfo) -> bool {
    matches!(info.kind, MediaKind::Video | MediaKind::Still) && info.main_video().is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ending_without_a_name_is_no_folder_and_a_hidden_one_is() {
        assert!(names_a_folder(Path::new("/nowhere/.larger")));
        assert!(names_a_folder(Path::new("/nowhere/.mp4/")));
        assert!(!names_a_folder(Path::new("/nowhere/.mp4")));
    }

    fn parts() -> NameParts<'static> {
        NameParts {
            name: "été 日本 🎬",
            model: "loom-x2",
            scale: 2,
            size: Some((1280, 720)),
            counter: 7,
        }
    }

    #[test]
    fn a_template_is_filled_and_other_text_is_kept() {
        assert_eq!(
            fill_template("{counter} {name} [{width}x{height}, {model}]", &parts()).unwrap(),
            "0007 été 日本 🎬 [1280x720, loom-x2]"
        );
        assert_eq!(
            fill_template(DEFAULT_TEMPLATE, &parts()).unwrap(),
            "été 日本 🎬_2x"
        );
    }

    #[test]
    fn a_template_cannot_lead_elsewhere_or_be_misspelt() {
        for template in ["../{name}", "a/b", "{nam}", "{name", "", "  ", ".."] {
            assert_eq!(
                fill_template(template, &parts()).unwrap_err().code,
                ErrorCode::InvalidRequest,
                "{template:?}"
            );
        }
    }

    #[test]
    fn folders_give_their_media_in_order_with_their_place() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        std::fs::create_dir_all(root.join("b/deep")).unwrap();
        for file in ["b/deep/2.MP4", "a.png", "notes.txt", ".hidden.png"] {
            std::fs::write(root.join(file), "x").unwrap();
        }
        #[cfg(unix)]
        std::os::unix::fs::symlink(root, root.join("b/loop")).unwrap();
        #[cfg(unix)]
        std::os::unix::fs::symlink(root.join("a.png"), root.join("b/link.png")).unwrap();
        let elsewhere = tempfile::tempdir().unwrap();
        std::fs::write(elsewhere.path().join("foreign.png"), "x").unwrap();
        #[cfg(unix)]
        std::os::unix::fs::symlink(elsewhere.path(), root.join("b/elsewhere")).unwrap();
        let found = expand(&[root.to_owned()], Gather::Pictures).unwrap();
        assert_eq!(found.refused, []);
        let names: Vec<_> = found
            .files
            .iter()
            .map(|f| {
                (
                    f.path.strip_prefix(root).unwrap().to_owned(),
                    f.below.clone(),
                )
            })
            .collect();
        assert_eq!(
            names,
            [
                ("a.png".into(), "".into()),
                ("b/deep/2.MP4".into(), "b/deep".into()),
                #[cfg(unix)]
                ("b/link.png".into(), "b".into()),
            ]
        );
    }

    /// A folder that no user can list by its path, not even root: the path is too long.
    #[cfg(target_os = "linux")]
    #[test]
    fn a_folder_that_cannot_be_read_is_refused_and_the_others_are_taken() {
        let folder = tempfile::tempdir().unwrap();
        for place in ["a.png", "z.png"] {
            std::fs::write(folder.path().join(place), "x").unwrap();
        }
        let made = std::process::Command::new("sh")
            .args([
                "-c",
                "n=$(printf %0250d 0); for i in $(seq 17); do mkdir $n && cd -P $n || exit 1; done",
            ])
            .current_dir(folder.path())
            .status()
            .unwrap();
        assert!(made.success());
        let found = expand(&[folder.path().to_owned()], Gather::Pictures).unwrap();
        assert_eq!(found.files.len(), 2);
        let [refused] = &found.refused[..] else {
            panic!("one folder is refused: {:?}", found.refused);
        };
        assert_eq!(refused.error.code, ErrorCode::InputUnreadable);
    }

    #[test]
    fn a_name_that_no_disk_takes_is_shortened_between_two_letters() {
        let long = "日".repeat(83);
        let parts = NameParts {
            name: &long,
            ..parts()
        };
        let name = fill_name(DEFAULT_TEMPLATE, &parts, "png").unwrap();
        assert!(
            name.ends_with("日_2x.png") && name.len() <= MAX_NAME,
            "{name}"
        );
        assert!(name.len() > MAX_NAME - 3, "no more is cut than needed");
        let short = NameParts {
            name: "a",
            ..parts.clone()
        };
        assert_eq!(fill_name("{name}", &short, "mp4").unwrap(), "a.mp4");
        let template = "x".repeat(260);
        for template in [template.clone(), template + "{name}"] {
            let error = fill_name(&template, &parts, "png").unwrap_err();
            assert_eq!(error.code, ErrorCode::InvalidRequest);
        }
    }

    #[test]
    fn a_taken_name_is_known_by_any_way_to_it() {
        let folder = tempfile::tempdir().unwrap();
        let mut taken = Taken::default();
        taken.insert(&folder.path().join("a.png"));
        std::fs::create_dir(folder.path().join("sub")).unwrap();
        assert!(taken.contains(&folder.path().join("sub/../a.png")));
        assert!(!taken.contains(&folder.path().join("b.png")));
    }

    #[test]
    fn a_folder_without_media_and_a_missing_file_are_refused_in_words() {
        let folder = tempfile::tempdir().unwrap();
        let empty = expand(&[folder.path().to_owned()], Gather::Pictures).unwrap_err();
        assert_eq!(empty.code, ErrorCode::InputUnsupported);
        let missing = expand(&[folder.path().join("no.mp4")], Gather::Pictures).unwrap_err();
        assert_eq!(missing.code, ErrorCode::InputNotFound);
        assert!(missing.hint.is_some());
    }
}
