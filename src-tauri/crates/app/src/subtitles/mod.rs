//! Subtitles that are text: burned into a clip, written in another format, added to a copy as a track.
//!
//! Burning changes pictures, and is a job, and so is adding a track: it waits in the queue and gets a
//! receipt. Writing another format takes as long as reading the file does.

mod files;

pub use files::{AddedSubtitles, SavedSubtitles};
pub use frameloom_media::SubtitleFormat;

use crate::background::Behind;
use crate::presets::{self, Work};
use crate::request::{absolute_input, shown};
use crate::{Span, UpscaleRequest, explain, fields, inputs};
use frameloom_core::error::{AppError, ErrorCode};
use frameloom_core::graph::{
    Anchor, Edge, Graph, MuxEnd, MuxParams, Node, Op, SourceParams, SubtitleTrackParams,
    SubtitlesParams, TrackShow,
};
use frameloom_core::job::TrackChoice;
use frameloom_core::media::{MediaInfo, StreamKind, VideoInfo};
use frameloom_core::said;
use frameloom_core::said::Said;
use frameloom_core::subtitles::Retime;
use frameloom_core::time::Rational;
use frameloom_media::{Container, FieldReport, ReadSubtitles, Subtitles, read_subtitles};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use ts_rs::TS;

/// Which subtitles are taken, when they are shown, and how they look where they are burned in. What is
/// left open is as usual.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, TS)]
#[serde(default)]
pub struct SubtitleWish {
    /// Whether they become part of the pictures, or a track.
    pub place: SubtitlePlace,
    /// A file of subtitles, or a clip with a track of text; the clip itself where `None`.
    #[ts(type = "string | null")]
    pub file: Option<PathBuf>,
    /// Index of the stream in that file; the first one with text where `None`.
    pub track: Option<u32>,
    /// Character set of a file of subtitles; UTF-8, or UTF-16 with its mark, where `None`.
    pub charset: Option<String>,
    /// Seconds by which all of it comes later; earlier where negative.
    pub shift: Option<Rational>,
    /// What all times are multiplied by, before they are shifted.
    pub stretch: Option<Rational>,
    /// Language of a track, by two or three letters; that of the file where `None`.
    pub language: Option<String>,
    /// Name of a track in a player's menu.
    pub title: Option<String>,
    /// When players show a track.
    pub show: TrackShow,
    /// Family of the font.
    pub font: Option<String>,
    /// Height of a line in percent of the picture's height.
    pub size: Option<f64>,
    /// `#rrggbb`.
    pub color: Option<String>,
    /// Colour of the outline, `#rrggbb`.
    pub outline_color: Option<String>,
    /// Width of the outline in percent of the size of the text.
    pub outline: Option<f64>,
    /// Colour of a box behind the text, `#rrggbb`; none where `None`.
    #[serde(rename = "box")]
    pub back: Option<String>,
    /// Where they lie; below where `None`.
    pub anchor: Option<Anchor>,
    /// Distance from the edges in percent of the picture's height.
    pub margin: Option<f64>,
}

/// Where subtitles go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum SubtitlePlace {
    /// They are burned into the pictures.
    #[default]
    Pictures,
    /// They become a track beside those that are there.
    Track,
}

/// Name of the input that is a file of subtitles, and of the nodes on its way.
const TEXT: &str = "text";

fn invalid(message: impl Into<Said>) -> AppError {
    AppError::new(ErrorCode::InvalidRequest, message)
}

impl SubtitleWish {
    /// How times change.
    fn retime(&self) -> Result<Retime, AppError> {
        Retime::new(self.shift, self.stretch).ok_or_else(|| {
            invalid(said!(
                "subtitles.retime",
                "subtitles are shifted by two days at most, and stretched to a hundredth or a hundred times"
            ))
            .hint("Choose another time, or leave it out.")
        })
    }

    /// Reads the file, or `input` where none is named, with the times that are wanted; gives also how
    /// many lines would be over before zero.
    fn read(&self, input: &Path) -> Result<(Subtitles, usize), AppError> {
        let retime = self.retime()?;
        let wish = ReadSubtitles {
            track: self.track,
            charset: self.charset.as_deref(),
        };
        let mut subtitles = read_subtitles(input, wish, &Default::default())
            .map_err(|error| explain::media(&error))?;
        let gone = subtitles.retime(retime);
        if subtitles.cues.is_empty() {
            return Err(invalid(said!(
                "subtitles.all_before",
                "all of its lines would be over before the first picture; shift them less"
            ))
            .hint("Choose another shift."));
        }
        Ok((subtitles, gone))
    }

    /// The shift of a node, which counts from the first picture that is taken.
    fn shift_in(&self, span: Option<Span>) -> Result<Option<Rational>, AppError> {
        let from = span.map(|span| span.from_micros).filter(|&from| from != 0);
        Ok(match from {
            Some(from) => {
                let own = self.retime()?.shift_micros;
                Rational::new(own.saturating_sub(from), 1_000_000)
            }
            None => self.shift,
        })
    }

