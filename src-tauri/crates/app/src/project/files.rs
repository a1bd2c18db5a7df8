//! Files on the disk: paths between folders, names that every system takes, and writes that a power cut
//! leaves whole.

use super::{invalid, refused};
use crate::{explain, left_behind};
use frameloom_core::error::AppError;
use frameloom_store::project::{self as file, ProjectFile};
use std::fs::File;
use std::path::{Component, Path, PathBuf};
use std::time::Duration;
use tempfile::NamedTempFile;

/// Longest path that a project may hold, in bytes.
const MAX_PATH_BYTES: usize = 4096;
/// Most folders in it.
const MAX_DEPTH: usize = 64;
/// Names of files that are not whole yet begin and end so.
const UNFINISHED: (&str, &str) = (".frameloom-", ".saving");
/// Nothing is written for so long: whoever began it was killed.
const LEFT_BEHIND: Duration = Duration::from_secs(3600);
/// Longest name of a file that is copied, in bytes; every system takes it, with a number added.
const MAX_NAME_BYTES: usize = 200;

/// The path from a folder to a file, with `/` between folders. `None` where no path leads there, as
/// between two drives, or its name is no text.
pub(super) fn relative(folder: &Path, file: &Path) -> Option<String> {
    let (from, to): (Vec<_>, Vec<_>) = (folder.components().collect(), file.components().collect());
    let same = from.iter().zip(&to).take_while(|(a, b)| a == b).count();
    // Not even the drive is the same.
    if same == 0 {
        return None;
    }
    let mut parts = vec![".."; from.len() - same];
    for part in &to[same..] {
        parts.push(part.as_os_str().to_str()?);
    }
    Some(parts.join("/"))
}

/// The place of a path that a project holds, below or beside its folder; `None` for one that no
/// project of this program holds.
pub(super) fn place(folder: &Path, relative: &str) -> Option<PathBuf> {
    if relative.is_empty() || relative.len() > MAX_PATH_BYTES || relative.contains('\0') {
        return None;
    }
    let mut path = folder.to_owned();
    let mut depth = 0;
    for part in relative.split('/') {
        depth += 1;
        match Path::new(part).components().next() {
            Some(Component::ParentDir) if part == ".." => {
                path.pop();
            }
            Some(Component::Normal(name)) if name == part => path.push(part),
            _ => return None,
        }
    }
    (depth <= MAX_DEPTH).then_some(path)
}

/// As [`place`], and below the folder: where something may be written.
pub(super) fn place_below(folder: &Path, relative: &str) -> Option<PathBuf> {
    let climbs = relative.split('/').any(|part| part == "..");
    place(folder, relative).filter(|_| !climbs)
}

/// An absolute path that a project holds; `None` where it is none here.
pub(super) fn absolute(path: &str) -> Option<PathBuf> {
    let plain = !path.is_empty() && path.len() <= MAX_PATH_BYTES && !path.contains('\0');
    let path = Path::new(path);
    (plain && path.is_absolute()).then(|| path.to_owned())
}

/// A file name that Windows, macOS and Linux take: no folders, no signs that one of them forbids.
pub(super) fn plain_name(name: &str) -> String {
    let mut plain: String = name
        .chars()
        .map(|sign| match sign {
            '/' | '\\' | ':' | '*' | '?' | '"' | '<' | '>' | '|' => '_',
            sign if sign.is_control() => '_',
            sign => sign,
        })
        .collect();
    plain = plain.trim().trim_end_matches('.').to_owned();
    let (stem, extension) = match plain.rfind('.').filter(|at| *at > 0) {
        Some(at) => plain.split_at(at),
        None => (plain.as_str(), ""),
    };
    // Devices of Windows, whatever their extension.
    let device = ["con", "prn", "aux", "nul"].contains(&stem.to_ascii_lowercase().as_str())
        || (stem.len() == 4
            && ["com", "lpt"].contains(&stem[..3.min(stem.len())].to_ascii_lowercase().as_str())
            && stem.ends_with(|c: char| c.is_ascii_digit()));
    let mut stem = match stem {
        "" => "file".to_owned(),
        stem if device => format!("_{stem}"),
        stem => stem.to_owned(),
    };
    let extension = if extension.len() > 20 { "" } else { extension };
    while stem.len() + extension.len() > MAX_NAME_BYTES {
        stem.pop();
    }
    stem + extension
}

/// Name of a file without its folder.
pub(super) fn name_of(path: &Path) -> String {
    path.file_name()
        .map_or_else(String::new, |name| name.to_string_lossy().into_owned())
}

