//! Subtitles, clips one after another, and what is heard.

use super::{
    CHARSET, PART, PERCENT, SHIFT, SHIFTED, STREAM, STRETCH, STRETCHED, optional, required,
};
use crate::graph::Anchor;
use crate::graph::shape::{Kind, OpShape};

pub(super) const TRACKS: &[OpShape] = &[
    OpShape {
        name: "subtitles",
        about: "Burn subtitles of a file into the pictures. ASS keeps the look that it has itself.",
        params: &[
            required(
                "file",
                Kind::File(&["srt", "vtt", "ass", "ssa", "mkv", "mp4", "mov", "webm"]),
                "Absolute path of an SRT, WebVTT or ASS file, or of a clip with a track of text.",
            ),
            optional("track", STREAM, "Index of the stream in that file; the first one with text if left out."),
            optional("charset", Kind::Text, CHARSET),
            optional("shift", SHIFT, SHIFTED).unit("seconds"),
            optional("stretch", STRETCH, STRETCHED),
            optional("font", Kind::Text, "Family of the font."),
            optional(
                "size",
                Kind::Number {
                    min: 0.5,
                    max: 50.0,
                },
                "Height of a line in percent of the picture's height; 5 if left out.",
            )
            .unit("percent")
            .or("5.0"),
            optional("color", Kind::Color, "White if left out.").or("\"#ffffff\""),
            optional("outline_color", Kind::Color, "Black if left out.").or("\"#000000\""),
            optional(
                "outline",
                PERCENT,
                "Width of the outline in percent of the size; 6 if left out.",
            )
            .unit("percent")
            .or("6.0"),
            optional(
                "box",
                Kind::Color,
                "Colour of a box behind the text; none if left out.",
            ),
            optional(
                "anchor",
                Kind::Choice(&Anchor::WORDS),
                "Where it lies; `bottom` if left out.",
            )
            .or("\"bottom\""),
            optional(
                "margin",
                PERCENT,
                "Distance from the edges in percent of the picture's height; 4 if left out.",
            )
            .unit("percent")
            .or("4.0"),
        ],
    },
    OpShape {
        name: "subtitle_track",
        about: "Read a track of text (SRT, WebVTT, ASS, or of a clip) and write it anew in what the \
                result can hold. Comes right after a source; its way into the result is `mux` or the \
                sink's `subtitles`.",
        params: &[
            optional("track", STREAM, "Index of the stream in its file; the first one with text if left out."),
            optional("charset", Kind::Text, CHARSET),
            optional("shift", SHIFT, SHIFTED).unit("seconds"),
            optional("stretch", STRETCH, STRETCHED),
            optional(
                "language",
                Kind::Text,
                "Two or three letters of ISO 639, such as vi or eng; that of the source if left out.",
            ),
            optional("title", Kind::Text, "Its name in a player's menu."),
            optional(
                "show",
                Kind::Choice(&["chosen", "always"]),
                "When players show it: where somebody chooses it (default), or always unless told otherwise.",
            )
            .or("\"chosen\""),
        ],
    },
    OpShape {
        name: "concat",
        about: "Show clips one after another. Ports: `in` and `audio` take several wires, in order; \
                `out` and `audio` give them. Other sizes are fitted into that of the first.",
        params: &[],
    },
    OpShape {
        name: "mux",
        about: "Bring tracks of several inputs into one file. Ports: `audio` and `subtitles`, which \
                take several wires, in order.",
        params: &[optional(
            "ends",
            Kind::Choice(&["pictures", "longest"]),
            "When tracks of other inputs end: with the pictures (default), or where they end \
             themselves.",
        )
        .or("\"pictures\"")],
    },
    OpShape {
        name: "loudness",
        about: "Bring sound to a loudness: measured first, then adjusted (EBU R128).",
        params: &[
            optional(
                "target",
                Kind::Number {
                    min: -70.0,
                    max: -5.0,
                },
                "Integrated loudness in LUFS: -23 (default) for broadcasting, -14 for most sites.",
            )
            .unit("lufs")
            .or("-23.0"),
            optional(
                "peak",
                Kind::Number {
                    min: -9.0,
                    max: 0.0,
                },
                "Highest true peak in dBTP; -1 if left out.",
            )
            .unit("dbtp")
            .or("-1.0"),
        ],
    },
    OpShape {
        name: "audio_denoise",
        about: "Take noise out of sound, with ffmpeg's filter or with a model for speech.",
        params: &[
            optional(
                "reduction",
                Kind::Number {
                    min: 0.01,
                    max: 97.0,
                },
                "By how many dB noise is lowered; 12 if left out.",
            )
            .unit("db")
            .or("12.0"),
            optional(
                "model",
                Kind::File(&["onnx"]),
                "Absolute path of an ONNX model for speech that does it instead.",
            ),
            optional(
                "strength",
                PART,
                "How much of the result counts; the rest is the sound as it was.",
            )
            .unit("part")
            .or("1.0"),
        ],
    },
    OpShape {
        name: "audio_redact",
        about: "Cover stretches of sound, such as names, with silence or a tone.",
        params: &[
            required(
                "ranges",
                Kind::Stretches,
                "What is covered: `start-end` in seconds or h:mm:ss from the first picture, one in a line.",
            ),
            optional(
                "cover",
                Kind::Choice(&["mute", "beep"]),
                "What is heard instead: mute, or beep, a tone of 1 kHz. Mute if left out.",
            )
            .or("\"mute\""),
        ],
    },
    OpShape {
        name: "split_channels",
        about: "Make a track of each channel.",
        params: &[optional(
            "channels",
            Kind::Text,
            "Names with commas between them, such as FL,FR; all if left out.",
        )],
    },
];
