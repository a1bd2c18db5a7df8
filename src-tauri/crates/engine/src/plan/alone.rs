//! A result that is sound alone: of files that hold nothing else, where the graph shows no pictures, and
//! where the result is a file that has no place for them.

use super::clips::begins_too_late;
use super::{
    CutPlan, Hole, InputPrint, MediumPlan, PLAN_VERSION, Plan, VideoPlan, probe_input,
    refuse_retimed,
};
use crate::EngineError;
use crate::plan::again::this_program;
use crate::sound::{self, ClipSpan, Making, SoundPlan, first_sample, origin_of};
use frameloom_core::graph::{CutParams, Layout, Line, Op, Step, TrimParams, parse_kept, slowness};
use frameloom_core::job::{JobSpec, TrackChoice};
use frameloom_core::media::{MediaInfo, MediaKind};
use frameloom_core::said;
use frameloom_core::said::Said;
use frameloom_core::time::Rational;
use frameloom_media::{AddedPlace, Container, MuxPlan, lost_pictures, plan_mux};
use serde::{Deserialize, Serialize};

/// How a result without pictures will be done.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AlonePlan {
    /// Container of the result, as its file extension.
    pub container: String,
    /// Its tracks.
    pub sound: SoundPlan,
    /// What is heard, one after another; where none are joined, one.
    pub clips: Vec<AloneClip>,
    /// What is left out inside of the first; never where several are joined.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cut: Option<CutPlan>,
    /// How many times as long everything lasts, more than 1; never where several are joined.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slow: Option<Rational>,
    /// About how long the result is, in microseconds; `None` where a file does not say its length.
    pub length_micros: Option<i64>,
}

/// What is heard of an input, in microseconds of its file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AloneClip {
    /// Name of the input.
    pub input: String,
    /// Where it begins: with its first sample if no other moment is asked for.
    pub from_micros: i64,
    /// The first moment that is out; `None` for the end of the file.
    pub to_micros: Option<i64>,
    /// A part of it is asked for.
    pub is_part: bool,
}

impl AlonePlan {
    /// What encodes the first track that is encoded, as ffmpeg names it, or [`VideoPlan::COPY`].
    pub fn encoder(&self) -> &str {
        let tracks = self.sound.sound.iter().flatten();
        let mut encoders = tracks.filter_map(|track| match &track.making {
            Making::WorkedOut { encoder, .. } => Some(encoder.encoder.as_str()),
            Making::Copied { .. } | Making::Written { .. } => None,
        });
        encoders.next().unwrap_or(VideoPlan::COPY)
    }

    /// Seconds of the result, which progress is counted in; at least 1.
    pub fn seconds(&self) -> Option<u64> {
        let micros = u64::try_from(self.length_micros?).ok()?;
        Some(micros.div_ceil(1_000_000).max(1))
    }
}

/// What everything but the tracks of a result comes from, and where the tracks come.
pub(crate) const PLACE: AddedPlace = AddedPlace::First;

/// True if the result of a job holds sound and no pictures.
pub(super) fn is_alone(spec: &JobSpec, info: &MediaInfo, layout: &Layout<'_>) -> bool {
    let is_file = || Container::from_path(&spec.output).is_ok_and(|c| c.sound_file().is_some());
    match info.kind {
        MediaKind::Still | MediaKind::Other => false,
        MediaKind::Audio => true,
        MediaKind::Video => layout.pictures.is_empty() || is_file(),
    }
}