/// Writes a project so that whatever happens, the old or the new one is there.
pub(super) fn write_whole(path: &Path, project: &ProjectFile) -> Result<(), AppError> {
    // A link stays a link: what it leads to is replaced.
    let path = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let folder = path
        .parent()
        .ok_or_else(|| invalid("A project needs a name."))?;
    let unwritable = |error: std::io::Error| explain::unwritable(&path, &error);
    remove_left_behind(folder);
    let temporary = unfinished_in(folder).map_err(unwritable)?.into_temp_path();
    file::write(&temporary, project).map_err(|error| refused(&path, &error))?;
    File::options()
        .write(true)
        .open(&temporary)
        .and_then(|file| {
            set_permissions(&file, &path)?;
            file.sync_all()
        })
        .map_err(unwritable)?;
    temporary
        .persist(&path)
        .map_err(|failed| unwritable(failed.error))?;
    sync_folder(folder);
    Ok(())
}

/// A file in a folder that gets its name when it is whole, and goes when it does not come to that.
pub(super) fn unfinished_in(folder: &Path) -> std::io::Result<NamedTempFile> {
    let (prefix, suffix) = UNFINISHED;
    tempfile::Builder::new()
        .prefix(prefix)
        .suffix(suffix)
        .tempfile_in(folder)
}

/// Removes unfinished files of programs that were killed: nobody else will, and nobody would know what
/// they are.
pub(super) fn remove_left_behind(folder: &Path) {
    let (prefix, suffix) = UNFINISHED;
    left_behind::sweep(folder, LEFT_BEHIND, |name, kind| {
        kind.is_file() && name.starts_with(prefix) && name.ends_with(suffix)
    });
}

/// Those of the file that is replaced, or what a new file of this user gets.
pub(super) fn set_permissions(file: &File, path: &Path) -> std::io::Result<()> {
    if let Ok(facts) = path.metadata() {
        return file.set_permissions(facts.permissions());
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        // A temporary file is its owner's alone; a document is as any other.
        file.set_permissions(std::fs::Permissions::from_mode(0o644))?;
    }
    Ok(())
}

/// A name is on the disk when its folder is. Not every system can say so of a folder.
pub(super) fn sync_folder(folder: &Path) {
    if let Ok(folder) = File::open(folder)
        && let Err(error) = folder.sync_all()
    {
        tracing::debug!(%error, "a folder could not be flushed");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_leads_from_the_projects_folder_to_the_file_and_back() {
        let from = Path::new("/home/mai/film");
        for (file, relative_path) in [
            ("/home/mai/film/a.mp4", "a.mp4"),
            ("/home/mai/film/clips/ngõ nhỏ.mp4", "clips/ngõ nhỏ.mp4"),
            ("/home/mai/a.mp4", "../a.mp4"),
            ("/mnt/x/a.mp4", "../../../mnt/x/a.mp4"),
        ] {
            let found = relative(from, Path::new(file)).unwrap();
            assert_eq!(found, relative_path);
            assert_eq!(place(from, &found).unwrap(), Path::new(file));
        }
    }

    #[test]
    fn a_path_of_a_stranger_is_taken_apart_before_it_is_followed() {
        let folder = Path::new("/home/mai/film");
        for bad in ["", "/etc/passwd", "a//b", "./a", "a/./b", "a\0b", "a/"] {
            assert_eq!(place(folder, bad), None, "{bad:?}");
        }
        assert_eq!(place(folder, &"a/".repeat(70)), None);
        assert_eq!(place(folder, &"a".repeat(5000)), None);
        assert!(place_below(folder, "x/../../y").is_none());
        assert!(place_below(folder, "x/y.mp4").is_some());
        assert_eq!(absolute("relative.mp4"), None);
    }

    #[test]
    fn what_a_killed_save_left_behind_goes_with_a_later_one_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let made = |name: &str, age_seconds: u64| {
            let path = folder.path().join(name);
            std::fs::write(&path, "half").unwrap();
            let then = std::time::SystemTime::now() - Duration::from_secs(age_seconds);
            let file = File::options().write(true).open(&path).unwrap();
            file.set_modified(then).unwrap();
            path
        };
        let left = made(".frameloom-a1B2c3.saving", 7200);
        let at_work = made(".frameloom-x1Y2z3.saving", 60);
        let others = [made("film.saving", 7200), made(".frameloom-notes", 7200)];
        write_whole(
            &folder.path().join("film.frameloom"),
            &ProjectFile::default(),
        )
        .unwrap();
        assert!(!left.exists());
        assert!(at_work.exists(), "another program may be at it");
        assert!(others.iter().all(|path| path.exists()));
    }

    #[test]
    fn names_of_files_are_made_so_that_every_system_takes_them() {
        for (name, plain) in [
            ("ngõ nhỏ.mp4", "ngõ nhỏ.mp4"),
            ("../../etc/passwd", ".._.._etc_passwd"),
            ("a:b?.mp4", "a_b_.mp4"),
            ("con.mp4", "_con.mp4"),
            ("LPT1.txt", "_LPT1.txt"),
            ("..", "file"),
            ("", "file"),
            ("a\n.png", "a_.png"),
        ] {
            assert_eq!(plain_name(name), plain, "{name:?}");
        }
        let long = plain_name(&format!("{}.mp4", "é".repeat(300)));
        assert!(long.len() <= 200 && long.ends_with(".mp4"));
    }
}
