//! Who is seen in what is to be redacted, and who of them is to stay visible.
//!
//! The clip is looked at once, in a process of its own, with the model and the settings of the job.
//! Pictures of faces stay in memory, as long as the program runs.

use crate::child::{self, Telling};
use crate::node_view::digest;
use crate::onnx::{JobModels, limit_memory};
use crate::preview::{EncodedPicture, encode};
use crate::saved::saved;
use crate::scenes::{Newest, SceneWatch, sheet_format};
use crate::viewer::known_choices;
use crate::{App, Places, PresetId, RedactWhat, RedactWish, UpscaleRequest, compute, explain};
use frameloom_core::error::{AppError, ErrorCode};
use frameloom_core::graph::{MAX_PATHS_TEXT, MAX_SPOTS};
use frameloom_core::media::Caution;
use frameloom_core::said;
use frameloom_core::said::Said;
use frameloom_engine::execute::Threads;
use frameloom_engine::scenes::Sheet;
use frameloom_engine::{
    Appearances, Cancel, Context, EngineError, FileStamp, MemoryJournal, Unwatched, appearances,
};
use frameloom_infer::Runtime;
use frameloom_media::RgbImage;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use ts_rs::TS;

/// A thousandth of any clip takes less; where a clip does not tell its length, all of it does.
const STALLED: Duration = Duration::from_secs(1800);
/// Width and height of the place of a face on a sheet.
const SHEET_FACE: u32 = 160;

/// A face, or a text, from when it appears until it is gone. Who it is, is not known: after a cut the
/// same person is another one.
#[derive(Debug, Clone, PartialEq, Serialize, TS)]
pub struct FaceSeen {
    /// Its number, from 1.
    pub number: u32,
    /// When it is seen first, from the first picture.
    #[ts(type = "number")]
    pub from_micros: i64,
    /// When its last picture begins.
    #[ts(type = "number")]
    pub to_micros: i64,
    /// In how many pictures it was found.
    #[ts(type = "number")]
    pub pictures: u64,
    /// When it is seen best.
    #[ts(type = "number")]
    pub at_micros: i64,
    /// Where it is then: left, top, right and bottom, in parts of the picture.
    pub sides: [f64; 4],
    /// How sure the model was then, 0 to 1.
    pub score: f32,
    /// Name of its picture, for [`App::face_picture`].
    pub key: String,
    /// What [`RedactWish::keep`] is for it to stay visible.
    pub keep: String,
}

/// Who is seen in a file.
#[derive(Debug, Clone, PartialEq, Serialize, TS)]
pub struct FacesView {
    /// In the order of their first pictures.
    pub faces: Vec<FaceSeen>,
    /// How many more there are, which are always covered: seen for a moment only, or too many to be
    /// told apart.
    #[ts(type = "number")]
    pub left_out: u64,
}

/// What was seen in a file, with pictures.
#[derive(Debug)]
pub(crate) struct Faces {
    view: FacesView,
    pictures: Vec<Arc<EncodedPicture>>,
}

impl Faces {
    /// Size of the pictures.
    pub(crate) fn size_bytes(&self) -> u64 {
        self.pictures.iter().map(|one| one.bytes.len() as u64).sum()
    }
}

/// What a child answers: who is seen, and a JPEG of each.
#[derive(Serialize, Deserialize)]
struct Found {
    seen: Appearances,
    pictures: Vec<Vec<u8>>,
}

/// The child: looks, tells how far it is, and prints who is seen.
pub(crate) fn look_here(data: PathBuf, question: &str) -> ExitCode {
    child::answer(&look(data, question))
}

