//! From a preset and a source to a graph, settings of the encoder and an ending.

use super::{Preset, PresetId};
use crate::request::{UpscaleRequest, shown};
use crate::voice::with_sound;
use crate::{DeinterlaceChoice, explain, fields};
use frameloom_core::error::{AppError, ErrorCode};
use frameloom_core::graph::{
    DeinterlaceParams, DeinterlaceRate, DenoiseParams, Graph, LoudnessParams, Op, ResizeParams,
};
use frameloom_core::job::TrackChoice;
use frameloom_core::media::{MediaInfo, MediaKind, StreamKind, VideoInfo, Warning};
use frameloom_core::said;
use frameloom_core::time::FrameRate;
use frameloom_media::{Container, FieldReport};
use std::path::Path;

/// Longest side of a clip that is made small, in pixels.
const SMALL_CLIP: u32 = 1280;
/// Longest side of a picture that is made small.
const SMALL_STILL: u32 = 2048;
/// Longest side of an animation.
const SMALL_ANIMATION: u32 = 640;
/// Loudness in LUFS that most players of the web are near.
const EVEN_LOUDNESS: f64 = -16.0;

/// What a preset does to a source.
#[derive(Debug)]
pub(crate) struct Work {
    pub graph: Graph,
    /// Pixels of the result as it is shown; `None` for sound alone.
    pub size: Option<(u32, u32)>,
    /// Ending of the result; the source's, or what can hold it, where `None`.
    pub ending: Option<String>,
}

/// Refuses a model and a scale, for what takes none.
pub(crate) fn check_settings(preset: &Preset, request: &UpscaleRequest) -> Result<(), AppError> {
    if request.model.is_none() && request.scale.is_none() {
        return Ok(());
    }
    Err(AppError::new(
        ErrorCode::InvalidRequest,
        said!(
            "preset.no_model",
            "A model and a scale have no meaning for `{preset}`.",
            preset = preset.word
        ),
    )
    .hint("Leave them out, or use `enlarge`."))
}

/// What `preset` does to a file of sound alone. `first` is the stretch that is taken.
///
/// # Errors
/// As [`work`].
pub(crate) fn sound_work(
    preset: &Preset,
    request: &UpscaleRequest,
    first: Option<Op>,
    info: &MediaInfo,
) -> Result<Work, AppError> {
    check_settings(preset, request)?;
    let sound = match preset.id {
        PresetId::Loudness => vec![("loudness", even_loudness())],
        _ => Vec::new(),
    };
    let ending = match ending_of(preset, request)? {
        None if preset.id == PresetId::Sound => Some(sound_ending(info).to_owned()),
        chosen => chosen,
    };
    Ok(Work {
        graph: with_sound(first.into_iter().collect(), sound),
        size: None,
        ending,
    })
}

fn even_loudness() -> Op {
    Op::Loudness(LoudnessParams {
        target: EVEN_LOUDNESS,
        ..LoudnessParams::default()
    })
}

/// The ending of a file of sound that holds the sound of a source as it is; of sound alone one that is
/// another file than the source.
fn sound_ending(info: &MediaInfo) -> &'static str {
    let codec = info
        .streams
        .iter()
        .find(|stream| stream.kind == StreamKind::Audio)
        .map_or("", |stream| stream.codec.as_str());
    let is_alone = info.kind == MediaKind::Audio;
    match codec {
        "mp3" if is_alone => "m4a",
        _ if is_alone => "mp3",
        "mp3" => "mp3",
        "opus" => "opus",
        "vorbis" => "ogg",
        "flac" => "flac",
        codec if codec.starts_with("pcm_") => "wav",
        _ => "m4a",
    }
}

