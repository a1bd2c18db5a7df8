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
//! | rotation and flips | the display matrix, its shift as much larger as the picture; a picture in AVIF (`irot`, `imir`) is turned when it is read | | a turned clip into MKV or WebM before FFmpeg 7, whose muxer cannot write it |
//! | crop of the coded stream | applied when decoding; the result is the visible picture | | |
//! | crop that the container notes (`PixelCrop` of Matroska, `clap` of MP4, MOV and AVIF) | cut off every decoded picture before anything else; the shape of pixels is that of the cut picture; the result carries no note, and nothing is cut twice | told; to places where samples of colour begin, up to three pixels less than asked for; a note that cannot be true, of pictures of another size, or of pictures of two eyes is passed over and told | |
//! | primaries, transfer, matrix, range, chroma location | used in conversions, written where the codec has a place | an unknown matrix is guessed from the size, and the guess is never written; limited range alone has no tag in H.264, which means just that | |
//! | 8, 10, 12, 16 bits | whatever the encoder takes, FFV1 all of them, bit for bit | bits that the encoder does not take | |
//! | HDR10, HLG, mastering display, content light | kept through 10 bits, in the stream by x265 and in the container | | |
//! | Dolby Vision, HDR10+ | | dropped: made for other pixels than those of the result | |
//! | transparency | VP8 and VP9, animations and numbered pictures decoded with it; VP9, ProRes 4444, FFV1, APNG, WebP and numbered PNG, WebP and TIFF keep it | dropped by other codecs; all or nothing in a GIF | numbered JPEG |
//! | animations and numbered pictures as results | red, green and blue in full range by the tagged matrix and range; turned as players show them; times as far as the clock of the format goes, repetition as in the source; PNG says its colours by `sRGB`, `cICP` or the profile of its source; all else means sRGB, and wide primaries (BT.2020, Display P3) are converted to it in linear light | colours outside of sRGB, where it is all that a format means; frames that a GIF cannot show in time; chapters and tags; the shape of pixels in animations | sound, subtitles and all else unless left out by `--drop`; high dynamic range in anything but numbered PNG |
//! | animations and numbered pictures as sources | every frame at its time, GIF, APNG and WebP; pictures of all depths at the rate that is given, at any input of a graph | the turn in the EXIF of pictures; their colour profile in a clip | gaps in the numbers, pictures of another size or kind |
//! | interlacing | | processed as frames; never written as fields | |
//! | telecine | by flags (MPEG-2, VC-1, H.264): whole frames at their own times, never a forced rate | told, by flags or in the pictures | |
