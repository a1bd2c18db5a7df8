//! Numbered pictures and animations as sources, and numbered pictures as results.

use crate::{explain, inputs};
use frameloom_core::error::{AppError, ErrorCode};
use frameloom_core::media::{MediaInfo, MediaKind, Warning};
use frameloom_core::said;
use frameloom_core::said::Said;
use frameloom_core::sequence::{NumberPattern, PictureRun};
use frameloom_core::time::FrameRate;
use frameloom_media::Container;
use frameloom_still::StillFormat;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use ts_rs::TS;

/// How numbered pictures are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, TS)]
#[serde(default)]
pub struct PicturesRequest {
    /// Pictures per second; needed for a pattern.
    pub rate: Option<FrameRate>,
    /// The input is the first of numbered pictures, not a picture by itself.
    pub sequence: bool,
}

/// A source and what it is.
#[derive(Debug, Clone)]
pub struct Source {
    /// Absolute path; a pattern for numbered pictures.
    pub input: PathBuf,
    /// Which pictures of the pattern.
    pub pictures: Option<PictureRun>,
    /// What a probe says.
    pub info: MediaInfo,
}

/// True for the name of numbered pictures together, which is not that of a file.
pub(crate) fn is_pattern(path: &Path) -> bool {
    path.symlink_metadata().is_err() && NumberPattern::of_path(path).is_some()
}

/// What `path`, an absolute one, leads to: a file, or numbered pictures.
///
/// # Errors
/// As [`inputs::probe`]; a picture is missing or not like the others; no rate is given where one
/// is needed, or one where none is.
pub fn open(path: &Path, request: PicturesRequest) -> Result<Source, AppError> {
    let is_file = path.symlink_metadata().is_ok();
    let name = path
        .file_name()
        .and_then(|name| name.to_str())
        .unwrap_or_default();
    let (pattern, first) = match NumberPattern::parse(name) {
        Some(pattern) if !is_file => (pattern, None),
        _ if request.sequence => {
            let (pattern, first) = NumberPattern::of_member(name).ok_or_else(|| {
                invalid(
                    said!(
                        "pictures.no_number",
                        "`{name}` has no number in its name, so no pictures follow it.",
                        name = name
                    ),
                    "Name the first of the pictures, or a pattern such as shot_%05d.png.",
                )
            })?;
            (pattern, Some(first))
        }
        _ if request.rate.is_some() => {
            return Err(invalid(
                said!(
                    "pictures.own_times",
                    "`{name}` has times of its own; a rate is only for numbered pictures.",
                    name = name
                ),
                "Leave --rate out, or name numbered pictures: shot_%05d.png, or the first of them with --sequence.",
            ));
        }
        _ => {
            return Ok(Source {
                info: inputs::probe(path)?,
                input: path.to_owned(),
                pictures: None,
            });
        }
    };
    let rate = request.rate.ok_or_else(|| {
        invalid(
            said!(
                "pictures.no_rate",
                "Numbered pictures do not say how fast they follow each other."
            ),
            "Give their rate, as in --rate 24 or --rate 24000/1001.",
        )
    })?;
    let input = path.with_file_name(pattern.text());
    let run =
        frameloom_media::find_pictures(&input, first, rate).map_err(|e| explain::media(&e))?;
    let mut info = frameloom_media::probe_pictures(&input, run).map_err(|e| explain::media(&e))?;
    info.warnings.extend(check_alike(&input, &pattern, run)?);
    Ok(Source {
        input,
        pictures: Some(run),
        info,
    })
}

fn invalid(message: Said, hint: &str) -> AppError {
    AppError::new(ErrorCode::InvalidRequest, message).hint(hint)
}

