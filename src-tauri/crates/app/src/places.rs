//! Where things are on this machine.

use etcetera::{
    AppStrategy, AppStrategyArgs, BaseStrategy, choose_app_strategy, choose_base_strategy,
};
use frameloom_core::error::{AppError, ErrorCode};
use frameloom_core::said;
use sha2::{Digest, Sha256};
use std::env;
use std::path::{Path, PathBuf};

/// Version of ONNX Runtime that the program is made for.
pub const ONNXRUNTIME_VERSION: &str = "1.31.1";

/// Folder of the program's data, and files that it needs.
#[derive(Debug, Clone)]
pub struct Places {
    /// Database, jobs, models of the user, logs.
    pub data: PathBuf,
    /// The program to start as `worker`.
    pub worker: PathBuf,
    /// Further folders with one folder per model.
    pub extra_models: Vec<PathBuf>,
}

impl Places {
    /// The places of this user and program: `data_dir` if given, else `FRAMELOOM_DATA_DIR`, else
    /// a folder `frameloom-data` beside the program (portable use), else the platform's folder
    /// for application data. Models are also looked for in `FRAMELOOM_MODELS_DIR`.
    ///
    /// # Errors
    /// The user has no home folder, or the program's own path is unknown.
    pub fn discover(data_dir: Option<PathBuf>) -> Result<Self, AppError> {
        let worker = env::current_exe().map_err(|error| {
            AppError::new(ErrorCode::Internal, "The program cannot find its own file.")
                .details(error.to_string())
        })?;
        let data = match data_dir.or_else(|| non_empty("FRAMELOOM_DATA_DIR")) {
            Some(folder) => std::path::absolute(&folder)
                .map_err(|error| crate::explain::data_folder(&folder, &error))?,
            None => default_data(&worker)?,
        };
        Ok(Self {
            data,
            worker,
            extra_models: env::var_os("FRAMELOOM_MODELS_DIR")
                .map(|list| {
                    env::split_paths(&list)
                        .filter(|p| p.is_absolute())
                        .collect()
                })
                .unwrap_or_default(),
        })
    }

    /// A name for the window on this data folder, the same in every start: letters and digits. Two
    /// windows on one folder would get into each other's way; on two folders they do not.
    pub fn window_name(&self) -> String {
        // Before the first start there is only the folder that it will be in.
        let beside = || {
            let (parent, name) = (self.data.parent()?, self.data.file_name()?);
            Some(parent.canonicalize().ok()?.join(name))
        };
        let folder = self.data.canonicalize().ok().or_else(beside);
        let folder = folder.unwrap_or_else(|| self.data.clone());
        let digest = Sha256::digest(folder.as_os_str().as_encoded_bytes());
        let digits: String = digest[..8].iter().map(|b| format!("{b:02x}")).collect();
        format!("data{digits}")
    }

    /// One folder per job with its parts.
    pub fn jobs(&self) -> PathBuf {
        self.data.join("jobs")
    }

    /// Earlier states of projects, and what was not saved of them.
    pub fn projects(&self) -> PathBuf {
        self.data.join("projects")
    }

    /// Results of samples, which go with their jobs.
    pub fn samples(&self) -> PathBuf {
        self.data.join("samples")
    }

    /// Pictures that came from the clipboard.
    pub fn pasted(&self) -> PathBuf {
        self.data.join("pasted")
    }

    /// The user's presets.
    pub fn presets(&self) -> PathBuf {
        self.data.join("presets")
    }

    /// Locks of folders that are watched.
    pub(crate) fn watches(&self) -> PathBuf {
        self.data.join("watches")
    }

    /// One folder per installed model.
    pub fn models(&self) -> PathBuf {
        self.data.join("models")
    }

    /// Log files.
    pub fn logs(&self) -> PathBuf {
        self.data.join("logs")
    }

