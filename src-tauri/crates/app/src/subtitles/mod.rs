//! Subtitles that are text: burned into a clip, written in another format, added to a copy as a track.
//!
//! Burning changes pictures, and is a job, and so may be adding a track: it waits in the queue and gets
//! a receipt. The others take as long as reading the file does.

mod files;

pub use files::{AddedSubtitles, NewTrack, SavedSubtitles};
pub use frameloom_media::SubtitleFormat;

use crate::background::Behind;
use crate::presets::{self, Work};
use crate::request::{absolute_input, shown};
use crate::{Span, UpscaleRequest, explain, fields};
use frameloom_core::error::{AppError, ErrorCode};
use frameloom_core::graph::{
    Anchor, Edge, Graph, MuxParams, Node, Op, SourceParams, SubtitleTrackParams, SubtitlesParams,
};
use frameloom_core::job::TrackChoice;
use frameloom_core::media::{MediaInfo, StreamKind, VideoInfo};
use frameloom_core::said;
use frameloom_core::said::Said;
use frameloom_core::subtitles::Retime;
use frameloom_core::time::Rational;
use frameloom_media::{FieldReport, ReadSubtitles, Subtitles, read_subtitles};
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
            ..SubtitleTrackParams::default()
        };
        let mut graph = Graph::chain(ops);
        let has_own = info.streams.iter().any(|s| s.kind == StreamKind::Subtitle)
            && !request.drop.contains(&TrackChoice::Subtitles);
        put_beside(&mut graph, params, has_own);
        let behind = Behind {
            name: TEXT,
            path: absolute_input(file)?,
            pictures: None,
        };
        let work = Work {
            graph,
            size,
            ending,
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

/// Leads a file of subtitles to the end of a chain as a track, behind those of the clip.
fn put_beside(graph: &mut Graph, params: SubtitleTrackParams, has_own: bool) {
    let id_of = |graph: &Graph, is: fn(&Op) -> bool| {
        let found = graph.nodes.iter().find(|node| is(&node.op));
        found.map(|node| node.id.clone()).unwrap_or_default()
    };
    let source = id_of(graph, |op| matches!(op, Op::Source(_)));
    let sink = id_of(graph, |op| matches!(op, Op::Sink));
    let port = || Some("subtitles".to_owned());
    graph.nodes.push(Node {
        id: TEXT.to_owned(),
        op: Op::Source(SourceParams {
            name: Some(TEXT.to_owned()),
        }),
    });
    graph.nodes.push(Node {
        id: "track".to_owned(),
        op: Op::SubtitleTrack(Box::new(params)),
    });
    graph.edges.push(Edge {
        from_port: port(),
        ..Edge::new(TEXT, "track")
    });
    if !has_own {
        graph.edges.push(Edge {
            to_port: port(),
            ..Edge::new("track", sink)
        });
        return;
    }
    graph.nodes.push(Node {
        id: "tracks".to_owned(),
        op: Op::Mux(MuxParams::default()),
    });
    for edge in [
        Edge {
            from_port: port(),
            to_port: port(),
            ..Edge::new(source, "tracks")
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
    ] {
        graph.edges.push(edge);
    }
}

fn no_file() -> AppError {
    invalid(said!(
        "subtitles.no_file",
        "Nothing says which subtitles are added."
    ))
    .hint("Name a file of subtitles, or a clip with a track of them.")
}
