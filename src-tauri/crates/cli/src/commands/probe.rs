use crate::output::{Output, bytes, columns, duration};
use frameloom_app::PicturesRequest;
use frameloom_core::color::{ColorInfo, Range};
use frameloom_core::error::AppError;
use frameloom_core::media::{FieldOrder, MediaInfo, StreamInfo, StreamKind, VideoInfo};
use std::path::Path;
use std::process::ExitCode;

pub fn run(file: &Path, pictures: PicturesRequest, output: &Output) -> Result<ExitCode, AppError> {
    let source = frameloom_app::pictures::open(file, pictures)?;
    output.result(&source.info, || text(&source.input, &source.info));
    Ok(ExitCode::SUCCESS)
}

fn text(file: &Path, info: &MediaInfo) -> String {
    let mut out = format!("{}\n", file.display());
    let mut rows = vec![
        ("  container".to_owned(), info.container.clone()),
        ("  size".to_owned(), bytes(info.size_bytes)),
    ];
    if let Some(micros) = info.duration_micros {
        rows.push(("  duration".to_owned(), clock(micros)));
    }
    if let Some(rate) = info.bit_rate {
        rows.push(("  bit rate".to_owned(), format!("{} kbit/s", rate / 1000)));
    }
    for (name, value) in &info.tags {
        rows.push((format!("  tag {name}"), value.clone()));
    }
    out.push_str(&columns(&rows));
    for stream in &info.streams {
        out.push_str(&format!("stream {}: {}\n", stream.index, headline(stream)));
        out.push_str(&columns(&details(stream)));
    }
    for chapter in &info.chapters {
        out.push_str(&format!(
            "chapter {} to {}  {}\n",
            clock(chapter.start_micros),
            clock(chapter.end_micros),
            chapter.title.as_deref().unwrap_or("")
        ));
    }
    for warning in &info.warnings {
        out.push_str(&format!("note: {}\n", super::warnings::sentence(warning)));
    }
    out
}

fn headline(stream: &StreamInfo) -> String {
    let kind = match stream.kind {
        StreamKind::Video => "video",
        StreamKind::Audio => "audio",
        StreamKind::Subtitle => "subtitle",
        StreamKind::Attachment => "attachment",
        StreamKind::Data => "data",
    };
    let mut line = format!("{kind}, {}", stream.codec);
    if let Some(profile) = &stream.profile {
        line.push_str(&format!(" ({profile})"));
    }
    if let Some(video) = &stream.video {
        line.push_str(&format!(", {} x {}", video.width, video.height));
    }
    if let Some(audio) = &stream.audio {
        line.push_str(&format!(", {} Hz, {}", audio.sample_rate, audio.layout));
    }
    if let Some(language) = &stream.language {
        line.push_str(&format!(", {language}"));
    }
    line
}

fn details(stream: &StreamInfo) -> Vec<(String, String)> {
    let mut rows = Vec::new();
    let mut row = |name: &str, value: String| rows.push((format!("  {name}"), value));
    if let Some(video) = &stream.video {
        row(
            "pixels",
            format!("{}, {} bit", video.pixel_format, video.bit_depth),
        );
        row("frame rate", frame_rate(video));
        row("colour", color(&video.color));
        if video.rotation_degrees != 0 || video.mirrored {
            let mirrored = if video.mirrored { ", mirrored" } else { "" };
            row("rotation", format!("{}°{mirrored}", video.rotation_degrees));
        }
        if video.sample_aspect_ratio.num != video.sample_aspect_ratio.den {
            row(
                "pixel aspect",
                format!(
                    "{}:{}",
                    video.sample_aspect_ratio.num, video.sample_aspect_ratio.den
                ),
            );
        }
        row("alpha", if video.alpha { "yes" } else { "no" }.to_owned());
        row(
            "fields",
            match video.field_order {
                FieldOrder::Unknown => "unknown",
                FieldOrder::Progressive => "progressive",
                FieldOrder::TopFirst => "interlaced, top field first",
                FieldOrder::BottomFirst => "interlaced, bottom field first",
            }
            .to_owned(),
        );
        if video.hdr_metadata {
            row("HDR", "mastering display or content light data".to_owned());
        }
        if video.dolby_vision {
            row("HDR", "Dolby Vision".to_owned());
        }
    }
    if let Some(count) = stream.frame_count {
        row("frames", count.to_string());
    }
    if !stream.dispositions.is_empty() {
        row("disposition", stream.dispositions.join(", "));
    }
    for (name, value) in &stream.tags {
        row(&format!("tag {name}"), value.clone());
    }
    rows
}

fn frame_rate(video: &VideoInfo) -> String {
    let Some(rate) = video.frame_rate else {
        return "unknown".to_owned();
    };
    let kind = match video.variable_frame_rate {
        Some(true) => ", variable",
        Some(false) => ", constant",
        None => "",
    };
    format!("{:.3} fps ({}){kind}", rate.ratio().to_f64(), rate.ratio())
}

fn color(color: &ColorInfo) -> String {
    let named = |name: &Option<String>| name.clone().unwrap_or_else(|| "unknown".to_owned());
    let range = match color.range {
        Range::Unspecified => "unknown",
        Range::Limited => "limited",
        Range::Full => "full",
    };
    format!(
        "primaries {}, transfer {}, matrix {}, range {range}",
        named(&color.primaries),
        named(&color.transfer),
        named(&color.matrix_name)
    )
}

fn clock(micros: i64) -> String {
    let sign = if micros < 0 { "-" } else { "" };
    let micros = micros.unsigned_abs();
    format!("{sign}{}.{:03}", duration(micros), micros / 1000 % 1000)
}
