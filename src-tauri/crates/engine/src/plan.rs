//! From what was asked for to what will be done, before anything is done.
//!
//! A plan is data: it is stored with the job, shown to the user, and made only once, so that a
//! resumed run does exactly what the first one began.

use crate::EngineError;
use crate::nodes::{Joints, Models, Pace, PictureFormat, Turn, check_text_file, manifest_of};
use crate::sound::{self, ClipSpan, SoundPlan};
use frameloom_core::graph::{DeinterlaceRate, Layout, Line, OnnxParams, Op, Step};
use frameloom_core::job::{EncodeSpec, JobSpec, PictureSizes, ProviderChoice, TrackChoice};
use frameloom_core::media::{MediaInfo, MediaKind, StreamInfo, StreamKind, VideoInfo, Warning};
use frameloom_core::model::ModelManifest;
use frameloom_core::segment::SegmentLength;
use frameloom_core::sequence::{NumberPattern, PictureNumbers};
use frameloom_core::time::{FrameRate, Rational, TimeBase, Timestamp};
use frameloom_media::{AnimationInput, AnimationPlan, Container, EncoderSpec};
use frameloom_still::StillFormat;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

/// Version of the plan that this program makes and runs.
/// Plans of version 1 know neither a stretch of the clip nor other files, and run as they are.
pub const PLAN_VERSION: u32 = 2;

/// What will be done.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// [`PLAN_VERSION`].
    pub version: u32,
    /// The input as it was.
    pub input: InputPrint,
    /// Every model with the hash of its weights.
    pub models: Vec<ModelUse>,
    /// Every other file that takes part, such as a lookup table, as it was.
    #[serde(default)]
    pub files: Vec<(PathBuf, InputPrint)>,
    /// ONNX files of the user, with what was found of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub onnx: Vec<OnnxUse>,
    /// Source and result in pixels.
    pub sizes: PictureSizes,
    /// What only a clip, or only a picture has.
    pub medium: MediumPlan,
    /// What the user should know before it starts.
    pub warnings: Vec<Warning>,
}

/// An ONNX file that takes part.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OnnxUse {
    /// As the node names it.
    pub params: OnnxParams,
    /// How it is fed; found once, so that every run of the job feeds it so.
    pub manifest: ModelManifest,
}

/// A model that takes part.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModelUse {
    /// Its id.
    pub id: String,
    /// Hash of its weights.
    pub sha256: String,
    /// Where it computes and in which numbers, once that is chosen: the same in every run of the
    /// job.
    #[serde(default)]
    pub choice: Option<ProviderChoice>,
}

/// Clip or picture.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(clippy::large_enum_variant, reason = "there is one plan at a time")]
pub enum MediumPlan {
    /// A clip.
    Video(VideoPlan),
    /// A picture that the `still` crate reads.
    Still,
    /// A picture that ffmpeg reads (AVIF).
    StillByFfmpeg,
}

/// How a clip will be done.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct VideoPlan {
    /// The stream that is processed.
    pub stream: u32,
    /// Frames per segment.
    pub segment_length: SegmentLength,
    /// Frames as the container counts or implies them.
    pub frames_estimate: Option<u64>,
    /// Container of the result, as its file extension.
    pub container: String,
    /// Encoder as ffmpeg names it.
    pub encoder: String,
    /// Its parameters as they are given to ffmpeg.
    pub parameters: Vec<(String, String)>,
    /// The stretch of the clip that is kept; all of it where there is none.
    #[serde(default)]
    pub stretch: Option<Stretch>,
    /// The pictures are turned as players show them, and the note that says so is left out.
    #[serde(default)]
    pub upright: bool,
    /// Frames per second of the result, where it is known.
    #[serde(default)]
    pub frame_rate: Option<FrameRate>,
    /// Threads of the encoder, once they are settled: what it makes may depend on their number.
    #[serde(default)]
    pub encoder_threads: Option<usize>,
    /// Clips that are shown after the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub joined: Option<Joined>,
    /// Sound and subtitles, where the graph says something of them.
    #[serde(default)]
    pub sound: Option<Box<SoundPlan>>,
}

/// Clips that are shown one after another.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Joined {
    /// How the times of the result are counted.
    pub time_base: TimeBase,
    /// All of them, in order.
    pub clips: Vec<ClipPlan>,
}

