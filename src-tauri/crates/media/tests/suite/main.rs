//! The crate through its public API, on made-up clips and on real ones.
#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "tests")]

mod accuracy;
mod animations;
mod avif;
mod diff;
mod fidelity;
mod fields;
mod hostile;
mod listen;
mod pictures;
mod real_clips;
mod round_trip;
mod rows;
mod scrub;
mod sound;
mod support;