fn look(data: PathBuf, question: &str) -> Result<Found, AppError> {
    let request: UpscaleRequest = serde_json::from_str(question).map_err(explain::internal)?;
    limit_memory();
    let app = App::open_in_worker(Places::discover(Some(data))?)?;
    let (spec, plan, _) = app.prepare(&request)?;
    compute::apply(&spec.compute);
    let scratch = tempfile::tempdir().map_err(explain::internal)?;
    let runtime = || -> Result<Arc<Runtime>, EngineError> {
        Ok(Runtime::load(&app.places.onnxruntime_or_missing())?)
    };
    let models = JobModels {
        store: &app.models,
        onnx: plan.onnx.clone(),
    };
    let context = Context {
        runtime: &runtime,
        models: &models,
        work_dir: scratch.path(),
        threads: Threads::for_cores(compute::budget(&spec.compute)),
        journal: &MemoryJournal::default(),
        progress: &Unwatched,
        cancel: &Cancel::new(),
        caution: Caution::default(),
        pool: None,
        compute: spec.compute,
        chosen: known_choices(&app, &spec, &plan),
    };
    let mut telling = Telling::default();
    let mut seen = appearances(&spec, &plan, &context, &mut |part| telling.tell(part))
        .map_err(|error| explain::engine(&error))?;
    let mut pictures = Vec::with_capacity(seen.list.len());
    for one in &mut seen.list {
        let rgb = std::mem::take(&mut one.face.rgb);
        pictures.push(encode(&rgb, one.face.width, one.face.height, false)?.bytes);
    }
    Ok(Found { seen, pictures })
}

fn invalid(message: Said) -> AppError {
    AppError::new(ErrorCode::InvalidRequest, message)
}

fn left() -> AppError {
    AppError::new(
        ErrorCode::Cancelled,
        said!("faces.left", "The search for faces was stopped."),
    )
}

/// What of a request decides who is seen.
fn basis(request: &UpscaleRequest) -> UpscaleRequest {
    let wish = request.redact.clone().unwrap_or_default();
    UpscaleRequest {
        preset: PresetId::Redact,
        input: request.input.clone(),
        pictures: request.pictures,
        model: request.model.clone(),
        deinterlace: request.deinterlace,
        span: request.span,
        redact: Some(RedactWish {
            what: wish.what,
            threshold: wish.threshold,
            search: wish.search,
            spare: wish.spare,
            ..RedactWish::default()
        }),
        ..UpscaleRequest::default()
    }
}

impl App {
    /// Who is seen in a file that a request would redact. The first time all of its pictures are
    /// looked at, which takes about as long as redacting them.
    ///
    /// # Errors
    /// The file or the model cannot be used; the request covers areas only; nobody waits any more.
    pub fn faces(
        &self,
        request: &UpscaleRequest,
        watch: &mut dyn SceneWatch,
    ) -> Result<FacesView, AppError> {
        Ok(self.seen_faces(request, watch)?.view.clone())
    }

    /// As [`App::faces`], for a window: a search ends when the next one begins, or when
    /// [`App::leave_faces`] is called.
    ///
    /// # Errors
    /// As [`App::faces`].
    pub fn view_faces(
        &self,
        request: &UpscaleRequest,
        told: &mut dyn FnMut(f64),
    ) -> Result<FacesView, AppError> {
        self.faces(request, &mut Newest::begin(&self.faces_wanted, told))
    }

    /// Ends the search of a window that is going on.
    pub fn leave_faces(&self) {
        self.faces_wanted.fetch_add(1, Ordering::SeqCst);
    }

    /// The picture of a face, a JPEG.
    ///
    /// # Errors
    /// It is not kept any more.
    pub fn face_picture(&self, key: &str) -> Result<Arc<EncodedPicture>, AppError> {
        let picture = key.rsplit_once('-').and_then(|(key, number)| {
            let faces = self.faces_seen.find(key)?;
            faces.pictures.get(number.parse::<usize>().ok()?).cloned()
        });
        picture.ok_or_else(|| {
            AppError::new(
                ErrorCode::InputNotFound,
                said!("preview.gone", "This picture is no longer kept."),
            )
            .hint("Ask for it again.")
        })
    }

