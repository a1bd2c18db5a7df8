//! Folders whose files are worked on as they come: what is ready is done with a preset, then the
//! source goes into `done`, or into `failed` with the reason beside it.
//!
//! Nothing is done twice, however the program ends: a file is noted before it gets a job, and a
//! note without a job is held against the list of jobs when the folder is looked at again.

mod place;
mod view;

pub(crate) use view::WatchTroubles;
pub use view::{WatchFolder, WatchFolderView};

use crate::folder;
use crate::inputs::{Gather, media_below};
use crate::presets::PresetId;
use crate::request::UpscaleRequest;
use crate::{App, Lane, explain, now_millis};
use frameloom_core::error::{AppError, ErrorCode};
use frameloom_core::job::{Job, JobId, JobState, Quality};
use frameloom_core::said;
use frameloom_store::{WatchState, WatchedFile};
use place::{DONE, FAILED, move_into};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fs::{File, Metadata};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, UNIX_EPOCH};
use ts_rs::TS;

/// How long a file must not change before it is taken.
pub const SETTLED: Duration = Duration::from_secs(5);
/// A file that cannot be read may still be on its way, over a network that stands still; after so
/// many times as long it is not.
const PATIENCE: u32 = 12;
/// How long the watcher waits with what cannot be done now: the disk is full, a model is missing.
const AGAIN: Duration = Duration::from_secs(30);

/// What is done with the files of a folder.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct WatchRule {
    /// The word of a preset, or the id or the file of one of the shelf.
    pub preset: String,
    /// The folder for the results.
    #[ts(type = "string")]
    pub output: PathBuf,
    /// Quality in a word, where the preset leaves it open.
    #[serde(default)]
    pub quality: Quality,
    /// Id of the model, where the preset leaves it open and there are several.
    #[serde(default)]
    pub model: Option<String>,
}

/// What a look at a folder came to.
#[derive(Debug, Clone, PartialEq)]
pub enum WatchEvent {
    /// A file got its job.
    Begun(Box<Job>),
    /// A result is there; the source was moved.
    Done {
        /// The job.
        job: Box<Job>,
        /// Where the source is now.
        source: PathBuf,
    },
    /// A file could not be worked on; it was moved.
    Failed {
        /// What it was called.
        path: PathBuf,
        /// Why.
        error: AppError,
        /// Where it is now.
        source: PathBuf,
    },
    /// Something stands in the way, now.
    Waiting {
        /// The file that it was noticed at.
        path: PathBuf,
        /// What.
        error: AppError,
    },
    /// A file that was worked on already came again as it was; it is left where it is.
    Known(PathBuf),
}

/// A file that was seen in the folder.
struct Sighting {
    print: (i64, i64),
    since: Instant,
    /// It was told that nothing is done with it.
    told: bool,
}

/// One folder that is watched. Only one watcher of a data folder watches it at a time.
pub struct Watcher {
    folder: PathBuf,
    rule: WatchRule,
    lane: Lane,
    settled: Duration,
    seen: BTreeMap<PathBuf, Sighting>,
    /// Nothing new is begun until then.
    rest_until: Option<Instant>,
    /// The folder could not be read the last time, which was told.
    is_lost: bool,
    _lock: File,
}

/// Size and time of the last change, in microseconds since 1970.
fn print(facts: &Metadata) -> (i64, i64) {
    let micros = facts
        .modified()
        .ok()
        .and_then(|time| time.duration_since(UNIX_EPOCH).ok())
        .map_or(0, |since| {
            i64::try_from(since.as_micros()).unwrap_or(i64::MAX)
        });
    (i64::try_from(facts.len()).unwrap_or(i64::MAX), micros)
}

fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