/// What `preset` does to a source that it is for. `first` are the nodes before its own: the
/// stretch that is taken.
///
/// # Errors
/// The request asks for something that the preset does not leave to the user.
pub(crate) fn work(
    preset: &Preset,
    request: &UpscaleRequest,
    first: Option<Op>,
    info: &MediaInfo,
    video: &VideoInfo,
    report: Option<FieldReport>,
) -> Result<Work, AppError> {
    check_settings(preset, request)?;
    let size = shown(video, (video.width, video.height));
    let mut ops: Vec<Op> = first.into_iter().collect();
    let whole = || fields::node(request.deinterlace, report);
    let mut made = size;
    match preset.id {
        PresetId::Enlarge => {}
        PresetId::Clean => {
            ops.extend(whole());
            ops.push(Op::Denoise(DenoiseParams::default()));
        }
        PresetId::Deinterlace => {
            let node = fields::node(DeinterlaceChoice::On, report);
            ops.extend(node.map(|op| smooth(op, report)));
        }
        PresetId::Share => {
            ops.extend(whole());
            made = within(
                size,
                if is_clip(info) {
                    SMALL_CLIP
                } else {
                    SMALL_STILL
                },
            );
        }
        PresetId::Animate => {
            ops.extend(whole());
            let most = animation_rate(ending_of(preset, request)?.as_deref());
            let known = video.frame_rate.map(|rate| rate.ratio().to_f64());
            if known.is_none_or(|known| known > most as f64 + 0.01) {
                ops.extend(FrameRate::new(most, 1).map(|rate| Op::Fps { rate }));
            }
            made = within(size, SMALL_ANIMATION);
        }
        PresetId::Steady => {
            ops.extend(whole());
            ops.push(request.motion.clone().unwrap_or_default().steady()?);
        }
        PresetId::Smooth => {
            ops.extend(whole());
            ops.push(request.motion.clone().unwrap_or_default().smooth()?);
        }
        PresetId::Frames => ops.extend(whole()),
        // One of the shots of a clip: the stretch is all of it.
        PresetId::Loudness | PresetId::Archive | PresetId::Scenes => {}
        // These need a model and go another way.
        PresetId::Cutout
        | PresetId::Defocus
        | PresetId::Backdrop
        | PresetId::Redact
        | PresetId::Reframe
        | PresetId::Light
        | PresetId::Style
        | PresetId::Depth
        | PresetId::Silence
        | PresetId::Voice
        | PresetId::Convert
        | PresetId::Subtitles
        | PresetId::Sound
        | PresetId::Steps => {}
    }
    // Matroska holds no note of a turn; where the size is named, pictures are turned themselves.
    let turned = video.rotation_degrees != 0 || video.mirrored;
    if made != size || (preset.id == PresetId::Archive && turned) {
        ops.push(Op::Resize(ResizeParams {
            width: made.0,
            height: made.1,
        }));
    }
    let graph = match preset.id {
        PresetId::Loudness => with_sound(ops, vec![("loudness", even_loudness())]),
        PresetId::Sound => with_sound(ops, Vec::new()),
        _ => Graph::chain(ops),
    };
    let ending = match ending_of(preset, request)? {
        None if preset.follows_source => None,
        None if preset.id == PresetId::Sound => Some(sound_ending(info).to_owned()),
        None => Some(usual_ending(preset, request, info, video, made).to_owned()),
        chosen => chosen,
    };
    Ok(Work {
        graph,
        size: Some(made),
        ending,
    })
}

/// The ending that the request chooses, of those that the preset offers.
pub(crate) fn ending_of(
    preset: &Preset,
    request: &UpscaleRequest,
) -> Result<Option<String>, AppError> {
    let Some(format) = &request.format else {
        // The name of the result may choose, too.
        let named = request.output.as_deref().and_then(Path::extension);
        return Ok(named
            .and_then(|ending| ending.to_str())
            .map(str::to_ascii_lowercase)
            .filter(|ending| offers(preset, ending)));
    };
    if offers(preset, format) {
        return Ok(Some(format.clone()));
    }
    let mut all: Vec<&str> = [preset.clip_formats, preset.still_formats].concat();
    for ending in preset.sound_formats {
        if !all.contains(ending) {
            all.push(ending);
        }
    }
    Err(AppError::new(
        ErrorCode::InvalidRequest,
        said!(
            "preset.format",
            "`{preset}` makes no `.{format}` files.",
            preset = preset.word,
            format = format
        ),
    )
    .hint(format!("Choose one of {}.", all.join(", "))))
}

fn offers(preset: &Preset, ending: &str) -> bool {
    [
        preset.clip_formats,
        preset.still_formats,
        preset.sound_formats,
    ]
    .iter()
    .any(|list| list.contains(&ending))
}

/// What of the source the result cannot hold and the preset is not about: it is left out, and said
/// where somebody may miss it.
pub(crate) fn left_out(
    preset: &Preset,
    info: &MediaInfo,
    output: &Path,
    drop: &mut Vec<TrackChoice>,
) -> Result<Vec<Warning>, AppError> {
    let leaves_out = matches!(
        preset.id,
        PresetId::Share
            | PresetId::Animate
            | PresetId::Frames
            | PresetId::Archive
            | PresetId::Steps
    );
    if !leaves_out || !is_clip(info) {
        return Ok(Vec::new());
    }
    let container = Container::from_path(output).map_err(|e| explain::media(&e))?;
    let plan = frameloom_media::plan_mux(info, container, drop).map_err(|e| explain::media(&e))?;
    let mut warnings = Vec::new();
    for unfit in plan.refused {
        // A turn is kept by turning the pictures.
        if unfit.choice == TrackChoice::Rotation {
            continue;
        }
        if !drop.contains(&unfit.choice) {
            drop.push(unfit.choice);
        }
        // That an animation has no sound surprises nobody.
        if !container.is_pictures() {
            warnings.push(Warning::dropped(said!(
                "lost.unfit",
                "{what}, which {container} cannot hold",
                what = unfit.what,
                container = container.shown()
            )));
        }
    }
    Ok(warnings)
}

