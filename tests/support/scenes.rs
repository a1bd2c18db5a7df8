//! What is tortured: jobs that are hard to go on with, each on clips made for it.

use serde_json::{Value, json};
use std::path::Path;

/// A kind of job.
pub struct Scene {
    /// What is hard about it.
    pub name: &'static str,
    /// Sources: name of the file, and what ffmpeg makes it of. The first is the main input; the
    /// others enter a graph under their names without the extension.
    pub sources: &'static [(&'static str, &'static str)],
    /// What is done.
    pub work: Work,
    /// Name of the result; one with a place for a number is a folder of pictures.
    pub result: &'static str,
}

/// What is done with the sources.
pub enum Work {
    /// Twice the size.
    Upscale,
    /// A graph, of nodes and wires `from[.port] to[.port]`.
    Graph {
        /// The nodes, as in the document.
        nodes: fn() -> Value,
        /// The wires.
        wires: &'static [&'static str],
    },
}

impl Scene {
    /// Whether the result is made of parts that are larger than it: those of animations and
    /// pictures are kept without loss.
    pub fn is_of_larger_parts(&self) -> bool {
        let extension = Path::new(self.result).extension();
        extension.is_some_and(|e| ["webp", "gif", "apng", "png"].iter().any(|of| e == *of))
    }
}

/// The document of a graph.
pub fn document(nodes: Value, wires: &[&str]) -> Value {
    let end = |text: &str| match text.split_once('.') {
        Some((id, port)) => (json!(id), json!(port)),
        None => (json!(text), Value::Null),
    };
    let edges: Vec<Value> = wires
        .iter()
        .filter_map(|wire| wire.split_once(' '))
        .map(|(from, to)| {
            let ((from, from_port), (to, to_port)) = (end(from), end(to));
            json!({"from": from, "from_port": from_port, "to": to, "to_port": to_port})
        })
        .collect();
    json!({"version": 2, "nodes": nodes, "edges": edges})
}

fn over_each_other() -> Value {
    json!([
        {"id": "under", "op": "source"},
        {"id": "corner", "op": "source", "params": {"name": "corner"}},
        {"id": "logo", "op": "source", "params": {"name": "logo"}},
        {"id": "larger", "op": "upscale", "params": {"model": "loom-x2"}},
        {"id": "small", "op": "overlay",
         "params": {"anchor": "top_right", "x": 6, "y": 4, "width": 0.3, "opacity": 0.9}},
        {"id": "mark", "op": "overlay",
         "params": {"anchor": "bottom_left", "x": 4, "y": 4,
                    "start": {"num": 1, "den": 1}, "end": {"num": 23, "den": 2}}},
        {"id": "line", "op": "text", "params": {"text": "Xin chào", "size": 8.0}},
        {"id": "loud", "op": "loudness", "params": {"target": -20.0}},
        {"id": "tracks", "op": "mux"},
        {"id": "out", "op": "sink"}
    ])
}

fn one_after_another() -> Value {
    json!([
        {"id": "first", "op": "source"},
        {"id": "second", "op": "source", "params": {"name": "second"}},
        {"id": "both", "op": "concat"},
        {"id": "larger", "op": "upscale", "params": {"model": "loom-x2"}},
        {"id": "clean", "op": "audio_denoise", "params": {"reduction": 9.0}},
        {"id": "loud", "op": "loudness", "params": {"target": -18.0}},
        {"id": "out", "op": "sink"}
    ])
}