/// True for what another try may mend without another file.
fn is_about_the_machine(code: ErrorCode) -> bool {
    matches!(
        code,
        ErrorCode::DiskFull
            | ErrorCode::OutputUnwritable
            | ErrorCode::ModelNotFound
            | ErrorCode::ModelInvalid
            | ErrorCode::NetworkUnavailable
            | ErrorCode::RuntimeUnavailable
            | ErrorCode::DeviceUnavailable
            | ErrorCode::EncoderUnavailable
            | ErrorCode::StoreUnavailable
            | ErrorCode::StoreBusy
            | ErrorCode::OutOfMemory
    )
}

/// The folders of a rule as they are on the disk.
fn checked(folder: &Path, rule: &WatchRule) -> Result<(PathBuf, WatchRule), AppError> {
    let unreadable = |error: std::io::Error| explain::unreadable(folder, &error);
    let real = std::path::absolute(folder)
        .and_then(|path| path.canonicalize())
        .map_err(unreadable)?;
    if !real.is_dir() {
        return Err(AppError::new(
            ErrorCode::InvalidRequest,
            said!(
                "watch.no_folder",
                "`{path}` is no folder.",
                path = folder.display()
            ),
        )
        .hint("Name the folder that files come into."));
    }
    let output = std::path::absolute(&rule.output)
        .map_err(|error| explain::unwritable(&rule.output, &error))?;
    std::fs::create_dir_all(&output).map_err(|error| explain::unwritable(&output, &error))?;
    let output = output
        .canonicalize()
        .map_err(|error| explain::unwritable(&output, &error))?;
    if output == real
        || [DONE, FAILED]
            .iter()
            .any(|name| output.starts_with(real.join(name)))
    {
        return Err(AppError::new(
            ErrorCode::InvalidRequest,
            said!(
                "watch.same_folder",
                "The results cannot go where the files come from: they would be taken for new files."
            ),
        )
        .hint("Name another folder for the results, or one below it."));
    }
    let rule = WatchRule {
        output,
        ..rule.clone()
    };
    Ok((real, rule))
}

impl App {
    /// Watches a folder. `lane` says who runs the jobs: the queue, or who calls.
    ///
    /// # Errors
    /// The folder is none, the preset is unknown, results cannot be written, or another watcher has
    /// the folder.
    pub fn watch(
        &self,
        folder: &Path,
        rule: &WatchRule,
        lane: Lane,
        settled: Duration,
    ) -> Result<Watcher, AppError> {
        let (folder, rule) = checked(folder, rule)?;
        if rule.preset.parse::<PresetId>().is_err() {
            self.saved_preset(&rule.preset)?;
        }
        let locks = self.places.watches();
        let failed = |error: &std::io::Error| explain::data_folder(&locks, error);
        std::fs::create_dir_all(&locks).map_err(|e| failed(&e))?;
        let digest = Sha256::digest(folder.as_os_str().as_encoded_bytes());
        let name: String = digest[..12].iter().map(|b| format!("{b:02x}")).collect();
        let lock = folder::lock(&locks, &name).map_err(|e| failed(&e))?;
        let Some(lock) = lock else {
            return Err(AppError::new(
                ErrorCode::InvalidRequest,
                said!(
                    "watch.taken",
                    "`{path}` is watched already, by the window or another command.",
                    path = folder.display()
                ),
            )
            .hint("End the other one first."));
        };
        Ok(Watcher {
            folder,
            rule,
            lane,
            settled,
            seen: BTreeMap::new(),
            rest_until: None,
            is_lost: false,
            _lock: lock,
        })
    }
}

impl Watcher {
    /// The folder, as it is on the disk.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Files that are in the folder and were not taken yet, or have a job that is not at rest.
    ///
    /// # Errors
    /// The database refuses.
    pub fn outstanding(&self, app: &App) -> Result<usize, AppError> {
        let waiting = self.seen.values().filter(|seen| !seen.told).count();
        let known = self.known(app)?;
        let working = |file: &&WatchedFile| {
            matches!(file.state, WatchState::Claimed | WatchState::Working)
                && !self.seen.contains_key(Path::new(&file.path))
        };
        Ok(waiting + known.iter().filter(working).count())
    }

