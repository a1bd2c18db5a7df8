//! A picture: read whole, enlarged in bands, written row by row.
//!
//! Only the source is held in memory. The result of a 100-megapixel picture would not fit, so it
//! flows in bands of a few hundred rows from the model into the file.

use super::output::{Temporary, temporary};
use super::planar::{interleaved, planar, spread_color_under_transparency, without_color};
use super::rows::{Packer, Resizing, read_row};
use super::side::Sides;
use super::{Chain, ChainSpec, Context, Finished, Pool, format_of};
use crate::EngineError;
use crate::nodes::{
    Joints, Node, Opening, Pace, Patience, PictureFormat, RGB_LUMA, manifest_of, open as open_node,
    open_patiently, open_turn, output_format,
};
use crate::plan::upright_turn;
use crate::resample::{Axis, Resampler};
use crate::rgb::float_plane;
use crate::verify::{Passed, Rect, StillVerifier, Verifier};
use frameloom_core::graph::{CropParams, DenoiseParams, Layout, Line, Op, ResizeParams};
use frameloom_core::job::{JobSpec, Step, TrackChoice};
use frameloom_core::media::Warning;
use frameloom_core::model::{TensorColor, TileSpec};
use frameloom_core::pixel::{PixelFormat, PlaneRef, Planes};
use frameloom_core::receipt::{Checks, PictureCheck};
use frameloom_core::said;
use frameloom_core::said::Said;
use frameloom_core::time::Rational;
use frameloom_media::Frame;
use frameloom_still::{
    AvifProperties, Channels, Limits, Metadata, Picture, RowWriter, RowsRef, Samples, Srgb,
    StillFormat,
};
use std::path::Path;

/// Rows that are made at once where no model sets the pace.
pub(super) const BAND_ROWS: usize = 64;

/// Takes finished rows, from top to bottom.
pub(super) type Sink<'a> = dyn FnMut(RowsRef<'_>) -> Result<(), EngineError> + 'a;

pub(super) fn run(spec: &JobSpec, context: &Context<'_>) -> Result<Finished, EngineError> {
    context.progress.step(Step::Preparing, None);
    let mut picture = frameloom_still::read(&spec.input, &Limits::default())?;
    for warning in std::mem::take(&mut picture.warnings) {
        context.progress.warning(warning);
    }
    let layout = spec.graph.layout()?;
    let line = only_line(&layout, spec)?;
    let ops = line.ops();
    if spec.encode.drop.contains(&TrackChoice::Metadata) {
        // What says how colours and sizes are meant is part of the picture.
        picture.metadata = Metadata {
            icc: picture.metadata.icc,
            dpi: picture.metadata.dpi,
            png_color: picture.metadata.png_color,
            ..Metadata::default()
        };
    }
    if spec.encode.srgb && frameloom_still::to_srgb(&mut picture) == Srgb::Unusable {
        context.progress.warning(Warning::dropped(said!(
            "lost.srgb",
            "the change to sRGB: how the colours of this picture are described cannot be used"
        )));
    }
    if picture.layout.has_alpha() {
        spread_color_under_transparency(&mut picture);
    }
    let format = StillFormat::for_output(&spec.output)?;
    let mut check = verifier(&picture, &ops, context)?;
    // The last step, and a resize behind it, let rows flow into the file; those before build a
    // whole picture each.
    let (streamed, resized, before) = match &ops[..] {
        [before @ .., step, (node, Op::Resize(size))] => (Some(step), Some((*node, *size)), before),
        [before @ .., step] => (Some(step), None, before),
        [] => (None, None, &[][..]),
    };
    for (node, op) in before {
        picture = whole(picture, node, op, spec, context)?;
    }
    let between = Shape::of(&picture).after(streamed, context)?;
    let resize_op = resized.map(|(node, size)| (node, Op::Resize(size)));
    let shape = match &resize_op {
        Some((node, op)) => between.after(Some(&(*node, op)), context)?,
        None => between,
    };
    let file = Temporary::new(temporary(&spec.output, context.work_dir));
    let mut writer = RowWriter::open(
        file.path(),
        format,
        shape.width,
        shape.height,
        shape.layout,
        shape.bits,
        &picture.metadata,
        spec.encode.quality,
    )?;
    let mut write = |rows: RowsRef<'_>| {
        check.push(rows);
        Ok(writer.write_rows(rows)?)
    };
    match (streamed, resized) {
        (Some((node, op)), Some((_, size))) => {
            let mut resizing = Resizing::new(between, size);
            apply(&picture, node, op, spec, context, &mut |rows| {
                resizing.take(rows, context.cancel, &mut write)
            })?;
        }
        (Some((node, op)), None) => apply(&picture, node, op, spec, context, &mut write)?,
        (None, _) => write(picture.samples.as_rows())?,
    }
    context.progress.step(Step::Verifying, Some(1));
    for warning in writer.finish()? {
        context.progress.warning(warning);
    }
    publish(file, spec, &shape, check.finish().map_err(spoiled)?)
}

