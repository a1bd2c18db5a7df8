//! Foregrounds without their backgrounds, or on others.
//!
//! A matting model says in small what is foreground ([`Eye`]); in a clip its mattes are steadied
//! by those of neighbouring pictures ([`super::steady`]); the edges come to those of the picture
//! ([`super::guided`]), and the picture is put together anew ([`compose`]).

mod compose;

use super::grid::Grid;
use super::layer::{Alpha, LayerMaker};
use super::overlay::since;
use super::steady::{REACH, Seen, steadied};
use super::windowed::{self, Look, Small};
use super::{Opened, Opening, PictureFormat, SharedOver};
use crate::EngineError;
use compose::{Composer, Ground};
use frameloom_core::color::{ColorInfo, Matrix, Range};
use frameloom_core::graph::{BackgroundMode, BackgroundParams, OverEnd, parse_color};
use frameloom_core::model::Task;
use frameloom_core::pixel::{AnyPlaneMut, PixelFormat, Planes};
use frameloom_core::said;
use frameloom_core::said::Said;
use frameloom_infer::{CancelHandle, MatteSession};
use frameloom_media::{Frame, FramePool};
use std::sync::{Arc, PoisonError};

/// What comes out of `input`.
///
/// # Errors
/// What is wrong, in words.
pub(super) fn output_format(
    params: &BackgroundParams,
    task: Task,
    input: &PictureFormat,
) -> Result<PictureFormat, Said> {
    if task != Task::Matte {
        return Err(said!(
            "background.makes_pictures",
            "the model `{model}` makes pictures; a model is needed that tells the foreground from the background, as `frameloom models available` lists them",
            model = &params.model
        ));
    }
    if params.mode == BackgroundMode::Color && parse_color(&params.color).is_none() {
        return Err(said!(
            "background.color",
            "`{color}` is no colour; write it like #ff8000",
            color = &params.color
        ));
    }
    let mut output = input.clone();
    let is_gray = input.pixels.planes == Planes::Gray;
    // Of grey with transparency there is no planar kind, and what comes behind may have colours.
    if is_gray && params.mode != BackgroundMode::Blur {
        output.pixels.planes = Planes::Gbr;
        output.color = super::converted_color(input, Planes::Gbr);
    }
    output.pixels = transparent(output.pixels, params.mode == BackgroundMode::Remove);
    Ok(output)
}

/// `pixels` with or without transparency, with the depth that there is of it.
fn transparent(pixels: PixelFormat, alpha: bool) -> PixelFormat {
    if !alpha {
        return PixelFormat { alpha, ..pixels };
    }
    let (planes, bits) = match (pixels.planes, pixels.bits) {
        (Planes::Gbr, 9) => (Planes::Gbr, 10),
        (Planes::Gbr, 14) => (Planes::Gbr, 16),
        (
            Planes::Yuv {
                shift_x: 1,
                shift_y: 1,
            },
            12 | 14,
        ) => (pixels.planes, 16),
        // With transparency, no kind shares its chroma by two rows alone.
        (
            Planes::Yuv {
                shift_x: 0,
                shift_y: 1,
            },
            bits,
        ) => (
            Planes::Yuv {
                shift_x: 0,
                shift_y: 0,
            },
            if bits == 14 { 16 } else { bits },
        ),
        (planes @ Planes::Yuv { .. }, 14) => (planes, 16),
        (planes, bits) => (planes, bits),
    };
    PixelFormat {
        planes,
        bits,
        alpha,
    }
}

/// Refuses pictures that cannot be put behind others.
///
/// # Errors
/// What is wrong, in words.
pub(super) fn check(behind: &PictureFormat, input: &PictureFormat) -> Result<(), Said> {
    if behind.color.is_hdr() && !input.color.is_hdr() {
        return Err(said!(
            "background.hdr",
            "what is put behind is HDR and the foreground is not; turn it into SDR first"
        ));
    }
    Ok(())
}

/// Opens the node: with a memory of time for a clip whose mattes are steadied.
pub(super) fn open(
    params: &BackgroundParams,
    input: &PictureFormat,
    output: PictureFormat,
    opening: &Opening<'_>,
) -> Result<Opened, EngineError> {
    let (session, choice) = opening.session_of(&params.model)?;
    let session = MatteSession::new(session)?;
    let steady = input.pace != super::Pace::STILL && params.smooth > 0.0;
    let background = Background {
        eye: Eye::new(session, input)?,
        stage: Stage::open(params, input, output, opening)?,
        strength: params.smooth.clamp(0.0, 1.0) as f32,
    };
    let node = windowed::node(background, steady.then_some(REACH));
    Ok((node, Some(choice)))
}

/// Looks at pictures with a model.
struct Eye {
    session: MatteSession,
    small: Small,
}

impl Eye {
    fn new(session: MatteSession, input: &PictureFormat) -> Result<Self, EngineError> {
        let size = session.size_for(input.width as usize, input.height as usize);
        Ok(Self {
            session,
            small: Small::new(size)?,
        })
    }

