//! Joining parts into a file, with everything else of the source beside them.

mod copy;
mod join;
mod video;

pub use copy::SourceCut;
pub use join::{MuxReport, MuxSpec, mux};

#[cfg(test)]
mod tests;
