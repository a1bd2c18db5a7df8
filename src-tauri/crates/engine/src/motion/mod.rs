//! What moves between two pictures: the camera ([`camera`]), and every place by itself ([`flow`]).
//!
//! Everything is found on small grey pictures ([`gray`]), by arithmetic in a fixed order: the same
//! pictures give the same numbers in every run, with any number of threads.

pub(crate) mod camera;
pub(crate) mod flow;
pub(crate) mod gray;
pub(crate) mod scene;
pub(crate) mod shots;

pub(crate) use camera::{Camera, Similarity};
pub(crate) use gray::{Gray, Pyramid, Shrink, luma_of_rgb};
pub(crate) use scene::{Glance, is_cut};
pub(crate) use shots::Shots;
