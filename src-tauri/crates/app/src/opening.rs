//! Files and projects that are handed to the window while it is open: by a second start of the
//! program, by "Open with", by the system.

use serde::{Deserialize, Serialize};
use std::ffi::OsStr;
use std::path::PathBuf;
use ts_rs::TS;

/// Extension of a project, without the point.
pub const PROJECT_EXTENSION: &str = "frameloom";

/// What the window is to open.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, TS)]
pub struct Opened {
    /// Media and folders with media, in the order in which they came.
    #[ts(type = "Array<string>")]
    pub files: Vec<PathBuf>,
    /// Projects.
    #[ts(type = "Array<string>")]
    pub projects: Vec<PathBuf>,
}

impl Opened {
    /// Tells projects from everything else, by their extension.
    pub fn sorted(paths: impl IntoIterator<Item = PathBuf>) -> Self {
        let is_project = |path: &PathBuf| {
            let extension = path.extension().and_then(OsStr::to_str);
            extension.is_some_and(|extension| extension.eq_ignore_ascii_case(PROJECT_EXTENSION))
        };
        let (projects, files) = paths.into_iter().partition(is_project);
        Self { files, projects }
    }

    /// Nothing is to be opened.
    pub fn is_empty(&self) -> bool {
        self.files.is_empty() && self.projects.is_empty()
    }

    /// Adds what came later, each path once.
    pub fn add(&mut self, later: Self) {
        for (known, new) in [
            (&mut self.files, later.files),
            (&mut self.projects, later.projects),
        ] {
            for path in new {
                if !known.contains(&path) {
                    known.push(path);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_project_is_known_by_its_extension_however_it_is_written() {
        let opened = Opened::sorted(
            [
                "/a/Phim.FRAMELOOM",
                "/a/clip.mp4",
                "/a/frameloom",
                "/b/x.frameloom",
            ]
            .map(PathBuf::from),
        );
        assert_eq!(
            opened.projects,
            ["/a/Phim.FRAMELOOM", "/b/x.frameloom"].map(PathBuf::from)
        );
        assert_eq!(
            opened.files,
            ["/a/clip.mp4", "/a/frameloom"].map(PathBuf::from)
        );
    }

    #[test]
    fn what_is_handed_over_twice_is_opened_once() {
        let mut opened = Opened::sorted([PathBuf::from("/a.mp4")]);
        opened.add(Opened::sorted(["/b.mp4", "/a.mp4"].map(PathBuf::from)));
        assert_eq!(opened.files, ["/a.mp4", "/b.mp4"].map(PathBuf::from));
    }
}
