//! Calmer cameras and more frames: what a request leaves open, and what it may ask for.

use crate::asked::within;
use frameloom_core::error::AppError;
use frameloom_core::graph::{InterpolateParams, Op, StabiliseBorder, StabiliseParams};
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// How motion is treated, for the presets that are about it.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, TS)]
#[serde(default)]
pub struct MotionWish {
    /// How the camera is calmed; as usual where `None`.
    pub stabilise: Option<StabiliseParams>,
    /// How many frames there are; twice as many where `None`.
    pub interpolate: Option<InterpolateParams>,
}

impl MotionWish {
    /// The node that calms the camera.
    pub(crate) fn steady(&self) -> Result<Op, AppError> {
        let params = self.stabilise.unwrap_or_default();
        within("--smooth", params.smooth, (0.1, 2.0))?;
        if params.border == StabiliseBorder::Crop {
            within("--zoom", params.zoom, (1.02, 1.5))?;
        }
        Ok(Op::Stabilise(params))
    }

    /// The node that makes frames in between.
    pub(crate) fn smooth(&self) -> Result<Op, AppError> {
        let params = self.interpolate.clone().unwrap_or_default();
        if let Some(rate) = params.rate {
            within("--rate", rate.ratio().to_f64(), (1.0, 1000.0))?;
        }
        if let Some(times) = params.times {
            within("--times", f64::from(times), (2.0, 8.0))?;
        }
        if let Some(slow) = params.slow {
            let most = InterpolateParams::SLOWEST as f64;
            within("--slow", slow.to_f64(), (1.0, most))?;
        }
        Ok(Op::Interpolate(params))
    }
}