fn spoiled(reason: String) -> EngineError {
    EngineError::OutputCheck {
        reason: format!("the picture {reason}"),
    }
}

/// Compares what the nodes make of `picture` with it.
fn verifier(
    picture: &Picture,
    ops: &[(&str, &Op)],
    context: &Context<'_>,
) -> Result<StillVerifier, EngineError> {
    let shape = Shape::of(picture);
    let input = shape.format();
    let mut passed = Vec::new();
    let mut now = shape;
    for step in ops {
        let after = now.after(Some(step), context)?;
        let manifest = manifest_of(step.1, context.models)?;
        let restyles = manifest.is_some_and(|manifest| manifest.restyles);
        // How much of it something will lie over shows only when that is opened.
        let covers = matches!(step.1, Op::Overlay(_)).then(|| Rect::of(after.width, after.height));
        let node = Passed::plain(step.1, &now.format(), &after.format());
        passed.push(Passed {
            restyles,
            covers,
            ..node
        });
        now = after;
    }
    let of = |layout: Channels| (layout.count(), layout.color_count());
    Ok(StillVerifier::new(
        &input,
        &passed,
        (picture.samples.as_rows(), of(picture.layout)),
        of(now.layout),
    ))
}

/// The picture as the node of this name gets it.
pub(super) fn frame_before(
    spec: &JobSpec,
    node: &str,
    context: &Context<'_>,
) -> Result<(Frame, PictureFormat), EngineError> {
    let mut picture = frameloom_still::read(&spec.input, &Limits::default())?;
    if picture.layout.has_alpha() {
        spread_color_under_transparency(&mut picture);
    }
    let layout = spec.graph.layout()?;
    for (id, op) in only_line(&layout, spec)?.ops() {
        if id == node {
            break;
        }
        context.cancel.check()?;
        picture = whole(picture, id, op, spec, context)?;
    }
    let input = format_by_frame(&picture);
    Ok((planar(&picture, input.pixels)?, input))
}

/// As what frames a picture goes through nodes.
fn format_by_frame(picture: &Picture) -> PictureFormat {
    let mut input = Shape::of(picture).format();
    // ffmpeg has no grey with transparency: three equal planes hold it.
    if input.pixels.planes == Planes::Gray && input.pixels.alpha {
        input.pixels.planes = Planes::Gbr;
    }
    input
}

