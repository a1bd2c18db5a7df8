//! Still pictures: read, write, and keep what was not processed.
//!
//! What lives here: reading a picture of any common format into one of four layouts
//! ([`read`]), upright, with its colour profile, EXIF and XMP; writing one row by row
//! ([`RowWriter`]), so that a result of hundreds of megapixels needs no memory of its size; a
//! small sRGB picture for the window ([`to_srgb8_preview`]).
//!
//! What must not: ffmpeg (AVIF and HEIC are read there), inference, SQL, decisions about names of
//! files. Writing goes to the path that is given; the caller renames.
//!
//! The main type is [`Picture`].
//!
//! # What each format carries
//!
//! | | PNG | JPEG | WebP | TIFF |
//! |---|---|---|---|---|
//! | depth | 8, 16 | 8 | 8 | 8, 16 |
//! | alpha | yes | refused | yes | yes, straight |
//! | loss | none | quality 85 (4:2:0), 92, 97 (4:4:4) | none | none |
//! | rows streamed | yes | yes | no, up to 512 MiB | yes |
//! | longest side | 2^31 - 1 | 65500 | 16383 | 2^32 - 1, BigTIFF from 4 GB |
//! | ICC profile | `iCCP` | APP2 | `ICCP` | tag 34675 |
//! | EXIF | `eXIf` | APP1, up to 64 KiB | `EXIF` | directories, without maker note |
//! | XMP | `iTXt` | APP1, up to 64 KiB | `XMP ` | tag 700 |
//! | dots per inch | `pHYs` | JFIF | in EXIF only | resolution tags |
//! | texts of a PNG | `iTXt` | dropped | dropped | dropped |
//! | `sRGB`, `gAMA`, `cHRM`, `cICP` | yes | dropped if not sRGB | dropped if not sRGB | dropped if not sRGB |
//!
//! Whatever is dropped is a [`Warning::Dropped`](frameloom_core::media::Warning::Dropped).
//! Everywhere the orientation becomes 1 (the rows are upright), sizes in EXIF and XMP become
//! those of the new picture, and the EXIF thumbnail goes, for it shows the old one. Never
//! carried: IPTC and Photoshop blocks, comments, the further pictures of an MPO, gain maps,
//! frames and pages after the first.
//!
//! # Memory
//!
//! Reading takes the decoded samples once; twice for a moment where the picture has to be turned
//! by a quarter; a progressive JPEG two bytes a sample more. Writing PNG, TIFF and JPEG takes a
//! few MiB whatever the size.
//!
//! ```
//! use frameloom_core::job::Quality;
//! use frameloom_still::{Channels, Limits, Metadata, RowWriter, RowsRef, StillFormat, read};
//!
//! let folder = std::env::temp_dir().join(format!("frameloom-still-{}", std::process::id()));
//! std::fs::create_dir_all(&folder)?;
//! let path = folder.join("two-rows.png");
//! let mut writer = RowWriter::open(
//!     &path, StillFormat::Png, 3, 2, Channels::Gray, 8, &Metadata::default(), Quality::Good,
//! )?;
//! writer.write_rows(RowsRef::U8(&[0, 128, 255]))?;
//! writer.write_rows(RowsRef::U8(&[255, 128, 0]))?;
//! assert!(writer.finish()?.is_empty());
//! assert_eq!(read(&path, &Limits::default())?.width, 3);
//! std::fs::remove_dir_all(&folder)?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
#![forbid(unsafe_code)]

mod avif;
mod color;
mod error;
mod exif;
mod format;
mod orient;
mod picture;
mod preview;
mod profile;
mod read;
mod said;
mod write;
mod xmp;

pub use avif::AvifProperties;
pub use error::StillError;
pub use format::StillFormat;
pub use picture::{Channels, Limits, Metadata, Picture, PngColor, RowsRef, Samples};
pub use preview::{Rgb8, to_srgb8_preview};
pub use profile::{Srgb, to_srgb};
pub use read::{exif_facts, is_still, probe, read, read_bytes};
pub use write::{RowWriter, check_output, write};