    /// Writes a sheet with the number and the times of everybody who is seen; gives its name.
    ///
    /// # Errors
    /// As [`App::faces`]; nobody is seen, the name asks for another format than PNG or JPEG, or
    /// nothing can be written there.
    pub fn save_face_sheet(
        &self,
        request: &UpscaleRequest,
        wanted: &Path,
        overwrite: bool,
        watch: &mut dyn SceneWatch,
    ) -> Result<PathBuf, AppError> {
        let format = sheet_format(wanted)?;
        let faces = self.seen_faces(request, watch)?;
        if faces.view.faces.is_empty() {
            return Err(invalid(said!(
                "faces.none",
                "Nothing was found in `{name}`; there is nothing to show.",
                name = request.input.display()
            ))
            .hint("Look closer with --thorough, or less surely with --threshold 0.3."));
        }
        saved(wanted, &request.input, overwrite, |place| {
            let sheet = Sheet {
                count: faces.view.faces.len(),
                cell: Some((SHEET_FACE, SHEET_FACE)),
                columns: None,
                lines: true,
                output: place,
                format,
            };
            let mut picture = |number: usize| {
                let pair = faces.view.faces.get(number).zip(faces.pictures.get(number));
                Ok(pair.map(|(face, picture)| (pixels(picture), line(face))))
            };
            let (stop, mut told) = (AtomicBool::new(false), |_| {});
            sheet
                .write(&mut picture, &stop, &mut told)
                .map_err(|error| explain::engine(&error))
        })
    }

    fn seen_faces(
        &self,
        request: &UpscaleRequest,
        watch: &mut dyn SceneWatch,
    ) -> Result<Arc<Faces>, AppError> {
        let mut request = basis(request);
        let what = request.redact.as_ref().map(|wish| wish.what);
        if what == Some(RedactWhat::Areas) {
            return Err(invalid(said!(
                "faces.areas",
                "Areas are covered whatever is in them: nothing is looked for."
            ))
            .hint("Choose faces or text."));
        }
        // Who asks is told at once of what cannot be done.
        let (spec, _, model) = self.prepare(&request)?;
        request.input = spec.input;
        let path = &request.input;
        let facts = path.metadata().ok();
        let stamp = facts.as_ref().and_then(FileStamp::of);
        let sha256 = model.map(|id| self.models.ready(&id)).transpose();
        let sha256 = sha256.map_err(|e| explain::engine(&e))?.map(|m| m.sha256);
        let question = serde_json::to_string(&request).map_err(explain::internal)?;
        let key = digest(&format!("{question} {sha256:?} {stamp:?}"));
        if let Some(seen) = self.faces_seen.find(&key).filter(|_| stamp.is_some()) {
            return Ok(seen);
        }
        let arguments = [
            OsStr::new("--data-dir"),
            self.places.data.as_os_str(),
            OsStr::new("--faces"),
            OsStr::new(&question),
        ];
        let failed = |how: String| {
            AppError::new(
                ErrorCode::WorkerCrashed,
                said!(
                    "faces.unseen",
                    "The process that looked for faces ended without an answer."
                ),
            )
            .hint("Try again; if it stays so, the file is damaged, or memory is short.")
            .details(how)
        };
        let found: Found = self.ask_child_watched(&arguments, STALLED, watch, &left, &failed)?;
        let faces = Arc::new(told(found, &key));
        self.faces_seen.keep(key, &faces);
        Ok(faces)
    }
}

fn told(found: Found, key: &str) -> Faces {
    let faces = found.seen.list.into_iter().zip(0u32..);
    let faces = faces.map(|(one, index)| FaceSeen {
        number: index + 1,
        from_micros: one.from_micros,
        to_micros: one.to_micros,
        pictures: one.pictures,
        at_micros: one.at_micros,
        sides: one.sides,
        score: one.score,
        key: format!("{key}-{index}"),
        keep: one.keep,
    });
    let pictures = found.pictures.into_iter().map(|bytes| {
        Arc::new(EncodedPicture {
            mime: "image/jpeg",
            bytes,
        })
    });
    Faces {
        view: FacesView {
            faces: faces.collect(),
            left_out: found.seen.left_out,
        },
        pictures: pictures.collect(),
    }
}

