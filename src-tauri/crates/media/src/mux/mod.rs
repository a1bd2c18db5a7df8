//! Joining parts into a file, with everything else of the source beside them.

mod copy;
mod feed;
mod join;
pub(crate) mod video;

pub(crate) use copy::file_tags;
pub use copy::{SourceCut, SourceHole};
pub use feed::{AddedTrack, TrackFrom};
pub use join::{MuxReport, MuxSpec, mux};

#[cfg(test)]
mod tests;