/// A picture that only ffmpeg can read (AVIF): through the same nodes as a frame of a clip.
pub(super) fn run_by_ffmpeg(
    spec: &JobSpec,
    context: &Context<'_>,
) -> Result<Finished, EngineError> {
    context.progress.step(Step::Preparing, Some(1));
    let (frame, warnings) = by_ffmpeg(&spec.input, only_line(&spec.graph.layout()?, spec)?)?;
    for warning in warnings {
        context.progress.warning(warning);
    }
    let input = format_of(&frame, Rational { num: 1, den: 1 }, Pace::STILL);
    let layout = spec.graph.layout()?;
    let (sides, joints) = (Sides::default(), Joints::default());
    let chain_spec = ChainSpec::of_still(
        spec,
        only_line(&layout, spec)?,
        &input,
        (&sides, &joints),
        context,
    );
    let mut chain = Chain::open(&chain_spec, context)?;
    for choice in chain.providers() {
        context.progress.provider(choice);
    }
    context.progress.step(Step::Processing, Some(1));
    let mut verifier = Verifier::new(&input, chain.passed());
    let before = verifier.watcher().before(&frame);
    let frame = chain.process(frame)?;
    verifier.after(before, &frame).map_err(spoiled)?;
    let check = verifier
        .end_segment()
        .map_err(|reason| EngineError::OutputCheck {
            reason: format!("its pictures {reason}"),
        })?;
    context.cancel.check()?;
    let (samples, layout) = interleaved(&frame)?;
    let properties = AvifProperties::of(&spec.input);
    if properties.alpha && !layout.has_alpha() {
        context
            .progress
            .warning(Warning::dropped(said!("lost.transparency", "transparency")));
    }
    let shape = Shape {
        width: frame.width(),
        height: frame.height(),
        layout,
        bits: match samples {
            Samples::U8(_) => 8,
            Samples::U16(_) => 16,
        },
    };
    let file = Temporary::new(temporary(&spec.output, context.work_dir));
    let mut writer = RowWriter::open(
        file.path(),
        StillFormat::for_output(&spec.output)?,
        shape.width,
        shape.height,
        shape.layout,
        shape.bits,
        &Metadata {
            icc: properties.icc,
            ..Metadata::default()
        },
        spec.encode.quality,
    )?;
    writer.write_rows(samples.as_rows())?;
    for warning in writer.finish()? {
        context.progress.warning(warning);
    }
    if properties.exif {
        context.progress.warning(Warning::dropped("EXIF"));
    }
    context.progress.done(1);
    publish(file, spec, &shape, check)
}

/// A picture that only ffmpeg can read, upright, and what is to be said of it.
pub(super) fn by_ffmpeg(
    path: &Path,
    line: &Line<'_>,
) -> Result<(Frame, Vec<Warning>), EngineError> {
    let (frame, info) = frameloom_media::read_still(path)?;
    let turn = info
        .main_video()
        .and_then(|(stream, _)| upright_turn(stream));
    let cuts = |(_, op): &(_, &Op)| matches!(op, Op::Crop(_) | Op::Pad(_));
    if turn.is_none() && !line.ops().iter().any(cuts) {
        return Ok((frame, info.warnings));
    }
    // A colour for each pixel, as all other pictures have it: one for several stands at a place
    // beside them for which there is no word behind some turns, and nothing can be cut there.
    let mut pixels = frame.format();
    if let Planes::Yuv { shift_x, shift_y } = &mut pixels.planes {
        (*shift_x, *shift_y) = (0, 0);
    }
    let frame = frameloom_media::convert(&frame, pixels)?;
    let format = format_of(&frame, Rational { num: 1, den: 1 }, Pace::STILL);
    let node = match turn {
        Some(turn) => open_turn(turn, &format)?,
        None => None,
    };
    let upright = match node {
        Some((Node::Filter(mut node), _)) => node.process(&frame)?,
        _ => frame,
    };
    Ok((upright, info.warnings))
}

/// Stills are never joined, which the plan sees to.
pub(super) fn only_line<'a, 'b>(
    layout: &'b Layout<'a>,
    spec: &JobSpec,
) -> Result<&'b Line<'a>, EngineError> {
    layout
        .pictures
        .first()
        .ok_or_else(|| EngineError::NoFrames {
            path: spec.input.clone(),
        })
}

/// A picture of its own as a frame, upright, for the nodes of `line`.
pub(super) fn frame_of(path: &Path, line: &Line<'_>) -> Result<Frame, EngineError> {
    if !frameloom_still::is_still(path)? {
        return Ok(by_ffmpeg(path, line)?.0);
    }
    let mut picture = frameloom_still::read(path, &Limits::default())?;
    if picture.layout.has_alpha() {
        spread_color_under_transparency(&mut picture);
    }
    let mut pixels = Shape::of(&picture).format().pixels;
    // ffmpeg has no grey with transparency: three equal planes hold it.
    if pixels.planes == Planes::Gray && pixels.alpha {
        pixels.planes = Planes::Gbr;
    }
    planar(&picture, pixels)
}

