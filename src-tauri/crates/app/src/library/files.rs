//! What is done to the files themselves: rename, delete.

use super::{done_with, stamp_at};
use crate::inputs::Taken;
use crate::{App, explain};
use frameloom_core::error::{AppError, ErrorCode};
use frameloom_core::job::{JobSpec, JobState};
use frameloom_core::library::{Done, Fate, ItemId, LibraryItem};
use frameloom_core::said;
use frameloom_core::sequence::{NumberPattern, PictureRun};
use frameloom_engine::execute::real_place;
use frameloom_media::Container;
use frameloom_store::Content;
use std::io::ErrorKind;
use std::ops::Range;
use std::path::{Path, PathBuf};

/// Signs that no file name may hold on one of the systems that a folder may be carried to.
const FORBIDDEN: &[char] = &['/', '\\', ':', '*', '?', '"', '<', '>', '|'];

impl App {
    /// Gives the file of an item another name in its folder. Never replaces another file.
    ///
    /// # Errors
    /// The name cannot be used or is taken, the file is gone, or a job needs it.
    pub fn rename_item(&self, id: ItemId, name: &str) -> Result<LibraryItem, AppError> {
        let item = self.library_item(id)?;
        let name = name.trim();
        check_name(name)?;
        let target = item.path.with_file_name(name);
        if target == item.path {
            return Ok(item);
        }
        self.needed()?.check_free(&item.path)?;
        let stamp = stamp_at(&item.path).ok_or_else(|| gone(&item.path))?;
        rename_without_replacing(&item.path, &target)?;
        self.store
            .move_item(id, &target, stamp, Content::Same)
            .map_err(explain::store)?;
        self.tell_its_job(&item, &target)?;
        self.tell_list();
        self.tell_items(&[id]);
        self.library_item(id)
    }

    /// The job that made the item finds its result under the new name.
    fn tell_its_job(&self, item: &LibraryItem, target: &Path) -> Result<(), AppError> {
        let Some(job) = item.made_by.as_ref().and_then(|id| self.job(id).ok()) else {
            return Ok(());
        };
        if job.spec.output == item.path && job.state == JobState::Succeeded {
            let mut spec = job.spec;
            spec.output = target.to_owned();
            self.store
                .set_spec(&job.id, &spec)
                .map_err(explain::store)?;
            self.changed(&job.id)?;
        }
        Ok(())
    }

    /// Takes items out of the library; their files stay, go to the bin or go for good. What cannot
    /// be deleted stays in the library as well.
    ///
    /// # Errors
    /// The database refuses. Files that cannot be deleted are in the answer.
    pub fn delete_items(&self, ids: &[ItemId], fate: Fate) -> Result<Done, AppError> {
        if fate == Fate::Keep {
            self.store.forget_items(ids, true).map_err(explain::store)?;
            self.tell_list();
            return Ok(Done {
                count: u32::try_from(ids.len()).unwrap_or(u32::MAX),
                refused: Vec::new(),
            });
        }
        let needed = self.needed()?;
        let done = done_with(ids, |id| {
            let item = self.library_item(*id)?;
            needed.check_free(&item.path)?;
            if item.path.symlink_metadata().is_ok() {
                match fate {
                    Fate::Trash => to_bin(&item.path)?,
                    _ => std::fs::remove_file(&item.path).map_err(|error| {
                        cannot_delete(&item.path, &error.to_string())
                            .hint("Check that it is not open elsewhere and that you may change its folder.")
                    })?,
                }
            }
            // Not remembered as taken out: another file of this name is another file.
            self.store
                .forget_items(&[*id], false)
                .map_err(explain::store)
        });
        self.tell_list();
        Ok(done)
    }

    fn needed(&self) -> Result<Needed, AppError> {
        let specs = self.store.unfinished().map_err(explain::store)?;
        Ok(Needed::by(&specs))
    }
}

/// What jobs that are not over read or write.
#[derive(Debug, Default)]
struct Needed {
    files: Taken,
    pictures: Vec<Pictures>,
}

/// Numbered pictures.
#[derive(Debug)]
struct Pictures {
    /// As it really is, without links.
    folder: PathBuf,
    names: NumberPattern,
    /// Which of them; all where nobody knows yet how many there will be.
    numbers: Option<Range<u64>>,
}

