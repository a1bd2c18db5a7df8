//! Shots as a table, as chapters of a copy, as a sheet of pictures.

use super::look::left;
use super::{Clip, SceneExport, SceneWatch, Shot, clock, invalid, name_of};
use crate::request::absolute_input;
use crate::saved::saved;
use crate::{App, UpscaleRequest, explain, inputs};
use frameloom_core::error::{AppError, ErrorCode};
use frameloom_core::media::MediaInfo;
use frameloom_core::said;
use frameloom_core::time::Timestamp;
use frameloom_engine::scenes::{SheetShot, contact_sheet};
use frameloom_media::{AddedPlace, Container, Inventory, NewChapter, RemuxSpec, plan_remux, remux};
use frameloom_still::StillFormat;
use serde_json::json;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// A sheet shows no more: it would be larger than people look at.
const MOST_ON_A_SHEET: usize = 2_000;

impl App {
    /// The shots as a text: a table, or JSON.
    ///
    /// # Errors
    /// As [`App::scenes`]; the export is no text.
    pub fn scene_text(
        &self,
        request: &UpscaleRequest,
        export: SceneExport,
        watch: &mut dyn SceneWatch,
    ) -> Result<String, AppError> {
        let clip = self.scene_clip(request, watch)?;
        match export {
            SceneExport::List => Ok(table(&clip.view.shots)),
            SceneExport::Json => Ok(document(&clip)),
            _ => Err(invalid(said!(
                "scenes.no_text",
                "Only a list of scenes can be written as text."
            ))
            .hint("Name a file or a folder for it.")),
        }
    }

    /// Writes what `export` makes of the shots beside the clip, or where the request says, under a name
    /// that is free or may be overwritten; gives that name. Files of shots are jobs, and not written
    /// here: see [`App::scene_requests`].
    ///
    /// # Errors
    /// As [`App::scenes`]; the container cannot hold the tracks; nothing can be written there.
    pub fn save_scenes(
        &self,
        request: &UpscaleRequest,
        export: SceneExport,
        watch: &mut dyn SceneWatch,
    ) -> Result<PathBuf, AppError> {
        let input = absolute_input(&request.input)?;
        let usual = usual_name(&input, export);
        let wanted = match &request.output {
            Some(path) if inputs::names_a_folder(path) => path.join(&usual),
            Some(path) => path.clone(),
            None => input.with_file_name(&usual),
        };
        // What the name asks for is checked before anything is looked at.
        let still = match export {
            SceneExport::Sheet => Some(sheet_format(&wanted)?),
            _ => None,
        };
        let container = match export {
            SceneExport::Chapters => {
                Some(Container::from_path(&wanted).map_err(|e| explain::media(&e))?)
            }
            _ => None,
        };
        let clip = self.scene_clip(request, watch)?;
        let chapter = request.scenes.clone().unwrap_or_default().chapter;
        saved(&wanted, &input, request.overwrite, |place| {
            match (still, container) {
                (Some(format), _) => sheet(&clip, place, format, watch),
                (_, Some(container)) => copy(&clip, place, container, &chapter, watch),
                _ => {
                    let text = match export {
                        SceneExport::Json => document(&clip),
                        _ => table(&clip.view.shots),
                    };
                    std::fs::write(place, text).map_err(|e| explain::unwritable(&wanted, &e))
                }
            }
        })
    }
}

/// The name of the result beside its source.
fn usual_name(input: &Path, export: SceneExport) -> String {
    let stem = input
        .file_stem()
        .map_or_else(String::new, |stem| stem.to_string_lossy().into_owned());
    match export {
        SceneExport::List => format!("{stem}_scenes.csv"),
        SceneExport::Json => format!("{stem}_scenes.json"),
        SceneExport::Sheet => format!("{stem}_sheet.png"),
        SceneExport::Chapters | SceneExport::Files => {
            let own = Container::from_path(input)
                .ok()
                .filter(|own| Container::ALL.contains(own));
            let ending = own.unwrap_or(Container::Mkv).extension();
            format!("{stem}_chapters.{ending}")
        }
    }
}