    fn see(&mut self, frame: &Frame) -> Result<Seen, EngineError> {
        let mut seen = Seen {
            rgb: self.small.rgb(frame)?,
            ..Seen::default()
        };
        let size = self.small.size();
        let [r, g, b] = &seen.rgb;
        self.session.run([r, g, b], size, &mut seen.map.values)?;
        (seen.map.width, seen.map.height) = size;
        Ok(seen)
    }
}

/// Where foregrounds are put.
struct Stage {
    mode: BackgroundMode,
    /// Standard deviation of the blur in pixels.
    sigma: f32,
    composer: Composer,
    /// What the frames are brought to first.
    working: PixelFormat,
    scenery: Option<Scenery>,
    zero: i64,
    input: PictureFormat,
    output: PictureFormat,
}

impl Stage {
    fn open(
        params: &BackgroundParams,
        input: &PictureFormat,
        output: PictureFormat,
        opening: &Opening<'_>,
    ) -> Result<Self, EngineError> {
        let scenery = match params.mode {
            BackgroundMode::Color => Some(Scenery::of_color(&params.color, &output)?),
            BackgroundMode::Picture => match &opening.over {
                Some(over) => Some(Scenery::of_pictures(over.clone(), &output)?),
                None => None,
            },
            BackgroundMode::Remove | BackgroundMode::Blur => None,
        };
        let threads = opening.threads.max(1);
        Ok(Self {
            mode: params.mode,
            sigma: (params.blur / 100.0 * f64::from(input.height)) as f32,
            composer: Composer::new(output.clone(), params.spill.clamp(0.0, 1.0) as f32, threads)?,
            working: PixelFormat {
                alpha: input.pixels.alpha,
                ..output.pixels
            },
            scenery,
            zero: opening.zero,
            input: input.clone(),
            output,
        })
    }

    fn compose(&mut self, frame: &Frame, matte: &Grid) -> Result<Frame, EngineError> {
        let converted;
        let working = match frame.format() == self.working {
            true => frame,
            false => {
                converted = frameloom_media::convert(frame, self.working)?;
                &converted
            }
        };
        let scene;
        let ground = match (self.mode, &mut self.scenery) {
            (BackgroundMode::Blur, _) => Ground::Blur(self.sigma),
            (_, Some(scenery)) => {
                scene = scenery.at(since(&self.input, self.zero, frame))?;
                Ground::Picture(&scene)
            }
            _ => Ground::Nothing,
        };
        self.composer.compose(working, matte, &ground)
    }
}

/// What stands behind the foreground, in the samples of the result.
struct Scenery {
    pictures: Option<SharedOver>,
    maker: LayerMaker,
    pool: FramePool,
    /// The picture that was made ready last, with its number.
    ready: Option<(u64, Arc<Frame>)>,
    size: (u32, u32),
    aspect: f64,
}

impl Scenery {
    fn new(output: &PictureFormat) -> Result<Self, EngineError> {
        let ratio = output.sample_aspect_ratio;
        let opaque = PictureFormat {
            pixels: transparent(output.pixels, false),
            ..output.clone()
        };
        Ok(Self {
            pictures: None,
            pool: FramePool::new(opaque.pixels, opaque.width, opaque.height)?,
            maker: LayerMaker::new(opaque, 1.0),
            ready: None,
            size: (output.width, output.height),
            aspect: match ratio.num > 0 && ratio.den > 0 {
                true => ratio.to_f64(),
                false => 1.0,
            },
        })
    }

    fn of_color(color: &str, output: &PictureFormat) -> Result<Self, EngineError> {
        /// Large enough for every kernel.
        const SIDE: u32 = 16;
        let mut scenery = Self::new(output)?;
        let [r, g, b] = parse_color(color).unwrap_or_default();
        let pixels = PixelFormat {
            planes: Planes::Gbr,
            bits: 8,
            alpha: false,
        };
        let mut frame = Frame::new(pixels, SIDE, SIDE)?;
        frame.set_color(&ColorInfo {
            matrix: Matrix::Identity,
            range: Range::Full,
            ..ColorInfo::default()
        });
        for (index, value) in [g, b, r].into_iter().enumerate() {
            if let AnyPlaneMut::U8(mut plane) = frame.plane_mut(index)? {
                for y in 0..plane.height {
                    plane.row_mut(y).fill(value);
                }
            }
        }
        let frame = scenery.ready_of(&frame, scenery.size)?;
        scenery.ready = Some((0, Arc::new(frame)));
        Ok(scenery)
    }

    fn of_pictures(pictures: SharedOver, output: &PictureFormat) -> Result<Self, EngineError> {
        Ok(Self {
            pictures: Some(pictures),
            ..Self::new(output)?
        })
    }

    /// A picture made so large that it leaves no bar, and cut on all sides alike.
    fn ready_of(&mut self, frame: &Frame, cover: (u32, u32)) -> Result<Frame, EngineError> {
        let layer = self.maker.make(frame, Alpha::Straight, cover)?;
        let mut out = self.pool.get()?;
        let (width, height) = self.size;
        // Where the picture is transparent itself, it stands before black.
        blacken(&mut out, &self.maker)?;
        let at = |side: u32, cover: u32| (i64::from(side) - i64::from(cover)) / 2;
        layer.lay_over(&mut out, (at(width, cover.0), at(height, cover.1)))?;
        Ok(out)
    }