impl Needed {
    fn by(specs: &[JobSpec]) -> Self {
        let mut needed = Self::default();
        for spec in specs {
            needed.read(&spec.input, spec.pictures);
            for (name, path) in &spec.inputs {
                needed.read(path, spec.pictures_of(name));
            }
            let makes_pictures =
                matches!(Container::from_path(&spec.output), Ok(Container::Pictures));
            match makes_pictures {
                true => needed.add_pictures(&spec.output, None),
                false => needed.files.insert(&spec.output),
            }
        }
        needed
    }

    fn read(&mut self, path: &Path, run: Option<PictureRun>) {
        match run {
            Some(run) => self.add_pictures(path, Some(run.numbers())),
            None => self.files.insert(path),
        }
    }

    fn add_pictures(&mut self, pattern: &Path, numbers: Option<Range<u64>>) {
        let place = real_place(pattern);
        if let (Some(names), Some(folder)) = (NumberPattern::of_path(&place), place.parent()) {
            self.pictures.push(Pictures {
                folder: folder.to_owned(),
                names,
                numbers,
            });
        }
    }

    fn needs(&self, path: &Path) -> bool {
        let is_picture_at = |place: &Path| {
            let name = place.file_name().and_then(|name| name.to_str());
            self.pictures.iter().any(|pictures| {
                let number = name.and_then(|name| pictures.names.number_of(name));
                place.parent() == Some(&pictures.folder)
                    && number.is_some_and(|number| {
                        let numbers = pictures.numbers.as_ref();
                        numbers.is_none_or(|numbers| numbers.contains(&number))
                    })
            })
        };
        self.files.contains(path) || !self.pictures.is_empty() && is_picture_at(&real_place(path))
    }

    /// Refuses while a job that is not over reads or writes the file.
    fn check_free(&self, path: &Path) -> Result<(), AppError> {
        match self.needs(path) {
            false => Ok(()),
            true => Err(AppError::new(
                ErrorCode::JobState,
                said!(
                    "library.needed",
                    "A job that is not finished needs `{path}`.",
                    path = path.display()
                ),
            )
            .hint("Wait until the job is done, or cancel it.")),
        }
    }
}

fn check_name(name: &str) -> Result<(), AppError> {
    let is_dots = name.chars().all(|sign| sign == '.');
    if is_dots || name.contains(FORBIDDEN) || name.chars().any(char::is_control) {
        return Err(AppError::new(
            ErrorCode::InvalidRequest,
            said!(
                "library.name",
                "`{name}` cannot be the name of a file.",
                name = name
            ),
        )
        .hint("Leave out / \\ : * ? \" < > |, and write at least one letter."));
    }
    Ok(())
}

/// A rename that fails where the name is taken, even if it was taken this very moment.
///
/// # Errors
/// There is a file of this name, or the system does not rename.
pub(crate) fn rename_without_replacing(from: &Path, to: &Path) -> Result<(), AppError> {
    let taken = || {
        AppError::new(
            ErrorCode::OutputUnwritable,
            said!(
                "file.there",
                "There is a file `{path}` already.",
                path = to.display()
            ),
        )
        .hint("Choose another name.")
    };
    // On a disk that does not tell large letters from small ones, `A` is `a` itself.
    let is_itself = || match (from.canonicalize(), to.canonicalize()) {
        (Ok(a), Ok(b)) => a == b,
        _ => false,
    };
    let failed = |error: std::io::Error| explain::unwritable(to, &error);
    if to.symlink_metadata().is_ok() {
        return match is_itself() && !from.is_symlink() && !to.is_symlink() {
            true => std::fs::rename(from, to).map_err(failed),
            false => Err(taken()),
        };
    }
    // A hard link fails if the name exists, which a rename does not.
    match std::fs::hard_link(from, to) {
        Ok(()) => std::fs::remove_file(from).map_err(|error| {
            // One file of two names would be two items.
            let _ = std::fs::remove_file(to);
            explain::unwritable(from, &error)
        }),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Err(taken()),
        // FAT, exFAT and some network drives have no hard links.
        Err(_) => std::fs::rename(from, to).map_err(failed),
    }
}

fn to_bin(path: &Path) -> Result<(), AppError> {
    trash::delete(path).map_err(|error| {
        cannot_delete(path, &error.to_string())
            .hint("The disk it is on may have no bin: delete it for good instead, or keep it.")
    })
}

fn cannot_delete(path: &Path, details: &str) -> AppError {
    AppError::new(
        ErrorCode::OutputUnwritable,
        said!(
            "file.undeletable",
            "`{path}` cannot be deleted.",
            path = path.display()
        ),
    )
    .details(details)
}

