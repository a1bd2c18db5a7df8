//! The shots of a clip: as a list, as files, as chapters of a copy, as a sheet of pictures.
//!
//! All pictures are looked at once, in a process of its own; how sensitive the search is and how short
//! a shot may be is decided upon what was seen there, at once.

mod export;
mod look;

pub(crate) use export::sheet_format;
pub(crate) use look::look_here;

use crate::request::absolute_input;
use crate::{App, Lane, Span, UpscaleRequest, inputs, presets};
use frameloom_core::error::{AppError, ErrorCode};
use frameloom_core::job::Job;
use frameloom_core::media::{MediaInfo, MediaKind};
use frameloom_core::said;
use frameloom_core::said::Said;
use frameloom_engine::scenes::{Scenes, ShotStart};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use ts_rs::TS;

/// No clip is written as more files, so that a slip does not fill a folder.
const MOST_FILES: usize = 999;

/// How scenes are told from each other.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(default)]
pub struct SceneWish {
    /// How little must change for a shot to end, 0 (only what nobody would deny) to 1.
    pub sensitivity: f64,
    /// A shot is at least so long; what is shorter belongs to its neighbour.
    pub least_millis: u32,
    /// What stands before the number in the name of a chapter.
    pub chapter: String,
}

impl Default for SceneWish {
    fn default() -> Self {
        Self {
            sensitivity: 0.5,
            least_millis: 500,
            chapter: "Scene".to_owned(),
        }
    }
}

impl SceneWish {
    /// Longest of the shortest shots.
    const MOST_LEAST_MILLIS: u32 = 600_000;

    fn check(&self) -> Result<(), AppError> {
        let is_possible = (0.0..=1.0).contains(&self.sensitivity)
            && self.least_millis <= Self::MOST_LEAST_MILLIS
            && self.chapter.len() <= 200;
        if is_possible {
            return Ok(());
        }
        Err(invalid(said!(
            "scenes.limits",
            "The sensitivity is 0 to 1, the shortest shot 0 to 600 seconds, and the name of a chapter at most 200 bytes."
        ))
        .hint("Choose another value, or leave it out."))
    }
}

/// What is made of the shots of a clip.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum SceneExport {
    /// A table of frames and times (CSV).
    List,
    /// The same as JSON.
    Json,
    /// A clip of each shot.
    Files,
    /// A copy of the clip in which each shot is a chapter.
    Chapters,
    /// One picture that shows all shots.
    Sheet,
}

/// Every export with its word and the usual ending of its file; none where the source says it.
pub const SCENE_EXPORTS: [(SceneExport, &str, &str); 5] = [
    (SceneExport::List, "list", "csv"),
    (SceneExport::Json, "json", "json"),
    (SceneExport::Files, "files", ""),
    (SceneExport::Chapters, "chapters", ""),
    (SceneExport::Sheet, "sheet", "png"),
];

impl FromStr for SceneExport {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let row = SCENE_EXPORTS.iter().find(|(_, word, _)| *word == text);
        row.map(|(export, ..)| *export)
            .ok_or_else(|| format!("there is no export `{text}`"))
    }
}

/// A shot. Frames and times count from the first picture of the clip; both half-open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, TS)]
pub struct Shot {
    /// Its first picture.
    #[ts(type = "number")]
    pub from_frame: u64,
    /// The first picture behind it.
    #[ts(type = "number")]
    pub to_frame: u64,
    /// When it begins; never later than its first picture.
    #[ts(type = "number")]
    pub from_micros: i64,
    /// When the next begins, or the clip ends.
    #[ts(type = "number")]
    pub to_micros: i64,
    /// It comes by a dissolve or a fade, of which its first picture is the middle.
    pub dissolves: bool,
    /// The first picture that shows it alone.
    #[ts(type = "number")]
    pub clear_frame: u64,
}

/// The shots of a clip.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
pub struct ScenesView {
    /// In order, without gaps.
    pub shots: Vec<Shot>,
    /// Pictures of the clip.
    #[ts(type = "number")]
    pub frames: u64,
    /// Its length.
    #[ts(type = "number")]
    pub length_micros: i64,
}

