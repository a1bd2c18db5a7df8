//! Where the result of a request goes: its folder, its name, its ending.

use super::UpscaleRequest;
use crate::inputs::{self, NameParts, Taken, fill_name};
use crate::pictures;
use crate::presets::{Preset, PresetId, Work};
use crate::{App, explain};
use frameloom_core::error::{AppError, ErrorCode};
use frameloom_core::job::{Quality, VideoCodec};
use frameloom_core::media::{MediaInfo, MediaKind, StreamKind, VideoInfo};
use frameloom_core::said;
use frameloom_engine::execute::is_same_file;
use frameloom_media::Container;
use frameloom_still::StillFormat;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

impl App {
    /// Where the result goes and, where the container asks for one, its codec. The name is free,
    /// or may be overwritten.
    pub(super) fn output_for(
        &self,
        request: &UpscaleRequest,
        work: &Work,
        input: &Path,
        info: &MediaInfo,
        video: Option<&VideoInfo>,
        parts: &NameParts<'_>,
    ) -> Result<(PathBuf, Option<VideoCodec>), AppError> {
        let preset = request.preset.preset();
        let codec = preset.codec.or(request.codec);
        let wanted = match &request.output {
            _ if request.sample => {
                let folder = self.places.samples();
                std::fs::create_dir_all(&folder)
                    .map_err(|error| explain::data_folder(&folder, &error))?;
                Err(folder)
            }
            Some(path) => {
                let is_folder =
                    inputs::names_a_folder(path) || !request.below.as_os_str().is_empty();
                let path =
                    std::path::absolute(path).map_err(|error| explain::unwritable(path, &error))?;
                if is_folder {
                    Err(path.join(&request.below))
                } else {
                    Ok(path)
                }
            }
            None => Err(match self.settings()?.output_dir {
                Some(folder) => folder.join(&request.below),
                None => input.parent().map(Path::to_owned).unwrap_or_default(),
            }),
        };
        let (wanted, codec) = match wanted {
            Ok(file) => {
                check_extension(&file, info.kind)?;
                if request.name_template.is_some() {
                    return Err(AppError::new(
                        ErrorCode::InvalidRequest,
                        said!(
                            "output.named",
                            "`{path}` names the result already.",
                            path = file.display()
                        ),
                    )
                    .hint("Name a folder for the output, or leave the template out."));
                }
                (file, codec)
            }
            Err(folder) if preset.id == PresetId::Frames => {
                let ending = work.ending.as_deref().unwrap_or("png");
                (
                    self.frames_in(&folder, preset, request, parts, ending)?,
                    None,
                )
            }
            Err(folder) => {
                let template = request.name_template.as_deref().unwrap_or(preset.template);
                let (extension, codec) = match (&work.ending, video) {
                    (Some(ending), _) => (ending.clone(), codec),
                    (None, Some(video)) if info.kind == MediaKind::Still => {
                        let size = parts.size.unwrap_or((video.width, video.height));
                        (still_extension(input, video, size, request), None)
                    }
                    (None, Some(video)) => video_extension(info, video, request),
                    (None, None) => (sound_extension(input, info), codec),
                };
                (folder.join(fill_name(template, parts, &extension)?), codec)
            }
        };
        let output = self.place_output(wanted, input, request.overwrite, &request.taken)?;
        Ok((output, codec))
    }

    /// A pattern for numbered pictures in a folder of their own below `folder`.
    fn frames_in(
        &self,
        folder: &Path,
        preset: &Preset,
        request: &UpscaleRequest,
        parts: &NameParts<'_>,
        ending: &str,
    ) -> Result<PathBuf, AppError> {
        let template = request.name_template.as_deref().unwrap_or(preset.template);
        let name = fill_name(template, parts, "frames")?;
        // A percent sign would be taken for the place of the number.
        let name = name.trim_end_matches(".frames").replace('%', "_");
        let promised = self.promised_outputs()?;
        let file = format!("{name}_%05d.{ending}");
        let pattern = frameloom_engine::execute::free_output(
            &folder.join(format!("{name}_frames")),
            |place| {
                let pattern = place.join(&file);
                let used = place.symlink_metadata().is_ok() || promised.contains(&pattern);
                used && !request.overwrite || request.taken.contains(&pattern)
            },
        );
        Ok(pattern.join(file))
    }

