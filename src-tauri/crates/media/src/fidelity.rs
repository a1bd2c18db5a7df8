//! What becomes of everything that a file holds: the fidelity contract.
//!
//! `tests/suite/fidelity.rs` has a test for each row, on real files and on made-up ones, by
//! [`Inventory::compare`](crate::Inventory::compare): what is not named there as differing must be
//! equal. "Reported" means a [`Warning`](frameloom_core::media::Warning) stored with the job;
//! "refused" means an error before the job starts, with the remedy.
//!
//! # Time
//!
//! | | honoured | reported or limited | refused |
//! |---|---|---|---|
//! | presentation time of every frame, variable rate | to the tick in MP4 and MOV, to the millisecond in MKV and WebM; never a forced rate | times that are missing or run backwards are mended, with their number | |
//! | start offsets, late sound | to the sample in MP4 and MOV | transport streams start at zero, all streams moved together | |
//! | negative decoding times, B-frames, open groups | decoding times are made anew, presentation times stay | pictures at the start that refer to missing ones are not there for any player | |
//! | edit lists | what is cut off is not processed | the hidden packets themselves are not kept | |
//! | length | each stream ends where it did, within one of its frames | a file that ends before its stated length | |
//!
//! # Tracks
//!
//! | | honoured | reported or limited | refused |
//! |---|---|---|---|
//! | sound, subtitles as text and as bitmaps | all tracks, packets bit for bit | | what the container cannot hold, unless left out by `--drop` |
//! | chapters, file tags, languages, titles, dispositions | copied | tags that name the old container or its writer are not; MP4 writes places with four decimals; Matroska has no dates of single streams | |
//! | fonts, cover pictures | bit for bit | beside a cover, MP4 keeps no tags of other names | fonts in MP4, MOV and WebM; covers in MOV and WebM |
//! | time codes, chapter titles of QuickTime | made anew by the muxer | | |
//! | timed metadata of cameras | | dropped: no container takes it from another writer | |
//!
//! # Picture
//!
//! | | honoured | reported or limited | refused |
//! |---|---|---|---|
//! | sample and display aspect ratio | written as they are; the container's goes before the stream's | | |
//! | rotation and flips | the display matrix, its shift as much larger as the picture | | a turned clip into MKV or WebM before FFmpeg 7, whose muxer cannot write it |
//! | crop of the coded stream | applied when decoding; the result is the visible picture | crop tags of the container are not read: the whole coded picture is shown | |
//! | primaries, transfer, matrix, range, chroma location | used in conversions, written where the codec has a place | an unknown matrix is guessed from the size, and the guess is never written; limited range alone has no tag in H.264, which means just that | |
//! | 8, 10, 12, 16 bits | whatever the encoder takes, FFV1 all of them, bit for bit | bits that the encoder does not take | |
//! | HDR10, HLG, mastering display, content light | kept through 10 bits, in the stream by x265 and in the container | | |
//! | Dolby Vision, HDR10+ | | dropped: made for other pixels than those of the result | |
//! | transparency | VP8 and VP9 decoded with it; VP9, ProRes 4444, FFV1 keep it | dropped by other codecs | |
//! | interlacing | | processed as frames; never written as fields | |