    /// The node that burns them into `input`, of which `span` is taken.
    fn node(&self, input: &Path, span: Option<Span>) -> Result<SubtitlesParams, AppError> {
        self.retime()?;
        let file = match &self.file {
            Some(file) => absolute_input(file)?,
            None => input.to_path_buf(),
        };
        let path = file.to_str().ok_or_else(|| {
            invalid(said!(
                "name.no_text",
                "The name `{path}` is not valid Unicode.",
                path = file.display()
            ))
            .hint("Rename it.")
        })?;
        let usual = SubtitlesParams::new(path);
        let shift = self.shift_in(span)?;
        Ok(SubtitlesParams {
            track: self.track,
            charset: self.charset.clone(),
            shift,
            stretch: self.stretch,
            font: self.font.clone(),
            size: self.size.unwrap_or(usual.size),
            color: self.color.clone().unwrap_or(usual.color),
            outline_color: self.outline_color.clone().unwrap_or(usual.outline_color),
            outline: self.outline.unwrap_or(usual.outline),
            back: self.back.clone(),
            anchor: self.anchor.unwrap_or(usual.anchor),
            margin: self.margin.unwrap_or(usual.margin),
            file: usual.file,
        })
    }
}

/// What a request for subtitles comes to, and the file that takes part. `first` is the stretch that is
/// taken.
///
/// # Errors
/// Nothing that can be drawn is asked for; a track without a file.
pub(crate) fn adding(
    request: &UpscaleRequest,
    first: Option<Op>,
    (input, info): (&Path, &MediaInfo),
    video: &VideoInfo,
    report: Option<FieldReport>,
) -> Result<(Work, Option<Behind>), AppError> {
    presets::check_settings(request.preset.preset(), request)?;
    let wish = request.subtitles.clone().unwrap_or_default();
    let span = request.span.filter(|_| first.is_some());
    let mut ops: Vec<Op> = first.into_iter().collect();
    let size = Some(shown(video, (video.width, video.height)));
    let ending = presets::ending_of(request.preset.preset(), request)?;
    if wish.place == SubtitlePlace::Track {
        let file = wish.file.as_ref().ok_or_else(no_file)?;
        let params = SubtitleTrackParams {
            track: wish.track,
            charset: wish.charset.clone(),
            shift: wish.shift_in(span)?,
            stretch: wish.stretch,
            language: wish.language.clone(),
            title: wish.title.clone(),
            show: wish.show,
        };
        let mut graph = Graph::chain(ops);
        let is_dropped = |choice| request.drop.contains(&choice);
        let has_own = !is_dropped(TrackChoice::Subtitles)
            && info.streams.iter().any(|stream| {
                let choice = TrackChoice::Stream(stream.index);
                stream.kind == StreamKind::Subtitle && !is_dropped(choice)
            });
        // A line that ends behind the pictures is one of the copy, but not of a stretch.
        let ends = match span {
            Some(_) => MuxEnd::Pictures,
            None => MuxEnd::Longest,
        };
        put_beside(&mut graph, params, has_own, ends);
        let behind = Behind {
            name: TEXT,
            path: absolute_input(file)?,
            pictures: None,
        };
        let is_named = request
            .output
            .as_deref()
            .is_some_and(|path| !inputs::names_a_folder(path));
        let usual = (request.codec.is_none() && !is_named).then(|| copy_ending(input));
        let work = Work {
            graph,
            size,
            ending: ending.or(usual),
        };
        return Ok((work, Some(behind)));
    }
    ops.extend(fields::node(request.deinterlace, report));
    ops.push(Op::Subtitles(Box::new(wish.node(input, span)?)));
    let work = Work {
        graph: Graph::chain(ops),
        size,
        ending,
    };
    Ok((work, None))
}

/// A copy stays in its container where that can be written.
fn copy_ending(input: &Path) -> String {
    let own = Container::from_path(input).ok();
    let own = own.filter(|own| Container::ALL.contains(own));
    own.unwrap_or(Container::Mkv).extension().to_owned()
}

/// Leads a file of subtitles to the end of a chain as a track, behind those of the clip.
fn put_beside(graph: &mut Graph, params: SubtitleTrackParams, has_own: bool, ends: MuxEnd) {
    let id_of = |graph: &Graph, is: fn(&Op) -> bool| {
        let found = graph.nodes.iter().find(|node| is(&node.op));
        found.map(|node| node.id.clone()).unwrap_or_default()
    };
    let source = id_of(graph, |op| matches!(op, Op::Source(_)));
    let sink = id_of(graph, |op| matches!(op, Op::Sink));
    for (id, op) in [
        (
            TEXT,
            Op::Source(SourceParams {
                name: Some(TEXT.to_owned()),
            }),
        ),
        ("track", Op::SubtitleTrack(Box::new(params))),
        ("tracks", Op::Mux(MuxParams { ends })),
    ] {
        let id = id.to_owned();
        graph.nodes.push(Node { id, op });
    }
    let port = || Some("subtitles".to_owned());
    let own = Edge {
        from_port: port(),
        to_port: port(),
        ..Edge::new(source, "tracks")
    };
    graph.edges.extend(has_own.then_some(own));
    graph.edges.extend([
        Edge {
            from_port: port(),
            ..Edge::new(TEXT, "track")
        },
        Edge {
            to_port: port(),
            ..Edge::new("track", "tracks")
        },
        Edge {
            from_port: port(),
            to_port: port(),
            ..Edge::new("tracks", sink)
        },
    ]);
}

fn no_file() -> AppError {
    invalid(said!(
        "subtitles.no_file",
        "Nothing says which subtitles are added."
    ))
    .hint("Name a file of subtitles, or a clip with a track of them.")
}