/// One of several clips.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ClipPlan {
    /// Name of its input.
    pub input: String,
    /// The stream that is processed.
    pub stream: u32,
    /// The stretch of it that is kept.
    pub stretch: Option<Stretch>,
    /// Time of its first picture in the result, in ticks of [`Joined::time_base`].
    pub at_ticks: i64,
    /// Microseconds from the first picture of all to its own.
    pub at_micros: i64,
    /// Where its pictures begin and end, in the time of its file.
    pub from_micros: i64,
    /// The first moment behind them.
    pub to_micros: i64,
}

impl VideoPlan {
    /// The stream and the stretch of each clip, in order.
    pub fn clips(&self) -> Vec<(u32, Option<Stretch>)> {
        match &self.joined {
            Some(joined) => joined.clips.iter().map(|c| (c.stream, c.stretch)).collect(),
            None => vec![(self.stream, self.stretch)],
        }
    }
}

/// A stretch of a clip, half-open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stretch {
    /// First time of a frame, in ticks of the stream.
    pub from_ticks: Option<i64>,
    /// First time that is out, in ticks of the stream.
    pub to_ticks: Option<i64>,
    /// The same moments in the time of the file, for everything else in it.
    pub from_micros: i64,
    /// `None` for the end of the file.
    pub to_micros: Option<i64>,
}

/// Enough of the input to notice that it was replaced: its size and a hash of samples spread over
/// the whole file. Hashing all of a film would take longer than probing it a thousand times.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InputPrint {
    /// Size of the file.
    pub size_bytes: u64,
    /// SHA-256 over the size and up to [`InputPrint::SAMPLES`] blocks, hexadecimal; over those of
    /// all pictures where there are several.
    pub samples_sha256: String,
    /// Which numbered pictures it was taken of; `None` for a file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pictures: Option<PictureNumbers>,
}

impl InputPrint {
    /// Blocks that are read.
    pub const SAMPLES: u64 = 32;
    const BLOCK: u64 = 64 * 1024;

    /// Reads the print of a file.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn take(path: &Path) -> Result<Self, EngineError> {
        let read = |path: &Path| -> std::io::Result<Self> {
            let mut file = File::open(path)?;
            let size_bytes = file.metadata()?.len();
            let mut hash = Sha256::new();
            hash.update(size_bytes.to_le_bytes());
            let mut block = vec![0; Self::BLOCK as usize];
            let whole = size_bytes <= Self::SAMPLES * Self::BLOCK;
            for sample in 0..Self::SAMPLES {
                let at = if whole {
                    sample * Self::BLOCK
                } else {
                    // The last block ends at the last byte, where indexes like to live.
                    (size_bytes - Self::BLOCK) / (Self::SAMPLES - 1) * sample
                        + if sample == Self::SAMPLES - 1 {
                            (size_bytes - Self::BLOCK) % (Self::SAMPLES - 1)
                        } else {
                            0
                        }
                };
                if at >= size_bytes {
                    break;
                }
                file.seek(SeekFrom::Start(at))?;
                let mut filled = 0;
                while filled < block.len() {
                    match file.read(&mut block[filled..])? {
                        0 => break,
                        read => filled += read,
                    }
                }
                hash.update(&block[..filled]);
            }
            Ok(Self {
                size_bytes,
                samples_sha256: hex(&hash.finalize()),
                pictures: None,
            })
        };
        read(path).map_err(EngineError::io("the input cannot be read", path))
    }
}

impl InputPrint {
    /// Reads the print of numbered pictures: that of each of them, with its name.
    ///
    /// # Errors
    /// A picture cannot be read.
    pub fn take_pictures(pattern: &Path, numbers: PictureNumbers) -> Result<Self, EngineError> {
        let names = NumberPattern::of_path(pattern).ok_or_else(|| EngineError::NoFrames {
            path: pattern.to_owned(),
        })?;
        let mut hash = Sha256::new();
        let mut size_bytes = 0u64;
        for number in numbers.all() {
            let one = Self::take(&names.path(pattern, number))?;
            size_bytes = size_bytes.saturating_add(one.size_bytes);
            hash.update(names.name(number).as_bytes());
            hash.update(one.samples_sha256.as_bytes());
        }
        Ok(Self {
            size_bytes,
            samples_sha256: hex(&hash.finalize()),
            pictures: Some(numbers),
        })
    }

    /// The print of the source of a job.
    fn of(spec: &JobSpec) -> Result<Self, EngineError> {
        match spec.pictures {
            Some(run) => Self::take_pictures(&spec.input, run.picture_numbers()),
            None => Self::take(&spec.input),
        }
    }