/// Plans a result that [`is_alone`].
pub(super) fn plan_alone(
    spec: &JobSpec,
    info: &MediaInfo,
    layout: &Layout<'_>,
) -> Result<Plan, EngineError> {
    let container = container_of(spec)?;
    for line in &layout.pictures {
        for step in &line.steps {
            check_step(step, spec, info, container)?;
        }
    }
    let main = layout.main_input();
    let mut files = Vec::new();
    let mut clips = Vec::new();
    let (mut cut, mut slow) = (None, None);
    let mut length = Some(0i64);
    let is_joined = layout.pictures.len() > 1;
    for line in &layout.pictures {
        let other = match line.input == main {
            true => None,
            false => Some(probe_input(spec, line.input)?),
        };
        if is_joined {
            refuse_retimed(line)?;
        }
        let heard = heard_of(line, other.as_ref().unwrap_or(info), spec)?;
        length = length
            .zip(heard.length_micros)
            .map(|(sum, more)| sum + more);
        (cut, slow) = (heard.cut, heard.slow);
        clips.push(heard.clip);
    }
    if clips.is_empty() {
        let start = first_sample(spec.path_of(main), info)?;
        length = info.duration_micros;
        clips.push(AloneClip {
            input: main.to_owned(),
            from_micros: start,
            to_micros: None,
            is_part: false,
        });
    }
    for name in layout.inputs().into_iter().skip(1) {
        let path = spec.path_of(name).to_owned();
        files.push((path, InputPrint::of_input(spec, name)?));
    }
    let drop = &spec.encode.drop;
    let planned = sound::plan_sound(&sound::Request {
        spec,
        layout,
        main: info,
        container,
        clips: &spans(&clips, &[]),
        is_changed: slow.is_some() || clips.iter().any(|clip| clip.is_part),
        is_alone: true,
        drop,
    })?;
    let planned = planned.ok_or_else(|| EngineError::Node {
        node: "sink".to_owned(),
        reason: said!(
            "sound.left_out",
            "its sound is left out, and it is to hold nothing else"
        ),
    })?;
    files.extend(planned.files);
    let mut warnings = planned.warnings;
    let is_left_out = drop.contains(&TrackChoice::Video);
    if !layout.pictures.is_empty() && info.main_video().is_some() && !is_left_out {
        warnings.extend(lost_pictures(container));
    }
    let mux = mux_plan(info, container, &planned.plan, drop)?;
    warnings.extend(mux.dropped);
    Ok(Plan {
        version: PLAN_VERSION,
        program: Some(this_program()),
        input: InputPrint::of(spec)?,
        models: Vec::new(),
        files,
        onnx: Vec::new(),
        sizes: None,
        medium: MediumPlan::Sound(AlonePlan {
            container: container.extension().to_owned(),
            sound: planned.plan,
            clips,
            cut,
            slow,
            length_micros: length,
        }),
        warnings,
    })
}

/// What of the main input goes into the result besides its tracks of sound.
pub(crate) fn mux_plan(
    info: &MediaInfo,
    container: Container,
    sound: &SoundPlan,
    drop: &[TrackChoice],
) -> Result<MuxPlan, EngineError> {
    let mut drop = drop.to_vec();
    drop.extend(sound.replaced());
    // Nothing is shown that could be turned.
    drop.push(TrackChoice::Rotation);
    Ok(plan_mux(info, container, &drop)?.complete(info, &drop)?)
}

fn container_of(spec: &JobSpec) -> Result<Container, EngineError> {
    let container = Container::from_path(&spec.output)?;
    let refuse = |what| Err(frameloom_media::MediaError::InvalidRequest { what }.into());
    if container.is_pictures() {
        return refuse(said!(
            "sound.into_pictures",
            "sound cannot go into {container}; name the result .m4a, .mp3, .wav or .flac",
            container = container.shown()
        ));
    }
    if spec.encode.codec.is_some() {
        return refuse(said!(
            "sound.codec",
            "a codec of pictures has no meaning where the result is sound alone; leave it out"
        ));
    }
    Ok(container)
}

