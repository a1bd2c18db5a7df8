//! Joining parts into a file, with everything else of the source beside them; copies of files in which
//! nothing is encoded anew.

mod copy;
mod feed;
mod join;
mod remux;
pub(crate) mod video;

pub(crate) use copy::{Holes, file_tags, tags_of_sound};
pub use copy::{SourceCut, SourceHole};
pub use feed::{AddedTrack, TrackFrom};
pub use join::{MuxReport, MuxSpec, mux};
pub use remux::{AddedPlace, Kept, NewChapter, RemuxSpec, plan_remux, remux};

#[cfg(test)]
mod tests;