    /// Checks that the file is still the one that the print was taken of.
    fn check(&self, path: &Path) -> Result<(), EngineError> {
        let now = match self.pictures {
            Some(numbers) => Self::take_pictures(path, numbers)?,
            None => Self::take(path)?,
        };
        if now == *self {
            return Ok(());
        }
        let what = if now.size_bytes == self.size_bytes {
            "its content differs".to_owned()
        } else {
            format!(
                "it had {} bytes and has {} now",
                self.size_bytes, now.size_bytes
            )
        };
        Err(EngineError::InputChanged {
            what,
            path: path.to_owned(),
        })
    }
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

/// What a file is: by the reader of still pictures, or by ffmpeg.
pub(crate) fn probe(path: &Path) -> Result<MediaInfo, EngineError> {
    if frameloom_still::is_still(path)? {
        return Ok(frameloom_still::probe(path)?);
    }
    Ok(frameloom_media::probe(path)?)
}

/// The inputs of a job, as the plan knows them.
struct Inputs<'a> {
    spec: &'a JobSpec,
    infos: BTreeMap<&'a str, MediaInfo>,
    models: &'a dyn Models,
}

impl<'a> Inputs<'a> {
    fn info(&self, line: &Line<'_>) -> Result<&MediaInfo, EngineError> {
        self.infos
            .get(line.input)
            .ok_or_else(|| EngineError::NoFrames {
                path: self.spec.path_of(line.input).to_owned(),
            })
    }

    /// The pictures of a line's input as its first node gets them.
    fn format(&self, line: &Line<'_>, turn: bool) -> Result<PictureFormat, EngineError> {
        let info = self.info(line)?;
        let path = self.spec.path_of(line.input);
        let (stream, video) = info
            .main_video()
            .ok_or_else(|| EngineError::NoFrames { path: path.into() })?;
        let mut input = picture_format(stream, video, info.kind);
        let still = info.kind == MediaKind::Still && frameloom_still::is_still(path)?;
        if still && video.rotation_degrees.rem_euclid(180) == 90 {
            // It is turned upright when it is read.
            (input.width, input.height) = (input.height, input.width);
        }
        Ok(match upright_turn(stream) {
            Some(turn_by) if turn && info.kind != MediaKind::Still => turn_by.format(&input),
            _ => input,
        })
    }

    /// What a line makes of its pictures.
    fn result(
        &self,
        line: &Line<'_>,
        turn: bool,
        joints: &mut Joints,
    ) -> Result<PictureFormat, EngineError> {
        let mut format = self.format(line, turn)?;
        for step in &line.steps {
            let over = match &step.side {
                Some(side) => Some(self.result(side, true, &mut Joints::default())?),
                None => None,
            };
            format = joints.after(step, &format, over.as_ref(), self.models)?;
        }
        Ok(format)
    }
}

/// Every step of a job, those of second inputs included.
fn visit<'a>(line: &Line<'a>, seen: &mut dyn FnMut(&Step<'a>)) {
    for step in &line.steps {
        seen(step);
        if let Some(side) = &step.side {
            visit(side, seen);
        }
    }
}

