//! The words and rules that every other crate shares.
//!
//! What lives here: exact time ([`time`]), what a probe says of a file ([`media`]), colour
//! ([`color`]), the picture layout that all code agrees on ([`pixel`]), the processing graph
//! ([`graph`]), jobs and their states ([`job`]), model manifests ([`model`]), the cut of a clip
//! into segments ([`segment`]), what is kept where silence is cut ([`speech`]), when
//! subtitles are shown ([`subtitles`]), what the library knows of files ([`library`]), text as it is looked
//! for ([`folded`]) and the one error shape that people see ([`error`]).
//!
//! What must not: files, sockets, clocks, threads, tauri, ffmpeg, ONNX Runtime.
//!
//! ```
//! use frameloom_core::time::{TimeBase, Timestamp};
//!
//! let phone = TimeBase::new(1, 90_000).unwrap();
//! let mkv = TimeBase::new(1, 1_000).unwrap();
//! assert_eq!(Timestamp::new(3003, phone).rescaled(mkv).ticks, 33);
//! ```
#![forbid(unsafe_code)]

pub mod blemishes;
pub mod catalogue;
pub mod color;
pub mod error;
pub mod folded;
pub mod graph;
pub mod job;
pub mod library;
pub mod media;
pub mod model;
pub mod pixel;
pub mod quality;
pub mod receipt;
pub mod said;
pub mod segment;
pub mod sequence;
pub mod speech;
pub mod subtitles;
pub mod time;
