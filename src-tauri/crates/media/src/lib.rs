//! Video and sound files through FFmpeg: probe, demux, decode, convert, encode, mux.
//!
//! What lives here: everything that touches a coded stream. [`probe()`] says what a file is,
//! [`Reader`] decodes its main video frame by frame, [`Converter`] changes format and size,
//! [`FilterGraph`]
//! runs ffmpeg's filters, [`VideoEncoder`] makes packets, [`PartWriter`] and [`PartReader`] keep
//! the packets of one segment safe on disk, [`mux()`] joins parts and copies everything else of the
//! source and tracks of other files, [`write_animation`] makes an animated picture of them, and
//! [`verify_output`] and [`check_animation`] read the result back. Numbered pictures are read as a
//! clip ([`find_pictures`], [`ReaderOptions::pictures`]). Sound is decoded by [`SoundReader`],
//! changed by [`SoundFilter`] and encoded by [`SoundPartWriter`]. Subtitles that are text are read by
//! [`read_subtitles`] and written in another format.
//!
//! What must not: inference, jobs, SQL, sockets. Unsafe code stays in `ffi/`. Only the one file
//! that was named, or the pictures of the pattern, is ever opened: playlists and references inside of files lead nowhere.
//!
//! The main type is [`Frame`]: a picture in a planar layout of `core::pixel`, counted by
//! reference.
//!
//! What becomes of everything that a file holds is the contract in [`fidelity`]; scaling works on
//! coded values, not on light, and there is no tone mapping.
//!
//! ```no_run
//! use frameloom_media::{Reader, ReaderOptions};
//!
//! let mut reader = Reader::open("clip.mp4".as_ref(), &ReaderOptions::default())?;
//! while let Some(frame) = reader.next_frame()? {
//!     println!("{} ticks: {}x{}", frame.pts(), frame.width(), frame.height());
//! }
//! # Ok::<(), frameloom_media::MediaError>(())
//! ```

mod animation;
mod color;
mod container;
mod convert;
mod crop;
mod encode;
mod error;
mod ffi;
pub mod fidelity;
mod fields;
mod filter;
mod fit;
mod frame;
mod gamut;
mod hdr;
mod inventory;
mod libraries;
mod mux;
mod normalise;
mod part;
mod picture;
mod probe;
mod reader;
mod said;

mod scrub;
mod sequence;
mod sound;
mod source;
mod subtitles;
mod tone;
mod verify;

pub use animation::{
    AnimationFacts, AnimationInput, AnimationPlan, AnimationReport, AnimationSpec, RgbPainter,
    animation_facts, check_animation, plan_animation, write_animation,
};
pub use container::{
    Container, MuxPlan, Unfit, choose_container, lost_pictures, lost_tags, plan_mux,
};
pub use convert::{Converter, convert};
pub use encode::encoder::{EncodedPacket, VideoEncoder};
pub use encode::plan::{
    EncoderPlan, EncoderSpec, UsableEncoder, plan_encoder, plan_encoder_again, usable_encoders,
};
pub use encode::table::{EncoderRow, Preset, encoder_table};
pub use error::{FfmpegError, MediaError};
pub use fields::{FieldReport, Telecine, detect_fields};
pub use filter::{FilterGraph, FilterInput, FilterSpec};
pub use fit::{WantedTrack, check_count, check_tracks};
pub use frame::{Frame, FramePool};
pub use gamut::lost_in_srgb;
pub use hdr::{ContentLight, HdrStatic, MasteringDisplay};
pub use inventory::{
    Aspect, ChapterEntry, Comparison, DiffOptions, Difference, FirstTime, Inventory, PacketEntry,
    Rule, Scope, StreamEntry, StreamPair, Unkept,
};
pub use libraries::{LibraryVersion, init, libraries, quiet_encoders, set_variable};
pub use mux::{
    AddedPlace, AddedTrack, Kept, MuxReport, MuxSpec, NewChapter, RemuxSpec, SourceCut, SourceHole,
    TrackFrom, mux, plan_remux, remux,
};
pub use part::{
    PartEntry, PartFrames, PartHeader, PartReader, PartWriter, Records, decode_first, parts_span,
};
pub use picture::{RgbImage, Tones, frame_at, read_still, show, thumbnail};
pub use probe::probe;
pub use reader::{ReadReport, Reader, ReaderOptions, Truncation};
pub use scrub::Scrubber;
pub use sequence::{SEQUENCE_CONTAINER, find_pictures, numbers_of, probe_pictures};
pub use sound::{
    Listener, SoundBlock, SoundCodec, SoundEncoderPlan, SoundFile, SoundFilter, SoundFormat,
    SoundHeader, SoundPartReader, SoundPartWriter, SoundReader, SoundReport, SoundSource,
    plan_sound_encoder,
};
pub use subtitles::{
    Cue, CuePacket, CueTrack, MAX_CUES, MAX_SUBTITLE_BYTES, ReadSubtitles, SubtitleFont,
    SubtitleFormat, Subtitles, read_subtitles,
};
pub use verify::{Expectation, FrameTimes, OutputCheck, coded_frames, frame_times, verify_output};