/// Plans a job. `info` is the probe of `spec.input`.
///
/// # Errors
/// The graph is not one, an input holds nothing that can be processed, the output's format
/// cannot hold the result, or a model is missing.
pub fn plan(spec: &JobSpec, info: &MediaInfo, models: &dyn Models) -> Result<Plan, EngineError> {
    let layout = spec.graph.layout()?;
    let says_sound = layout.sound.is_some() || layout.subtitles.is_some();
    if info.kind == MediaKind::Still && says_sound {
        return Err(EngineError::Node {
            node: "sink".to_owned(),
            reason: "a picture holds neither sound nor subtitles; leave their wires away"
                .to_owned(),
        });
    }
    let mut uses: Vec<ModelUse> = Vec::new();
    let mut files: Vec<(PathBuf, InputPrint)> = Vec::new();
    let onnx = onnx_of(&layout, models)?;
    for file in &onnx {
        if !uses.iter().any(|u| u.id == file.manifest.id) {
            uses.push(ModelUse {
                id: file.manifest.id.clone(),
                sha256: file.manifest.sha256.clone(),
                choice: None,
            });
        }
    }
    for (model, path) in uses_of(&layout)? {
        if let Some((node, path)) = path {
            let print = InputPrint::take(path).map_err(|error| EngineError::Node {
                node: node.to_owned(),
                reason: error.to_string(),
            })?;
            files.push((path.to_owned(), print));
        }
        if let Some(model) = model
            && !uses.iter().any(|u| u.id == *model)
        {
            let manifest = models.manifest(model)?;
            uses.push(ModelUse {
                id: manifest.id,
                sha256: manifest.sha256,
                choice: None,
            });
        }
    }
    let mut infos = BTreeMap::from([(layout.main_input(), info.clone())]);
    for name in layout.inputs().into_iter().skip(1) {
        let path = spec.path_of(name);
        infos.insert(name, probe(path)?);
        files.push((path.to_owned(), InputPrint::take(path)?));
    }
    let inputs = Inputs {
        spec,
        infos,
        models,
    };
    let (stream, video) = info.main_video().ok_or_else(|| EngineError::NoFrames {
        path: spec.input.clone(),
    })?;
    let Some(line) = layout.pictures.first() else {
        return Err(EngineError::NoFrames {
            path: spec.input.clone(),
        });
    };
    let ops = line.ops();
    let mut warnings = info.warnings.clone();
    // The probe guesses for whoever may convert; whether this job does is known below.
    warnings.retain(|warning| !matches!(warning, Warning::GuessedMatrix { .. }));
    let is_clip = info.kind != MediaKind::Still;
    let still = !is_clip && frameloom_still::is_still(&spec.input)?;
    let upright = upright(spec, stream).filter(|_| is_clip);
    let input = inputs.format(line, false)?;
    let mut joints = Joints::default();
    let format = inputs.result(line, upright.is_some(), &mut joints)?;
    let medium = match info.kind {
        MediaKind::Still => {
            if layout.pictures.len() > 1 {
                return Err(EngineError::Node {
                    node: line.source.to_owned(),
                    reason: "a still picture has no length and cannot be joined with clips"
                        .to_owned(),
                });
            }
            StillFormat::for_output(&spec.output)?;
            // Whether the transparency of these can be read, or is any, shows when they are read.
            let sure = still && info.container != "gif";
            let picture = VideoInfo {
                alpha: video.alpha && sure,
                ..video.clone()
            };
            let size = (format.width, format.height);
            frameloom_still::check_output(&spec.output, &picture, size, spec.encode.quality)?;
            if still {
                MediumPlan::Still
            } else {
                MediumPlan::StillByFfmpeg
            }
        }
        _ => {
            warnings.extend(field_warning(&ops, video));
            if video.dolby_vision {
                warnings.push(Warning::HdrMetadataDropped {
                    what: "Dolby Vision".to_owned(),
                });
            }
            let container = Container::from_path(&spec.output)?;
            let clip = clip_of(line, info)?;
            let joined = join_clips(&layout, &inputs, format.pace, &mut joints, &mut warnings)?;
            let mut drop = left_out(spec, stream);
            let planned = sound::plan_sound(&sound::Request {
                spec,
                layout: &layout,
                main: info,
                container,
                clips: &spans(stream, clip.stretch, joined.as_ref(), layout.main_input()),
                drop: &drop,
            })?;
            let sound = planned.map(|planned| {
                warnings.extend(planned.warnings);
                files.extend(planned.files);
                drop.extend(planned.plan.replaced());
                Box::new(planned.plan)
            });
            let mux = frameloom_media::plan_mux(info, container, &drop)?.complete(info, &drop)?;
            warnings.extend(mux.dropped);
            let encoder_spec = encoder_spec(&spec.encode, container, stream, &format, None, 1);
            let encoder = frameloom_media::plan_encoder(&encoder_spec)?;
            warnings.extend(encoder.warnings(&encoder_spec));
            if container != Container::Pictures && has_profile(spec)? {
                warnings.push(Warning::Dropped {
                    what: "the colour profile of the pictures, which only numbered pictures keep"
                        .to_owned(),
                });
            }
            // The parts of pictures are of another codec than the pictures themselves.
            let (encoder_name, parameters) = match picture_plan(spec, container, &format, video)? {
                Some(plan) => {
                    warnings.extend(plan.warnings);
                    (plan.encoder, plan.parameters)
                }
                None => (encoder.name, encoder.parameters),
            };
            let mut frames = clip.frames;
            for line in layout.pictures.iter().skip(1) {
                let more = clip_of(line, inputs.info(line)?)?.frames;
                frames = frames.zip(more).map(|(a, b)| a + b);
            }
            MediumPlan::Video(VideoPlan {
                stream: stream.index,
                segment_length: segment_length(video),
                frames_estimate: frames,
                container: container.extension().to_owned(),
                encoder: encoder_name,
                parameters,
                stretch: clip.stretch,
                upright: upright.is_some(),
                frame_rate: format.pace.frame_rate,
                joined,
                encoder_threads: None,
                sound,
            })
        }
    };
    let (matrix, guessed) = video.color.matrix_or_guess(video.width, video.height);
    let needs_matrix = ops.iter().any(|(_, op)| match op {
        Op::Color(_) | Op::Overlay(_) | Op::Text(_) | Op::Concat => true,
        op => manifest_of(op, models).is_ok_and(|manifest| {
            manifest.is_some_and(|m| m.input.color != frameloom_core::model::TensorColor::Luma)
        }),
    });
    let crosses = video.color.matrix_or_guess(format.width, format.height).0 != matrix;
    // Pictures are made of red, green and blue.
    let to_rgb = info.kind == MediaKind::Video && makes_pictures(spec);
    let yuv = ["yuv", "nv", "p0"];
    let has_matrix = yuv.iter().any(|name| video.pixel_format.starts_with(name));
    let needs_matrix = needs_matrix || crosses || (to_rgb && has_matrix);
    if guessed && info.kind == MediaKind::Video && needs_matrix {
        warnings.push(Warning::GuessedMatrix {
            matrix: format!("{matrix:?}").to_uppercase().replace("BT", "BT."),
        });
    }
    Ok(Plan {
        version: PLAN_VERSION,
        input: InputPrint::of(spec)?,
        models: uses,
        files,
        onnx,
        sizes: PictureSizes {
            input: (input.width, input.height),
            output: (format.width, format.height),
        },
        medium,
        warnings,
    })
}

