//! The last step: a checked temporary file takes the name that was asked for.

use crate::EngineError;
use frameloom_core::error::ErrorCode;
use std::ffi::OsString;
use std::fs::File;
use std::io::Read;
use std::path::{Component, Path, PathBuf};

/// `wanted`, or the first of `name (2).ext`, `name (3).ext`, ... for which `taken` is false.
pub fn free_output(wanted: &Path, mut taken: impl FnMut(&Path) -> bool) -> PathBuf {
    if !taken(wanted) {
        return wanted.to_owned();
    }
    let mut number = 2u64;
    loop {
        let candidate = numbered(wanted, number);
        if !taken(&candidate) {
            return candidate;
        }
        number += 1;
    }
}

fn numbered(path: &Path, number: u64) -> PathBuf {
    let mut name = path
        .file_stem()
        .map_or_else(OsString::new, |s| s.to_owned());
    name.push(format!(" ({number})"));
    if let Some(extension) = path.extension() {
        name.push(".");
        name.push(extension);
    }
    path.with_file_name(name)
}

/// Where `path` really leads: links and `..` are resolved as far as folders exist, the last name
/// is kept as it is, for it may not exist yet.
pub fn real_place(path: &Path) -> PathBuf {
    let Some((folder, name)) = path.parent().zip(path.file_name()) else {
        return path.canonicalize().unwrap_or_else(|_| path.to_owned());
    };
    if let Ok(folder) = folder.canonicalize() {
        return folder.join(name);
    }
    // What does not exist holds no link, so `..` behind it may be taken as text.
    let mut place = PathBuf::new();
    for component in folder.components() {
        match component {
            Component::ParentDir => {
                place.pop();
            }
            other => place.push(other),
        }
        if let Ok(real) = place.canonicalize() {
            place = real;
        }
    }
    place.join(name)
}

/// True if both names lead to one file: replacing the one would destroy the other.
pub fn is_same_file(a: &Path, b: &Path) -> bool {
    if real_place(a) == real_place(b) {
        return true;
    }
    if let (Ok(a), Ok(b)) = (a.canonicalize(), b.canonicalize())
        && a == b
    {
        return true;
    }
    // A disk that is mounted at two places.
    #[cfg(unix)]
    if let (Ok(a), Ok(b)) = (a.metadata(), b.metadata()) {
        use std::os::unix::fs::MetadataExt;
        return (a.dev(), a.ino()) == (b.dev(), b.ino());
    }
    false
}

/// The temporary neighbour of `output` that one job writes. Same folder, so that the last step is
/// a rename; hidden, so that a file manager does not offer a half-made result.
pub(crate) fn temporary(output: &Path, work_dir: &Path) -> PathBuf {
    let job = work_dir
        .file_name()
        .map_or_else(|| "job".into(), |n| n.to_string_lossy().into_owned());
    let mut name = OsString::from(format!(".frameloom-{job}"));
    if let Some(extension) = output.extension() {
        name.push(".");
        name.push(extension);
    }
    output.with_file_name(name)
}

