//! Where things are: the checkout, the user's cache, the build folder.

use std::path::{Path, PathBuf};

use anyhow::Context;

/// The folders every command works with.
#[derive(Debug, Clone)]
pub struct Place {
    /// The checkout.
    pub root: PathBuf,
    /// `<user cache>/frameloom`.
    pub cache: PathBuf,
    /// Cargo's target folder for everything that xtask builds.
    pub target: PathBuf,
}

impl Place {
    /// Reads the environment.
    ///
    /// # Errors
    /// No home folder can be found.
    pub fn find() -> anyhow::Result<Self> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"))
            .ancestors()
            .nth(3)
            .context("xtask was built outside of its checkout")?;
        // The manifest folder is the one of the build: a checkout that moved since, or a second
        // one that shares the target folder, is found through cargo's variable at run time.
        let root = std::env::var_os("CARGO_MANIFEST_DIR")
            .and_then(|folder| Path::new(&folder).ancestors().nth(3).map(Path::to_path_buf))
            .unwrap_or_else(|| root.to_path_buf());
        let cache = user_cache()?.join("frameloom");
        let target = std::env::var_os("CARGO_TARGET_DIR")
            .map(PathBuf::from)
            .unwrap_or_else(|| cache.join("target"));
        Ok(Self {
            target: std::path::absolute(target)?,
            root,
            cache,
        })
    }

    /// The folder of `ui`, the TypeScript half.
    pub fn ui(&self) -> PathBuf {
        self.root.join("ui")
    }

    /// A program that cargo built in `profile` (`debug` or `release`).
    pub fn program(&self, profile: &str, name: &str) -> PathBuf {
        self.target
            .join(profile)
            .join(format!("{name}{}", std::env::consts::EXE_SUFFIX))
    }
}

/// The user's cache folder by the custom of the platform.
fn user_cache() -> anyhow::Result<PathBuf> {
    let from = |name: &str| {
        std::env::var_os(name)
            .map(PathBuf::from)
            .filter(|folder| folder.is_absolute())
    };
    if cfg!(windows) {
        return from("LOCALAPPDATA").context("LOCALAPPDATA is not set");
    }
    let home = || from("HOME").context("HOME is not set");
    if cfg!(target_os = "macos") {
        return Ok(home()?.join("Library/Caches"));
    }
    match from("XDG_CACHE_HOME") {
        Some(folder) => Ok(folder),
        None => Ok(home()?.join(".cache")),
    }
}