    /// Jobs of this folder that were cut short, which whoever runs them may go on with.
    ///
    /// # Errors
    /// The database refuses.
    pub fn cut_short(&self, app: &App) -> Result<Vec<JobId>, AppError> {
        let mut ids = Vec::new();
        for file in self.known(app)? {
            if let (WatchState::Working, Some(id)) = (file.state, file.job)
                && let Ok(job) = app.job(&id)
                && (job.state == JobState::Interrupted || waits_for_the_machine(&job))
            {
                ids.push(id);
            }
        }
        Ok(ids)
    }

    fn known(&self, app: &App) -> Result<Vec<WatchedFile>, AppError> {
        app.store
            .watched_files(&text(&self.folder))
            .map_err(explain::store)
    }

    fn note(&self, app: &App, file: &WatchedFile) -> Result<(), AppError> {
        app.store
            .put_watched(&text(&self.folder), file)
            .map_err(explain::store)
    }

    /// Looks at the folder once: puts away what is done, and gives jobs to what is ready. Call it
    /// every second or two.
    ///
    /// # Errors
    /// The database refuses.
    pub fn look(&mut self, app: &App, now: Instant) -> Result<Vec<WatchEvent>, AppError> {
        let mut events = Vec::new();
        for mut file in self.known(app)? {
            match file.state {
                WatchState::Claimed => self.take_up(app, &mut file)?,
                WatchState::Working => {}
                // Its source could not be moved away, or came again.
                WatchState::Done | WatchState::Failed => continue,
            }
            if file.state == WatchState::Working {
                events.extend(self.settle(app, &mut file)?);
            }
        }
        let (preset, saved) = self.chosen();
        // Where the preset is gone, each file will say so.
        let takes_sound = app.takes_sound(preset, saved.as_deref()).unwrap_or(false);
        let gather = Gather::for_sound(takes_sound);
        let files = match media_below(&self.folder, gather, &|path| self.is_ours(path)) {
            Ok(files) => {
                self.is_lost = false;
                files
            }
            Err(error) => {
                // A drive that is not there for a while is no end.
                if !std::mem::replace(&mut self.is_lost, true) {
                    events.push(WatchEvent::Waiting {
                        path: self.folder.clone(),
                        error: explain::unreadable(&self.folder, &error),
                    });
                }
                return Ok(events);
            }
        };
        self.seen
            .retain(|path, _| files.iter().any(|found| found.path == *path));
        let known: BTreeMap<(String, i64, i64), WatchState> = self
            .known(app)?
            .into_iter()
            .map(|file| ((file.path, file.size, file.modified_micros), file.state))
            .collect();
        for found in files {
            let Ok(facts) = std::fs::metadata(&found.path) else {
                continue;
            };
            let print = print(&facts);
            let sighting = self.seen.entry(found.path.clone()).or_insert(Sighting {
                print,
                since: now,
                told: false,
            });
            if sighting.print != print {
                *sighting = Sighting {
                    print,
                    since: now,
                    told: false,
                };
            }
            if let Some(before) = known.get(&(text(&found.path), print.0, print.1)) {
                let ended = matches!(before, WatchState::Done | WatchState::Failed);
                if !std::mem::replace(&mut sighting.told, true) && ended {
                    events.push(WatchEvent::Known(found.path));
                }
                continue;
            }
            let rests = self.rest_until.is_some_and(|until| now < until);
            let age = now.saturating_duration_since(sighting.since);
            if rests || age < self.settled || facts.len() == 0 {
                continue;
            }
            events.extend(self.begin(app, &found.path, &found.below, print, age, now)?);
        }
        Ok(events)
    }

    /// Is this one of the folders that hold what was put away or made?
    fn is_ours(&self, path: &Path) -> bool {
        path == self.folder.join(DONE)
            || path == self.folder.join(FAILED)
            || path == self.rule.output
    }

    /// The preset, or the name of one of the shelf.
    fn chosen(&self) -> (PresetId, Option<String>) {
        match self.rule.preset.parse() {
            Ok(word) => (word, None),
            Err(_) => (PresetId::Steps, Some(self.rule.preset.clone())),
        }
    }