    /// The ONNX Runtime library: `FRAMELOOM_ONNXRUNTIME`, else the file of the pinned version
    /// beside the program, in its library folder, or in the user's cache.
    ///
    /// # Errors
    /// It is in none of these places; the message lists them.
    pub fn onnxruntime(&self) -> Result<PathBuf, AppError> {
        if let Some(path) = non_empty("FRAMELOOM_ONNXRUNTIME") {
            return Ok(path);
        }
        let tried = self.onnxruntime_places();
        tried
            .iter()
            .find(|path| path.is_file())
            .cloned()
            .ok_or_else(|| {
                let places: Vec<String> = tried.iter().map(|p| p.display().to_string()).collect();
                AppError::new(
                    ErrorCode::RuntimeUnavailable,
                    said!(
                        "runtime.none",
                        "ONNX Runtime {version}, which runs the models, is not installed.",
                        version = ONNXRUNTIME_VERSION
                    ),
                )
                .hint(
                    "Install Frameloom again, or set FRAMELOOM_ONNXRUNTIME to the library's path.",
                )
                .details(format!("looked for: {}", places.join(", ")))
            })
    }

    /// The library, or where it would be: a path that says what is missing where.
    pub(crate) fn onnxruntime_or_missing(&self) -> PathBuf {
        self.onnxruntime().unwrap_or_else(|_| {
            self.onnxruntime_places()
                .pop()
                .unwrap_or_else(|| self.data.join(onnxruntime_file()))
        })
    }

    /// Where the library is looked for, in order. All are absolute.
    fn onnxruntime_places(&self) -> Vec<PathBuf> {
        let file = onnxruntime_file();
        let mut tried = Vec::new();
        if let Some(folder) = self.worker.parent() {
            tried.push(folder.join(&file));
            tried.push(folder.join("../lib/frameloom").join(&file));
            tried.push(folder.join("../Resources").join(&file));
        }
        if let Ok(base) = choose_base_strategy() {
            tried.push(
                base.cache_dir()
                    .join("frameloom/onnxruntime")
                    .join(ONNXRUNTIME_VERSION)
                    .join(&file),
            );
        }
        tried
    }
}

/// File name of the library on this platform.
fn onnxruntime_file() -> String {
    if cfg!(windows) {
        "onnxruntime.dll".to_owned()
    } else if cfg!(target_os = "macos") {
        format!("libonnxruntime.{ONNXRUNTIME_VERSION}.dylib")
    } else {
        format!("libonnxruntime.so.{ONNXRUNTIME_VERSION}")
    }
}

fn default_data(program: &Path) -> Result<PathBuf, AppError> {
    if let Some(portable) = program
        .parent()
        .map(|folder| folder.join("frameloom-data"))
        .filter(|folder| folder.is_dir())
    {
        return Ok(portable);
    }
    let strategy = choose_app_strategy(AppStrategyArgs {
        top_level_domain: "app".to_owned(),
        author: "Frameloom".to_owned(),
        app_name: "Frameloom".to_owned(),
    })
    .map_err(|error| {
        AppError::new(
            ErrorCode::StoreUnavailable,
            said!(
                "data.no_home",
                "This user has no home folder to keep data in."
            ),
        )
        .hint("Name a data folder with --data-dir or FRAMELOOM_DATA_DIR.")
        .details(error.to_string())
    })?;
    Ok(strategy.data_dir())
}

fn non_empty(name: &str) -> Option<PathBuf> {
    env::var_os(name)
        .filter(|value| !value.is_empty())
        .map(PathBuf::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_has_one_name_however_it_is_written_and_another_folder_another() {
        let folder = tempfile::tempdir().unwrap();
        let name = |data: PathBuf| {
            let places = Places {
                data,
                worker: PathBuf::new(),
                extra_models: Vec::new(),
            };
            places.window_name()
        };
        let first = name(folder.path().join("a"));
        std::fs::create_dir(folder.path().join("a")).unwrap();
        assert_eq!(first, name(folder.path().join("a/../a/")));
        assert_ne!(first, name(folder.path().to_owned()));
        assert!(first.chars().all(|c| c.is_ascii_alphanumeric()), "{first}");
    }
}