/// Refuses a picture that is not like the first one, by its header alone. Gives what will be lost
/// of all of them.
fn check_alike(
    input: &Path,
    pattern: &NumberPattern,
    run: PictureRun,
) -> Result<Option<Warning>, AppError> {
    let first_path = pattern.path(input, run.first);
    if !frameloom_still::is_still(&first_path).map_err(|e| explain::still(&e))? {
        // Another format than those of photos: each picture is compared when it is read.
        return Ok(None);
    }
    let look = |path: &Path| {
        let info = frameloom_still::probe(path).map_err(|e| explain::still(&e))?;
        let (stream, video) = info.main_video().ok_or_else(|| {
            AppError::new(
                ErrorCode::InputUnsupported,
                said!(
                    "file.no_picture",
                    "`{path}` is no picture.",
                    path = path.display()
                ),
            )
        })?;
        let turn = (video.rotation_degrees, video.mirrored);
        Ok::<_, AppError>((
            stream.codec.clone(),
            (video.width, video.height),
            (video.pixel_format.clone(), video.bit_depth, video.alpha),
            turn,
        ))
    };
    let first = look(&first_path)?;
    for number in run.numbers() {
        let path = pattern.path(input, number);
        let found = look(&path)?;
        let what = if found.0 != first.0 {
            said!(
                "pictures.codec",
                "is a {codec} and the first one a {first}",
                codec = found.0.as_str(),
                first = first.0.as_str()
            )
        } else if found.1 != first.1 {
            said!(
                "pictures.size",
                "has {width} x {height} pixels and the first one {first_width} x {first_height}",
                width = found.1.0,
                height = found.1.1,
                first_width = first.1.0,
                first_height = first.1.1
            )
        } else if found.2 != first.2 {
            said!(
                "pictures.samples",
                "has samples of another kind ({samples}, {bits} bits) than the first one ({first}, {first_bits} bits)",
                samples = found.2.0.as_str(),
                bits = found.2.1,
                first = first.2.0.as_str(),
                first_bits = first.2.1
            )
        } else if found.3 != first.3 {
            said!("pictures.turn", "is turned another way than the first one")
        } else {
            continue;
        };
        return Err(AppError::new(
            ErrorCode::InputUnsupported,
            said!("pictures.unlike", "`{path}` {what}.", path = path.display(), what = what),
        )
        .hint("All pictures of a sequence must be alike: save this one like the others, or move it elsewhere."));
    }
    Ok((first.3 != (0, false)).then(|| {
        Warning::dropped(said!(
            "lost.turn",
            "the turn that the EXIF of the pictures states; add a rotate node to turn them"
        ))
    }))
}

/// True for a picture whose reader knows that it moves.
pub(crate) fn is_animated(info: &MediaInfo) -> bool {
    matches!(info.container.as_str(), "gif" | "png" | "webp")
        && info.warnings.contains(&Warning::FirstFrameOnly)
}

/// An animation whose result is to be a single picture is one itself: its first frame.
pub(crate) fn first_frame_only(
    input: &Path,
    output: Option<&Path>,
    info: &MediaInfo,
) -> Result<Option<MediaInfo>, AppError> {
    let wants_still = output.is_some_and(|output| {
        StillFormat::from_path(output).is_some() && Container::from_path(output).is_err()
    });
    if !wants_still
        || info.kind != MediaKind::Video
        || !frameloom_still::is_still(input).map_err(|e| explain::still(&e))?
    {
        return Ok(None);
    }
    frameloom_still::probe(input)
        .map(Some)
        .map_err(|e| explain::still(&e))
}

/// The extension that a result of an animation gets by itself.
pub(crate) fn own_extension(info: &MediaInfo) -> Option<&'static str> {
    match info.container.as_str() {
        "gif" => Some("gif"),
        "apng" => Some("apng"),
        "webp" if info.kind == MediaKind::Video => Some("webp"),
        _ => None,
    }
}