fn invalid(message: impl Into<Said>) -> AppError {
    AppError::new(ErrorCode::InvalidRequest, message)
}

/// The preset makes a file of one shot; which, says who splits.
pub(crate) fn unsplit() -> AppError {
    invalid(said!(
        "scenes.unsplit",
        "A clip is split at its cuts first, and then each shot is a job."
    ))
    .hint("Use `frameloom scenes FILE --export files`.")
}

/// Who waits for scenes: hears the part that is done, 0 to 1, and says whether it is still wanted.
pub trait SceneWatch {
    /// How far it is.
    fn told(&mut self, part: f64);
    /// False ends the search.
    fn is_wanted(&self) -> bool;
}

/// Of a window: the last search is the one that is wanted.
pub(crate) struct Newest<'a> {
    wanted: &'a AtomicU64,
    mine: u64,
    told: &'a mut dyn FnMut(f64),
}

impl<'a> Newest<'a> {
    /// Ends the searches before, which `wanted` counts.
    pub(crate) fn begin(wanted: &'a AtomicU64, told: &'a mut dyn FnMut(f64)) -> Self {
        let mine = wanted.fetch_add(1, Ordering::SeqCst) + 1;
        Self { wanted, mine, told }
    }
}

impl SceneWatch for Newest<'_> {
    fn told(&mut self, part: f64) {
        (self.told)(part);
    }

    fn is_wanted(&self) -> bool {
        self.wanted.load(Ordering::SeqCst) == self.mine
    }
}

/// A clip whose scenes are looked for.
struct Clip {
    input: PathBuf,
    info: MediaInfo,
    scenes: Arc<Scenes>,
    view: ScenesView,
}

impl App {
    /// The shots of a clip.
    ///
    /// # Errors
    /// The file is no clip, or cannot be read; nobody waits any more.
    pub fn scenes(
        &self,
        request: &UpscaleRequest,
        watch: &mut dyn SceneWatch,
    ) -> Result<ScenesView, AppError> {
        Ok(self.scene_clip(request, watch)?.view)
    }

    /// As [`App::scenes`], for a window: a search ends when the next one begins, or when
    /// [`App::leave_scenes`] is called.
    ///
    /// # Errors
    /// As [`App::scenes`].
    pub fn view_scenes(
        &self,
        request: &UpscaleRequest,
        told: &mut dyn FnMut(f64),
    ) -> Result<ScenesView, AppError> {
        self.with_newest(told, |watch| self.scenes(request, watch))
    }

    /// As [`App::save_scenes`], for a window.
    ///
    /// # Errors
    /// As [`App::save_scenes`].
    pub fn save_viewed_scenes(
        &self,
        request: &UpscaleRequest,
        export: SceneExport,
        told: &mut dyn FnMut(f64),
    ) -> Result<PathBuf, AppError> {
        self.with_newest(told, |watch| self.save_scenes(request, export, watch))
    }

    /// Submits a job for each shot of a clip, in order; see [`App::scene_requests`].
    ///
    /// # Errors
    /// As [`App::scene_requests`], or one of them cannot be done; those before it are submitted.
    pub fn split_viewed_scenes(
        &self,
        request: &UpscaleRequest,
        lane: Lane,
        told: &mut dyn FnMut(f64),
    ) -> Result<Vec<Job>, AppError> {
        let requests = self.with_newest(told, |watch| self.scene_requests(request, watch))?;
        let jobs = requests.iter();
        jobs.map(|request| self.submit_upscale(request, lane))
            .collect()
    }

    /// Ends the search or the export of a window that is going on.
    pub fn leave_scenes(&self) {
        self.scenes_wanted.fetch_add(1, Ordering::SeqCst);
    }

    fn with_newest<T>(
        &self,
        told: &mut dyn FnMut(f64),
        work: impl FnOnce(&mut dyn SceneWatch) -> Result<T, AppError>,
    ) -> Result<T, AppError> {
        work(&mut Newest::begin(&self.scenes_wanted, told))
    }