    fn request(&self, path: &Path, below: &Path) -> UpscaleRequest {
        let (preset, saved) = self.chosen();
        UpscaleRequest {
            preset,
            saved,
            input: path.to_owned(),
            output: Some(self.rule.output.clone()),
            quality: self.rule.quality,
            model: self.rule.model.clone(),
            below: below.to_owned(),
            ..UpscaleRequest::default()
        }
    }

    /// Gives a file that is ready its job.
    fn begin(
        &mut self,
        app: &App,
        path: &Path,
        below: &Path,
        print: (i64, i64),
        age: Duration,
        now: Instant,
    ) -> Result<Option<WatchEvent>, AppError> {
        let mut file = WatchedFile {
            path: text(path),
            size: print.0,
            modified_micros: print.1,
            state: WatchState::Claimed,
            job: None,
            at_millis: now_millis(),
        };
        self.note(app, &file)?;
        let submitted = app.submit_upscale(&self.request(path, below), self.lane);
        let error = match submitted {
            Ok(job) => {
                file.state = WatchState::Working;
                file.job = Some(job.id.clone());
                self.note(app, &file)?;
                return Ok(Some(WatchEvent::Begun(Box::new(job))));
            }
            Err(error) => error,
        };
        let is_unread = matches!(
            error.code,
            ErrorCode::InputUnreadable | ErrorCode::InputUnsupported
        );
        let may_come = is_unread && age < self.settled * PATIENCE;
        if may_come || error.code == ErrorCode::InputNotFound {
            self.forget(app, &file)?;
            return Ok(None);
        }
        if is_about_the_machine(error.code) {
            self.forget(app, &file)?;
            self.rest_until = Some(now + AGAIN);
            return Ok(Some(WatchEvent::Waiting {
                path: path.to_owned(),
                error,
            }));
        }
        self.fail(app, &mut file, error).map(Some)
    }

    fn forget(&self, app: &App, file: &WatchedFile) -> Result<(), AppError> {
        app.store
            .remove_watched(&text(&self.folder), file)
            .map_err(explain::store)
    }

    /// A file that was about to get a job when the program ended: it has it, or is free again.
    fn take_up(&self, app: &App, file: &mut WatchedFile) -> Result<(), AppError> {
        let found = app
            .store
            .job_of_input(&file.path, file.at_millis)
            .map_err(explain::store)?;
        match found {
            Some(id) => {
                file.state = WatchState::Working;
                file.job = Some(id);
                self.note(app, file)
            }
            None => self.forget(app, file),
        }
    }

    /// Puts a file away whose job is at rest.
    fn settle(&self, app: &App, file: &mut WatchedFile) -> Result<Option<WatchEvent>, AppError> {
        let Some(id) = &file.job else {
            return Ok(None);
        };
        let job = match app.job(id) {
            Ok(job) => job,
            Err(error) if error.code == ErrorCode::JobNotFound => {
                // Somebody took it out of the history: what became of it is known to them.
                file.state = WatchState::Done;
                self.note(app, file)?;
                return Ok(None);
            }
            Err(error) => return Err(error),
        };
        match job.state {
            JobState::Succeeded => {
                file.state = WatchState::Done;
                self.note(app, file)?;
                let source = self.put_away(file, DONE);
                Ok(Some(WatchEvent::Done {
                    job: Box::new(job),
                    source,
                }))
            }
            JobState::Failed | JobState::Cancelled if !rests(&job) => {
                let error = job.error.unwrap_or_else(|| {
                    AppError::new(
                        ErrorCode::Cancelled,
                        said!("watch.cancelled", "Its job was cancelled."),
                    )
                });
                self.fail(app, file, error).map(Some)
            }
            _ if !rests(&job) || is_as_noted(file) => Ok(None),
            // It can never be gone on with.
            _ => {
                let error = AppError::new(
                    ErrorCode::InputNotFound,
                    said!(
                        "watch.source_gone",
                        "The file was taken away or changed before its job was done."
                    ),
                )
                .hint("Put it into the folder again.");
                self.fail(app, file, error).map(Some)
            }
        }
    }

