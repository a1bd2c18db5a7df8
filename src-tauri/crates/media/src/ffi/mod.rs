//! The only module with unsafe code: safe owners and views over FFmpeg's structures.
//!
//! Rules of the module: every pointer has one owner with a `Drop`; numbers that a file can set
//! (colour tags, formats) are read as integers, never as Rust enums, because a value without a
//! variant would be undefined behaviour; sizes and strides are checked before a slice is made.
#![expect(
    unsafe_code,
    reason = "FFmpeg is a C library; this module is where it is called"
)]

pub(crate) mod decoder;
pub(crate) mod encoder;
pub(crate) mod environment;
pub(crate) mod filter;
pub(crate) mod frame;
pub(crate) mod input;
pub(crate) mod memory;
pub(crate) mod output;
pub(crate) mod packed;
pub(crate) mod packet;
pub(crate) mod palette;
pub(crate) mod params;
pub(crate) mod parser;
pub(crate) mod pixel;
pub(crate) mod pool;
pub(crate) mod scale;
pub(crate) mod sound;
pub(crate) mod subtitle;
pub(crate) mod unpack;
pub(crate) mod util;