/// Refuses what is done to pictures: there are none, or they are not kept.
fn check_step(
    step: &Step<'_>,
    spec: &JobSpec,
    info: &MediaInfo,
    container: Container,
) -> Result<(), EngineError> {
    let is_of_time = match step.op {
        Op::Trim(_) | Op::Cut(_) | Op::Concat => true,
        Op::Interpolate(params) => params.slowness() > Rational::ONE && !params.drops_sound(),
        _ => false,
    };
    if is_of_time {
        return Ok(());
    }
    Err(EngineError::Node {
        node: step.id.to_owned(),
        reason: match info.kind {
            MediaKind::Audio => said!(
                "sound.no_pictures",
                "it works on pictures, and `{name}` holds none; take it out, or choose another file",
                name = spec
                    .input
                    .file_name()
                    .map_or_else(String::new, |name| name.to_string_lossy().into_owned())
            ),
            _ => said!(
                "sound.pictures_unkept",
                "it works on pictures, and {container} holds none; take it out, or name the result .mp4 or .mkv",
                container = container.shown()
            ),
        },
    })
}

/// What of a line's input is heard.
struct Heard {
    clip: AloneClip,
    cut: Option<CutPlan>,
    slow: Option<Rational>,
    length_micros: Option<i64>,
}

fn heard_of(line: &Line<'_>, info: &MediaInfo, spec: &JobSpec) -> Result<Heard, EngineError> {
    let path = spec.path_of(line.input);
    let slow =
        slowness(line.steps.iter().map(|step| step.op)).ok_or_else(|| EngineError::Node {
            node: line.source.to_owned(),
            reason: said!("clip.slowness", "it would last longer than can be counted"),
        })?;
    let slow = Some(slow).filter(|slow| *slow > Rational::ONE);
    let whole = info.duration_micros.filter(|length| *length > 0);
    let mut clip = AloneClip {
        input: line.input.to_owned(),
        from_micros: first_sample(path, info)?,
        to_micros: None,
        is_part: false,
    };
    let begin = clip.from_micros;
    let mut cut = None;
    let mut timed = line
        .steps
        .iter()
        .enumerate()
        .filter_map(|(place, step)| match step.op {
            Op::Trim(_) | Op::Cut(_) => Some((place, step)),
            _ => None,
        });
    if let Some((place, step)) = timed.next() {
        let refuse = |reason| EngineError::Node {
            node: step.id.to_owned(),
            reason,
        };
        // Where a clip has pictures, the same is asked of it.
        if place != 0 || timed.next().is_some() {
            return Err(refuse(said!(
                "clip.cut_place",
                "put it right after the source; a graph has one `cut`, and then no `trim`"
            )));
        }
        // Of a clip, times count from its first picture.
        let origin = origin_of(path, info)?;
        let (from, to, plan) = match step.op {
            Op::Trim(params) => trimmed(params, whole).map_err(refuse)?,
            Op::Cut(params) => cut_of(params, origin, whole).map_err(refuse)?,
            _ => (0, None, None),
        };
        clip.from_micros = origin.saturating_add(from);
        clip.to_micros = to.map(|to| origin.saturating_add(to));
        clip.is_part = true;
        cut = plan;
    }
    let end = clip
        .to_micros
        .or(whole.map(|whole| whole.saturating_add(begin)));
    let holes = cut.iter().flat_map(|cut| &cut.holes);
    let gone: i64 = holes.map(|hole| hole.to_micros - hole.from_micros).sum();
    let kept = end.map(|end| {
        end.saturating_sub(clip.from_micros)
            .saturating_sub(gone)
            .max(0)
    });
    Ok(Heard {
        length_micros: kept.map(|kept| slow.unwrap_or(Rational::ONE).of(kept)),
        clip,
        cut,
        slow,
    })
}

/// A stretch from the first moment on, and what is left out of it.
type Part = (i64, Option<i64>, Option<CutPlan>);

fn trimmed(params: &TrimParams, whole: Option<i64>) -> Result<Part, Said> {
    let micros = |seconds: Rational| {
        let whole = i128::from(seconds.num) * 1_000_000 / i128::from(seconds.den);
        i64::try_from(whole).unwrap_or(i64::MAX)
    };
    let from = params.start.map_or(0, micros);
    if let (Some(start), Some(whole)) = (params.start, whole)
        && from >= whole
    {
        return Err(begins_too_late(start, whole));
    }
    Ok((from, params.end.map(micros), None))
}

