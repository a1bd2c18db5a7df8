//! What each sample is made of, done with, and shown as.

/// A picture or a file of sound and what is made of it first, what is done to it, and how both are
/// drawn.
pub struct Sample {
    /// A word of the table, whose card it is for, or a preset of the shelf.
    pub preset: &'static str,
    pub from: From,
    /// Models that are installed for it.
    pub models: &'static [Model],
    /// What ffmpeg is told before the file that the source is made of, and behind it.
    pub input: &'static str,
    pub source: &'static str,
    /// The ending of the source.
    pub ending: &'static str,
    /// What the source, a JPEG, tells beside its picture: tags of EXIF with their words.
    pub tags: &'static [(u16, &'static str)],
    pub how: How,
    pub drawn: Drawn,
    /// The sizes of both files say something.
    pub weighed: bool,
}

/// Where a source is from.
#[derive(Clone, Copy)]
pub enum From {
    /// The clip that the program ships.
    Demo,
    /// A file of the test data, by its place there.
    Data(&'static str),
}

/// A model of the test data: what it is called here, and its place there.
pub struct Model(pub &'static str, pub &'static str);

/// What is done.
#[derive(Clone, Copy)]
pub enum How {
    /// `frameloom do`, with further words.
    Do(&'static [&'static str]),
    /// `frameloom convert`, with further words and the program's icon as a watermark.
    Convert(&'static [&'static str]),
    /// `frameloom scenes --export sheet`.
    Shots,
    /// `frameloom subtitles --burn`, with further words; the line is shown all the time.
    Burn {
        line: &'static str,
        more: &'static [&'static str],
    },
}

