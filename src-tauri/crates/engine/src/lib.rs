//! The engine: a graph is planned, executed segment by segment, and its result checked.
//!
//! What lives here: what each operation does to a picture ([`nodes`]), how a job is planned
//! ([`plan`]), how it runs ([`execute`]) and how the result is checked. [`execute`] takes a
//! [`Progress`], a [`Journal`] and a [`Cancel`]; it knows nothing of databases, windows or the
//! network.
//!
//! What must not: SQL, sockets, an event bus, threads that outlive a call.
//!
//! A run is cut into segments at the same frames every time ([`plan::VideoPlan::segment_length`]),
//! each with an encoder of its own, so a run that was killed and resumed gives the same file as
//! one that was not. No decoded frame is ever written to the disk.
#![forbid(unsafe_code)]

pub mod compute;
pub mod control;
mod error;
pub mod execute;
mod motion;
pub mod nodes;
pub mod plan;
pub mod prints;
mod resample;
mod rgb;
mod said;
pub mod scenes;
pub mod sound;
mod stamp;
mod verify;
pub mod voice;

pub use control::{
    Cancel, Journal, MemoryJournal, Progress, SegmentRecord, SideMark, Stop, Unwatched,
};
pub use error::EngineError;
pub use execute::{Context, Finished, View, ViewWish, appearances, execute, view};
pub use nodes::{
    Appearance, Appearances, FacePicture, Models, PictureFormat, Portion, reframed_size,
};
pub use plan::{Plan, plan, result_size};
pub use sound::origin_of;
pub use stamp::FileStamp;
pub use verify::{file_sha256, times_sha256};
