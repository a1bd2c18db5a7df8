//! What moves between two pictures: the camera ([`camera`]), and every place by itself ([`flow`]).
//!
//! Everything is found on small grey pictures ([`gray`]), by arithmetic in a fixed order: the same
//! pictures give the same numbers in every run, with any number of threads.

pub(crate) mod camera;
pub(crate) mod flow;
pub(crate) mod gray;
pub(crate) mod scene;

pub(crate) use camera::{Camera, Similarity};
pub(crate) use gray::{Pyramid, Shrink};
pub(crate) use scene::is_cut;