fn gone(path: &Path) -> AppError {
    explain::unreadable(path, &std::io::Error::from(ErrorKind::NotFound))
}

#[cfg(test)]
mod tests {
    use super::*;
    use frameloom_core::graph::Graph;
    use frameloom_core::job::{ComputeSpec, Device, EncodeSpec, JOB_SPEC_VERSION};
    use frameloom_core::time::FrameRate;

    fn spec(input: &Path, output: &Path) -> JobSpec {
        JobSpec {
            version: JOB_SPEC_VERSION,
            input: input.to_owned(),
            pictures: None,
            inputs: Default::default(),
            input_pictures: Default::default(),
            output: output.to_owned(),
            overwrite: false,
            graph: Graph::chain([]),
            encode: EncodeSpec::default(),
            device: Device::Auto,
            compute: ComputeSpec::default(),
            upright: false,
            sample: false,
        }
    }

    fn run(first: u64, count: u64) -> PictureRun {
        PictureRun {
            rate: FrameRate::new(24, 1).unwrap(),
            first,
            count,
        }
    }

    #[test]
    fn pictures_of_a_run_are_needed_and_those_beside_it_are_not() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let mut job = spec(&at("shot_%05d.png"), &at("out/big_%03d.png"));
        job.pictures = Some(run(10, 3));
        job.inputs.insert("logo".to_owned(), at("logo_%d.png"));
        job.inputs.insert("mask".to_owned(), at("mask.png"));
        job.input_pictures.insert("logo".to_owned(), run(1, 2));
        let needed = Needed::by(&[job]);
        for name in [
            "shot_00010.png",
            "shot_00012.png",
            "logo_2.png",
            "mask.png",
            "out/big_001.png",
            "out/big_9999.png",
        ] {
            assert!(needed.needs(&at(name)), "{name}");
            assert_eq!(
                needed.check_free(&at(name)).unwrap_err().code,
                ErrorCode::JobState
            );
        }
        for name in [
            "shot_00009.png",
            "shot_00013.png",
            "shot_10.png",
            "logo_3.png",
            "out/shot_00010.png",
            "big_001.png",
            "mask.jpg",
        ] {
            assert!(!needed.needs(&at(name)), "{name}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_file_is_needed_by_whatever_way_one_may_come_to_it() {
        let folder = tempfile::tempdir().unwrap();
        let (real, link) = (folder.path().join("real"), folder.path().join("link"));
        std::fs::create_dir(&real).unwrap();
        std::os::unix::fs::symlink(&real, &link).unwrap();
        for name in ["clip.mp4", "s_1.png"] {
            std::fs::write(real.join(name), "x").unwrap();
        }
        let mut run_job = spec(&link.join("s_%d.png"), &real.join("out.mp4"));
        run_job.pictures = Some(run(1, 1));
        let needed = Needed::by(&[spec(&link.join("clip.mp4"), &link.join("o.mp4")), run_job]);
        for name in ["clip.mp4", "o.mp4", "s_1.png", "out.mp4"] {
            assert!(needed.needs(&real.join(name)), "{name}");
            assert!(needed.needs(&link.join(name)), "{name}");
        }
        assert!(!needed.needs(&real.join("s_2.png")));
    }

    #[test]
    fn a_rename_never_replaces_a_file() {
        let folder = tempfile::tempdir().unwrap();
        let (a, b, c) = (
            folder.path().join("a"),
            folder.path().join("b"),
            folder.path().join("c"),
        );
        std::fs::write(&a, "a").unwrap();
        std::fs::write(&b, "b").unwrap();
        assert_eq!(
            rename_without_replacing(&a, &b).unwrap_err().code,
            ErrorCode::OutputUnwritable
        );
        assert_eq!(std::fs::read(&b).unwrap(), b"b");
        rename_without_replacing(&a, &c).unwrap();
        assert!(!a.exists());
        assert_eq!(std::fs::read(&c).unwrap(), b"a");
    }

    #[test]
    fn names_that_some_system_cannot_hold_are_refused() {
        for name in ["", ".", "..", "a/b", "a\\b", "con:1", "what?", "a\nb"] {
            assert!(check_name(name).is_err(), "{name:?}");
        }
        for name in ["a", ".hidden.png", "Đường về Huế (2).mp4", "a..b"] {
            assert!(check_name(name).is_ok(), "{name:?}");
        }
    }
}