    fn fail(
        &self,
        app: &App,
        file: &mut WatchedFile,
        error: AppError,
    ) -> Result<WatchEvent, AppError> {
        file.state = WatchState::Failed;
        self.note(app, file)?;
        let source = self.put_away(file, FAILED);
        if source != Path::new(&file.path) {
            place::write_reason(&source, &error);
        }
        Ok(WatchEvent::Failed {
            path: PathBuf::from(&file.path),
            error,
            source,
        })
    }

    /// Moves a source into a folder beside it, and says where it is now: where it was, if the system
    /// does not let it go or somebody changed it meanwhile.
    fn put_away(&self, file: &WatchedFile, into: &str) -> PathBuf {
        let path = PathBuf::from(&file.path);
        let below = path.strip_prefix(&self.folder).unwrap_or(Path::new(""));
        if !is_as_noted(file) {
            return path;
        }
        match move_into(&path, &self.folder.join(into).join(below)) {
            Ok(moved) => moved,
            Err(error) => {
                tracing::warn!(%error, "a source could not be put away");
                path
            }
        }
    }
}

/// Is the file there, and as it was when it was noted?
fn is_as_noted(file: &WatchedFile) -> bool {
    std::fs::metadata(&file.path)
        .is_ok_and(|facts| print(&facts) == (file.size, file.modified_micros))
}

/// True for a job that nobody works on and that can be gone on with.
fn rests(job: &Job) -> bool {
    match job.state {
        JobState::Interrupted | JobState::Paused => true,
        _ => waits_for_the_machine(job),
    }
}