/// Checks the written file by its header and gives it its name.
fn publish(
    file: Temporary,
    spec: &JobSpec,
    shape: &Shape,
    check: PictureCheck,
) -> Result<Finished, EngineError> {
    let info = frameloom_still::probe(file.path())?;
    let size = info
        .main_video()
        .map(|(_, video)| (video.width, video.height));
    if size != Some((shape.width, shape.height)) {
        return Err(EngineError::OutputCheck {
            reason: format!(
                "the written picture is {size:?} instead of {} x {} pixels",
                shape.width, shape.height
            ),
        });
    }
    Ok(Finished {
        output: file.publish(&spec.output, spec.overwrite)?,
        pictures: None,
        checks: Checks {
            frames: 1,
            span_micros: None,
            times_sha256: None,
            streams: 0,
            pictures: Some(check),
            copied: None,
            sound: Vec::new(),
        },
    })
}

/// Size and sample layout of a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Shape {
    pub(super) width: u32,
    pub(super) height: u32,
    pub(super) layout: Channels,
    pub(super) bits: u8,
}

impl Shape {
    fn of(picture: &Picture) -> Self {
        Self {
            width: picture.width,
            height: picture.height,
            layout: picture.layout,
            bits: picture.bits(),
        }
    }

    /// The picture as nodes see it.
    fn format(self) -> PictureFormat {
        PictureFormat {
            width: self.width,
            height: self.height,
            pixels: PixelFormat {
                planes: if self.layout.color_count() == 1 {
                    Planes::Gray
                } else {
                    Planes::Gbr
                },
                bits: self.bits,
                alpha: self.layout.has_alpha(),
            },
            color: Default::default(),
            sample_aspect_ratio: Rational { num: 1, den: 1 },
            pace: Pace::STILL,
        }
    }

    fn after(self, step: Option<&(&str, &Op)>, context: &Context<'_>) -> Result<Self, EngineError> {
        let Some((node, op)) = step else {
            return Ok(self);
        };
        let refuse = |reason: Said| EngineError::Node {
            node: (*node).to_owned(),
            reason,
        };
        let input = self.format();
        let output = output_format(node, op, &input, context.models)?;
        let mut layout = self.layout;
        if matches!(op, Op::Background(_) | Op::Depth(_)) {
            layout = match output.pixels.planes {
                Planes::Gray => Channels::Gray,
                Planes::Gbr | Planes::Yuv { .. } => Channels::Rgb,
            }
            .with_alpha(output.pixels.alpha);
        } else if output.pixels.planes != input.pixels.planes
            || output.pixels.alpha != input.pixels.alpha
        {
            return Err(refuse(said!(
                "still.channels",
                "a still picture can change its depth, not its channels"
            )));
        }
        Ok(Self {
            width: output.width,
            height: output.height,
            layout,
            bits: if output.pixels.bits > 8 { 16 } else { 8 },
        })
    }
}

/// Room for a whole picture and not more: a vector that grows by itself takes twice of it.
fn reserved<T>(shape: Shape) -> Result<Vec<T>, EngineError> {
    let mut samples = Vec::new();
    let count = shape.width as usize * shape.height as usize * shape.layout.count();
    samples
        .try_reserve_exact(count)
        .map_err(|_| EngineError::Media(frameloom_media::MediaError::OutOfMemory))?;
    Ok(samples)
}