/// How a source and its result become two pictures.
#[derive(Clone, Copy)]
pub enum Drawn {
    /// A picture of each, by filters.
    Seen {
        before: &'static str,
        after: &'static str,
    },
    /// A picture of the source, and what was written into a folder as numbered pictures.
    Numbered {
        before: &'static str,
        after: &'static str,
    },
    /// Two pictures of the source, and the result itself, which moves.
    Moving {
        before: &'static str,
        after: &'static str,
    },
    /// All of each, and what the file tells of it.
    Told,
    /// The sound of each as a shape.
    Waves,
    /// The same as a shape on a band that is as long as the sound lasts.
    Lasting,
    /// A picture of the source, and the sound of the result as a shape, which is drawn larger by so
    /// many decibels.
    Heard { before: &'static str, louder: u32 },
}

/// All of a picture of 16:9.
const WHOLE: &str = "scale=320:180:flags=area";
/// All of a picture of another shape, on dark ground.
const FITTED: &str = "scale=-2:180:flags=area,pad=320:180:(ow-iw)/2:0:color=0x1e1e1e";
const SEEN: Drawn = Drawn::Seen {
    before: WHOLE,
    after: WHOLE,
};
/// The result smaller on dark ground.
const SMALLER: Drawn = Drawn::Seen {
    before: WHOLE,
    after: "scale=214:120:flags=area,pad=320:180:(ow-iw)/2:(oh-ih)/2:color=0x1e1e1e",
};

const PEOPLE: Model = Model("people", "models/matting/mediapipe_meet_144x256.onnx");
const FACES: Model = Model("faces", "models/face/ultraface-RFB-320.onnx");
const DISTANCES: Model = Model("distances", "models/depth/tcmonodepth_192x320.onnx");
const TEXT: Model = Model("text", "models/ocr/en_PP-OCRv3_det.onnx");
const NOISE: Model = Model("noise", "models/audio/gtcrn_simple.onnx");
const SPEECH: Model = Model("speech", "models/audio/silero_vad.onnx");

/// What most have in common: a stretch of the demo clip, done as usual.
const CLIP: Sample = Sample {
    preset: "",
    from: From::Demo,
    models: &[],
    input: "",
    source: "-c copy",
    ending: "mp4",
    tags: &[],
    how: How::Do(&["-q", "archive"]),
    drawn: SEEN,
    weighed: false,
};

/// A picture with one person in it.
const PERSON: Sample = Sample {
    from: From::Data("sr-bench/Kodak/kodim18.png"),
    source: "-vf crop=512:288:0:130",
    ending: "png",
    how: How::Do(&[]),
    ..CLIP
};

const ENLARGE: Sample = Sample {
    preset: "enlarge",
    input: "-ss 0.5",
    source: "-t 0.4 -vf scale=320:180:flags=area -c:v libx264 -crf 27 -an",
    how: How::Do(&["--scale", "4", "-q", "archive"]),
    drawn: Drawn::Seen {
        before: "crop=80:45:40:85,scale=320:180:flags=bilinear",
        after: "crop=320:180:160:340",
    },
    ..CLIP
};

const SHARE: Sample = Sample {
    preset: "share",
    source: "-vf scale=1920:1080:flags=lanczos -c:v libx264 -crf 14 -c:a copy",
    how: How::Do(&[]),
    drawn: Drawn::Seen {
        before: "select=gte(t\\,5),scale=320:180:flags=area",
        after: "select=gte(t\\,5),scale=320:180:flags=area",
    },
    weighed: true,
    ..CLIP
};

const ARCHIVE: Sample = Sample {
    preset: "archive",
    input: "-ss 4.5",
    source: "-t 1 -c:v libx264 -crf 18 -c:a copy",
    how: How::Do(&[]),
    drawn: Drawn::Seen {
        before: "select=gte(n\\,18),scale=320:180:flags=area",
        after: "select=gte(n\\,18),scale=320:180:flags=area",
    },
    weighed: true,
    ..CLIP
};

/// Evening becomes day.
const LIGHT: Sample = Sample {
    preset: "light",
    input: "-ss 4.5",
    source: "-t 0.4 -vf lutrgb=r=val*0.28:g=val*0.26:b=val*0.3 -pix_fmt yuv420p -c:v libx264 -crf 8 -an",
    ..CLIP
};

const CUTOUT: Sample = Sample {
    preset: "cutout",
    models: &[PEOPLE],
    how: How::Do(&["--model", "people"]),
    drawn: Drawn::Seen {
        before: WHOLE,
        after: "format=rgba,split[a][b];[a]lutrgb=r=47:g=47:b=51:a=255[c];[c][b]overlay=format=rgb,scale=320:180:flags=area",
    },
    ..PERSON
};

const REDACT: Sample = Sample {
    preset: "redact",
    models: &[FACES],
    how: How::Do(&["--model", "faces"]),
    ..PERSON
};

/// A camera that shakes: frames that follow one another, laid over each other, agree only where it is
/// calm.
const STEADY: Sample = Sample {
    preset: "steady",
    input: "-ss 4.4",
    source: "-t 1.4 -vf crop=576:324:32+14*sin(n*1.9)+9*sin(n*0.83+1):18+10*sin(n*1.37)+6*sin(n*2.3+2) -c:v libx264 -crf 12 -an",
    drawn: Drawn::Seen {
        before: "select=gte(n\\,10),tmix=frames=10,select=gte(n\\,10),scale=320:180:flags=area",
        after: "select=gte(n\\,10),tmix=frames=10,select=gte(n\\,10),scale=320:180:flags=area",
    },
    ..CLIP
};

/// Frames that follow one another side by side, with room for those that are to be made.
const SMOOTH: Sample = Sample {
    preset: "smooth",
    input: "-ss 2.6",
    source: "-t 1.6 -vf fps=6.25 -c:v libx264 -crf 6 -an",
    drawn: Drawn::Seen {
        before: "select=gte(n\\,1),scale=320:180:flags=area,gblur=sigma=0.6,crop=44:180:138:0,tile=4x1:padding=48:color=0x1e1e1e",
        after: "select=gte(n\\,2),scale=320:180:flags=area,gblur=sigma=0.6,crop=44:180:138:0,tile=7x1:padding=2:color=0x1e1e1e",
    },
    ..CLIP
};

/// A speech whose pauses are made longer.
const SILENCE: Sample = Sample {
    preset: "silence",
    from: From::Data("media/speech/jfk_11s.flac"),
    models: &[SPEECH],
    source: "-filter_complex asplit=4[a][b][c][d];[a]atrim=0:2.4,apad=pad_dur=1.2[a1];[b]atrim=2.9:4.6,apad=pad_dur=1.4[b1];[c]atrim=5:7.9,apad=pad_dur=1.2[c1];[d]atrim=8:10.9[d1];[a1][b1][c1][d1]concat=n=4:v=0:a=1 -ac 1",
    ending: "wav",
    how: How::Do(&["--model", "speech"]),
    drawn: Drawn::Lasting,
    ..CLIP
};

const VOICE: Sample = Sample {
    preset: "voice",
    from: From::Data("media/speech/dns3_0072_noisy.wav"),
    models: &[NOISE],
    source: "-af volume=10dB",
    ending: "wav",
    how: How::Do(&["--model", "noise"]),
    drawn: Drawn::Waves,
    ..CLIP
};

const CONVERT: Sample = Sample {
    preset: "convert",
    from: From::Data("sr-bench/Kodak/kodim23.png"),
    source: "-vf crop=768:432:0:30",
    ending: "png",
    how: How::Convert(&[
        "--format",
        "jpg",
        "--size",
        "512x512",
        "--mark-width",
        "0.2",
        "--opacity",
        "0.9",
    ]),
    drawn: SMALLER,
    weighed: true,
    ..CLIP
};

const REFRAME: Sample = Sample {
    preset: "reframe",
    input: "-ss 4.5",
    source: "-t 0.4 -c:v libx264 -crf 8 -an",
    // What the crop leaves out is dark.
    drawn: Drawn::Seen {
        before: WHOLE,
        after: FITTED,
    },
    ..CLIP
};

/// The samples of the cards. A style has none: no model of the test data may be shown.
pub const CARDS: &[Sample] = &[
    ENLARGE,
    Sample {
        preset: "clean",
        input: "-ss 5.2",
        source: "-t 0.4 -vf scale=320:180:flags=area,gblur=sigma=1.2,scale=640:360:flags=bicubic,noise=c0s=13:c0f=t:c1s=9:c1f=t:c2s=9:c2f=t -c:v libx264 -crf 6 -an",
        drawn: Drawn::Seen {
            before: "crop=160:90:240:70,scale=320:180:flags=neighbor",
            after: "crop=160:90:240:70,scale=320:180:flags=neighbor",
        },
        ..CLIP
    },
    Sample {
        // The camera pans: what moves between two fields combs.
        preset: "deinterlace",
        input: "-ss 0.3",
        source: "-t 1 -vf crop=400:288:n*9:60,tinterlace=interleave_top,setfield=tff -c:v libx264 -crf 8 -flags +ildct+ilme -x264opts tff=1 -an",
        drawn: Drawn::Seen {
            before: "crop=192:108:60:120,scale=320:180:flags=neighbor",
            after: "crop=192:108:60:120,scale=320:180:flags=bicubic",
        },
        ..CLIP
    },
    SHARE,
    Sample {
        preset: "animate",
        input: "-ss 2",
        source: "-t 1.5 -vf fps=7,scale=128:72:flags=area -c:v libx264 -crf 12 -an",
        how: How::Do(&[]),
        drawn: Drawn::Moving {
            before: "scale=320:180:flags=bicubic",
            after: "select=gte(n\\,7),scale=320:180:flags=bicubic",
        },
        ..CLIP
    },
    Sample {
        preset: "loudness",
        source: "-c:v copy -af volume=-20dB -c:a flac",
        ending: "mkv",
        how: How::Do(&[]),
        drawn: Drawn::Waves,
        ..CLIP
    },
    Sample {
        preset: "frames",
        input: "-ss 1",
        source: "-t 4.5 -vf fps=2 -c:v libx264 -crf 12 -an",
        how: How::Do(&["--format", "jpg"]),
        drawn: Drawn::Numbered {
            before: WHOLE,
            after: "scale=104:58:flags=area,tile=3x3:padding=4:margin=0:color=0x1e1e1e,scale=320:180:flags=bicubic",
        },
        ..CLIP
    },
    ARCHIVE,
    LIGHT,
    REFRAME,
    CUTOUT,
    Sample {
        preset: "defocus",
        drawn: SEEN,
        ..CUTOUT
    },
    Sample {
        preset: "backdrop",
        drawn: SEEN,
        ..CUTOUT
    },
    REDACT,
    Sample {
        preset: "depth",
        models: &[DISTANCES],
        how: How::Do(&["--model", "distances"]),
        ..PERSON
    },
    STEADY,
    SMOOTH,
    SILENCE,
    VOICE,
    Sample {
        // Four pictures that follow one another are a clip of four shots.
        preset: "scenes",
        from: From::Data("sr-bench/Kodak/kodim%02d.png"),
        input: "-framerate 1 -start_number 20",
        source: "-vf crop=768:432,fps=25 -t 4 -c:v libx264 -crf 16 -pix_fmt yuv420p",
        how: How::Shots,
        drawn: Drawn::Seen {
            before: "select=gte(t\\,2.5),scale=320:180:flags=area",
            after: "scale=320:-2:flags=area,crop=320:180:0:0",
        },
        ..CLIP
    },
    CONVERT,
    Sample {
        preset: "subtitles",
        input: "-ss 4.6",
        source: "-t 0.4 -vf crop=480:270:80:26 -c:v libx264 -crf 8 -an",
        how: How::Burn {
            line: "Hello · Bonjour · Xin chào",
            more: &["--size", "13", "-q", "archive"],
        },
        ..CLIP
    },
    Sample {
        preset: "sound",
        how: How::Do(&[]),
        drawn: Drawn::Heard {
            before: "select=gte(t\\,5),scale=320:180:flags=area",
            louder: 11,
        },
        ..CLIP
    },
];

/// The samples of the presets of the shelf.
pub const SHELF: &[Sample] = &[
    Sample {
        preset: "old-family-video-to-hd",
        input: "-ss 0.3",
        source: "-t 1 -vf crop=400:288:n*9:60,noise=c0s=9:c0f=t,tinterlace=interleave_top,setfield=tff -c:v libx264 -crf 8 -flags +ildct+ilme -x264opts tff=1 -c:a aac",
        how: How::Do(&[]),
        drawn: Drawn::Seen {
            before: "crop=192:108:60:120,scale=320:180:flags=neighbor",
            after: "scale=1500:1080,crop=720:405:225:450,scale=320:180:flags=area",
        },
        ..CLIP
    },
    Sample {
        // Old houses on old paper.
        preset: "old-photo-freshened",
        from: From::Data("sr-bench/Kodak/kodim08.png"),
        source: "-vf crop=768:432:0:60,scale=384:216:flags=area,noise=c0s=22:c0f=t,colorchannelmixer=.32:.62:.15:0:.28:.56:.14:0:.22:.43:.1",
        ending: "png",
        how: How::Do(&[]),
        drawn: Drawn::Seen {
            before: "crop=112:63:238:96,scale=320:180:flags=bilinear",
            after: "crop=224:126:476:192,scale=320:180:flags=bicubic",
        },
        ..CLIP
    },
    Sample {
        preset: "video-to-4k",
        input: "-ss 4.6",
        source: "-t 0.2 -vf scale=320:180:flags=area -c:v libx264 -crf 16 -an",
        how: How::Do(&[]),
        drawn: Drawn::Seen {
            before: "crop=80:45:120:132,scale=320:180:flags=bilinear",
            after: "crop=320:180:480:528",
        },
        ..CLIP
    },
    Sample {
        preset: "photo-twice-as-large",
        from: From::Data("sr-bench/Kodak/kodim23.png"),
        source: "-vf scale=384:256:flags=area",
        ending: "png",
        how: How::Do(&[]),
        drawn: Drawn::Seen {
            before: "crop=112:63:188:55,scale=320:180:flags=bilinear",
            after: "crop=224:126:376:110,scale=320:180:flags=bicubic",
        },
        ..CLIP
    },
    Sample {
        preset: "podcast-clean-up",
        from: From::Data("media/speech/gtcrn_mix.wav"),
        source: "-af volume=7dB",
        ..VOICE
    },
    Sample {
        preset: "voice-for-broadcast",
        from: From::Data("media/speech/dns3_0016_noisy.wav"),
        ..VOICE
    },
    Sample {
        preset: "lecture-without-pauses",
        ..SILENCE
    },
    Sample {
        preset: "vertical-short",
        source: "-t 0.4 -vf crop=480:270:80:26 -c:v libx264 -crf 8 -c:a copy",
        how: How::Do(&[]),
        ..REFRAME
    },
    Sample {
        preset: "square-post",
        from: From::Data("sr-bench/Kodak/kodim15.png"),
        models: &[FACES],
        input: "",
        source: "-vf crop=768:432:0:20",
        ending: "png",
        how: How::Do(&[]),
        // It lies where it was cut out.
        drawn: Drawn::Seen {
            before: WHOLE,
            after: "scale=-2:180:flags=area,pad=320:180:133:0:color=0x1e1e1e",
        },
        ..REFRAME
    },
    Sample {
        preset: "portrait-feed",
        from: From::Data("sr-bench/Kodak/kodim12.png"),
        models: &[FACES],
        input: "",
        source: "-vf crop=768:432:0:20",
        ending: "png",
        how: How::Do(&[]),
        drawn: Drawn::Seen {
            before: WHOLE,
            after: "scale=-2:180:flags=area,pad=320:180:59:0:color=0x1e1e1e",
        },
        ..REFRAME
    },
    Sample {
        preset: "blur-all-faces",
        from: From::Data("sr-bench/Kodak/kodim14.png"),
        source: "-vf crop=352:198:150:90",
        ..REDACT
    },
    Sample {
        preset: "black-bars-on-faces",
        source: "-vf crop=416:234:0:130",
        ..REDACT
    },
    Sample {
        preset: "hide-text",
        from: From::Data("sr-bench/Kodak/kodim08.png"),
        models: &[TEXT],
        source: "-vf crop=320:180:448:220",
        how: How::Do(&["--model", "text"]),
        ..REDACT
    },
    Sample {
        preset: "product-photo-on-white",
        from: From::Data("sr-bench/Kodak/kodim17.png"),
        models: &[PEOPLE],
        source: "-vf crop=512:512:0:0",
        how: How::Do(&[]),
        drawn: Drawn::Seen {
            before: "crop=512:288:0:30,scale=320:180:flags=area",
            after: "crop=512:288:0:30,scale=320:180:flags=area",
        },
        ..PERSON
    },
    Sample {
        preset: "cut-out-for-editing",
        // Transparent parts as editing programs show them.
        drawn: Drawn::Seen {
            before: WHOLE,
            after: "format=rgba,split[a][b];[a]geq=r='60+40*mod(floor(X/16)+floor(Y/16),2)':g='60+40*mod(floor(X/16)+floor(Y/16),2)':b='60+40*mod(floor(X/16)+floor(Y/16),2)':a=255[c];[c][b]overlay=format=rgb,scale=320:180:flags=area",
        },
        ..CUTOUT
    },
    Sample {
        // A picture that stands still, with a hissing sound, is a clip of somebody who listens.
        preset: "meeting-background-blur",
        models: &[PEOPLE, NOISE],
        input: "-loop 1 -framerate 10",
        source: "-f lavfi -i anoisesrc=a=0.05:r=48000 -t 0.6 -vf crop=512:288:0:130 -c:v libx264 -crf 8 -pix_fmt yuv420p -c:a aac",
        ending: "mp4",
        how: How::Do(&["-q", "archive"]),
        ..PERSON
    },
    Sample {
        preset: "handheld-calmed",
        ..STEADY
    },
    Sample {
        preset: "smooth-60",
        // Faster, so that neighbours differ.
        input: "-ss 2",
        source: "-t 3 -vf setpts=PTS/4,fps=20 -c:v libx264 -crf 6 -an",
        drawn: Drawn::Seen {
            before: "select=gte(n\\,6),scale=320:180:flags=area,gblur=sigma=0.6,crop=44:180:138:0,tile=3x1:padding=94:color=0x1e1e1e",
            after: "select=gte(n\\,18),scale=320:180:flags=area,gblur=sigma=0.6,crop=44:180:138:0,tile=7x1:padding=2:color=0x1e1e1e",
        },
        ..SMOOTH
    },
    Sample {
        preset: "send-by-mail",
        source: "-t 1 -vf scale=1920:1080:flags=lanczos -c:v libx264 -crf 14 -c:a copy",
        input: "-ss 5",
        drawn: SMALLER,
        ..SHARE
    },
    Sample {
        preset: "chat-sticker",
        from: From::Data("sr-bench/Kodak/kodim04.png"),
        source: "-vf crop=512:512:0:110",
        how: How::Do(&[]),
        drawn: Drawn::Seen {
            before: FITTED,
            after: "format=rgba,split[a][b];[a]lutrgb=r=30:g=30:b=30:a=255[c];[c][b]overlay=format=rgb,scale=-2:180:flags=area,pad=320:180:(ow-iw)/2:0:color=0x1e1e1e",
        },
        ..CUTOUT
    },
    Sample {
        preset: "web-pictures",
        from: From::Data("sr-bench/Kodak/kodim07.png"),
        source: "-vf crop=768:432:0:30,scale=2880:1620:flags=lanczos",
        how: How::Do(&[]),
        ..CONVERT
    },
    Sample {
        preset: "pictures-without-traces",
        from: From::Data("sr-bench/Kodak/kodim21.png"),
        source: "-vf crop=768:432:0:40 -q:v 2",
        ending: "jpg",
        tags: &[
            (0x010f, "Camera"),
            (0x0110, "Twin 35"),
            (0x0132, "2026:11:23 18:05:00"),
        ],
        how: How::Do(&[]),
        drawn: Drawn::Told,
        ..CONVERT
    },
    Sample {
        preset: "dark-video-brightened",
        from: From::Data("sr-bench/Kodak/kodim24.png"),
        input: "-loop 1 -framerate 10",
        source: "-t 0.4 -vf crop=768:432:0:40,lutrgb=r=val*0.34:g=val*0.32:b=val*0.37 -pix_fmt yuv420p -c:v libx264 -crf 8",
        how: How::Do(&[]),
        ..LIGHT
    },
    Sample {
        // Every thread is as it was.
        preset: "edit-master",
        how: How::Do(&[]),
        drawn: Drawn::Seen {
            before: "crop=128:72:260:272,scale=320:180:flags=neighbor",
            after: "crop=128:72:260:272,scale=320:180:flags=neighbor",
        },
        ..ARCHIVE
    },
];