/// True for a job that failed of what may be mended without it.
fn waits_for_the_machine(job: &Job) -> bool {
    job.state == JobState::Failed
        && job
            .error
            .as_ref()
            .is_some_and(|error| is_about_the_machine(error.code) && error.code.is_retryable())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Places;

    fn app() -> (tempfile::TempDir, std::sync::Arc<App>) {
        let folder = tempfile::tempdir().unwrap();
        let mut places = Places::discover(Some(folder.path().join("data"))).unwrap();
        places.extra_models.clear();
        places.worker = folder.path().join("no such program");
        let app = App::open(places).unwrap();
        (folder, app)
    }

    fn watcher(app: &App, folder: &Path) -> Watcher {
        let rule = WatchRule {
            preset: "share".to_owned(),
            output: folder.join("made"),
            quality: Quality::Good,
            model: None,
        };
        app.watch(folder, &rule, Lane::Queue, Duration::from_secs(5))
            .unwrap()
    }

    fn picture(path: &Path) {
        image::RgbImage::new(8, 8).save(path).unwrap();
    }

    #[test]
    fn a_file_is_taken_once_it_does_not_change_any_more() {
        let (folder, app) = app();
        let came = folder.path().join("in");
        std::fs::create_dir(&came).unwrap();
        let mut watcher = watcher(&app, &came);
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        picture(&came.join("a.png"));
        assert_eq!(watcher.look(&app, at(0)).unwrap(), []);
        assert_eq!(watcher.look(&app, at(4)).unwrap(), []);
        // It grows, and the time begins again.
        let mut whole = std::fs::read(came.join("a.png")).unwrap();
        whole.push(0);
        std::fs::write(came.join("a.png"), whole).unwrap();
        assert_eq!(watcher.look(&app, at(6)).unwrap(), []);
        assert_eq!(watcher.look(&app, at(10)).unwrap(), []);
        assert_eq!(watcher.outstanding(&app).unwrap(), 1);
        let events = watcher.look(&app, at(12)).unwrap();
        assert!(matches!(&events[..], [WatchEvent::Begun(_)]), "{events:?}");
        assert_eq!(watcher.look(&app, at(30)).unwrap(), []);
        assert_eq!(app.jobs().unwrap().len(), 1);
        // Nobody else gets the folder meanwhile.
        let rule = watcher.rule.clone();
        let taken = app.watch(&came, &rule, Lane::Queue, SETTLED);
        assert!(taken.is_err_and(|error| error.message.contains("watched already")));
    }

    #[test]
    fn what_was_begun_when_the_program_ended_is_found_again_and_not_done_twice() {
        let (folder, app) = app();
        let came = folder.path().join("in");
        std::fs::create_dir(&came).unwrap();
        for name in ["a.png", "b.png"] {
            picture(&came.join(name));
        }
        let mut watcher = watcher(&app, &came);
        let claim = |watcher: &Watcher, name: &str| {
            let path = watcher.folder().join(name);
            let print = print(&std::fs::metadata(&path).unwrap());
            let file = WatchedFile {
                path: text(&path),
                size: print.0,
                modified_micros: print.1,
                state: WatchState::Claimed,
                job: None,
                at_millis: now_millis(),
            };
            watcher.note(&app, &file).unwrap();
            path
        };
        // The program ended behind the submission of one, and before that of the other.
        let first = claim(&watcher, "a.png");
        let request = watcher.request(&first, Path::new(""));
        let job = app.submit_upscale(&request, Lane::Queue).unwrap();
        claim(&watcher, "b.png");
        let start = Instant::now();
        assert_eq!(watcher.look(&app, start).unwrap(), []);
        let events = watcher.look(&app, start + Duration::from_secs(9)).unwrap();
        let [WatchEvent::Begun(second)] = &events[..] else {
            panic!("{events:?}");
        };
        assert!(second.spec.input.ends_with("b.png"));
        assert_eq!(app.jobs().unwrap().len(), 2);
        let known = watcher.known(&app).unwrap();
        assert_eq!(known[0].job.as_ref(), Some(&job.id));
        // One that is cancelled goes to those that could not be done, with the reason beside it.
        app.cancel(&job.id).unwrap();
        let events = watcher.look(&app, start + Duration::from_secs(10)).unwrap();
        assert!(
            matches!(&events[..], [WatchEvent::Failed { .. }]),
            "{events:?}"
        );
        assert!(came.join("failed/a.png").exists());
        assert!(came.join("failed/a.png.txt").exists());
        // It came again as it was: it is told once, and left.
        std::fs::rename(came.join("failed/a.png"), came.join("a.png")).unwrap();
        let again = watcher.look(&app, start + Duration::from_secs(11)).unwrap();
        assert_eq!(again, [WatchEvent::Known(watcher.folder().join("a.png"))]);
        let later = watcher.look(&app, start + Duration::from_secs(99));
        assert_eq!(later.unwrap(), []);
        assert_eq!(app.jobs().unwrap().len(), 2);
    }

    #[test]
    fn a_job_at_rest_whose_source_is_gone_has_failed() {
        let (folder, app) = app();
        let came = folder.path().join("in");
        std::fs::create_dir(&came).unwrap();
        picture(&came.join("a.png"));
        let mut watcher = watcher(&app, &came);
        let start = Instant::now();
        assert_eq!(watcher.look(&app, start).unwrap(), []);
        let events = watcher.look(&app, start + Duration::from_secs(9)).unwrap();
        let [WatchEvent::Begun(job)] = &events[..] else {
            panic!("{events:?}");
        };
        app.pause(&job.id).unwrap();
        let at_rest = watcher.look(&app, start + Duration::from_secs(10)).unwrap();
        assert_eq!(at_rest, [], "it may be gone on with");
        std::fs::remove_file(came.join("a.png")).unwrap();
        let events = watcher.look(&app, start + Duration::from_secs(11)).unwrap();
        let [WatchEvent::Failed { error, .. }] = &events[..] else {
            panic!("{events:?}");
        };
        assert!(error.message.contains("taken away"), "{error:?}");
        let later = watcher.look(&app, start + Duration::from_secs(12)).unwrap();
        assert_eq!(later, [], "it is told once");
    }
}