/// What is found of the ONNX files that the nodes name.
fn onnx_of(layout: &Layout<'_>, models: &dyn Models) -> Result<Vec<OnnxUse>, EngineError> {
    let mut files: Vec<&OnnxParams> = Vec::new();
    for line in &layout.pictures {
        visit(line, &mut |step| {
            if let Op::Onnx(params) = step.op
                && !files.contains(&params)
            {
                files.push(params);
            }
        });
    }
    files
        .into_iter()
        .map(|params| {
            Ok(OnnxUse {
                params: params.clone(),
                manifest: models.onnx(params)?,
            })
        })
        .collect()
}

/// Models and files that the nodes name: a model's id, or a node with its file.
#[expect(clippy::type_complexity, reason = "one of the two, for each use")]
fn uses_of<'a>(
    layout: &Layout<'a>,
) -> Result<Vec<(Option<&'a String>, Option<(&'a str, &'a Path)>)>, EngineError> {
    let mut found = Vec::new();
    let mut texts = Vec::new();
    for line in &layout.pictures {
        visit(line, &mut |step| {
            if let Some(model) = model_of(step.op) {
                found.push((Some(model), None));
            }
            let file = match step.op {
                Op::Color(params) => params.lut.as_ref(),
                Op::Onnx(params) => Some(&params.path),
                Op::Text(params) => {
                    texts.extend(params.file.as_ref().map(|file| (step.id, file)));
                    params.file.as_ref()
                }
                _ => None,
            };
            if let Some(file) = file {
                found.push((None, Some((step.id, Path::new(file)))));
            }
        });
    }
    for (node, file) in texts {
        check_text_file(node, Path::new(file))?;
    }
    Ok(found)
}

/// What of a clip is read.
pub(crate) struct ClipOf {
    /// The stream of its pictures.
    pub stream: u32,
    pub stretch: Option<Stretch>,
    /// About how many frames.
    pub frames: Option<u64>,
}

/// What a line reads of its input.
pub(crate) fn clip_of(line: &Line<'_>, info: &MediaInfo) -> Result<ClipOf, EngineError> {
    let (stream, video) = info.main_video().ok_or_else(|| EngineError::Node {
        node: line.source.to_owned(),
        reason: "its file holds no pictures".to_owned(),
    })?;
    let stretch = stretch(&line.ops(), stream)?;
    let frames = frames_estimate(info, stream, video);
    Ok(ClipOf {
        stream: stream.index,
        frames: match stretch {
            Some(stretch) => frames_in(stretch, frames, stream, video),
            None => frames,
        },
        stretch,
    })
}

