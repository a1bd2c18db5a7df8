//! Where pictures come from and go to, their size, place and time.

use super::{PLACE, SECONDS, SIDE, optional, required};
use crate::graph::InterpolateParams;
use crate::graph::shape::{Kind, OpShape};

pub(super) const FRAMES: &[OpShape] = &[
    OpShape {
        name: "source",
        about: "An input. Ports: `video`, `audio` and `subtitles`.",
        params: &[optional(
            "name",
            Kind::Text,
            "Name by which its file is given (`--in name=file`); `main` if left out.",
        )
        .or("\"main\"")],
    },
    OpShape {
        name: "sink",
        about: "The output. Ports: `video`, `audio` and `subtitles`; without a wire, sound and \
                subtitles of the first clip are copied as they are.",
        params: &[],
    },
    OpShape {
        name: "upscale",
        about: "Enlarge with a model, by the scale that the model has.",
        params: &[required("model", Kind::Model, "Model id.")],
    },
    OpShape {
        name: "onnx",
        about: "Run any model that makes a picture of a picture, from its file. How it wants to be \
                fed is found out of the graph and by trying it on a picture; `frameloom models \
                inspect FILE` shows it. Nobody says what it was made for, so its results are only \
                looked at for being blank.",
        params: &[
            required(
                "path",
                Kind::File(&["onnx"]),
                "Absolute path of the ONNX file.",
            ),
            optional(
                "scale",
                Kind::Int { min: 1, max: 8 },
                "Output size by input size; a file that does otherwise is refused.",
            )
            .unit("times"),
            optional(
                "layout",
                Kind::Choice(&["nchw", "nhwc"]),
                "Order of the dimensions of the input.",
            ),
            optional(
                "range",
                Kind::Choice(&["unit", "byte", "symmetric", "studio_255"]),
                "Black and white: 0 and 1, 0 and 255, -1 and 1, or 16/255 and 235/255.",
            ),
            optional(
                "color",
                Kind::Choice(&["luma", "rgb", "bgr"]),
                "What the channels mean; a file does not say whether red or blue comes first.",
            ),
            optional(
                "tile",
                Kind::Int { min: 32, max: 8192 },
                "Longest side of a tile in pixels, where the file takes any.",
            )
            .unit("px"),
        ],
    },
    OpShape {
        name: "resize",
        about: "Resize with a cubic kernel.",
        params: &[
            required("width", SIDE, "Width in pixels.").unit("px"),
            required("height", SIDE, "Height in pixels.").unit("px"),
        ],
    },
    OpShape {
        name: "crop",
        about: "Cut out a rectangle.",
        params: &[
            required("x", PLACE, "Left edge in pixels.").unit("px"),
            required("y", PLACE, "Upper edge in pixels.").unit("px"),
            required("width", SIDE, "Width in pixels.").unit("px"),
            required("height", SIDE, "Height in pixels.").unit("px"),
        ],
    },
    OpShape {
        name: "pad",
        about: "Put the picture on a larger ground.",
        params: &[
            required("width", SIDE, "Width of the result in pixels.").unit("px"),
            required("height", SIDE, "Height of the result in pixels.").unit("px"),
            required("x", PLACE, "Where the picture's left edge comes.").unit("px"),
            required("y", PLACE, "Where its upper edge comes.").unit("px"),
            optional(
                "color",
                Kind::Color,
                "Colour of the ground; black if left out.",
            )
            .or("\"#000000\""),
        ],
    },
    OpShape {
        name: "rotate",
        about: "Turn clockwise.",
        params: &[
            required("degrees", Kind::OneOf(&[90, 180, 270]), "90, 180 or 270.").unit("degrees"),
        ],
    },
    OpShape {
        name: "flip",
        about: "Mirror.",
        params: &[required(
            "axis",
            Kind::Choice(&["horizontal", "vertical"]),
            "What changes places: left and right, or top and bottom.",
        )],
    },
    OpShape {
        name: "convert",
        about: "Change the pixel format.",
        params: &[required("format", Kind::PixelFormat, "Wanted format.")],
    },
    OpShape {
        name: "deinterlace",
        about: "Make whole pictures of fields (bwdif).",
        params: &[
            optional(
                "rate",
                Kind::Choice(&["frame", "field"]),
                "One picture per frame (default) or per field.",
            )
            .or("\"frame\""),
            optional(
                "parity",
                Kind::Choice(&["auto", "top", "bottom"]),
                "Field that comes first; `auto` (default): as each frame says.",
            )
            .or("\"auto\""),
            optional(
                "frames",
                Kind::Choice(&["all", "flagged"]),
                "All frames (default), or those that say that they are interlaced.",
            )
            .or("\"all\""),
        ],
    },
    OpShape {
        name: "fps",
        about: "Show the clip at a constant frame rate by repeating and leaving out frames; \
                `interpolate` makes new ones in between.",
        params: &[required(
            "rate",
            Kind::Fraction { min: 1, max: 1_000 },
            "Frames per second.",
        )
        .unit("fps")],
    },
    OpShape {
        name: "stabilise",
        about: "Calm a shaky camera: every picture is moved, turned and sized to where a camera \
                that moves smoothly would show it, by parts of a pixel. Cuts are respected.",
        params: &[
            optional(
                "smooth",
                Kind::Number { min: 0.1, max: 2.0 },
                "Seconds before and after a picture whose motion counts; 0.8 if left out.",
            )
            .unit("seconds")
            .or("0.8"),
            optional(
                "border",
                Kind::Choice(&["crop", "mirror"]),
                "Pictures are shown larger, so that no border is seen (default), or the border is \
                 filled with the mirrored picture.",
            )
            .or("\"crop\""),
            optional(
                "zoom",
                Kind::Number {
                    min: 1.02,
                    max: 1.5,
                },
                "How many times as large pictures are shown: the room in which they may be moved; \
                 1.1 if left out. For `crop`.",
            )
            .unit("times")
            .or("1.1"),
        ],
    },
    OpShape {
        name: "interpolate",
        about: "Show the clip at a constant frame rate by new frames in between: what moves is \
                followed from frame to frame and shown on its way. Nothing is made across a cut. \
                Twice as many frames if neither a rate nor a number is given; in slow motion, as \
                many to a second as before.",
        params: &[
            optional(
                "rate",
                Kind::Fraction { min: 1, max: 1_000 },
                "Frames per second.",
            )
            .unit("fps"),
            optional(
                "times",
                Kind::Int { min: 2, max: 8 },
                "Times the frame rate that the clip has.",
            )
            .unit("times"),
            optional(
                "model",
                Kind::Model,
                "Id of a model that makes the frames in between; what moves is followed without one.",
            ),
            optional(
                "slow",
                Kind::Fraction {
                    min: 1,
                    max: InterpolateParams::SLOWEST,
                },
                "Slow motion: how many times as long the result lasts, with its sound, subtitles and \
                 chapters.",
            )
            .unit("times"),
            optional(
                "sound",
                Kind::Choice(&["stretch", "drop"]),
                "In slow motion, the sound of the clip: as long as the pictures and as high as \
                 before, or left out.",
            )
            .or("\"stretch\""),
        ],
    },
    OpShape {
        name: "trim",
        about: "Keep a stretch of the clip, with its sound and subtitles. Comes right after the \
                source.",
        params: &[
            optional("start", SECONDS, "Seconds from the first frame.").unit("seconds"),
            optional(
                "end",
                SECONDS,
                "Seconds from the first frame, not included.",
            )
            .unit("seconds"),
        ],
    },
    OpShape {
        name: "cut",
        about: "Keep several stretches of the clip and show them one right after another, with their \
                sound, subtitles and chapters. Comes right after the source.",
        params: &[
            required(
                "keep",
                Kind::Stretches,
                "What is kept: start-end in seconds or h:mm:ss, one in a line, in order.",
            ),
            optional(
                "fade",
                Kind::Number {
                    min: 0.0,
                    max: 100.0,
                },
                "How long the sound of two stretches is mixed where they meet; 20 if left out.",
            )
            .unit("milliseconds")
            .or("20.0"),
            optional(
                "heard_by",
                Kind::Text,
                "Id of the model that decided what is kept; receipts name it.",
            ),
        ],
    },
];
