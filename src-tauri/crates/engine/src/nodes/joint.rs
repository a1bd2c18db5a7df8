//! Where clips are joined: the pictures of each become like those of the first.

use super::pad::Pad;
use super::{Filter, Models, Pace, PictureFormat, background, output_format, overlay};
use crate::EngineError;
use frameloom_core::graph::{Op, PadParams, Step};
use frameloom_core::pixel::{PixelFormat, Planes};
use frameloom_core::said;
use frameloom_core::time::{FrameRate, TimeBase, Timestamp};
use frameloom_media::{Converter, Frame, FramePool};
use std::collections::BTreeMap;

/// What the pictures are like at each joint of a graph: what the first clip brings there.
#[derive(Debug, Clone, Default)]
pub(crate) struct Joints(BTreeMap<String, PictureFormat>);

impl Joints {
    /// The frame rate of the first clip at the joint `id`.
    pub(crate) fn frame_rate(&self, id: &str) -> Option<FrameRate> {
        self.0.get(id)?.pace.frame_rate
    }

    /// What the pictures are like behind the joint `id`; `input` where nothing is known of it.
    pub(crate) fn target(&self, id: &str, input: &PictureFormat) -> PictureFormat {
        let target = self.0.get(id).unwrap_or(input);
        PictureFormat {
            pace: input.pace,
            ..target.clone()
        }
    }

    /// What `step` makes of `input`, with the pictures `over` at its second input. The first clip
    /// that comes to a joint says what it is like.
    ///
    /// # Errors
    /// The parameters or the pictures do not fit.
    pub(crate) fn after(
        &mut self,
        step: &Step<'_>,
        input: &PictureFormat,
        over: Option<&PictureFormat>,
        models: &dyn Models,
    ) -> Result<PictureFormat, EngineError> {
        let refuse = |reason| EngineError::Node {
            node: step.id.to_owned(),
            reason,
        };
        if let (Op::Overlay(params), Some(over)) = (step.op, over) {
            overlay::check(params, over, input).map_err(refuse)?;
        }
        if let (Op::Background(_), Some(behind)) = (step.op, over) {
            background::check(behind, input).map_err(refuse)?;
        }
        if !matches!(step.op, Op::Concat) {
            return output_format(step.id, step.op, input, models);
        }
        let target = self
            .0
            .entry(step.id.to_owned())
            .or_insert_with(|| input.clone());
        if target.color.is_hdr() != input.color.is_hdr() {
            return Err(refuse(said!(
                "node.hdr_and_sdr",
                "one of its clips is HDR and another is not, and no node turns one kind into the other; join clips of one kind, and make a result of its own of the others"
            )));
        }
        Ok(PictureFormat {
            pace: input.pace,
            ..target.clone()
        })
    }
}

/// Where a clip lies in the result, in ticks of `time_base`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct At {
    /// How the result counts.
    pub time_base: TimeBase,
    /// The clip's first picture.
    pub ticks: i64,
    /// The first picture of all.
    pub first: i64,
}

/// Moves times to where a clip lies in the result.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shift {
    /// Time of the clip's first picture, in its own ticks.
    pub zero: i64,
    /// The same in the result, in the ticks of `pace`.
    pub at: i64,
    /// How the result counts.
    pub pace: Pace,
}

/// Fits pictures into those of another clip, with bars where the shape differs.
pub(super) struct Joint {
    from: Pace,
    shift: Option<Shift>,
    fit: Option<Fit>,
    output: PictureFormat,
}

struct Fit {
    /// Changes the matrix or the range: by way of RGB.
    recolor: Option<(Converter, FramePool)>,
    scaler: Converter,
    scaled: FramePool,
    pad: Option<Pad>,
}

impl Joint {
    pub(super) fn open(
        input: &PictureFormat,
        output: PictureFormat,
        shift: Option<Shift>,
    ) -> Result<Self, EngineError> {
        let picture = |format: &PictureFormat| PictureFormat {
            pace: Pace::STILL,
            ..format.clone()
        };
        let fit = if picture(input) == picture(&output) {
            None
        } else {
            Some(Fit::open(input, &output)?)
        };
        Ok(Self {
            from: input.pace,
            shift,
            fit,
            output: PictureFormat {
                pace: shift.map_or(output.pace, |shift| shift.pace),
                ..output
            },
        })
    }
}