/// Lays clips one behind another; `None` where there is one. `pace` is that of the first when it
/// reaches the end of the graph.
fn join_clips(
    layout: &Layout<'_>,
    inputs: &Inputs<'_>,
    pace: Pace,
    joints: &mut Joints,
    warnings: &mut Vec<Warning>,
) -> Result<Option<Joined>, EngineError> {
    if layout.pictures.len() < 2 {
        return Ok(None);
    }
    // Fine enough for every clip: whole microseconds where their ticks have no small multiple.
    let mut time_base = pace.time_base;
    let mut clips = Vec::new();
    for line in &layout.pictures {
        let info = inputs.info(line)?;
        if info.kind == MediaKind::Still {
            return Err(EngineError::Node {
                node: line.source.to_owned(),
                reason: "a still picture has no length and cannot be joined with clips".to_owned(),
            });
        }
        let own = inputs.result(line, true, joints)?.pace.time_base;
        time_base = common_base(time_base, own);
        let clip = clip_of(line, info)?;
        let times = frameloom_media::frame_times(inputs.spec.path_of(line.input))?;
        let (from, to) = clip
            .stretch
            .map_or((None, None), |s| (s.from_ticks, s.to_ticks));
        let inside: Vec<i64> = times
            .ticks
            .iter()
            .copied()
            .filter(|&t| from.is_none_or(|from| t >= from) && to.is_none_or(|to| t < to))
            .collect();
        let (Some(&first), Some(&last)) = (inside.first(), inside.last()) else {
            return Err(EngineError::Node {
                node: line.source.to_owned(),
                reason: "no picture lies in that stretch of it".to_owned(),
            });
        };
        // The last picture is shown as long as pictures are on average, or until the next.
        let next = times.ticks.iter().copied().find(|&t| t > last);
        let mean = (last - first) / (inside.len() as i64 - 1).max(1);
        let rate = info.main_video().and_then(|(_, v)| v.frame_rate);
        let by_rate = rate
            .and_then(|rate| rate.ratio().recip())
            .and_then(|seconds| TimeBase::new(seconds.num, seconds.den))
            .map(|frame| Timestamp::new(1, frame).rescaled(times.time_base).ticks);
        let shown = by_rate.filter(|&t| t > 0).unwrap_or(mean.max(1));
        let end = next.unwrap_or(last.saturating_add(shown));
        let micros = |ticks| Timestamp::new(ticks, times.time_base).micros();
        clips.push((
            Timestamp::new(end - first, times.time_base),
            ClipPlan {
                input: line.input.to_owned(),
                stream: clip.stream,
                stretch: clip.stretch,
                at_ticks: 0,
                at_micros: 0,
                from_micros: micros(first),
                to_micros: micros(end),
            },
        ));
        let subtitles = info.streams.iter().any(|s| s.kind == StreamKind::Subtitle);
        let timed = subtitles || !info.chapters.is_empty();
        if timed && clips.len() > 1 {
            warnings.push(Warning::Dropped {
                what: format!("subtitles and chapters of `{}`", line.input),
            });
        }
    }
    // The first keeps the times that it has: what is copied of its file goes with them.
    let start = clips.first().map_or(0, |(_, clip)| clip.from_micros);
    let mut at = Timestamp::new(start, TimeBase::MICROS)
        .rescaled(time_base)
        .ticks;
    let first = at;
    let clips = clips
        .into_iter()
        .map(|(length, mut clip)| {
            clip.at_ticks = at;
            clip.at_micros = Timestamp::new(at - first, time_base).micros();
            at = at.saturating_add(length.rescaled(time_base).ticks.max(1));
            clip
        })
        .collect();
    Ok(Some(Joined { time_base, clips }))
}

/// Ticks that fit those of both as far as that is possible.
fn common_base(a: TimeBase, b: TimeBase) -> TimeBase {
    /// Finer ticks would not last for a day in the containers that count in 32 bits.
    const FINEST: i64 = 1_000_000;
    let (a, b) = (a.ratio(), b.ratio());
    if a == b {
        return TimeBase::new(a.num, a.den).unwrap_or(TimeBase::MICROS);
    }
    let gcd = |mut x: i64, mut y: i64| {
        while y != 0 {
            (x, y) = (y, x % y);
        }
        x.max(1)
    };
    (a.den / gcd(a.den, b.den))
        .checked_mul(b.den)
        .filter(|&den| den <= FINEST)
        .and_then(|den| TimeBase::new(1, den))
        .unwrap_or(TimeBase::MICROS)
}

