//! The result of a job before it is written: which way up it is, how it is encoded, and what cannot be
//! kept.

use crate::EngineError;
use crate::nodes::{PictureFormat, Turn};
use frameloom_core::color::ColorInfo;
use frameloom_core::graph::{DeinterlaceRate, InterlacedFrames, Line, Op};
use frameloom_core::job::{EncodeSpec, JobSpec, Quality, TrackChoice};
use frameloom_core::media::{MediaInfo, MediaKind, StreamInfo, StreamKind, VideoInfo, Warning};
use frameloom_core::said;
use frameloom_core::said::Said;
use frameloom_core::segment::SegmentLength;
use frameloom_core::sequence::NumberPattern;
use frameloom_core::time::Rational;
use frameloom_media::{AnimationInput, AnimationPlan, Container, EncoderSpec, MuxPlan};
use frameloom_still::StillFormat;

/// The turn that brings the pictures upright before anything is done to them: where the job asks
/// for it and an operation depends on what is up and what is left.
pub(crate) fn upright(spec: &JobSpec, stream: &StreamInfo) -> Option<Turn> {
    let depends = spec.graph.nodes.iter().any(|node| {
        matches!(
            node.op,
            Op::Crop(_)
                | Op::Pad(_)
                | Op::Rotate(_)
                | Op::Flip(_)
                | Op::Resize(_)
                | Op::Overlay(_)
                // Models know people who stand upright.
                | Op::Background(_)
                | Op::Redact(_)
                | Op::Light(_)
                | Op::Style(_)
                | Op::Depth(_)
                | Op::Reframe(_)
                | Op::Text(_)
                | Op::Subtitles(_)
                | Op::Concat
        )
    });
    // Pictures alone have no note for a player.
    let wanted = (spec.upright && depends) || makes_pictures(spec);
    upright_turn(stream).filter(|_| wanted)
}

/// The turn by which players show the pictures of a stream.
pub(crate) fn upright_turn(stream: &StreamInfo) -> Option<Turn> {
    let video = stream.video.as_ref()?;
    let degrees = video.rotation_degrees.rem_euclid(360);
    let turn = Turn {
        mirror: video.mirrored,
        quarters: (degrees / 90) as u8,
    };
    // A turn by another angle stays with the player.
    (degrees % 90 == 0 && !turn.is_none()).then_some(turn)
}

/// True if the result is pictures alone: an animation, or one file for each frame.
pub(super) fn makes_pictures(spec: &JobSpec) -> bool {
    Container::from_path(&spec.output).is_ok_and(Container::is_pictures)
}

/// What the container need not hold: what the user leaves out, the sound of slow motion that is to have
/// none, and the turn of pictures that are turned themselves.
pub(crate) fn left_out(spec: &JobSpec, stream: &StreamInfo) -> Vec<TrackChoice> {
    let mut list = spec.encode.drop.clone();
    let drops_sound = |op: &Op| matches!(op, Op::Interpolate(params) if params.drops_sound());
    if spec.graph.nodes.iter().any(|node| drops_sound(&node.op)) {
        list.push(TrackChoice::Audio);
    }
    if upright(spec, stream).is_some() && !list.contains(&TrackChoice::Rotation) {
        list.push(TrackChoice::Rotation);
    }
    list
}

/// Pictures beside the main ones, which are copied and so cannot be cut: they are left out and told.
pub(crate) fn uncuttable(
    info: &MediaInfo,
    main: &StreamInfo,
    drop: &mut Vec<TrackChoice>,
) -> Vec<Warning> {
    let mut warnings = Vec::new();
    for stream in &info.streams {
        let choice = TrackChoice::Stream(stream.index);
        let is_cover = stream
            .dispositions
            .iter()
            .any(|name| name == "attached_pic");
        let copied = stream.kind == StreamKind::Video
            && stream.index != main.index
            && !is_cover
            && !drop.contains(&TrackChoice::Video)
            && !drop.contains(&choice);
        if copied {
            drop.push(choice);
            warnings.push(Warning::dropped(said!(
                "lost.uncut_pictures",
                "the pictures of stream {index}, which are copied and cannot be cut",
                index = stream.index
            )));
        }
    }
    warnings
}

/// True if the first of numbered pictures has a colour profile.
pub(super) fn has_profile(spec: &JobSpec) -> Result<bool, EngineError> {
    let (Some(run), Some(names)) = (spec.pictures, NumberPattern::of_path(&spec.input)) else {
        return Ok(false);
    };
    let first = names.path(&spec.input, run.first);
    Ok(frameloom_still::is_still(&first)?
        && frameloom_still::read(&first, &frameloom_still::Limits::default())?
            .metadata
            .icc
            .is_some())
}