/// Removes what a job that was killed and is given up left beside its output. `work_dir` is the
/// folder of its parts, which need not exist any more.
///
/// # Errors
/// It is there and cannot be removed.
pub fn remove_leftovers(output: &Path, work_dir: &Path) -> std::io::Result<()> {
    super::pictures::remove_leftovers(output, work_dir);
    match std::fs::remove_file(temporary(output, work_dir)) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Removes a file when dropped, unless it was kept: no failure leaves a half-made result behind.
pub(crate) struct Temporary {
    path: PathBuf,
    keep: bool,
}

impl Temporary {
    pub(crate) fn new(path: PathBuf) -> Self {
        Self { path, keep: false }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Gives the file its final name. Without `overwrite` an existing file is never replaced, not
    /// even one that appeared this very moment: the next free name is taken. A file that holds
    /// these very bytes is the result already: the process was killed between giving it its name
    /// and saying so.
    pub(crate) fn publish(
        mut self,
        output: &Path,
        overwrite: bool,
    ) -> Result<PathBuf, EngineError> {
        let failed = || EngineError::io("the result cannot be given its name", output);
        if overwrite {
            std::fs::rename(&self.path, output).map_err(failed())?;
            self.keep = true;
            return Ok(output.to_owned());
        }
        if has_same_content(&self.path, output) {
            return Ok(output.to_owned());
        }
        loop {
            let target = free_output(output, |p| p.symlink_metadata().is_ok());
            // A hard link fails if the name exists, which a rename does not.
            match std::fs::hard_link(&self.path, &target) {
                // Dropping self removes the temporary name.
                Ok(()) => return Ok(target),
                Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
                // FAT, exFAT and some network drives have no hard links.
                Err(_) => {
                    std::fs::rename(&self.path, &target).map_err(failed())?;
                    self.keep = true;
                    return Ok(target);
                }
            }
        }
    }
}

/// True if both files hold the same bytes. One that cannot be read is another one.
pub(super) fn has_same_content(a: &Path, b: &Path) -> bool {
    let compare = || -> std::io::Result<bool> {
        if !b.is_file() || a.metadata()?.len() != b.metadata()?.len() {
            return Ok(false);
        }
        let mut files = [File::open(a)?, File::open(b)?];
        let mut blocks = [vec![0; 1 << 18], vec![0; 1 << 18]];
        loop {
            let [first, second] = &mut files;
            let read = first.read(&mut blocks[0])?;
            if read == 0 {
                return Ok(true);
            }
            second.read_exact(&mut blocks[1][..read])?;
            if blocks[0][..read] != blocks[1][..read] {
                return Ok(false);
            }
        }
    };
    compare().unwrap_or(false)
}

/// What came of reading a result back: one that is no file of its kind failed its check, and is not
/// an input that somebody could repair.
pub(super) fn read_back<T>(result: Result<T, impl Into<EngineError>>) -> Result<T, EngineError> {
    result.map_err(|error| {
        let error = error.into();
        match error.code() {
            ErrorCode::InputNotFound
            | ErrorCode::InputUnreadable
            | ErrorCode::InputUnsupported
            | ErrorCode::InputTooLarge => EngineError::OutputCheck {
                reason: format!("it cannot be read back: {error}"),
            },
            _ => error,
        }
    })
}

impl Drop for Temporary {
    fn drop(&mut self) {
        if !self.keep
            && let Err(error) = std::fs::remove_file(&self.path)
            && error.kind() != std::io::ErrorKind::NotFound
        {
            tracing::warn!(%error, "a temporary file could not be removed");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_result_that_has_its_name_already_does_not_get_a_second_one() {
        let folder = tempfile::tempdir().unwrap();
        let output = folder.path().join("out.mp4");
        let publish = |content: &str| {
            let path = folder.path().join(".writing");
            std::fs::write(&path, content).unwrap();
            Temporary::new(path).publish(&output, false).unwrap()
        };
        assert_eq!(publish("the result"), output);
        assert_eq!(
            publish("the result"),
            output,
            "killed before it could say so"
        );
        assert_eq!(publish("the Result"), folder.path().join("out (2).mp4"));
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 2);
    }

    #[test]
    fn what_a_killed_job_left_beside_its_result_goes_and_nothing_else_does() {
        let folder = tempfile::tempdir().unwrap();
        let work = Path::new("jobs/abc");
        for name in [".frameloom-abc.mp4", ".frameloom-xyz.mp4", "out.mp4"] {
            std::fs::write(folder.path().join(name), "x").unwrap();
        }
        let hidden = folder.path().join(".frameloom-abc");
        std::fs::create_dir(&hidden).unwrap();
        std::fs::write(hidden.join("out_0001.png"), "x").unwrap();
        for output in ["out.mp4", "out_%04d.png"] {
            remove_leftovers(&folder.path().join(output), work).unwrap();
        }
        let mut left: Vec<_> = std::fs::read_dir(folder.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name())
            .collect();
        left.sort();
        assert_eq!(left, [".frameloom-xyz.mp4", "out.mp4"]);
    }

    #[test]
    fn a_taken_name_gets_a_number_before_its_extension() {
        let taken = ["/a/b.mp4", "/a/b (2).mp4"];
        let free = free_output(Path::new("/a/b.mp4"), |p| {
            taken.iter().any(|t| Path::new(t) == p)
        });
        assert_eq!(free, Path::new("/a/b (3).mp4"));
        assert_eq!(
            free_output(Path::new("/a/x"), |p| p == Path::new("/a/x")),
            Path::new("/a/x (2)")
        );
    }

    #[cfg(unix)]
    #[test]
    fn a_file_is_known_again_by_whatever_way_one_comes_to_it() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        let file = root.join("in/a.png");
        std::fs::create_dir_all(root.join("in/sub")).unwrap();
        std::fs::write(&file, "x").unwrap();
        std::os::unix::fs::symlink(root.join("in"), root.join("link")).unwrap();
        std::os::unix::fs::symlink(&file, root.join("in/b.png")).unwrap();
        for way in [
            "in/a.png",
            "in/sub/../a.png",
            "in/new/deep/../../a.png",
            "link/a.png",
            "link/sub/../a.png",
            "in/b.png",
        ] {
            assert!(is_same_file(&root.join(way), &file), "{way}");
        }
        for other in ["in/c.png", "in/sub/a.png", "a.png", "new/a.png"] {
            assert!(!is_same_file(&root.join(other), &file), "{other}");
        }
        assert_eq!(
            real_place(&root.join("link/new/../c.png")),
            root.canonicalize().unwrap().join("in/c.png")
        );
    }

    #[test]
    fn publishing_never_replaces_a_file_unless_told_to() {
        let folder = tempfile::tempdir().unwrap();
        let output = folder.path().join("out.png");
        std::fs::write(&output, "mine").unwrap();
        for overwrite in [false, true] {
            let temporary = Temporary::new(folder.path().join(".tmp.png"));
            std::fs::write(temporary.path(), "new").unwrap();
            let at = temporary.publish(&output, overwrite).unwrap();
            assert_eq!(std::fs::read_to_string(&at).unwrap(), "new");
            assert_eq!(at == output, overwrite);
            assert!(!folder.path().join(".tmp.png").exists());
        }
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 2);
    }

    #[test]
    fn an_unpublished_file_is_removed() {
        let folder = tempfile::tempdir().unwrap();
        let temporary = Temporary::new(folder.path().join(".tmp.png"));
        std::fs::write(temporary.path(), "half").unwrap();
        drop(temporary);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
