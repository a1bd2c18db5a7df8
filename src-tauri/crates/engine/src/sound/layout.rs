//! From the wires to tracks: which are there, in which order, copied or worked out.

use super::captions;
use super::{ClipSpan, Making, Sound, SoundPlan, SoundStep, TrackPlan, node_error};
use crate::EngineError;
use crate::plan::InputPrint;
use frameloom_core::graph::{Captions, Layout, Op, SubtitleTrackParams, TrackShow, Tracks};
use frameloom_core::job::{JobSpec, TrackChoice};
use frameloom_core::media::{MediaInfo, StreamInfo, StreamKind, Warning};
use frameloom_core::said;
use frameloom_core::time::{TimeBase, Timestamp};
use frameloom_media::{
    Container, SoundReader, SoundSource, WantedTrack, check_count, check_tracks, plan_sound_encoder,
};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// What a plan of sound is made from.
pub(crate) struct Request<'a> {
    /// The job.
    pub spec: &'a JobSpec,
    /// Its graph.
    pub layout: &'a Layout<'a>,
    /// Probe of the main input.
    pub main: &'a MediaInfo,
    /// Container of the result.
    pub container: Container,
    /// The clips that are shown, in order.
    pub clips: &'a [ClipSpan],
    /// Something inside of the main input is left out, or it lasts longer: its sound cannot be copied.
    pub is_changed: bool,
    /// The result holds nothing else: what its file cannot hold as it is, is encoded.
    pub is_alone: bool,
    /// What of the main input is left out.
    pub drop: &'a [TrackChoice],
}

/// A plan of sound with what belongs to it.
pub(crate) struct Planned {
    /// The plan.
    pub plan: SoundPlan,
    /// What the user should know.
    pub warnings: Vec<Warning>,
    /// Files that take part besides the inputs, as they are.
    pub files: Vec<(PathBuf, InputPrint)>,
}

/// A track on its way through the nodes.
#[derive(Clone)]
struct Track {
    sound: Sound,
    /// The stream that it begins with.
    stream: StreamInfo,
    /// What it is now; found out when something is done to it, and so only of tracks that are not
    /// copied.
    source: Option<SoundSource>,
    /// What is wanted of lines that are written anew.
    written: Option<SubtitleTrackParams>,
    tags: BTreeMap<String, String>,
    dispositions: Vec<String>,
}

/// Lays down the tracks of a result; `None` where the graph says nothing of sound and subtitles.
///
/// # Errors
/// An input without the sound that is asked for, tracks that the container cannot hold, a codec
/// that cannot be read or written.
pub(crate) fn plan_sound(request: &Request<'_>) -> Result<Option<Planned>, EngineError> {
    let Layout {
        sound, subtitles, ..
    } = request.layout;
    let mut planner = Planner {
        request,
        main: request.layout.main_input(),
        inputs: BTreeMap::new(),
        warnings: Vec::new(),
        files: Vec::new(),
    };
    // Clips that are joined bring their sound along, unless it is led elsewhere.
    let implied = match sound {
        None => planner.implied()?,
        Some(_) => None,
    };
    let sound = sound.as_ref().or(implied.as_ref());
    if sound.is_none() && subtitles.is_none() {
        return Ok(None);
    }
    let tracks = match sound {
        Some(tracks) => Some(planner.tracks(tracks, "sink", false)?),
        None => None,
    };
    let captions = match subtitles {
        Some(list) => Some(planner.subtitles(list)?),
        None => None,
    };
    planner.check_fit(tracks.iter().chain(&captions).flatten())?;
    planner.check_count(tracks.iter().flatten())?;
    let sound = tracks.map(|list| planner.finished(list)).transpose()?;
    let subtitles = captions.map(|list| planner.finished(list)).transpose()?;
    let mut origins = BTreeMap::new();
    for (name, info) in &planner.inputs {
        let path = request.spec.path_of(name);
        origins.insert(name.clone(), origin_of(path, info)?);
    }
    Ok(Some(Planned {
        plan: SoundPlan {
            sound,
            subtitles,
            ends: request.layout.sound_ends,
            origins,
        },
        warnings: planner.warnings,
        files: planner.files,
    }))
}

struct Planner<'a> {
    request: &'a Request<'a>,
    main: &'a str,
    /// Probes of the other inputs.
    inputs: BTreeMap<String, MediaInfo>,
    warnings: Vec<Warning>,
    files: Vec<(PathBuf, InputPrint)>,
}