/// The model that an operation names.
pub(crate) fn model_of(op: &Op) -> Option<&String> {
    match op {
        Op::Upscale { model } => Some(model),
        Op::Denoise(params) => params.model.as_ref(),
        _ => None,
    }
}

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
                | Op::Text(_)
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
fn makes_pictures(spec: &JobSpec) -> bool {
    Container::from_path(&spec.output).is_ok_and(Container::is_pictures)
}

/// What the container need not hold: what the user leaves out, and the turn of pictures that are
/// turned themselves.
pub(crate) fn left_out(spec: &JobSpec, stream: &StreamInfo) -> Vec<TrackChoice> {
    let mut list = spec.encode.drop.clone();
    if upright(spec, stream).is_some() && !list.contains(&TrackChoice::Rotation) {
        list.push(TrackChoice::Rotation);
    }
    list
}

/// True if the first of numbered pictures has a colour profile.
fn has_profile(spec: &JobSpec) -> Result<bool, EngineError> {
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
fn picture_plan(
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
        let what = format!(
            "pictures of high dynamic range cannot go into {}, which could not say what they mean; \
             name the result .png",
            still.name()
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
    Ok(Some(AnimationPlan {
        encoder: still.extension().to_owned(),
        parameters: Vec::new(),
        warnings: Vec::new(),
    }))
}

/// What is done about fields.
fn field_warning(ops: &[(&str, &Op)], video: &VideoInfo) -> Option<Warning> {
    let deinterlace = ops.iter().find_map(|(_, op)| match op {
        Op::Deinterlace(params) => Some(params),
        _ => None,
    });
    match deinterlace {
        Some(params) => Some(Warning::Deinterlaced {
            doubles_rate: params.rate == DeinterlaceRate::Field,
        }),
        None => video
            .field_order
            .is_interlaced()
            .then_some(Warning::Interlaced),
    }
}

/// The stretch that a `trim` node keeps.
fn stretch(ops: &[(&str, &Op)], stream: &StreamInfo) -> Result<Option<Stretch>, EngineError> {
    let mut found = None;
    for (place, (node, op)) in ops.iter().enumerate() {
        let Op::Trim(params) = op else { continue };
        // Behind the source: what is cut away is not even read.
        if place != 0 {
            return Err(EngineError::Node {
                node: (*node).to_owned(),
                reason: "put it right after the source; a graph has one trim".to_owned(),
            });
        }
        let base = stream.time_base.ratio();
        let start = stream.start_ticks.unwrap_or(0);
        // The first tick that is not earlier.
        let ticks = |seconds: Rational| {
            let num = i128::from(seconds.num) * i128::from(base.den);
            let den = i128::from(seconds.den) * i128::from(base.num);
            let up = num.div_euclid(den) + i128::from(num.rem_euclid(den) != 0);
            i64::try_from(up).unwrap_or(i64::MAX).saturating_add(start)
        };
        let micros = |seconds: Rational| {
            let whole = i128::from(seconds.num) * 1_000_000 / i128::from(seconds.den);
            Timestamp::new(start, stream.time_base)
                .micros()
                .saturating_add(i64::try_from(whole).unwrap_or(i64::MAX))
        };
        found = Some(Stretch {
            from_ticks: params.start.map(ticks),
            to_ticks: params.end.map(ticks),
            from_micros: micros(params.start.unwrap_or(Rational { num: 0, den: 1 })),
            to_micros: params.end.map(micros),
        });
    }
    Ok(found)
}

/// The clips that are shown, in order. Their time is that of the first one's file.
pub(crate) fn spans(
    stream: &StreamInfo,
    stretch: Option<Stretch>,
    joined: Option<&Joined>,
    main: &str,
) -> Vec<ClipSpan> {
    if let Some(joined) = joined {
        let start = joined.clips.first().map_or(0, |clip| clip.from_micros);
        let clips = joined.clips.iter().map(|clip| ClipSpan {
            input: clip.input.clone(),
            from_micros: clip.from_micros,
            to_micros: Some(clip.to_micros),
            at_micros: start.saturating_add(clip.at_micros),
        });
        return clips.collect();
    }
    let start = Timestamp::new(stream.start_ticks.unwrap_or(0), stream.time_base).micros();
    let from_micros = stretch.map_or(start, |stretch| stretch.from_micros);
    vec![ClipSpan {
        input: main.to_owned(),
        from_micros,
        to_micros: stretch.and_then(|stretch| stretch.to_micros),
        at_micros: from_micros,
    }]
}

/// About how many frames lie in a stretch.
fn frames_in(
    stretch: Stretch,
    all: Option<u64>,
    stream: &StreamInfo,
    video: &VideoInfo,
) -> Option<u64> {
    let rate = video.frame_rate?.ratio().to_f64();
    let seconds = |ticks: i64| ticks as f64 * stream.time_base.ratio().to_f64();
    let start = stream.start_ticks.unwrap_or(0);
    let from = seconds(stretch.from_ticks.unwrap_or(start) - start);
    let length = all.map(|frames| frames as f64 / rate);
    let to = match (stretch.to_ticks, length) {
        (Some(to), Some(length)) => seconds(to - start).min(length),
        (Some(to), None) => seconds(to - start),
        (None, length) => length?,
    };
    Some(((to - from).max(0.0) * rate).round() as u64)
}

impl Plan {
    /// Checks that the plan is one of this program's, and that input, other files and models are
    /// still those of the plan.
    ///
    /// # Errors
    /// [`EngineError::PlanVersion`], [`EngineError::InputChanged`] or
    /// [`EngineError::ModelChanged`], by name.
    pub fn check_unchanged(&self, input: &Path, models: &dyn Models) -> Result<(), EngineError> {
        if self.version == 0 || self.version > PLAN_VERSION {
            return Err(EngineError::PlanVersion {
                found: self.version,
            });
        }
        self.input.check(input)?;
        for (path, print) in &self.files {
            print.check(path)?;
        }
        let of_file = |id: &str| self.onnx.iter().any(|file| file.manifest.id == id);
        // Files are among those above.
        for model in self.models.iter().filter(|model| !of_file(&model.id)) {
            if models.manifest(&model.id)?.sha256 != model.sha256 {
                return Err(EngineError::ModelChanged {
                    id: model.id.clone(),
                });
            }
        }
        Ok(())
    }
}

/// What the probe says of the picture. The real pixel layout is known only from the first frame;
/// until then 4:2:0 stands in, which none of the sizes depends on.
fn picture_format(stream: &StreamInfo, video: &VideoInfo, kind: MediaKind) -> PictureFormat {
    let yuv = frameloom_core::pixel::PixelFormat::YUV420P8;
    PictureFormat {
        width: video.width,
        height: video.height,
        pixels: frameloom_core::pixel::PixelFormat {
            planes: match video.pixel_format.as_str() {
                // Pictures are worked on as they are read: in full resolution of colour.
                _ if kind == MediaKind::Still => frameloom_core::pixel::Planes::Gbr,
                name if name.starts_with("gray") => frameloom_core::pixel::Planes::Gray,
                _ => yuv.planes,
            },
            bits: video.bit_depth.clamp(8, 16),
            alpha: video.alpha,
        },
        color: video.color.clone(),
        sample_aspect_ratio: video.sample_aspect_ratio,
        pace: if kind == MediaKind::Still {
            Pace::STILL
        } else {
            Pace {
                time_base: stream.time_base,
                frame_rate: video.frame_rate,
            }
        },
    }
}

/// About five seconds: what a kill may cost, and long enough that the key frame at each cut does
/// not weigh.
fn segment_length(video: &VideoInfo) -> SegmentLength {
    let fps = video
        .frame_rate
        .map_or(25.0, |rate| rate.ratio().to_f64().clamp(1.0, 240.0));
    SegmentLength::new(((fps * 5.0).round() as u64).clamp(24, 300))
}

fn frames_estimate(info: &MediaInfo, stream: &StreamInfo, video: &VideoInfo) -> Option<u64> {
    if let Some(count) = stream.frame_count.filter(|&count| count > 0) {
        return Some(count);
    }
    let micros = stream
        .duration_ticks
        .map(|ticks| frameloom_core::time::Timestamp::new(ticks, stream.time_base).micros())
        .or(info.duration_micros)?;
    let fps = video.frame_rate?.ratio().to_f64();
    let frames = (micros as f64 / 1e6 * fps).round();
    (frames >= 1.0).then_some(frames as u64)
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
    EncoderSpec {
        codec: encode.codec,
        quality: encode.quality,
        container,
        width: format.width,
        height: format.height,
        format: format.pixels,
        time_base: format.pace.time_base,
        frame_rate: format.pace.frame_rate,
        color,
        sample_aspect_ratio: positive(format.sample_aspect_ratio),
        threads,
        hdr,
    }
}

fn positive(ratio: Rational) -> Rational {
    if ratio.num > 0 {
        ratio
    } else {
        Rational { num: 1, den: 1 }
    }
}