/// Refuses to write pictures over the source or, without `overwrite`, over anything. The whole set
/// is asked for, since nobody knows yet how many there will be.
pub(crate) fn check_names(output: &Path, input: &Path, overwrite: bool) -> Result<(), AppError> {
    let Some(names) = NumberPattern::of_path(output) else {
        return Ok(());
    };
    let folder = |path: &Path| {
        frameloom_engine::execute::real_place(path)
            .parent()
            .map(Path::to_owned)
    };
    let numbers = frameloom_media::numbers_of(output, &names).unwrap_or_default();
    let input_name = input.file_name().and_then(|name| name.to_str());
    let is_ours = |name: &str| names.number_of(name).is_some();
    let hits_source = folder(output) == folder(input)
        && match NumberPattern::of_path(input).filter(|_| !input.exists()) {
            Some(source) => numbers
                .iter()
                .any(|number| source.number_of(&names.name(*number)).is_some()),
            None => input_name.is_some_and(is_ours),
        };
    if hits_source {
        return Err(invalid(
            said!(
                "pictures.source_names",
                "The pictures of the result would take the names of the source."
            ),
            "Choose another name or folder; the source is never overwritten.",
        ));
    }
    if let (false, Some(number)) = (overwrite, numbers.first()) {
        return Err(AppError::new(
            ErrorCode::OutputUnwritable,
            match numbers.len() {
                1 => said!(
                    "pictures.taken",
                    "There is a picture of this name already: `{path}`.",
                    path = names.path(output, *number).display()
                ),
                more => said!(
                    "pictures.all_taken",
                    "There are pictures of these names already: `{path}` and {count} more.",
                    path = names.path(output, *number).display(),
                    count = more - 1
                ),
            },
        )
        .hint("Choose another name or folder, or replace them with --overwrite."));
    }
    Ok(())
}

/// The picture of a sequence that is shown at a time.
pub(crate) fn picture_at(
    pattern: &Path,
    run: Option<PictureRun>,
    rate: Option<FrameRate>,
    at_micros: i64,
) -> Option<PathBuf> {
    let names = NumberPattern::of_path(pattern)?;
    let numbers = match run {
        Some(run) => run.numbers().collect(),
        None => frameloom_media::numbers_of(pattern, &names).ok()?,
    };
    let rate = rate.map_or(25.0, |rate| rate.ratio().to_f64());
    let place = (at_micros.max(0) as f64 / 1e6 * rate + 0.001) as usize;
    let number = numbers.get(place.min(numbers.len().checked_sub(1)?))?;
    Some(names.path(pattern, *number))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_is_refused_where_one_name_is_taken_and_never_hits_its_source() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        let output = path("shot_%03d.png");
        let input = path("clip.mp4");
        check_names(&output, &input, false).unwrap();
        check_names(&path("not/there/shot_%03d.png"), &input, false).unwrap();
        for name in ["shot_007.png", "shot_1234.png"] {
            std::fs::write(path(name), "mine").unwrap();
        }
        let refused = check_names(&output, &input, false).unwrap_err();
        assert!(refused.message.contains("shot_007.png"), "{refused}");
        assert!(refused.message.contains("1 more"), "{refused}");
        check_names(&output, &input, true).unwrap();
        for source in ["shot_%03d.png", "shot_%d.png", "shot_007.png"] {
            let refused = check_names(&output, &path(source), true).unwrap_err();
            assert_eq!(refused.code, ErrorCode::InvalidRequest, "{source}");
        }
        check_names(&path("other_%03d.png"), &output, false).unwrap();
    }

    #[test]
    fn the_picture_of_a_moment_is_the_one_that_is_shown_then() {
        let run = PictureRun {
            rate: FrameRate::new(24, 1).unwrap(),
            first: 10,
            count: 48,
        };
        let at = |micros| {
            let path = picture_at(Path::new("/a/s_%d.png"), Some(run), Some(run.rate), micros);
            path.unwrap().display().to_string()
        };
        assert_eq!(at(0), "/a/s_10.png");
        assert_eq!(at(41_667), "/a/s_11.png");
        assert_eq!(at(i64::MAX), "/a/s_57.png");
    }
}