impl<'a> Planner<'a> {
    /// The sound of clips that are joined, or of one that is cut or slowed down; `None` where it can be copied, there
    /// is no sound, or none is wanted.
    fn implied(&mut self) -> Result<Option<Tracks<'a>>, EngineError> {
        let request = self.request;
        if request.is_changed && request.layout.pictures.len() < 2 {
            let heard = !self.streams(self.main, StreamKind::Audio)?.is_empty();
            return Ok(heard.then_some(Tracks::Input(self.main)));
        }
        if request.is_alone && request.layout.pictures.len() < 2 {
            let is_wanted = !request.drop.contains(&TrackChoice::Audio);
            return Ok(is_wanted.then_some(Tracks::Input(self.main)));
        }
        let first = request.layout.pictures.first();
        let joint = first.and_then(|line| {
            let is_joint = |step: &&frameloom_core::graph::Step<'_>| matches!(step.op, Op::Concat);
            line.steps.iter().rfind(is_joint)
        });
        let Some(joint) = joint.filter(|_| !request.drop.contains(&TrackChoice::Audio)) else {
            return Ok(None);
        };
        let clips = request.layout.pictures.iter().map(|line| line.input);
        let mut heard = false;
        for input in clips.clone() {
            heard |= !self.streams(input, StreamKind::Audio)?.is_empty();
        }
        Ok(heard.then(|| Tracks::Node {
            id: joint.id,
            op: joint.op,
            of: clips.map(Tracks::Input).collect(),
        }))
    }

    fn info(&mut self, input: &str) -> Result<MediaInfo, EngineError> {
        let path = self.request.spec.path_of(input);
        if input == self.main || path == self.request.spec.input {
            return Ok(self.request.main.clone());
        }
        if let Some(info) = self.inputs.get(input) {
            return Ok(info.clone());
        }
        let info = match self.request.spec.pictures_of(input) {
            Some(run) => frameloom_media::probe_pictures(path, run)?,
            None => frameloom_media::probe(path)?,
        };
        self.inputs.insert(input.to_owned(), info.clone());
        Ok(info)
    }

    fn is_main(&self, input: &str) -> bool {
        input == self.main || self.request.spec.path_of(input) == self.request.spec.input
    }

    /// Streams of an input of one kind, without those that the user leaves out.
    fn streams(&mut self, input: &str, kind: StreamKind) -> Result<Vec<StreamInfo>, EngineError> {
        let all = match kind {
            StreamKind::Audio => TrackChoice::Audio,
            _ => TrackChoice::Subtitles,
        };
        let drop = if self.is_main(input) {
            self.request.drop
        } else {
            &[]
        };
        let streams = self.info(input)?.streams.into_iter().filter(|stream| {
            stream.kind == kind
                && !drop.contains(&all)
                && !drop.contains(&TrackChoice::Stream(stream.index))
        });
        Ok(streams.collect())
    }

    fn of_input(&mut self, input: &str, kind: StreamKind) -> Result<Vec<Track>, EngineError> {
        let streams = self.streams(input, kind)?;
        let tracks = streams.into_iter().map(|stream| Track {
            sound: Sound::Stream {
                input: input.to_owned(),
                stream: stream.index,
            },
            source: None,
            written: None,
            tags: stream.tags.clone(),
            dispositions: stream.dispositions.clone(),
            stream,
        });
        let mut tracks: Vec<Track> = tracks.collect();
        // Packets of sound are too long to be cut between them, and last as long as they do.
        let is_changed = self.request.is_changed && self.is_main(input);
        for track in &mut tracks {
            let is_unfit = self.request.is_alone && !self.request.container.holds(&track.stream);
            if kind == StreamKind::Audio && (is_changed || is_unfit) {
                track.source = Some(self.source(track)?);
            }
        }
        Ok(tracks)
    }

    /// The tracks that come out of a place in the graph. `asker` is the node that wants them.
    fn tracks(
        &mut self,
        tracks: &Tracks<'_>,
        asker: &str,
        may_lack: bool,
    ) -> Result<Vec<Track>, EngineError> {
        match tracks {
            Tracks::Input(name) => {
                let found = self.of_input(name, StreamKind::Audio)?;
                if found.is_empty() && !may_lack {
                    return Err(node_error(
                        asker,
                        said!(
                            "sound.no_sound",
                            "the input `{name}` has no sound; take its wire away, or give another file for it",
                            name = *name
                        ),
                    ));
                }
                Ok(found)
            }
            Tracks::Node {
                id,
                op: Op::Concat,
                of,
            } => self.joined(id, of),
            Tracks::Node { id, op, of } => {
                let mut list = Vec::new();
                for tracks in of {
                    list.extend(self.tracks(tracks, id, may_lack)?);
                }
                match op {
                    Op::Loudness(params) => {
                        let step = SoundStep::Loudness(*params);
                        self.each(id, list, &step)
                    }
                    Op::AudioDenoise(params) => {
                        if let Some(model) = &params.model {
                            let path = PathBuf::from(model);
                            let print = InputPrint::take(&path)
                                .map_err(|error| node_error(id, error.said()))?;
                            self.files.push((path, print));
                        }
                        let step = SoundStep::Denoise(params.clone());
                        self.each(id, list, &step)
                    }
                    Op::AudioRedact(params) => {
                        super::cover::check(&params.ranges).map_err(|why| node_error(id, why))?;
                        let step = SoundStep::Redact(params.clone());
                        self.each(id, list, &step)
                    }
                    Op::SplitChannels(params) => {
                        let mut split = Vec::new();
                        for track in list {
                            split.extend(self.split(id, params.channels.as_deref(), track)?);
                        }
                        Ok(split)
                    }
                    _ => Ok(list),
                }
            }
        }
    }

    /// Puts a step behind every track.
    fn each(
        &mut self,
        node: &str,
        list: Vec<Track>,
        step: &SoundStep,
    ) -> Result<Vec<Track>, EngineError> {
        list.into_iter()
            .map(|track| {
                let source = self.source(&track)?;
                Ok(Track {
                    sound: Sound::Step {
                        node: node.to_owned(),
                        step: step.clone(),
                        of: Box::new(track.sound.clone()),
                    },
                    source: Some(source),
                    ..track
                })
            })
            .collect()
    }

    fn split(
        &mut self,
        node: &str,
        wanted: Option<&str>,
        track: Track,
    ) -> Result<Vec<Track>, EngineError> {
        let source = self.source(&track)?;
        let names = source.format.channel_names()?;
        let chosen: Vec<usize> = match wanted {
            None => (0..names.len()).collect(),
            Some(list) => list
                .split(',')
                .map(str::trim)
                .filter(|name| !name.is_empty())
                .map(|name| {
                    let found = names.iter().position(|n| n.eq_ignore_ascii_case(name));
                    found.ok_or_else(|| {
                        node_error(
                            node,
                            said!(
                                "sound.no_channel",
                                "there is no channel `{name}`; the sound has {names}",
                                name = name,
                                names = names.join(", ")
                            ),
                        )
                    })
                })
                .collect::<Result<_, _>>()?,
        };
        let count = names.len().max(1) as u64;
        Ok(chosen
            .into_iter()
            .map(|index| {
                let mut one = track.clone();
                one.sound = Sound::Step {
                    node: node.to_owned(),
                    step: SoundStep::Channel {
                        index: index as u32,
                    },
                    of: Box::new(track.sound.clone()),
                };
                let mut source = source.clone();
                source.format.layout = "mono".to_owned();
                // A channel of its own is coded without what its neighbours have in common.
                source.bit_rate = source.bit_rate.map(|rate| rate * 3 / 2 / count);
                one.source = Some(source);
                one.tags.insert("title".to_owned(), names[index].clone());
                one.tags.remove("handler_name");
                one
            })
            .collect())
    }

    /// The sound of one clip after another.
    fn joined(&mut self, node: &str, wires: &[Tracks<'_>]) -> Result<Vec<Track>, EngineError> {
        let clips: Vec<&str> = self
            .request
            .clips
            .iter()
            .map(|c| c.input.as_str())
            .collect();
        let mut of_clip: Vec<Option<&Tracks<'_>>> = vec![None; clips.len()];
        if wires.len() == clips.len() {
            of_clip = wires.iter().map(Some).collect();
        } else {
            // Fewer wires than clips: each belongs to the clip of its input.
            for wire in wires {
                let place = clips.iter().enumerate().position(|(place, input)| {
                    of_clip[place].is_none() && begins_with(wire, input)
                });
                let Some(place) = place else {
                    return Err(node_error(
                        node,
                        said!(
                            "sound.counts",
                            "{clips} clips are shown and {sounds} sounds are given; give each clip its sound, in the same order",
                            clips = clips.len(),
                            sounds = wires.len()
                        ),
                    ));
                };
                of_clip[place] = Some(wire);
            }
        }
        let mut lists = Vec::new();
        for wire in of_clip {
            lists.push(match wire {
                Some(wire) => self.tracks(wire, node, true)?,
                None => Vec::new(),
            });
        }
        let count = lists.iter().map(Vec::len).max().unwrap_or(0);
        if count == 0 {
            return Err(node_error(
                node,
                said!(
                    "sound.none",
                    "none of the clips has sound; take the wires of sound away"
                ),
            ));
        }
        let mut joined = Vec::new();
        for number in 0..count {
            let pieces: Vec<Option<&Track>> = lists.iter().map(|list| list.get(number)).collect();
            for (clip, piece) in pieces.iter().enumerate() {
                if piece.is_none() {
                    self.warnings.push(Warning::SoundMissing {
                        clip: clip as u32 + 1,
                        track: number as u32 + 1,
                    });
                }
            }
            let Some(first) = pieces.iter().flatten().next() else {
                continue;
            };
            let source = self.source(first)?;
            joined.push(Track {
                sound: Sound::Joined {
                    clips: pieces.iter().map(|p| p.map(|t| t.sound.clone())).collect(),
                },
                source: Some(source),
                ..(*first).clone()
            });
        }
        Ok(joined)
    }

    /// Rate, layout and codec of a track, which the first decoded samples tell.
    fn source(&self, track: &Track) -> Result<SoundSource, EngineError> {
        if let Some(source) = &track.source {
            return Ok(source.clone());
        }
        let Sound::Stream { input, stream } = &track.sound else {
            return Err(node_error("sink", "a track has no source"));
        };
        let path = self.request.spec.path_of(input);
        let reader = SoundReader::open(path, *stream, &Default::default())?;
        let mut source = reader.source();
        source.bit_rate = source.bit_rate.or(track.stream.bit_rate);
        Ok(source)
    }

    fn subtitles(&mut self, wanted: &[Captions<'_>]) -> Result<Vec<Track>, EngineError> {
        let mut list = Vec::new();
        for Captions {
            input: name,
            written,
        } in wanted
        {
            if let Some((node, params)) = written {
                let found = self.streams(name, StreamKind::Subtitle)?;
                list.push(self.written(node, name, params, found)?);
                continue;
            }
            let found = self.of_input(name, StreamKind::Subtitle)?;
            if found.is_empty() {
                return Err(no_subtitles("sink", name));
            }
            list.extend(found);
        }
        // The one that is to be shown is the only one.
        let is_shown = |track: &Track| {
            let written = track.written.as_ref();
            written.is_some_and(|params| params.show == TrackShow::Always)
        };
        if list.iter().any(is_shown) {
            let others = list.iter_mut().filter(|track| !is_shown(track));
            others.for_each(|track| track.dispositions.retain(|name| name != "default"));
        }
        Ok(list)
    }

    /// A track whose lines are written anew, of those that its input has.
    fn written(
        &mut self,
        node: &str,
        input: &str,
        params: &SubtitleTrackParams,
        found: Vec<StreamInfo>,
    ) -> Result<Track, EngineError> {
        let path = self.request.spec.path_of(input);
        let read = captions::read(
            node,
            path,
            params,
            self.request.container,
            &Default::default(),
        )?;
        if read.unreadable > 0 {
            let count = read.unreadable as u64;
            self.warnings.push(Warning::LinesUnreadable { count });
        }
        if read.before_zero > 0 {
            let count = read.before_zero as u64;
            self.warnings.push(Warning::LinesTooEarly { count });
        }
        let mut tags = BTreeMap::new();
        if let Some(language) = read.language {
            tags.insert("language".to_owned(), language);
        }
        if let Some(title) = &params.title {
            tags.insert("title".to_owned(), title.clone());
        }
        let is_it = |stream: &StreamInfo| params.track.is_none_or(|index| index == stream.index);
        let stream = found.into_iter().find(is_it);
        let stream = stream.ok_or_else(|| no_subtitles(node, input))?;
        Ok(Track {
            sound: Sound::Stream {
                input: input.to_owned(),
                stream: stream.index,
            },
            source: None,
            written: Some(params.clone()),
            tags,
            dispositions: match params.show == TrackShow::Always {
                true => vec!["default".to_owned()],
                false => Vec::new(),
            },
            stream,
        })
    }

    /// The moment from which the lines of an input are counted, in microseconds of its time.
    fn origin_of_lines(&mut self, input: &str) -> Result<i64, EngineError> {
        let info = self.info(input)?;
        match info.main_video() {
            Some(_) => origin_of(self.request.spec.path_of(input), &info),
            None => Ok(0),
        }
    }

    /// Refuses copied tracks that the container cannot hold.
    fn check_fit<'t>(&self, tracks: impl Iterator<Item = &'t Track>) -> Result<(), EngineError> {
        let copied: Vec<WantedTrack<'_>> = tracks
            .filter_map(|track| match &track.sound {
                Sound::Stream { input, .. }
                    if track.source.is_none() && track.written.is_none() =>
                {
                    Some(WantedTrack {
                        input: (!self.is_main(input)).then_some(input.as_str()),
                        stream: &track.stream,
                    })
                }
                _ => None,
            })
            .collect();
        let request = self.request;
        Ok(check_tracks(
            &copied,
            request.container,
            request.main,
            request.drop,
        )?)
    }

    /// Refuses more tracks than the container's players find.
    fn check_count<'t>(&self, tracks: impl Iterator<Item = &'t Track>) -> Result<(), EngineError> {
        let wanted: Vec<WantedTrack<'_>> = tracks
            .map(|track| WantedTrack {
                input: match &track.sound {
                    Sound::Stream { input, .. } if !self.is_main(input) => Some(input.as_str()),
                    _ => None,
                },
                stream: &track.stream,
            })
            .collect();
        Ok(check_count(&wanted, self.request.container)?)
    }

    /// Chooses encoders, and leaves one track the default.
    fn finished(&mut self, list: Vec<Track>) -> Result<Vec<TrackPlan>, EngineError> {
        let mut has_default = false;
        let mut plans = Vec::new();
        for (number, track) in list.into_iter().enumerate() {
            let mut dispositions = track.dispositions;
            dispositions.retain(|name| {
                let is_default = name == "default";
                let keep = !(is_default && has_default);
                has_default |= is_default;
                keep
            });
            let making = match (track.sound, track.source) {
                (Sound::Stream { input, stream }, None) => match track.written {
                    Some(params) => Making::Written {
                        origin_micros: self.origin_of_lines(&input)?,
                        input,
                        params,
                    },
                    None => Making::Copied { input, stream },
                },
                (sound, Some(source)) => {
                    let request = self.request;
                    let quality = request.spec.encode.quality;
                    let encoder = plan_sound_encoder(&source, request.container, quality)?;
                    self.warnings.push(Warning::SoundEncoded {
                        track: number as u32 + 1,
                        codec: encoder.codec.clone(),
                        bit_rate: encoder.bit_rate,
                    });
                    Making::WorkedOut { sound, encoder }
                }
                (_, None) => return Err(node_error("sink", "a track has no source")),
            };
            plans.push(TrackPlan {
                making,
                tags: track.tags,
                dispositions,
            });
        }
        Ok(plans)
    }
}

