//! From frames to packets: which encoder, with which settings, and the encoding itself.

pub(crate) mod encoder;
pub(crate) mod plan;
pub(crate) mod quality;