pub(crate) fn sheet_format(path: &Path) -> Result<StillFormat, AppError> {
    match StillFormat::from_path(path) {
        Some(format @ (StillFormat::Png | StillFormat::Jpeg)) => Ok(format),
        _ => Err(invalid(said!(
            "scenes.sheet_format",
            "A sheet is a PNG or a JPEG picture."
        ))
        .hint("Give its name the ending .png or .jpg.")),
    }
}

/// The shots as a table: frames and seconds count from the first picture; the last frame is one of the
/// shot.
fn table(shots: &[Shot]) -> String {
    let mut text = "shot,first_frame,last_frame,frames,start,start_seconds,end_seconds,length_seconds,transition\n".to_owned();
    let seconds = |micros: i64| format!("{}.{:06}", micros / 1_000_000, micros % 1_000_000);
    for (number, shot) in (1..).zip(shots) {
        let _ = writeln!(
            text,
            "{number},{},{},{},{},{},{},{},{}",
            shot.from_frame,
            shot.to_frame.saturating_sub(1),
            shot.to_frame - shot.from_frame,
            clock(shot.from_micros),
            seconds(shot.from_micros),
            seconds(shot.to_micros),
            seconds(shot.to_micros - shot.from_micros),
            transition(number, shot),
        );
    }
    text
}

/// How a shot comes.
fn transition(number: u64, shot: &Shot) -> &'static str {
    match (number, shot.dissolves) {
        (1, _) => "start",
        (_, true) => "dissolve",
        (_, false) => "cut",
    }
}

fn document(clip: &Clip) -> String {
    let seconds = |micros: i64| micros as f64 / 1e6;
    let shots: Vec<_> = (1..)
        .zip(&clip.view.shots)
        .map(|(number, shot)| {
            json!({
                "shot": number,
                "first_frame": shot.from_frame,
                "last_frame": shot.to_frame.saturating_sub(1),
                "frames": shot.to_frame - shot.from_frame,
                "start_seconds": seconds(shot.from_micros),
                "end_seconds": seconds(shot.to_micros),
                "transition": transition(number, shot),
            })
        })
        .collect();
    let document = json!({
        "file": name_of(&clip.input),
        "frames": clip.view.frames,
        "length_seconds": seconds(clip.view.length_micros),
        "shots": shots,
    });
    format!("{document:#}\n")
}

/// Writes the sheet.
fn sheet(
    clip: &Clip,
    place: &Path,
    format: StillFormat,
    watch: &mut dyn SceneWatch,
) -> Result<(), AppError> {
    let shots = &clip.view.shots;
    if shots.len() > MOST_ON_A_SHEET {
        return Err(invalid(said!(
            "scenes.many_pictures",
            "`{name}` has {count} shots; a sheet shows at most {most}.",
            name = clip.input.display(),
            count = shots.len(),
            most = MOST_ON_A_SHEET
        ))
        .hint("Choose a longer shortest shot, or a lower sensitivity."));
    }
    let pictures: Vec<SheetShot> = (1..)
        .zip(shots)
        .map(|(number, shot)| SheetShot {
            at_micros: shown_at(clip, shot),
            line: format!("{number}   {}", clock(shot.from_micros)),
        })
        .collect();
    let cancel = AtomicBool::new(false);
    contact_sheet(
        &clip.input,
        &pictures,
        place,
        format,
        &cancel,
        &mut |part| {
            watch.told(part);
            if !watch.is_wanted() {
                cancel.store(true, Ordering::Relaxed);
            }
        },
    )
    .map_err(|error| match cancel.load(Ordering::Relaxed) {
        true => left(),
        false => explain::engine(&error),
    })
}

/// When a shot is shown best: a third into it, once a dissolve is over.
fn shown_at(clip: &Clip, shot: &Shot) -> i64 {
    let length = shot.to_micros - shot.from_micros;
    let frames = (shot.to_frame - shot.from_frame).max(1) as i64;
    let veiled = shot.clear_frame.saturating_sub(shot.from_frame) as i64;
    // The middle of a shot that is nothing but dissolve.
    let clear = length.saturating_mul(veiled) / frames;
    let into = (length / 3).max(clear).min(length * 2 / 3);
    let last = clip.scenes.micros(clip.scenes.end_ticks).saturating_sub(1);
    (shot.from_micros + into).clamp(0, last.max(0))
}