/// Applies a step and keeps the whole result in memory.
fn whole(
    picture: Picture,
    node: &str,
    op: &Op,
    spec: &JobSpec,
    context: &Context<'_>,
) -> Result<Picture, EngineError> {
    let shape = Shape::of(&picture).after(Some(&(node, op)), context)?;
    let mut samples = match shape.bits {
        8 => Samples::U8(reserved(shape)?),
        _ => Samples::U16(reserved(shape)?),
    };
    apply(&picture, node, op, spec, context, &mut |rows| {
        match (&mut samples, rows) {
            (Samples::U8(all), RowsRef::U8(rows)) => all.extend_from_slice(rows),
            (Samples::U16(all), RowsRef::U16(rows)) => all.extend_from_slice(rows),
            _ => unreachable!("rows have the depth of their shape"),
        }
        Ok(())
    })?;
    Ok(Picture {
        width: shape.width,
        height: shape.height,
        layout: shape.layout,
        samples,
        ..picture
    })
}

fn apply(
    picture: &Picture,
    node: &str,
    op: &Op,
    spec: &JobSpec,
    context: &Context<'_>,
    sink: &mut Sink<'_>,
) -> Result<(), EngineError> {
    let shape = Shape::of(picture).after(Some(&(node, op)), context)?;
    match op {
        Op::Source(_) | Op::Sink => sink(picture.samples.as_rows()),
        Op::Upscale { .. } | Op::Onnx(_) | Op::Denoise(DenoiseParams { model: Some(_), .. }) => {
            upscale(picture, op, spec, context, sink)
        }
        Op::Resize(size) => resize(picture, *size, context, sink),
        Op::Crop(rect) => crop(picture, *rect, sink),
        Op::Convert { .. } => {
            let mut packer = Packer::new(shape.layout, shape.bits, shape.width as usize);
            let mut row = vec![0.0; shape.width as usize];
            for y in 0..picture.height as usize {
                for channel in 0..shape.layout.count() {
                    read_row(picture, channel, y, 0, &mut row);
                    packer.put(channel, 0, &row);
                }
                packer.flush(1, sink)?;
            }
            Ok(())
        }
        _ => {
            let result = by_frame(picture, (node, op), spec, None, context)?;
            sink(result.as_rows())
        }
    }
}

/// Applies a step to a picture that is only looked at, and keeps the whole result in memory: as a
/// run does it, but models only as far as there is patience.
pub(super) fn step(
    picture: Picture,
    (node, op): (&str, &Op),
    spec: &JobSpec,
    patience: &Patience,
    context: &Context<'_>,
) -> Result<Picture, EngineError> {
    patience.passes(op);
    let Some(manifest) = manifest_of(op, context.models)? else {
        return whole(picture, node, op, spec, context);
    };
    let shape = Shape::of(&picture).after(Some(&(node, op)), context)?;
    let hurry = Some((patience, &manifest.tile));
    let samples = by_frame(&picture, (node, op), spec, hurry, context)?;
    Ok(Picture {
        width: shape.width,
        height: shape.height,
        layout: shape.layout,
        samples,
        ..picture
    })
}

/// Applies a node that works on frames; one with a model only as far as there is patience, where
/// that is limited.
fn by_frame(
    picture: &Picture,
    (node, op): (&str, &Op),
    spec: &JobSpec,
    hurry: Option<(&Patience, &TileSpec)>,
    context: &Context<'_>,
) -> Result<Samples, EngineError> {
    let layout = spec.graph.layout()?;
    let step = only_line(&layout, spec)?
        .steps
        .iter()
        .find(|s| s.id == node);
    let input = format_by_frame(picture);
    let frame = planar(picture, input.pixels)?;
    let (sides, joints) = (Sides::default(), Joints::default());
    let over = match step {
        Some(step) => {
            let chain_spec = ChainSpec::of_still(
                spec,
                only_line(&layout, spec)?,
                &input,
                (&sides, &joints),
                context,
            );
            sides.open(step, &chain_spec, context)?
        }
        None => None,
    };
    let opening = Opening {
        runtime: context.runtime,
        models: context.models,
        sessions: context.sessions(&spec.device),
        threads: context.threads.infer,
        max_tile: context.max_tile(),
        zero: 0,
        scratch: context.work_dir,
        over,
        joint: None,
    };
    let opened = match hurry {
        Some((patience, tile)) => {
            let watch = |handle| context.cancel.watch(handle);
            open_patiently((node, op), tile, &input, &opening, (patience, &watch))?
        }
        None => open_node(node, op, &input, &opening)?,
    };
    let Some((Node::Filter(mut filter), choice)) = opened else {
        return Ok(interleaved(&frame)?.0);
    };
    if let Some(choice) = &choice {
        context.progress.provider(choice);
    }
    if let Some(handle) = filter.cancel_handle() {
        context.cancel.watch(handle);
    }
    context.cancel.check()?;
    let frame = filter.process(&frame)?;
    let (samples, layout) = interleaved(&frame)?;
    let wanted = Shape::of(picture).after(Some(&(node, op)), context)?;
    Ok(without_color(samples, layout, wanted.layout))
}