/// How a result of pictures alone is written; `None` for any other.
pub(super) fn picture_plan(
    spec: &JobSpec,
    container: Container,
    format: &PictureFormat,
    video: &VideoInfo,
) -> Result<Option<AnimationPlan>, EngineError> {
    if container.is_animation() {
        let input = AnimationInput {
            width: format.width,
            height: format.height,
            format: format.pixels,
            color: format.color.clone(),
            frame_rate: format.pace.frame_rate,
            sample_aspect_ratio: format.sample_aspect_ratio,
        };
        let plan = frameloom_media::plan_animation(container, spec.encode.quality, &input)?;
        return Ok(Some(plan));
    }
    if container != Container::Pictures {
        return Ok(None);
    }
    let still = StillFormat::for_output(&spec.output)?;
    if format.color.is_hdr() && still != StillFormat::Png {
        let what = said!(
            "still.hdr",
            "pictures of high dynamic range cannot go into {format}, which could not say what they mean; name the result .png",
            format = still.name()
        );
        return Err(frameloom_media::MediaError::InvalidRequest { what }.into());
    }
    let picture = VideoInfo {
        alpha: format.pixels.alpha,
        bit_depth: format.pixels.bits,
        ..video.clone()
    };
    let size = (format.width, format.height);
    frameloom_still::check_output(&spec.output, &picture, size, spec.encode.quality)?;
    // A PNG says what its colours are, and a profile says it in every format.
    let says = still == StillFormat::Png || has_profile(spec)?;
    let lost = frameloom_media::lost_in_srgb(&format.color, still.name()).filter(|_| !says);
    let warnings = lost.map(|what| {
        Warning::dropped(said!(
            "lost.but_png",
            "{what}; pictures named .png keep them",
            what = what
        ))
    });
    Ok(Some(AnimationPlan {
        encoder: still.extension().to_owned(),
        parameters: Vec::new(),
        warnings: warnings.into_iter().collect(),
    }))
}

/// What goes into a result whose pictures are copied; `None` where nobody expects that: something is done
/// to them, a codec is asked for, or nothing is to be told of them.
///
/// A copy is as good as any quality asked for. Only who asks for a draft wants less than there is.
///
/// # Errors
/// Why they are encoded all the same.
pub(super) fn copy_plan(
    spec: &JobSpec,
    line: &Line<'_>,
    info: &MediaInfo,
    container: Container,
    drop: &[TrackChoice],
) -> Result<Option<MuxPlan>, Said> {
    let encode = &spec.encode;
    let is_asked = encode.codec.is_some() || encode.quality == Quality::Draft;
    // Cameras write dates and places into the coded pictures, too.
    let unwanted = [TrackChoice::Rotation, TrackChoice::Metadata];
    let is_changed = !line.steps.is_empty() || unwanted.iter().any(|choice| drop.contains(choice));
    let is_clip = info.kind == MediaKind::Video && spec.pictures.is_none();
    let is_animation = ["gif", "apng", "webp"].contains(&info.container.as_str());
    if is_asked || is_changed || !is_clip || is_animation || container.is_pictures() {
        return Ok(None);
    }
    // What players cut off is cut off of pictures that are encoded; not every container can say it.
    let mut warnings = info.warnings.iter();
    if warnings.any(|warning| matches!(warning, Warning::Cropped { .. })) {
        return Err(said!(
            "copied.cropped",
            "players cut off their edges, which a copy would show"
        ));
    }
    let plan = frameloom_media::plan_remux(info, container, drop);
    plan.map(Some).map_err(|error| {
        tracing::info!(%error, "the pictures are not copied");
        said!(
            "copied.refused",
            "this container cannot hold them as they are"
        )
    })
}

/// What is done about fields.
pub(super) fn field_warning(ops: &[(&str, &Op)], video: &VideoInfo) -> Option<Warning> {
    let deinterlace = ops.iter().find_map(|(_, op)| match op {
        Op::Deinterlace(params) => Some(params),
        _ => None,
    });
    match deinterlace {
        Some(params) if video.field_order.is_interlaced() => Some(Warning::Deinterlaced {
            doubles_rate: params.rate == DeinterlaceRate::Field,
        }),
        // Frames that do not say that they are interlaced are left as they are.
        Some(params) if params.frames == InterlacedFrames::Flagged => None,
        Some(_) => Some(Warning::DeinterlacedAnyway),
        None => video
            .field_order
            .is_interlaced()
            .then_some(Warning::Interlaced),
    }
}

/// About five seconds: what a kill may cost, and long enough that the key frame at each cut does
/// not weigh.
pub(super) fn segment_length(video: &VideoInfo) -> SegmentLength {
    let fps = video
        .frame_rate
        .map_or(25.0, |rate| rate.ratio().to_f64().clamp(1.0, 240.0));
    SegmentLength::new(((fps * 5.0).round() as u64).clamp(24, 300))
}

/// The encoder settings for pictures of `format`. Called for the plan, and again with what the
/// first frame really is.
pub(crate) fn encoder_spec(
    encode: &EncodeSpec,
    container: Container,
    stream: &StreamInfo,
    format: &PictureFormat,
    hdr: Option<frameloom_media::HdrStatic>,
    threads: usize,
) -> EncoderSpec {
    EncoderSpec {
        codec: encode.codec,
        quality: encode.quality,
        container,
        width: format.width,
        height: format.height,
        format: format.pixels,
        time_base: format.pace.time_base,
        frame_rate: format.pace.frame_rate,
        color: settled_color(stream, format),
        sample_aspect_ratio: positive(format.sample_aspect_ratio),
        threads,
        hdr,
    }
}

/// What the samples of pictures of `format` mean, which were made of those of `stream`.
pub(crate) fn settled_color(stream: &StreamInfo, format: &PictureFormat) -> ColorInfo {
    let mut color = format.color.clone();
    if let Some(video) = &stream.video {
        // A file without a matrix tag is decoded by a guess from its size. If the result's size
        // leads players to another guess, the colours would shift: then the matrix that the
        // samples really have is written.
        let (matrix, guessed) = video.color.matrix_or_guess(video.width, video.height);
        if guessed && color.matrix_or_guess(format.width, format.height).0 != matrix {
            color.matrix = matrix;
        }
    }
    color
}

fn positive(ratio: Rational) -> Rational {
    if ratio.num > 0 {
        ratio
    } else {
        Rational { num: 1, den: 1 }
    }
}