    /// A request for each shot of a clip that makes a file of it: the clip is cut at the picture and
    /// encoded anew, its sound and subtitles with it. `{shot}` in the name is the number of the shot.
    ///
    /// # Errors
    /// As [`App::scenes`]; the clip is a single shot, or has more than a folder should hold.
    pub fn scene_requests(
        &self,
        request: &UpscaleRequest,
        watch: &mut dyn SceneWatch,
    ) -> Result<Vec<UpscaleRequest>, AppError> {
        let clip = self.scene_clip(request, watch)?;
        let shots = &clip.view.shots;
        if shots.len() < 2 {
            return Err(invalid(said!(
                "scenes.one_shot",
                "`{name}` is a single shot; there is nothing to split.",
                name = clip.input.display()
            ))
            .hint("Choose a higher sensitivity, or leave the clip as it is."));
        }
        if shots.len() > MOST_FILES {
            return Err(invalid(said!(
                "scenes.many_files",
                "`{name}` has {count} shots; at most {most} are written as files.",
                name = clip.input.display(),
                count = shots.len(),
                most = MOST_FILES
            ))
            .hint("Choose a longer shortest shot, or a lower sensitivity."));
        }
        let requests = shots
            .iter()
            .zip(1u32..)
            .map(|(shot, number)| UpscaleRequest {
                span: Some(Span {
                    from_micros: shot.from_micros,
                    // The last one goes to the end, wherever that is.
                    to_micros: match shot.to_frame == clip.view.frames {
                        true => shot.to_micros.saturating_add(1_000_000),
                        false => shot.to_micros,
                    },
                }),
                preset: presets::PresetId::Scenes,
                counter: Some(number),
                scenes: None,
                ..request.clone()
            });
        Ok(requests.collect())
    }

    fn scene_clip(
        &self,
        request: &UpscaleRequest,
        watch: &mut dyn SceneWatch,
    ) -> Result<Clip, AppError> {
        let wish = request.scenes.clone().unwrap_or_default();
        wish.check()?;
        if request.span.is_some() {
            return Err(invalid(said!(
                "scenes.span",
                "Scenes are looked for in the whole of a clip, not in a stretch of it."
            ))
            .hint("Leave the stretch out."));
        }
        let input = absolute_input(&request.input)?;
        let info = inputs::probe(&input)?;
        if info.kind == MediaKind::Still || !inputs::has_picture(&info) {
            return Err(invalid(said!(
                "scenes.no_clip",
                "`{name}` is no clip; only a clip has scenes.",
                name = input.display()
            ))
            .hint("Choose a video."));
        }
        let scenes = self.seen_apart(&input, watch)?;
        let view = view(&scenes, &wish);
        Ok(Clip {
            input,
            info,
            scenes,
            view,
        })
    }
}

/// The shots by a wish.
fn view(scenes: &Scenes, wish: &SceneWish) -> ScenesView {
    let length_micros = scenes.micros(scenes.end_ticks);
    let least = i64::from(wish.least_millis) * 1_000;
    let starts = chosen(scenes, wish.sensitivity, least, length_micros);
    let mut shots: Vec<Shot> = Vec::with_capacity(starts.len() + 1);
    let first = Shot {
        from_frame: 0,
        to_frame: scenes.frames,
        from_micros: 0,
        to_micros: length_micros,
        dissolves: false,
        clear_frame: 0,
    };
    shots.push(first);
    for start in starts {
        let from_micros = scenes.micros(start.ticks);
        if let Some(last) = shots.last_mut() {
            (last.to_frame, last.to_micros) = (start.frame, from_micros);
        }
        shots.push(Shot {
            from_frame: start.frame,
            from_micros,
            dissolves: start.from_frame < start.to_frame,
            clear_frame: start.to_frame,
            ..first
        });
    }
    ScenesView {
        shots,
        frames: scenes.frames,
        length_micros,
    }
}