/// To the sample: sound has no pictures that stretches would have to grow to.
fn cut_of(params: &CutParams, origin: i64, whole: Option<i64>) -> Result<Part, Said> {
    let kept = parse_kept(&params.keep).map_err(|reason| {
        said!(
            "clip.cut_list",
            "its list cannot be read: {reason}",
            reason = Said::from(reason)
        )
    })?;
    // What begins behind the end keeps nothing.
    let inside = |at: i64| whole.is_none_or(|whole| at < whole);
    let kept: Vec<_> = kept
        .into_iter()
        .filter(|kept| inside(kept.from_micros))
        .collect();
    let (Some(first), Some(last)) = (kept.first(), kept.last()) else {
        return Err(said!(
            "sound.cut_too_late",
            "its first stretch begins behind the end of the sound"
        ));
    };
    let holes = kept.windows(2).filter_map(|pair| {
        let (from, to) = (pair[0].to_micros?, pair[1].from_micros);
        let (from, to) = (origin.saturating_add(from), origin.saturating_add(to));
        (to > from).then_some(Hole {
            from_ticks: from,
            to_ticks: to,
            from_micros: from,
            to_micros: to,
        })
    });
    let plan = CutPlan {
        holes: holes.collect(),
        fade_micros: params.fade_micros(),
    };
    let cut = (!plan.holes.is_empty()).then_some(plan);
    Ok((first.from_micros, last.to_micros, cut))
}

/// The clips at their places in the result. `ends` are their ends in the time of their files, as far as
/// they are known.
pub(crate) fn spans(clips: &[AloneClip], ends: &[i64]) -> Vec<ClipSpan> {
    let mut at = clips.first().map_or(0, |clip| clip.from_micros);
    let mut spans = Vec::new();
    for (number, clip) in clips.iter().enumerate() {
        let end = ends.get(number).copied().or(clip.to_micros);
        spans.push(ClipSpan {
            input: clip.input.clone(),
            from_micros: clip.from_micros,
            to_micros: end,
            at_micros: at,
        });
        let length = end.map_or(0, |end| end.saturating_sub(clip.from_micros));
        at = at.saturating_add(length.max(0));
    }
    spans
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keep(text: &str) -> CutParams {
        CutParams::new(text.to_owned())
    }

    #[test]
    fn sound_is_cut_to_the_microsecond_from_its_first_sample_on() {
        let origin = 25_057;
        let (from, to, cut) = cut_of(&keep("0.5-1, 2.25-3.1"), origin, Some(9_000_000)).unwrap();
        assert_eq!((from, to), (500_000, Some(3_100_000)));
        let holes = cut.unwrap().holes;
        assert_eq!(holes.len(), 1);
        assert_eq!(
            (holes[0].from_micros, holes[0].to_micros),
            (origin + 1_000_000, origin + 2_250_000)
        );
        // A stretch behind the end is none.
        let (_, to, cut) = cut_of(&keep("0.5-1, 20-30"), 0, Some(9_000_000)).unwrap();
        assert_eq!((to, cut), (Some(1_000_000), None));
        assert!(cut_of(&keep("10-11"), 0, Some(9_000_000)).is_err());
        assert!(cut_of(&keep("nonsense"), 0, None).is_err());
    }

    #[test]
    fn what_is_joined_follows_what_came_before_it() {
        let clip = |input: &str, from_micros, to_micros| AloneClip {
            input: input.to_owned(),
            from_micros,
            to_micros,
            is_part: false,
        };
        let clips = [
            clip("a", 5, None),
            clip("b", 100, Some(150)),
            clip("c", 0, None),
        ];
        let spans = spans(&clips, &[25, 150, 7]);
        let at: Vec<_> = spans
            .iter()
            .map(|span| (span.at_micros, span.to_micros))
            .collect();
        assert_eq!(at, [(5, Some(25)), (25, Some(150)), (75, Some(7))]);
    }
}
