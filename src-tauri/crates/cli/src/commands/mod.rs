//! One file per command.

pub mod completions;
pub mod diff;
pub mod doctor;
pub mod encoders;
pub mod jobs;
pub mod man;
pub mod model_get;
pub mod models;
pub mod outgoing;
pub mod presets;
pub mod probe;
pub mod project;
pub mod redact;
pub mod run;
pub mod scenes;
pub mod sheet;
pub mod silence;
pub mod subtitles;
pub mod upscale;
pub mod verify;
pub mod warnings;
pub mod watch;
