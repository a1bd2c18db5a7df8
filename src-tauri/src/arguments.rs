//! What the program is started with.

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// Name of the environment variable with further files to open, separated as in `PATH`. The
/// system's file dialog cannot be driven by a test; this can.
pub const OPEN_VARIABLE: &str = "FRAMELOOM_OPEN";

/// The command line, taken apart.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Arguments {
    /// Folder for the program's data, where it is not the usual one.
    pub data_dir: Option<PathBuf>,
    /// Files and folders to open, absolute where the current folder is known.
    pub files: Vec<PathBuf>,
}

impl Arguments {
    /// Takes the arguments after the program's name apart; files are those of `folder`, where it is
    /// known. Options that are not known are left out: desktops and webviews add some of their own.
    pub fn parse(arguments: impl IntoIterator<Item = OsString>, folder: Option<&Path>) -> Self {
        let mut parsed = Self::default();
        let mut arguments = arguments.into_iter();
        let mut only_files = false;
        while let Some(argument) = arguments.next() {
            match argument.to_str() {
                Some("--") if !only_files => only_files = true,
                Some("--data-dir") if !only_files => {
                    parsed.data_dir = arguments.next().map(PathBuf::from);
                }
                Some(text) if !only_files && text.starts_with("--data-dir=") => {
                    parsed.data_dir = text.split_once('=').map(|(_, dir)| PathBuf::from(dir));
                }
                Some(text) if !only_files && text.starts_with('-') && text.len() > 1 => {}
                _ => parsed.files.push(argument.into()),
            }
        }
        if let Some(folder) = folder {
            for file in &mut parsed.files {
                // An absolute one stays as it is.
                *file = folder.join(&*file);
            }
        }
        parsed
    }

    /// The arguments and the environment that this process was started with.
    pub fn of_this_process(arguments: impl IntoIterator<Item = OsString>) -> Self {
        let folder = env::current_dir().ok();
        let mut parsed = Self::parse(arguments, folder.as_deref());
        if let Some(list) = env::var_os(OPEN_VARIABLE) {
            let named = env::split_paths(&list).filter(|path| !path.as_os_str().is_empty());
            parsed.files.extend(named);
        }
        parsed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(arguments: &[&str]) -> Arguments {
        Arguments::parse(
            arguments.iter().map(OsString::from),
            Some(Path::new("/d/e")),
        )
    }

    #[test]
    fn files_and_the_data_folder_are_told_apart_and_foreign_options_are_left_out() {
        let parsed = parse(&[
            "--data-dir",
            "/d",
            "-psn_0_1",
            "/a b.mp4",
            "--gapplication-service",
            "/é.png",
        ]);
        assert_eq!(parsed.data_dir, Some(PathBuf::from("/d")));
        assert_eq!(
            parsed.files,
            [PathBuf::from("/a b.mp4"), PathBuf::from("/é.png")]
        );
        assert_eq!(
            parse(&["--data-dir=/e"]).data_dir,
            Some(PathBuf::from("/e"))
        );
    }

    #[test]
    fn what_follows_two_dashes_is_a_file_whatever_it_looks_like() {
        let parsed = parse(&["--", "-x.mp4", "--data-dir"]);
        assert_eq!(parsed.files.len(), 2);
        assert_eq!(parsed.data_dir, None);
    }

    #[test]
    fn a_relative_file_is_one_of_the_folder_that_the_program_was_started_in() {
        assert_eq!(parse(&["clip.mp4"]).files, [PathBuf::from("/d/e/clip.mp4")]);
        assert_eq!(parse(&["/clip.mp4"]).files, [PathBuf::from("/clip.mp4")]);
    }
}