fn upscale(
    picture: &Picture,
    op: &Op,
    spec: &JobSpec,
    context: &Context<'_>,
    sink: &mut Sink<'_>,
) -> Result<(), EngineError> {
    let Some(manifest) = &manifest_of(op, context.models)? else {
        // Only operations with a model come here.
        return sink(picture.samples.as_rows());
    };
    let load = || match op {
        Op::Onnx(file) => context.models.load_onnx(file),
        _ => context.models.load(&manifest.id),
    };
    let mut open = Pool::open(
        context.pool,
        manifest,
        &load,
        &context.sessions(&spec.device),
        (context.threads.infer, context.max_tile()),
        context.runtime,
    )?;
    context.progress.provider(&open.choice);
    let upscaler = &mut open.upscaler;
    context.cancel.watch(upscaler.cancel_handle());
    let scale = upscaler.scale() as usize;
    let (width, height) = (picture.width as usize, picture.height as usize);
    let tiles = upscaler.tile_count(width, height) as u64;
    context.progress.step(Step::Processing, Some(tiles));

    let layout = picture.layout;
    let colors = layout.color_count();
    let luma_model = manifest.input.color == TensorColor::Luma;
    let mut resampler = Resampler::new(Axis::enlarge(width, scale), Axis::enlarge(height, scale));
    let mut packer = Packer::new(layout, picture.bits(), width * scale);
    let mut scratch: [Vec<f32>; 3] = Default::default();
    let mut source = |channel: usize, y: usize, x: usize, out: &mut [f32]| {
        if luma_model && colors == 3 {
            let [first, second, _] = &mut scratch;
            first.resize(out.len(), 0.0);
            second.resize(out.len(), 0.0);
            read_row(picture, 0, y, x, out);
            read_row(picture, 1, y, x, first);
            read_row(picture, 2, y, x, second);
            for ((r, g), b) in out.iter_mut().zip(first).zip(second) {
                *r = RGB_LUMA[0] * *r + RGB_LUMA[1] * *g + RGB_LUMA[2] * *b;
            }
        } else {
            // An RGB model sees grey as three equal channels.
            read_row(picture, channel.min(colors - 1), y, x, out);
        }
    };
    let mut bands = Vec::new();
    let mut held = Vec::new();
    let mut finished = |top: usize, planes: &[PlaneRef<'_, f32>]| -> Result<(), EngineError> {
        context.cancel.check()?;
        let rows = planes.first().map_or(0, |p| p.height);
        let range = top..top + rows;
        if luma_model && colors == 3 {
            // The detail that the model found in the luma is added to the enlarged colours.
            for (channel, band) in scratch_bands(&mut bands, 3).iter_mut().enumerate() {
                let range = range.clone();
                enlarge_rows(
                    picture,
                    channel,
                    scale,
                    range,
                    &mut resampler,
                    (&mut held, band),
                );
            }
            let [r, g, b] = &mut bands[..3] else {
                unreachable!("three bands were made");
            };
            for row in 0..rows {
                let luma = planes[0].row(row);
                let at = row * width * scale..(row + 1) * width * scale;
                let (r, g, b) = (&mut r[at.clone()], &mut g[at.clone()], &mut b[at]);
                for (((luma, r), g), b) in luma.iter().zip(r).zip(g).zip(b) {
                    let detail = luma - (RGB_LUMA[0] * *r + RGB_LUMA[1] * *g + RGB_LUMA[2] * *b);
                    *r += detail;
                    *g += detail;
                    *b += detail;
                }
            }
            for (channel, band) in bands.iter().take(3).enumerate() {
                packer.put_rows(channel, band);
            }
        } else if colors == 1 && planes.len() == 3 {
            let mut mean = vec![0.0; width * scale];
            for row in 0..rows {
                let [r, g, b] = [planes[0].row(row), planes[1].row(row), planes[2].row(row)];
                for (((mean, r), g), b) in mean.iter_mut().zip(r).zip(g).zip(b) {
                    *mean = (r + g + b) / 3.0;
                }
                packer.put(0, row, &mean);
            }
        } else {
            for (channel, plane) in planes.iter().enumerate() {
                for row in 0..rows {
                    packer.put(channel, row, plane.row(row));
                }
            }
        }
        if layout.has_alpha() {
            let band = &mut scratch_bands(&mut bands, 1)[0];
            enlarge_rows(
                picture,
                colors,
                scale,
                range,
                &mut resampler,
                (&mut held, band),
            );
            packer.put_rows(colors, band);
        }
        packer.flush(rows, sink)?;
        context
            .progress
            .done(tiles * (top + rows) as u64 / (height * scale) as u64);
        Ok(())
    };
    upscaler.upscale_bands(width, height, &mut source, &mut finished)?;
    Pool::give_back(context.pool, open);
    Ok(())
}