fn is_clip(info: &MediaInfo) -> bool {
    info.kind != MediaKind::Still
}

/// One picture of each field, unless the fields come of film and half of them would be doubled.
fn smooth(op: Op, report: Option<FieldReport>) -> Op {
    match op {
        Op::Deinterlace(params) if report.is_some_and(|report| report.telecine.is_none()) => {
            Op::Deinterlace(DeinterlaceParams {
                rate: DeinterlaceRate::Field,
                ..params
            })
        }
        op => op,
    }
}

/// `size` made to fit into a square, with even sides; never larger.
fn within((width, height): (u32, u32), most: u32) -> (u32, u32) {
    let longest = width.max(height);
    if longest <= most {
        return (width, height);
    }
    let side = |side: u32| {
        let exact = u64::from(side) * u64::from(most) / u64::from(longest);
        // The remainder of at most a pixel is in the shape of the pixels.
        (u32::try_from(exact).unwrap_or(most) & !1).max(2)
    };
    (side(width), side(height))
}

/// Frames per second at most: GIF and APNG grow with each frame, WebP less so.
fn animation_rate(ending: Option<&str>) -> i64 {
    match ending {
        Some("gif" | "apng") => 15,
        _ => 25,
    }
}

/// The ending where nobody chooses.
fn usual_ending(
    preset: &Preset,
    request: &UpscaleRequest,
    info: &MediaInfo,
    video: &VideoInfo,
    size: (u32, u32),
) -> &'static str {
    if !is_clip(info) {
        let fits = |ending: &&&str| {
            let name = Path::new("a").with_extension(ending);
            frameloom_still::check_output(&name, video, size, request.quality).is_ok()
        };
        let mut endings = preset.still_formats.iter();
        return endings.find(fits).copied().unwrap_or("png");
    }
    // Subtitles may be left behind; sound may not.
    let keeps_sound = |ending: &&&str| {
        preset.id != PresetId::Share
            || Container::from_extension(ending).is_some_and(|container| {
                frameloom_media::plan_mux(info, container, &request.drop).is_ok_and(|plan| {
                    plan.refused.iter().all(|unfit| {
                        !info.streams.iter().any(|stream| {
                            stream.kind == StreamKind::Audio
                                && unfit.choice == TrackChoice::Stream(stream.index)
                        })
                    })
                })
            })
    };
    let mut endings = preset.clip_formats.iter();
    endings
        .find(keeps_sound)
        .or(preset.clip_formats.first())
        .copied()
        .unwrap_or("mkv")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::presets::PRESETS;

    #[test]
    fn pictures_are_made_smaller_in_their_shape_and_never_larger() {
        assert_eq!(within((3840, 2160), 1280), (1280, 720));
        assert_eq!(within((1080, 1920), 1280), (720, 1280));
        assert_eq!(within((640, 360), 1280), (640, 360));
        assert_eq!(within((4000, 3), 1280), (1280, 2));
    }

    #[test]
    fn the_graph_of_every_preset_can_run() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../..");
        let input = root.join("assets/demo.mp4");
        let info = crate::inputs::probe(&input).unwrap();
        let (_, video) = info.main_video().unwrap();
        for preset in PRESETS.iter().filter(|p| p.id != PresetId::Enlarge) {
            let request = UpscaleRequest::default();
            let report = Some(FieldReport {
                order: frameloom_core::media::FieldOrder::TopFirst,
                flagged: false,
                telecine: None,
            });
            let work = work(preset, &request, None, &info, video, report).unwrap();
            work.graph.layout().unwrap();
            let says = serde_json::to_string(&work.graph).unwrap();
            assert_eq!(
                frameloom_core::graph::faults(&serde_json::from_str(&says).unwrap()),
                [],
                "{}",
                preset.word
            );
        }
    }

    #[test]
    fn a_model_is_refused_where_none_is_used_and_an_ending_that_is_not_offered_too() {
        let preset = PresetId::Animate.preset();
        let refused = ending_of(
            preset,
            &UpscaleRequest {
                format: Some("mp4".to_owned()),
                ..UpscaleRequest::default()
            },
        )
        .unwrap_err();
        assert!(refused.hint.unwrap().contains("webp, gif, apng"));
        let named = UpscaleRequest {
            output: Some("/a/b.GIF".into()),
            ..UpscaleRequest::default()
        };
        assert_eq!(ending_of(preset, &named).unwrap().as_deref(), Some("gif"));
    }
}
