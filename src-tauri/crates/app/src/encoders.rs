//! The encoders of this machine, tried, with what each quality hands to them.

pub use frameloom_media::{EncoderRow, Preset};

/// Every encoder that the program can drive. Those that the library contains encode a few frames,
/// which takes a second or two.
pub fn encoders() -> Vec<EncoderRow> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let threads = frameloom_engine::execute::Threads::for_cores(cores).encode;
    frameloom_media::encoder_table(threads)
}