    /// A name for the result that is free, or may be overwritten.
    pub(crate) fn place_output(
        &self,
        wanted: PathBuf,
        input: &Path,
        overwrite: bool,
        taken: &Taken,
    ) -> Result<PathBuf, AppError> {
        if wanted.to_str().is_none() {
            return Err(AppError::new(
                ErrorCode::OutputUnwritable,
                said!(
                    "output.no_text",
                    "The name of the output is not valid Unicode."
                ),
            )
            .hint("Choose another name or folder."));
        }
        if is_same_file(&wanted, input) {
            return Err(AppError::new(
                ErrorCode::InvalidRequest,
                said!("output.input", "The output is the input itself."),
            )
            .hint("Choose another name; the source is never overwritten."));
        }
        if overwrite && wanted.is_dir() {
            return Err(AppError::new(
                ErrorCode::OutputUnwritable,
                said!(
                    "output.folder",
                    "`{path}` is a folder.",
                    path = wanted.display()
                ),
            )
            .hint("Choose another name."));
        }
        let promised = self.promised_outputs()?;
        if Container::from_path(&wanted).is_ok_and(|c| c == Container::Pictures) {
            pictures::check_names(&wanted, input, overwrite)?;
            if promised.contains(&wanted) || taken.contains(&wanted) {
                return Err(AppError::new(
                    ErrorCode::OutputUnwritable,
                    said!(
                        "output.promised",
                        "Another job writes `{path}`.",
                        path = wanted.display()
                    ),
                )
                .hint("Choose another name or folder."));
            }
            check_name(&wanted)?;
            return Ok(wanted);
        }
        let free = frameloom_engine::execute::free_output(&wanted, |path| {
            let used = path.symlink_metadata().is_ok() || promised.contains(path);
            used && !overwrite || taken.contains(path)
        });
        check_name(&free)?;
        Ok(free)
    }
}

fn extension_of(path: &Path) -> String {
    path.extension()
        .and_then(OsStr::to_str)
        .unwrap_or_default()
        .to_ascii_lowercase()
}

/// Asks the disk whether it takes a name of this length, without making anything.
fn check_name(output: &Path) -> Result<(), AppError> {
    // The name counts where its folder is, or will be.
    let name = output.file_name().unwrap_or_default();
    let disk = output.ancestors().skip(1).find(|folder| folder.is_dir());
    for path in [Some(output.to_owned()), disk.map(|disk| disk.join(name))] {
        if let Some(path) = path
            && let Err(error) = path.symlink_metadata()
            && error.kind() == std::io::ErrorKind::InvalidFilename
        {
            return Err(AppError::new(
                ErrorCode::OutputUnwritable,
                said!(
                    "output.too_long",
                    "The name of the output is too long for its disk."
                ),
            )
            .hint("Choose a shorter name.")
            .details(error.to_string()));
        }
    }
    Ok(())
}