/// All of them. Each is a few segments long, so that kills fall into the first, the last and those
/// between.
pub const SCENES: &[Scene] = &[
    Scene {
        name: "constant frame rate, B-frames, sound",
        sources: &[(
            "constant.mp4",
            "-f lavfi -i testsrc2=s=160x90:r=25:d=14 -f lavfi -i sine=440:d=14 \
             -c:v libx264 -bf 3 -g 40 -preset veryfast -c:a aac",
        )],
        work: Work::Upscale,
        result: "constant.mp4",
    },
    Scene {
        name: "variable frame rate",
        // Every third frame is missing and the others wander by a few ticks.
        sources: &[(
            "variable.mkv",
            "-f lavfi -i testsrc2=s=128x72:r=30:d=18 \
             -vf select='mod(n,3)',setpts='PTS+mod(N*7,5)*0.002/TB' -vsync vfr \
             -c:v libx264 -bf 2 -preset veryfast",
        )],
        work: Work::Upscale,
        result: "variable.mkv",
    },
    Scene {
        name: "10 bit HEVC",
        sources: &[(
            "ten-bit.mkv",
            "-f lavfi -i testsrc2=s=128x96:r=24:d=12 -pix_fmt yuv420p10le \
             -c:v libx265 -preset ultrafast -x265-params log-level=error",
        )],
        work: Work::Upscale,
        result: "ten-bit.mp4",
    },
    Scene {
        name: "open GOP in a transport stream",
        sources: &[(
            "open.ts",
            "-f lavfi -i testsrc2=s=160x96:r=25:d=12 -f lavfi -i sine=330:d=12 \
             -c:v libx264 -x264-params open-gop=1:keyint=30:bframes=3:b-pyramid=normal \
             -preset veryfast -c:a mp2 -f mpegts",
        )],
        work: Work::Upscale,
        result: "open.mkv",
    },
    Scene {
        name: "a logo, a clip in the corner and text, with the sound of both clips",
        sources: &[
            (
                "under.mp4",
                "-f lavfi -i testsrc2=s=128x72:r=25:d=13 -f lavfi -i sine=440:d=13 \
                 -c:v libx264 -bf 2 -preset veryfast -c:a aac",
            ),
            // Of another rate, and coded so that seeks go far back.
            (
                "corner.mkv",
                "-f lavfi -i testsrc=s=96x54:r=30:d=13 -f lavfi -i sine=330:d=13 \
                 -c:v libx264 -bf 3 -g 250 -preset veryfast -c:a flac",
            ),
            (
                "logo.png",
                "-f lavfi -i testsrc=s=40x24 -vf format=rgba,colorchannelmixer=aa=0.6 -frames:v 1",
            ),
        ],
        work: Work::Graph {
            nodes: over_each_other,
            wires: &[
                "under larger",
                "larger small",
                "corner small.over",
                "small mark",
                "logo mark.over",
                "mark line",
                "line out",
                "under.audio tracks",
                "corner.audio loud",
                "loud tracks",
                "tracks out.audio",
            ],
        },
        result: "laid-over.mkv",
    },
    Scene {
        name: "two clips of different size joined, their sound cleaned and brought to a loudness",
        sources: &[
            (
                "first.mp4",
                "-f lavfi -i testsrc2=s=128x72:r=25:d=7 -f lavfi -i sine=440:d=7 \
                 -c:v libx264 -bf 2 -preset veryfast -c:a aac -ar 44100",
            ),
            (
                "second.mkv",
                "-f lavfi -i testsrc=s=96x96:r=30:d=7 \
                 -f lavfi -i anoisesrc=d=7:a=0.05:seed=3 \
                 -c:v libx264 -bf 3 -preset veryfast -c:a aac -ar 48000",
            ),
        ],
        work: Work::Graph {
            nodes: one_after_another,
            wires: &[
                "first both",
                "second both",
                "both larger",
                "larger out",
                "first.audio both.audio",
                "second.audio both.audio",
                "both.audio clean",
                "clean loud",
                "loud out.audio",
            ],
        },
        result: "joined.mp4",
    },
    Scene {
        name: "an animated WebP",
        sources: &[(
            "animated.mkv",
            "-f lavfi -i testsrc2=s=96x64:r=20:d=12 -c:v libx264 -bf 2 -preset veryfast",
        )],
        work: Work::Upscale,
        result: "animated.webp",
    },
    Scene {
        name: "a GIF of a variable frame rate",
        sources: &[(
            "moving.mkv",
            "-f lavfi -i testsrc2=s=80x60:r=20:d=13 -vf select='mod(n,4)' -vsync vfr \
             -c:v libx264 -bf 2 -preset veryfast",
        )],
        work: Work::Upscale,
        result: "moving.gif",
    },
    Scene {
        name: "numbered pictures",
        sources: &[(
            "numbered.mkv",
            "-f lavfi -i testsrc2=s=96x64:r=25:d=12 -c:v libx264 -bf 2 -preset veryfast",
        )],
        work: Work::Upscale,
        result: "numbered/picture_%04d.png",
    },
];