/// The moment of an input that is heard with the first picture: that of its own first picture, or where
/// it has none, its first sample; in microseconds of its time. Subtitles alone count from zero.
///
/// # Errors
/// The file cannot be read, or nothing of its sound can be decoded.
pub fn origin_of(path: &Path, info: &MediaInfo) -> Result<i64, EngineError> {
    if let Some((stream, _)) = info.main_video() {
        let ticks = stream.start_ticks.unwrap_or(0);
        return Ok(Timestamp::new(ticks, stream.time_base).micros());
    }
    first_sample(path, info)
}

/// When the first sample of any track of a file is heard, in microseconds of its time; 0 where it has no
/// sound.
pub(crate) fn first_sample(path: &Path, info: &MediaInfo) -> Result<i64, EngineError> {
    let mut first: Option<i64> = None;
    for stream in info.streams.iter().filter(|s| s.kind == StreamKind::Audio) {
        let reader = SoundReader::open(path, stream.index, &Default::default())?;
        let rate = i64::from(reader.format().rate);
        let base = TimeBase::new(1, rate).unwrap_or(TimeBase::MICROS);
        let micros = Timestamp::new(reader.start(), base).micros();
        first = Some(first.map_or(micros, |other| other.min(micros)));
    }
    Ok(first.unwrap_or(0))
}

fn no_subtitles(node: &str, input: &str) -> EngineError {
    node_error(
        node,
        said!(
            "sound.no_subtitles",
            "the input `{name}` has no subtitles; take its wire away, or give another file for it",
            name = input
        ),
    )
}

/// True if sound of this input, and of no other, leads here.
fn begins_with(tracks: &Tracks<'_>, input: &str) -> bool {
    match tracks {
        Tracks::Input(name) => *name == input,
        Tracks::Node { of, .. } => !of.is_empty() && of.iter().all(|t| begins_with(t, input)),
    }
}