fn scratch_bands(bands: &mut Vec<Vec<f32>>, count: usize) -> &mut [Vec<f32>] {
    if bands.len() < count {
        bands.resize(count, Vec::new());
    }
    &mut bands[..count]
}

/// Rows `range` of a cubically enlarged channel into `band`; `rows` holds what they are made of.
fn enlarge_rows(
    picture: &Picture,
    channel: usize,
    scale: usize,
    range: std::ops::Range<usize>,
    resampler: &mut Resampler,
    (rows, band): (&mut Vec<f32>, &mut Vec<f32>),
) {
    let (width, height) = (picture.width as usize, picture.height as usize);
    // Keys' kernel reaches two rows; one more for the half-row shift.
    let top = (range.start / scale).saturating_sub(3).min(height - 1);
    let bottom = (range.end.div_ceil(scale) + 3).min(height);
    rows.resize(width * (bottom - top), 0.0);
    for (y, row) in (top..bottom).zip(rows.chunks_exact_mut(width)) {
        read_row(picture, channel, y, 0, row);
    }
    let out_width = width * scale;
    band.resize(out_width * range.len(), 0.0);
    let first = range.start;
    resampler.run_rows(
        float_plane(rows, width, bottom - top).as_ref(),
        top,
        range,
        |y, row| band[(y - first) * out_width..][..out_width].copy_from_slice(row),
    );
}

fn resize(
    picture: &Picture,
    size: ResizeParams,
    context: &Context<'_>,
    sink: &mut Sink<'_>,
) -> Result<(), EngineError> {
    let mut resizing = Resizing::new(Shape::of(picture), size);
    let band_samples = picture.width as usize * picture.layout.count() * BAND_ROWS;
    match &picture.samples {
        Samples::U8(data) => data
            .chunks(band_samples)
            .try_for_each(|rows| resizing.take(RowsRef::U8(rows), context.cancel, sink)),
        Samples::U16(data) => data
            .chunks(band_samples)
            .try_for_each(|rows| resizing.take(RowsRef::U16(rows), context.cancel, sink)),
    }
}

fn crop(picture: &Picture, rect: CropParams, sink: &mut Sink<'_>) -> Result<(), EngineError> {
    let count = picture.layout.count();
    let row_samples = picture.width as usize * count;
    for y in rect.y..rect.y + rect.height {
        let start = y as usize * row_samples + rect.x as usize * count;
        let range = start..start + rect.width as usize * count;
        sink(match &picture.samples {
            Samples::U8(data) => RowsRef::U8(&data[range]),
            Samples::U16(data) => RowsRef::U16(&data[range]),
        })?;
    }
    Ok(())
}
