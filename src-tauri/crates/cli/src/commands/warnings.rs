//! Warnings as sentences.

use frameloom_core::media::{Caution, Warning};

pub fn sentence(warning: &Warning) -> String {
    match warning {
        Warning::Truncated {
            frames,
            read_micros,
            stated_micros,
        } => format!(
            "The file ends early: {frames} frames ({:.1} s of {:.1} s) could be read.",
            *read_micros as f64 / 1e6,
            *stated_micros as f64 / 1e6
        ),
        Warning::DamagedFrames { frames } => format!("{frames} frames of the source are damaged."),
        Warning::GuessedMatrix { matrix } => {
            format!("The file does not say its colour matrix; {matrix} was assumed from its size.")
        }
        Warning::StreamDropped { index, codec, .. } if codec == "unknown" => {
            format!("Stream {index} (timed metadata) cannot be kept.")
        }
        Warning::StreamDropped {
            index,
            codec,
            container,
        } => format!("Stream {index} ({codec}) cannot be kept in {container} or elsewhere."),
        Warning::FellBackToCpu { wanted, reason } => {
            format!("{wanted} could not be used ({reason}); the processor was used.")
        }
        Warning::TimestampsMended { frames } => {
            format!("The times of {frames} frames were missing or ran backwards and were mended.")
        }
        Warning::HdrMetadataDropped { what } => format!("{what} data cannot be kept."),
        Warning::Interlaced => {
            "The source is interlaced and is processed line by line as it is; deinterlace it first for the best result.".to_owned()
        }
        Warning::Deinterlaced { doubles_rate: false } => {
            "The source is interlaced; whole pictures are made of its fields first, one per frame (bwdif).".to_owned()
        }
        Warning::Deinterlaced { doubles_rate: true } => {
            "The source is interlaced; whole pictures are made of its fields first, one per field (bwdif).".to_owned()
        }
        Warning::DeinterlacedAnyway => {
            "Nothing says that the source is interlaced; pictures are made of its fields all the same, for the graph asks for it (bwdif).".to_owned()
        }
        Warning::Telecine { soft: true } => {
            "The source is film with 3:2 pulldown by flags: its frames are whole, and their times are kept.".to_owned()
        }
        Warning::Telecine { soft: false } => {
            "The source is film with 3:2 pulldown: two of five frames are mixed of two film frames.".to_owned()
        }
        Warning::Cropped {
            left,
            right,
            top,
            bottom,
            rounded,
        } => format!(
            "As the file asks players to, {left} pixels are cut off at the left, {right} at the right, {top} at the top and {bottom} at the bottom{}.",
            if *rounded {
                ", a little less than it asks for, so that colour stays in place"
            } else {
                ""
            }
        ),
        Warning::PaddedToEven { width, height } => format!(
            "The picture was padded to {width} x {height}, since the codec needs even sides."
        ),
        Warning::Dropped { what, .. } => format!("Not kept: {what}."),
        Warning::DamagedStill => {
            "The picture is damaged; what could be read was processed.".to_owned()
        }
        Warning::FirstFrameOnly => {
            "Only the first frame of the animation, or the first page, is processed.".to_owned()
        }
        Warning::DiskTight {
            needed_bytes,
            reserve_bytes: 0,
            free_bytes,
            place,
        } => format!(
            "About {} MB are needed and {} MB are free ({place}); the job will pause before the disk is full.",
            needed_bytes / 1_000_000,
            free_bytes / 1_000_000
        ),
        Warning::DiskTight {
            needed_bytes,
            reserve_bytes,
            free_bytes,
            place,
        } => format!(
            "About {} MB are needed beside {} MB that are left free for everything else, and {} MB are free ({place}); the job will pause before the disk is full.",
            needed_bytes / 1_000_000,
            reserve_bytes / 1_000_000,
            free_bytes / 1_000_000
        ),
        Warning::PrecisionUnused {
            allowed, reason, ..
        } => format!(
            "The result is exact although `{}` was allowed, for nothing is faster here: {reason}.",
            allowed.as_str()
        ),
        Warning::LinesUnreadable { count } => format!(
            "{count} {} of subtitles cannot be read or written, and {} left out.",
            if *count == 1 { "line" } else { "lines" },
            if *count == 1 { "is" } else { "are" },
        ),
        Warning::LinesTooEarly { count } => format!(
            "{count} {} of subtitles would be over before the first picture, and {} left out.",
            if *count == 1 { "line" } else { "lines" },
            if *count == 1 { "is" } else { "are" },
        ),
        Warning::PicturesEncoded { why } => format!(
            "Nothing is done to the pictures, and still they are encoded anew, for {why}."
        ),
        Warning::SoundEncoded {
            track,
            codec,
            bit_rate: Some(rate),
        } => format!(
            "Track {track} of the sound is worked on and encoded anew ({codec}, {} kbit/s).",
            rate / 1_000
        ),
        Warning::SoundEncoded {
            track,
            codec,
            bit_rate: None,
        } => format!(
            "Track {track} of the sound is worked on and encoded anew ({codec}, without loss)."
        ),
        Warning::MissingLetters {
            node,
            letters,
            more,
        } => format!(
            "No font on this machine has {}{} in the text of the node `{node}`: empty boxes will stand in their places. Install a font that has them (the Noto fonts have nearly every letter), or change the text.",
            named(letters),
            match more {
                0 => String::new(),
                more => format!(" and {more} more"),
            }
        ),
        Warning::SoundMissing { clip, track } => {
            format!("Clip {clip} has no sound for track {track}; silence stands there.")
        }
        Warning::LoudnessUnknown { track } => format!(
            "Track {track} of the sound is silent or shorter than 0.4 s; it has no loudness and stays as it is."
        ),
        Warning::QuieterThanAsked {
            track,
            target_tenths,
            loudness_tenths,
            peak_tenths,
        } => format!(
            "Track {track} of the sound came to {:.1} LUFS instead of {:.1}: louder, its peaks would pass {:.1} dBTP. Ask for less, or allow higher peaks.",
            f64::from(*loudness_tenths) / 10.0,
            f64::from(*target_tenths) / 10.0,
            f64::from(*peak_tenths) / 10.0
        ),
        Warning::SteppedDown { reason, to, .. } => {
            let how = match to {
                Caution::Usual => "it was tried again",
                Caution::SmallTiles => "the rest was done in small tiles",
                Caution::LowPrecision => "the rest was done in small tiles and shorter numbers",
                Caution::Processor => "the rest was done in small tiles on the processor",
            };
            format!("{reason} So {how}.")
        }
    }
}

/// Letters with their numbers: the terminal may have no font for them either.
fn named(letters: &str) -> String {
    let each = letters
        .chars()
        .map(|letter| format!("\u{201c}{letter}\u{201d} (U+{:04X})", u32::from(letter)));
    each.collect::<Vec<_>>().join(", ")
}