impl Fit {
    fn open(input: &PictureFormat, output: &PictureFormat) -> Result<Self, EngineError> {
        let ((x, y), (width, height)) = fit_inside(input, output);
        let differs = input.color.matrix_or_guess(input.width, input.height).0
            != output.color.matrix_or_guess(output.width, output.height).0
            || input.color.range != output.color.range;
        let rgb = |f: &PictureFormat| f.pixels.planes == Planes::Gbr;
        let wide = PixelFormat {
            planes: Planes::Gbr,
            bits: 16,
            alpha: input.pixels.alpha,
        };
        let recolor = if differs && !rgb(input) && !rgb(output) {
            Some((Converter::new(), FramePool::new(wide, width, height)?))
        } else {
            None
        };
        let pad = PadParams {
            width: output.width,
            height: output.height,
            x,
            y,
            color: "#000000".to_owned(),
        };
        let whole = (width, height) == (output.width, output.height);
        Ok(Self {
            recolor,
            scaler: Converter::new(),
            scaled: FramePool::new(output.pixels, width, height)?,
            pad: if whole {
                None
            } else {
                Some(Pad::open(&pad, output.clone())?)
            },
        })
    }

    fn run(&mut self, frame: &Frame, output: &PictureFormat) -> Result<Frame, EngineError> {
        let recolored;
        let mut source = frame;
        if let Some((converter, pool)) = &mut self.recolor {
            let mut rgb = converter.convert(frame, pool)?;
            // The matrix and the range that the next conversion makes.
            let mut color = output.color.clone();
            color.matrix = color.matrix_or_guess(output.width, output.height).0;
            rgb.set_color(&color);
            recolored = rgb;
            source = &recolored;
        }
        let mut scaled = self.scaler.convert(source, &self.scaled)?;
        scaled.set_color(&output.color);
        Ok(match &mut self.pad {
            Some(pad) => pad.process(&scaled)?,
            None => scaled,
        })
    }
}

/// Left upper corner and size of the largest picture of the shape of `input` in the middle of
/// `output`; even, for the sake of chroma.
pub(crate) fn fit_inside(
    input: &PictureFormat,
    output: &PictureFormat,
) -> ((u32, u32), (u32, u32)) {
    let ratio = |format: &PictureFormat| {
        let ratio = format.sample_aspect_ratio;
        if ratio.num > 0 && ratio.den > 0 {
            ratio.to_f64()
        } else {
            1.0
        }
    };
    // In pixels of the output.
    let width = f64::from(input.width) * ratio(input) / ratio(output);
    let scale =
        (f64::from(output.width) / width).min(f64::from(output.height) / f64::from(input.height));
    // Pixels across and down that share a sample of colour: nothing begins or ends between them.
    let (across, down) = match output.pixels.planes {
        Planes::Yuv { shift_x, shift_y } => (1 << shift_x, 1 << shift_y),
        Planes::Gbr | Planes::Gray => (1, 1),
    };
    let side = |v: f64, all: u32, grid: u32| {
        let rounded = (v * scale).round() as u32;
        if rounded + 1 >= all {
            return all;
        }
        (rounded - rounded % grid).max(grid).min(all)
    };
    let width = side(width, output.width, across);
    let height = side(f64::from(input.height), output.height, down);
    let middle = |all: u32, used: u32, grid: u32| {
        let at = (all - used) / 2;
        at - at % grid
    };
    (
        (
            middle(output.width, width, across),
            middle(output.height, height, down),
        ),
        (width, height),
    )
}

impl Filter for Joint {
    fn output(&self) -> &PictureFormat {
        &self.output
    }

    fn process(&mut self, frame: &Frame) -> Result<Frame, EngineError> {
        let mut out = match &mut self.fit {
            Some(fit) => fit.run(frame, &self.output)?,
            None => frame.share()?,
        };
        if let Some(Shift { zero, at, pace }) = self.shift {
            let moved =
                |ticks: i64| Timestamp::new(ticks, self.from.time_base).rescaled(pace.time_base);
            let pts = moved(frame.pts().saturating_sub(zero)).ticks;
            out.set_timing(pts.saturating_add(at), moved(frame.duration()).ticks);
        }
        out.set_sample_aspect_ratio(self.output.sample_aspect_ratio);
        Ok(out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use frameloom_core::time::Rational;

    fn format(width: u32, height: u32, planes: Planes) -> PictureFormat {
        PictureFormat {
            width,
            height,
            pixels: PixelFormat {
                planes,
                bits: 8,
                alpha: false,
            },
            color: Default::default(),
            sample_aspect_ratio: Rational { num: 1, den: 1 },
            pace: crate::nodes::Pace::STILL,
        }
    }

    #[test]
    fn a_clip_lies_in_the_very_middle_unless_samples_of_colour_are_shared() {
        let yuv = |shift_x, shift_y| Planes::Yuv { shift_x, shift_y };
        for (planes, wanted) in [
            (yuv(0, 0), ((0, 3), (99, 57))),
            (Planes::Gbr, ((0, 3), (99, 57))),
            (yuv(1, 0), ((0, 3), (99, 57))),
            (yuv(1, 1), ((0, 2), (99, 56))),
            (yuv(2, 2), ((0, 0), (99, 56))),
        ] {
            let fit = fit_inside(&format(40, 23, planes), &format(99, 63, planes));
            assert_eq!(fit, wanted, "{planes:?}");
        }
    }
}
