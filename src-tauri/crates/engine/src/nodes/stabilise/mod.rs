//! Clips of a shaky camera, as if it had moved smoothly.
//!
//! From picture to picture the motion of the camera is found ([`crate::motion`]); each picture is
//! moved to where the smoothed motion would show it ([`path`]), by parts of a pixel ([`warp`]).
//!
//! Why not a filter of ffmpeg: `deshake` moves by blocks of whole pixels of 8 bits, at most 64, and
//! sees nothing ahead, so that it lags behind every pan; `vidstab` is good, but under the GPL, which
//! the library that is shipped is not, and it reads the whole clip first and keeps what it found in
//! a file, while here a segment must come out the same by itself.
//!
//! What it does not do: it takes the picture as a whole, so the wobble of a sensor that is read row
//! by row stays, and so does what near things do when the camera itself changes place.

mod path;
mod warp;

use super::temporal::{Give, Temporal, Timed};
use super::{Opened, Opening, PictureFormat};
use crate::EngineError;
use crate::motion::{Camera, Pyramid, Shrink, Similarity, is_cut};
use frameloom_core::graph::{StabiliseBorder, StabiliseParams};
use frameloom_core::said;
use frameloom_core::said::Said;
use frameloom_core::time::FrameRate;
use frameloom_media::FramePool;
use path::Window;
use std::collections::VecDeque;
use warp::Warp;

/// Pictures that a window reaches to each side, at most: as many are held.
const MOST_REACH: u64 = 60;
const LEAST_REACH: u64 = 2;
/// A clip without a rate has this one.
const USUAL_RATE: f64 = 25.0;
/// Where the border is filled, a picture is moved as far as if it were shown so many times as
/// large.
const FILLED_ROOM: f64 = 1.2;

/// Refuses what cannot be done.
///
/// # Errors
/// What is wrong, in words.
pub(super) fn check(input: &PictureFormat) -> Result<(), Said> {
    if input.pace == super::Pace::STILL {
        return Err(said!(
            "node.no_shake",
            "a picture by itself does not shake; it is for clips"
        ));
    }
    Ok(())
}

/// Pictures before and after one that say how it is moved, in a clip of this rate.
pub(super) fn reach(params: &StabiliseParams, rate: Option<FrameRate>) -> u64 {
    let rate = rate.map_or(USUAL_RATE, |rate| rate.ratio().to_f64());
    let pictures = (params.smooth.clamp(0.0, 10.0) * rate).round();
    (pictures as u64).clamp(LEAST_REACH, MOST_REACH)
}

pub(super) fn open(
    params: &StabiliseParams,
    input: &PictureFormat,
    output: PictureFormat,
    opening: &Opening<'_>,
) -> Result<Opened, EngineError> {
    let ratio = input.sample_aspect_ratio;
    let aspect = match ratio.num > 0 && ratio.den > 0 {
        true => ratio.to_f64(),
        false => 1.0,
    };
    let zoom = match params.border {
        StabiliseBorder::Crop => params.zoom.clamp(1.0, 2.0),
        StabiliseBorder::Mirror => 1.0,
    };
    let node = Stabilise {
        shrink: Shrink::new(input.width, input.height),
        camera: Camera::new(aspect),
        warp: Warp::new(
            FramePool::new(output.pixels, output.width, output.height)?,
            aspect,
            opening.threads,
        ),
        reach: reach(params, input.pace.frame_rate) as usize,
        size: (f64::from(input.width) * aspect, f64::from(input.height)),
        zoom,
        room: match params.border {
            StabiliseBorder::Crop => zoom,
            StabiliseBorder::Mirror => FILLED_ROOM,
        },
        last: None,
        held: VecDeque::new(),
        given: 0,
        output,
    };
    Ok((super::Node::Temporal(Box::new(node)), None))
}

/// A picture of the window.
struct Held {
    /// `None` when it was given: then only its motion counts.
    timed: Option<Timed>,
    /// How the camera moved to it from the picture before; `None` for the first of a shot.
    motion: Option<Similarity>,
}

/// The node.
struct Stabilise {
    shrink: Shrink,
    camera: Camera,
    warp: Warp,
    reach: usize,
    /// Size of the pictures as they are shown, in pixels as high as theirs.
    size: (f64, f64),
    zoom: f64,
    room: f64,
    /// The last picture that came.
    last: Option<Pyramid>,
    /// Up to `reach` pictures that were given, and those that wait.
    held: VecDeque<Held>,
    given: usize,
    output: PictureFormat,
}

impl Stabilise {
    /// Gives the first picture that waits.
    fn give_next(&mut self, give: &mut Give<'_>) -> Result<(), EngineError> {
        let at = self.given;
        let before = (1..=at)
            .rev()
            .map_while(|i| self.held.get(i)?.motion.as_ref());
        let after = self
            .held
            .iter()
            .skip(at + 1)
            .map_while(|held| held.motion.as_ref());
        let window = Window::of(before, after, self.reach);
        let Some(timed) = self.held.get_mut(at).and_then(|held| held.timed.take()) else {
            return Ok(());
        };
        let back = window.way_back(self.size, self.zoom, self.room);
        let frame = self.warp.moved(&timed.frame, &back)?;
        self.given += 1;
        while self.given > self.reach {
            self.held.pop_front();
            self.given -= 1;
        }
        give(Timed {
            frame,
            source_pts: timed.source_pts,
        })
    }
}

impl Temporal for Stabilise {
    fn output(&self) -> &PictureFormat {
        &self.output
    }

    fn restart(&mut self) -> Result<(), EngineError> {
        self.last = None;
        self.held.clear();
        self.given = 0;
        Ok(())
    }

    fn push(&mut self, timed: Timed, give: &mut Give<'_>) -> Result<(), EngineError> {
        let seen = Pyramid::of(&timed.frame, &self.shrink);
        let motion = match &self.last {
            Some(last) if !is_cut(last.finest(), seen.finest()) => {
                // A picture of which nothing can be told is taken to stand still.
                let found = self.camera.motion(last, &seen);
                let cells = found.unwrap_or(Similarity::NONE);
                Some(cells.scaled(self.shrink.factor as f64))
            }
            _ => None,
        };
        self.last = Some(seen);
        self.held.push_back(Held {
            timed: Some(timed),
            motion,
        });
        if self.held.len() > self.given + self.reach {
            self.give_next(give)?;
        }
        Ok(())
    }

    fn finish(&mut self, give: &mut Give<'_>) -> Result<(), EngineError> {
        while self.given < self.held.len() {
            let left = self.held.len() - self.given;
            self.give_next(give)?;
            if self.held.len() - self.given == left {
                break;
            }
        }
        Ok(())
    }
}
