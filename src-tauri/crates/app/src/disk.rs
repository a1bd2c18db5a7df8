//! Room on the disk: how much a job will need, whether it is there, and when to stop before the
//! disk is full to the last byte, which would take the rest of the machine along.

use frameloom_core::error::{AppError, ErrorCode};
use frameloom_core::job::{EncodeSpec, Quality, VideoCodec};
use frameloom_core::media::Warning;
use frameloom_engine::Plan;
use frameloom_engine::plan::MediumPlan;
use std::path::Path;

/// Left free for everything else that writes on this machine.
const RESERVE_BYTES: u64 = 64 << 20;

/// Bytes that a user of this process may still write on the disk that holds `path`; `None` where
/// the system does not tell. A path that does not exist yet is asked of its folder.
pub fn free_bytes(path: &Path) -> Option<u64> {
    path.ancestors()
        .find(|folder| folder.exists())
        .and_then(|folder| fs4::available_space(folder).ok())
}

/// About how large the result of a plan will be; `None` where its length is unknown.
///
/// Bits per pixel as they come out for ordinary material at each quality; what really comes
/// depends on the pictures and is watched while the job runs.
pub fn forecast_bytes(plan: &Plan, encode: &EncodeSpec) -> Option<u64> {
    let (width, height) = plan.sizes.output;
    let pixels = f64::from(width) * f64::from(height);
    let MediumPlan::Video(video) = &plan.medium else {
        // Three bytes a pixel, hardly compressed: no still is larger but one of 16 bits.
        return Some((pixels * 3.0) as u64);
    };
    let steps = |draft: f64, good: f64, archive: f64, lossless: f64| match encode.quality {
        Quality::Draft => draft,
        Quality::Good => good,
        Quality::Archive => archive,
        Quality::Lossless => lossless,
    };
    let of_pictures = ["gif", "apng", "webp", "png"].contains(&video.container.as_str());
    let bits_per_pixel = match codec_of(&video.encoder, encode) {
        // Parts without loss; what is made of them is no larger.
        _ if of_pictures => 12.0,
        codec => match codec {
            Some(VideoCodec::H264) | None => steps(0.12, 0.3, 0.6, 6.0),
            Some(VideoCodec::Hevc) => steps(0.08, 0.2, 0.4, 6.0),
            Some(VideoCodec::Av1 | VideoCodec::Vp9) => steps(0.08, 0.2, 0.4, 6.0),
            Some(VideoCodec::Ffv1) => 8.0,
            Some(VideoCodec::Prores) => steps(2.0, 4.0, 4.0, 6.0),
            Some(VideoCodec::Dnxhr) => steps(1.0, 4.0, 7.0, 7.0),
        },
    };
    let frames = video.frames_estimate? as f64;
    Some((pixels * frames * bits_per_pixel / 8.0) as u64)
}

fn codec_of(encoder: &str, encode: &EncodeSpec) -> Option<VideoCodec> {
    let named = [
        ("ffv1", VideoCodec::Ffv1),
        ("prores", VideoCodec::Prores),
        ("dnxhd", VideoCodec::Dnxhr),
        ("265", VideoCodec::Hevc),
        ("hevc", VideoCodec::Hevc),
        ("av1", VideoCodec::Av1),
        ("vp9", VideoCodec::Vp9),
    ];
    encode.codec.or_else(|| {
        named
            .iter()
            .find(|(part, _)| encoder.contains(part))
            .map(|(_, codec)| *codec)
    })
}

/// Warns if the room for parts (in `data`) and for the result (at `output`) is not there. Beside
/// parts a reserve is left free, which the warning names; a result may take what there is.
pub fn check(plan: &Plan, encode: &EncodeSpec, data: &Path, output: &Path) -> Option<Warning> {
    let size = forecast_bytes(plan, encode)?;
    // Stills have no parts.
    let parts = match plan.medium {
        MediumPlan::Video(_) => size,
        MediumPlan::Still | MediumPlan::StillByFfmpeg => 0,
    };
    let (of_data, of_output) = (free_bytes(data)?, free_bytes(output)?);
    // Two paths with the very same room are taken to be on one disk.
    let reserve = if parts > 0 { RESERVE_BYTES } else { 0 };
    let needs = if of_data == of_output {
        vec![(parts + size, reserve, of_data, output)]
    } else {
        vec![
            (parts, reserve, of_data, data),
            (size, 0, of_output, output),
        ]
    };
    needs
        .into_iter()
        .find(|(needed, reserve, free, _)| *needed > 0 && needed + reserve > *free)
        .map(|(needed, reserve, free, place)| Warning::DiskTight {
            needed_bytes: needed,
            reserve_bytes: reserve,
            free_bytes: free,
            place: place.display().to_string(),
        })
}

/// An error if a result of at least `bytes` does not fit beside `output`. The job pauses then,
/// before it fills the disk to the last byte.
pub fn watch_output(output: &Path, bytes: u64) -> Option<AppError> {
    let folder = output.parent()?;
    let free = free_bytes(folder)?;
    (free < bytes).then(|| {
        AppError::new(
            ErrorCode::DiskFull,
            format!(
                "The disk is nearly full: {:.1} MB are left, and the result takes {:.1} MB or more.",
                free as f64 / 1e6,
                bytes as f64 / 1e6
            ),
        )
        .hint("Make room and resume the job; nothing that is done is lost.")
        .details(folder.display().to_string())
    })
}

/// After a part of `part_bytes` was written to `folder`: an error if there is no room for another
/// two like it. The job pauses then, before anything of this machine fails for want of a byte.
pub fn watch(folder: &Path, part_bytes: u64) -> Option<AppError> {
    let free = free_bytes(folder)?;
    let wanted = RESERVE_BYTES + 2 * part_bytes;
    (free < wanted).then(|| {
        AppError::new(
            ErrorCode::DiskFull,
            format!(
                "The disk is nearly full: {} MB are left, and the job wants {} MB.",
                free / 1_000_000,
                wanted / 1_000_000
            ),
        )
        .hint("Make room and resume the job; nothing that is done is lost.")
        .details(folder.display().to_string())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn room_is_asked_of_the_nearest_folder_that_exists() {
        let folder = tempfile::tempdir().unwrap();
        let deep = folder.path().join("not/there/yet.mp4");
        assert!(free_bytes(&deep).is_some_and(|bytes| bytes > 0));
    }

    #[test]
    fn a_result_that_does_not_fit_is_noticed_before_it_is_written() {
        let folder = tempfile::tempdir().unwrap();
        let output = folder.path().join("result.mp4");
        let free = free_bytes(&output).unwrap();
        assert_eq!(watch_output(&output, free / 2), None);
        assert!(watch_output(&output, free * 2).is_some_and(|e| e.code == ErrorCode::DiskFull));
    }

    #[test]
    fn a_part_that_leaves_no_room_for_two_more_is_noticed() {
        let folder = tempfile::tempdir().unwrap();
        assert!(watch(folder.path(), u64::MAX / 4).is_some_and(|e| e.code == ErrorCode::DiskFull));
    }
}