pub(crate) fn check_extension(output: &Path, kind: MediaKind) -> Result<(), AppError> {
    let extension = extension_of(output);
    let container = Container::from_path(output);
    let fits = match kind {
        MediaKind::Still => StillFormat::from_path(output).is_some(),
        MediaKind::Audio => container.is_ok_and(|container| !container.is_pictures()),
        _ => container.is_ok(),
    };
    if fits {
        return Ok(());
    }
    let name = output
        .file_name()
        .and_then(OsStr::to_str)
        .unwrap_or_default();
    if let Some(ending) = inputs::bare_ending(output) {
        return Err(AppError::new(
            ErrorCode::InvalidRequest,
            said!(
                "output.only_ending",
                "`{name}` is an ending without a name before it.",
                name = name
            ),
        )
        .hint(format!("Name the result, as in `result.{ending}`.")));
    }
    if kind == MediaKind::Still && Container::from_path(output).is_ok() {
        return Err(AppError::new(
            ErrorCode::InvalidRequest,
            said!(
                "output.one_picture",
                "One picture makes no clip, so it cannot be written to `{name}`.",
                name = name
            ),
        )
        .hint(
            "Give the output a name that ends in png, jpg, webp or tiff; numbered pictures make \
             a clip: `name_%05d.png` with --rate.",
        ));
    }
    let possible = match kind {
        MediaKind::Still => "png, jpg, webp or tiff",
        MediaKind::Audio => "m4a, mp3, wav, flac, ogg, opus, aiff or mka",
        _ => {
            "mp4, mov, mkv, webm, gif, apng or webp; m4a, mp3, wav, flac, ogg or opus for the sound \
             alone; or give it a place for a number, such as name_%05d.png, for numbered pictures"
        }
    };
    Err(AppError::new(
        ErrorCode::InvalidRequest,
        said!(
            "output.extension",
            "The program cannot write `.{extension}` files from this input.",
            extension = extension
        ),
    )
    .hint(format!(
        "Give the output a name that ends in {possible}; a `/` at the end names a folder."
    )))
}

/// The source's own format where it can hold the result, else PNG, which loses nothing.
fn still_extension(
    input: &Path,
    video: &VideoInfo,
    size: (u32, u32),
    request: &UpscaleRequest,
) -> String {
    let fits = frameloom_still::check_output(input, video, size, request.quality).is_ok();
    if fits {
        extension_of(input)
    } else {
        "png".to_owned()
    }
}

/// The source's own ending where such files can be written, else that of one that holds its sound.
fn sound_extension(input: &Path, info: &MediaInfo) -> String {
    let own = extension_of(input);
    let is_written = Container::from_extension(&own).is_some_and(|own| !own.is_pictures());
    if is_written {
        return own;
    }
    let mut tracks = info.streams.iter().filter(|s| s.kind == StreamKind::Audio);
    let codec = tracks.next().map_or("", |track| track.codec.as_str());
    match codec {
        _ if tracks.next().is_some() => "mka",
        "mp3" => "mp3",
        "opus" => "opus",
        "vorbis" => "ogg",
        codec if codec.starts_with("pcm_") => "wav",
        "flac" | "wavpack" | "ape" | "tta" | "tak" | "wmalossless" => "flac",
        _ => "m4a",
    }
    .to_owned()
}

/// The container most like the source that takes the codec and keeps everything of the source.
/// Transparency asks for ProRes 4444.
fn video_extension(
    info: &MediaInfo,
    video: &VideoInfo,
    request: &UpscaleRequest,
) -> (String, Option<VideoCodec>) {
    if let (None, Some(own)) = (request.codec, pictures::own_extension(info)) {
        // A GIF has not the colours for a result without loss.
        let lossless = request.quality == Quality::Lossless && own == "gif";
        return (if lossless { "apng" } else { own }.to_owned(), None);
    }
    let codec = request.codec.or(video.alpha.then_some(VideoCodec::Prores));
    let usual = match codec {
        Some(VideoCodec::Prores | VideoCodec::Dnxhr) => Some(Container::Mov),
        Some(VideoCodec::Ffv1) => Some(Container::Mkv),
        _ => frameloom_media::choose_container(info, None, &request.drop).ok(),
    };
    let candidates: Vec<Container> = usual
        .into_iter()
        .chain([Container::Mp4, Container::Mkv, Container::Mov])
        .filter(|&container| codec.is_none_or(|codec| container.takes(codec)))
        .collect();
    let keeps_all = |container: Container| {
        frameloom_media::plan_mux(info, container, &request.drop)
            .is_ok_and(|plan| plan.refused.is_empty())
    };
    let container = candidates
        .iter()
        .find(|&&container| keeps_all(container))
        .or(candidates.first())
        .copied()
        .unwrap_or(Container::Mkv);
    (container.extension().to_owned(), codec)
}