/// The starts that count. Of two that are too near to each other the clearer one stays.
fn chosen(scenes: &Scenes, sensitivity: f64, least: i64, length: i64) -> Vec<ShotStart> {
    let mut kept: Vec<ShotStart> = Vec::new();
    for start in &scenes.starts {
        let at = scenes.micros(start.ticks);
        let is_clear = f64::from(start.needs) <= sensitivity;
        if !is_clear || start.frame == 0 || at < least || length - at < least {
            continue;
        }
        match kept.last_mut() {
            Some(last) if at - scenes.micros(last.ticks) < least || last.frame >= start.frame => {
                if start.needs < last.needs {
                    *last = *start;
                }
            }
            _ => kept.push(*start),
        }
    }
    kept
}

/// `hh:mm:ss.mmm`.
fn clock(micros: i64) -> String {
    let millis = micros.max(0) / 1_000;
    format!(
        "{:02}:{:02}:{:02}.{:03}",
        millis / 3_600_000,
        millis / 60_000 % 60,
        millis / 1_000 % 60,
        millis % 1_000
    )
}

fn name_of(path: &Path) -> String {
    path.file_name()
        .map_or_else(String::new, |name| name.to_string_lossy().into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn start(frame: u64, needs: f32) -> ShotStart {
        ShotStart {
            frame,
            ticks: 100 + frame as i64 * 3,
            needs,
            from_frame: frame,
            to_frame: frame,
        }
    }

    /// 25 pictures a second, three ticks each.
    fn scenes(starts: Vec<ShotStart>) -> Scenes {
        Scenes {
            starts,
            frames: 1000,
            first_ticks: 100,
            end_ticks: 100 + 3000,
            tick: (1, 75),
        }
    }

    fn frames(scenes: &Scenes, sensitivity: f64, least_millis: u32) -> Vec<u64> {
        let wish = SceneWish {
            sensitivity,
            least_millis,
            ..SceneWish::default()
        };
        let view = view(scenes, &wish);
        let meet = |pair: &[Shot]| {
            (pair[0].to_frame, pair[0].to_micros) == (pair[1].from_frame, pair[1].from_micros)
        };
        assert!(view.shots.windows(2).all(meet), "{view:?}");
        assert_eq!(view.shots.last().unwrap().to_frame, 1000);
        assert_eq!(view.length_micros, 40_000_000);
        view.shots.iter().map(|shot| shot.from_frame).collect()
    }

    #[test]
    fn sensitivity_and_the_shortest_shot_choose_among_what_was_seen() {
        let all = scenes(vec![
            start(5, 0.0),
            start(100, 0.2),
            start(110, 0.1),
            start(400, 0.7),
            start(995, 0.0),
        ]);
        assert_eq!(frames(&all, 0.5, 500), [0, 110], "of two the clearer one");
        assert_eq!(frames(&all, 0.8, 500), [0, 110, 400]);
        assert_eq!(frames(&all, 0.5, 0), [0, 5, 100, 110, 995]);
        assert_eq!(frames(&all, 0.05, 0), [0, 5, 995]);
        assert_eq!(frames(&scenes(Vec::new()), 1.0, 0), [0]);
    }

    #[test]
    fn a_shot_never_begins_behind_its_first_picture() {
        let odd = Scenes {
            tick: (1001, 30_000),
            ..scenes(vec![start(7, 0.0)])
        };
        let from = odd.micros(odd.starts[0].ticks);
        let exact = 21.0 * 1001.0 / 30_000.0 * 1e6;
        assert!(from as f64 <= exact && exact - (from as f64) < 1.0);
    }

    #[test]
    fn wishes_beyond_the_limits_are_refused() {
        for wish in [
            SceneWish {
                sensitivity: f64::NAN,
                ..SceneWish::default()
            },
            SceneWish {
                least_millis: u32::MAX,
                ..SceneWish::default()
            },
        ] {
            assert_eq!(wish.check().unwrap_err().code, ErrorCode::InvalidRequest);
        }
        assert!(SceneWish::default().check().is_ok());
        for (export, word, _) in SCENE_EXPORTS {
            assert_eq!(word.parse::<SceneExport>(), Ok(export));
        }
    }
}