    fn at(&mut self, micros: i64) -> Result<Arc<Frame>, EngineError> {
        let shown = match &self.pictures {
            Some(pictures) => {
                let mut pictures = pictures.lock().unwrap_or_else(PoisonError::into_inner);
                let aspect = pictures.aspect() / self.aspect;
                let shown = pictures.at(micros.max(0), OverEnd::Repeat)?;
                shown.map(|(number, frame)| (number, frame, aspect))
            }
            None => None,
        };
        if let Some((number, frame, aspect)) = shown
            && self.ready.as_ref().is_none_or(|(made, _)| *made != number)
        {
            let cover = cover((frame.width(), frame.height()), aspect, self.size);
            let made = self.ready_of(&frame, cover)?;
            self.ready = Some((number, Arc::new(made)));
        }
        match &self.ready {
            Some((_, frame)) => Ok(frame.clone()),
            None => Err(EngineError::Node {
                node: "background".to_owned(),
                reason: "what is put behind the foreground has no picture".into(),
            }),
        }
    }
}

/// The size of a picture whose pixels are `aspect` times as wide as those before it, so that it
/// leaves no bar in `size`.
fn cover(own: (u32, u32), aspect: f64, (width, height): (u32, u32)) -> (u32, u32) {
    let (own_width, own_height) = (f64::from(own.0) * aspect, f64::from(own.1));
    let scale = (f64::from(width) / own_width).max(f64::from(height) / own_height);
    // A rounding must not open a gap.
    let side = |own: f64, least: u32| ((own * scale).round() as u32).clamp(least, super::MAX_SIDE);
    (side(own_width, width), side(own_height, height))
}

/// Every sample black.
fn blacken(frame: &mut Frame, maker: &LayerMaker) -> Result<(), EngineError> {
    let below = maker.below();
    let size = (below.width, below.height);
    let black = crate::rgb::samples_of_rgb(below.pixels, &below.color, size, [0.0; 3]);
    for (index, value) in black.into_iter().enumerate() {
        match frame.plane_mut(index)? {
            AnyPlaneMut::U8(mut plane) => {
                for y in 0..plane.height {
                    plane.row_mut(y).fill(value as u8);
                }
            }
            AnyPlaneMut::U16(mut plane) => {
                for y in 0..plane.height {
                    plane.row_mut(y).fill(value);
                }
            }
        }
    }
    Ok(())
}

/// The node.
struct Background {
    eye: Eye,
    stage: Stage,
    /// How much the mattes of neighbours count.
    strength: f32,
}

impl Look for Background {
    type Seen = Seen;

    fn output(&self) -> &PictureFormat {
        &self.stage.output
    }

    fn cancel_handle(&self) -> Option<CancelHandle> {
        Some(self.eye.session.cancel_handle())
    }

    fn see(&mut self, frame: &Frame, _: Option<&Seen>) -> Result<Seen, EngineError> {
        self.eye.see(frame)
    }

    fn is_cut(before: &Seen, next: &Seen) -> bool {
        before.is_cut(next)
    }

    fn make(
        &mut self,
        frame: &Frame,
        own: &Seen,
        before: &[&Seen],
        after: &[&Seen],
    ) -> Result<Frame, EngineError> {
        let neighbours = before.iter().chain(after).copied();
        let matte = steadied(own, neighbours, self.strength);
        self.stage.compose(frame, &matte)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_put_behind_leaves_no_bar() {
        assert_eq!(cover((100, 100), 1.0, (320, 180)), (320, 320));
        assert_eq!(cover((1920, 800), 1.0, (320, 180)), (432, 180));
        assert_eq!(cover((333, 77), 1.0, (31, 17)), (74, 17));
        // Pixels twice as wide make a wide picture of a square one.
        assert_eq!(cover((100, 100), 2.0, (320, 180)), (360, 180));
    }

    #[test]
    fn a_transparent_kind_of_every_depth_exists() {
        for planes in [
            Planes::Gbr,
            Planes::Yuv {
                shift_x: 1,
                shift_y: 1,
            },
            Planes::Yuv {
                shift_x: 1,
                shift_y: 0,
            },
            Planes::Yuv {
                shift_x: 0,
                shift_y: 1,
            },
            Planes::Yuv {
                shift_x: 0,
                shift_y: 0,
            },
        ] {
            for bits in [8, 9, 10, 12, 14, 16] {
                let alpha = false;
                let pixels = PixelFormat {
                    planes,
                    bits,
                    alpha,
                };
                let with = transparent(pixels, true);
                assert!(with.alpha && with.bits >= bits, "{pixels} became {with}");
                Frame::new(with, 32, 32).unwrap_or_else(|e| panic!("{pixels}, {with}: {e}"));
            }
        }
    }
}