/// A picture as it goes on a sheet; black where it cannot be read.
fn pixels(picture: &EncodedPicture) -> RgbImage {
    match image::load_from_memory(&picture.bytes) {
        Ok(picture) => {
            let picture = picture.to_rgb8();
            RgbImage {
                width: picture.width(),
                height: picture.height(),
                data: picture.into_raw(),
            }
        }
        Err(_) => RgbImage {
            width: 1,
            height: 1,
            data: vec![0; 3],
        },
    }
}

/// What stands below a face.
fn line(face: &FaceSeen) -> String {
    let clock = |micros: i64| {
        let seconds = micros.max(0) / 1_000_000;
        format!("{}:{:02}", seconds / 60, seconds % 60)
    };
    let (from, to) = (clock(face.from_micros), clock(face.to_micros));
    format!("{}  {from}-{to}", face.number)
}

/// What [`RedactWish::keep`] is for the faces of these numbers to stay visible, or, where `is_only`
/// says so, for all others; `None` where none does.
///
/// # Errors
/// There is no face of one of the numbers, or the ways of all together are too long.
pub fn keep_of(
    view: &FacesView,
    numbers: &BTreeSet<u32>,
    is_only: bool,
) -> Result<Option<String>, AppError> {
    let count = view.faces.len();
    let unknown = numbers.iter().find(|number| {
        let number = usize::try_from(**number).unwrap_or(usize::MAX);
        !(1..=count).contains(&number)
    });
    if let Some(number) = unknown {
        return Err(invalid(match count {
            0 => said!(
                "faces.no_number",
                "There is no face {number}: none was found.",
                number = *number
            ),
            _ => said!(
                "faces.number",
                "There is no face {number}; they have the numbers 1 to {count}.",
                number = *number,
                count = count
            ),
        })
        .hint("`frameloom redact FILE --list` shows them, with the same settings."));
    }
    let kept = view.faces.iter();
    let kept = kept.filter(|face| numbers.contains(&face.number) != is_only);
    let texts: Vec<&str> = kept.map(|face| face.keep.as_str()).collect();
    let text = texts.join("\n\n");
    let spots = text.lines().filter(|line| !line.is_empty()).count();
    if text.len() > MAX_PATHS_TEXT || spots > MAX_SPOTS {
        return Err(invalid(said!(
            "faces.many",
            "So many faces cannot be kept at once: their ways are too long."
        ))
        .hint("Keep fewer of them, or do the clip in several stretches."));
    }
    Ok((!text.is_empty()).then_some(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn view(count: u32) -> FacesView {
        let face = |number| FaceSeen {
            number,
            from_micros: 61_000_000,
            to_micros: 62_345_678,
            pictures: 3,
            at_micros: 0,
            sides: [0.0; 4],
            score: 0.9,
            key: String::new(),
            keep: format!("{number} 0 0 5 5"),
        };
        FacesView {
            faces: (1..=count).map(face).collect(),
            left_out: 0,
        }
    }

    #[test]
    fn faces_are_kept_by_their_numbers_or_all_but_those() {
        let keep = |numbers: &[u32], is_only| {
            keep_of(&view(3), &numbers.iter().copied().collect(), is_only)
        };
        assert_eq!(keep(&[2], false).unwrap().unwrap(), "2 0 0 5 5");
        assert_eq!(keep(&[2], true).unwrap().unwrap(), "1 0 0 5 5\n\n3 0 0 5 5");
        assert_eq!(keep(&[1, 2, 3], true).unwrap(), None);
        assert!(keep(&[4], false).unwrap_err().message.contains("1 to 3"));
        assert!(keep(&[0], false).is_err());
        assert!(keep_of(&view(0), &[1].into(), false).is_err());
        assert_eq!(line(&view(1).faces[0]), "1  1:01-1:02");
    }
}