/// Writes a copy with a chapter for each shot, and compares its tracks with those of the source.
fn copy(
    clip: &Clip,
    place: &Path,
    container: Container,
    word: &str,
    watch: &mut dyn SceneWatch,
) -> Result<(), AppError> {
    let start = start_of(&clip.info);
    let chapters: Vec<NewChapter> = (1..)
        .zip(&clip.view.shots)
        .map(|(number, shot)| NewChapter {
            from_micros: shot.from_micros.saturating_add(start),
            to_micros: shot.to_micros.saturating_add(start),
            title: format!("{word} {number}").trim().to_owned(),
        })
        .collect();
    let plan = plan_remux(&clip.info, container, &[]).map_err(|e| explain::media(&e))?;
    copy_checked(
        &clip.input,
        &clip.info,
        &RemuxSpec {
            source: &clip.input,
            output_tmp: place,
            plan: &plan,
            chapters: Some(&chapters),
            added: &[],
            place: AddedPlace::Last,
            kept: None,
        },
        watch,
    )
}

/// When the first picture is shown in the time of the file.
fn start_of(info: &MediaInfo) -> i64 {
    info.main_video().map_or(0, |(stream, _)| {
        Timestamp::new(stream.start_ticks.unwrap_or(0), stream.time_base).micros()
    })
}

/// Writes a copy, and checks that pictures, sound and subtitles came through as they were.
fn copy_checked(
    input: &Path,
    info: &MediaInfo,
    spec: &RemuxSpec<'_>,
    watch: &mut dyn SceneWatch,
) -> Result<(), AppError> {
    let cancel = Arc::new(AtomicBool::new(false));
    remux(spec, info, &cancel, &mut |part| {
        watch.told(part);
        if !watch.is_wanted() {
            cancel.store(true, Ordering::Relaxed);
        }
    })
    .map_err(|error| match cancel.load(Ordering::Relaxed) {
        true => left(),
        false => explain::media(&error),
    })?;
    let take = |path: &Path| Inventory::take(path, &cancel).map_err(|e| explain::media(&e));
    let kept = take(input)?.kept(&take(spec.output_tmp)?, &spec.plan.copied);
    let lost: Vec<String> = match kept {
        Ok(_) => Vec::new(),
        Err(lost) => lost
            .iter()
            .map(|lost| format!("{}:{}", lost.stream, lost.aspect))
            .collect(),
    };
    if lost.is_empty() {
        return Ok(());
    }
    Err(AppError::new(
        ErrorCode::VerificationFailed,
        said!(
            "copy.differs",
            "The tracks of the copy are not those of `{name}`.",
            name = input.display()
        ),
    )
    .hint("Choose another container, such as .mkv.")
    .details(lost.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_counts_frames_and_seconds_from_the_first_picture() {
        let shot = |from_frame: u64, to_frame: u64, dissolves| Shot {
            from_frame,
            to_frame,
            from_micros: from_frame as i64 * 40_000,
            to_micros: to_frame as i64 * 40_000,
            dissolves,
            clear_frame: from_frame,
        };
        let text = table(&[shot(0, 90_001, false), shot(90_001, 90_010, true)]);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(
            lines[1],
            "1,0,90000,90001,00:00:00.000,0.000000,3600.040000,3600.040000,start"
        );
        assert_eq!(
            lines[2],
            "2,90001,90009,9,01:00:00.040,3600.040000,3600.400000,0.360000,dissolve"
        );
        assert_eq!(lines.len(), 3);
    }

    #[test]
    fn results_are_called_after_their_source() {
        let name = |input: &str, export| usual_name(Path::new(input), export);
        assert_eq!(name("/a/b.mp4", SceneExport::List), "b_scenes.csv");
        assert_eq!(name("/a/b.webm", SceneExport::Chapters), "b_chapters.webm");
        assert_eq!(name("/a/b.ts", SceneExport::Chapters), "b_chapters.mkv");
        assert_eq!(name("/a/b.gif", SceneExport::Chapters), "b_chapters.mkv");
        assert!(sheet_format(Path::new("a.webp")).is_err());
        assert_eq!(sheet_format(Path::new("a.JPG")).unwrap(), StillFormat::Jpeg);
    }
}
