//! Networks on pictures: ONNX Runtime behind safe rules.
//!
//! What lives here: loading ONNX Runtime from a given file ([`Runtime`]), models and the check of
//! their weights ([`Model`]), sessions pinned to one execution provider ([`InferenceSession`]),
//! the cut into tiles ([`tile`]) and the way from planes to tensors and back. The main type is
//! [`Upscaler`]; [`MatteSession`] is its like for models that tell foregrounds from backgrounds, and
//! [`PlaceSession`] for those that find faces or text.
//!
//! What must not: ffmpeg, files other than a model's, the choice of a model or of a runtime; and
//! nothing here loads ONNX Runtime by itself: the process does it once, at its start.
//!
//! ```no_run
//! use frameloom_core::pixel::{AnyPlane, AnyPlaneMut, PlaneMut, PlaneRef};
//! use frameloom_infer::{InferenceSession, Runtime, SessionOptions, Upscaler, load_model};
//! use std::path::Path;
//!
//! # fn main() -> Result<(), frameloom_infer::InferError> {
//! let runtime = Runtime::load(Path::new("/opt/frameloom/libonnxruntime.so"))?;
//! let model = load_model(Path::new("models/loom-x2"))?;
//! let (session, choice) = InferenceSession::open(&runtime, &model, &SessionOptions::default())?;
//! println!("computing on {}", choice.provider);
//! let mut upscaler = Upscaler::new(session, &model.manifest)?;
//! let (luma, mut large) = (vec![128u8; 320 * 180], vec![0u8; 640 * 360]);
//! upscaler.upscale_luma(
//!     AnyPlane::U8(PlaneRef { data: &luma, stride: 320, width: 320, height: 180 }),
//!     8,
//!     false,
//!     AnyPlaneMut::U8(PlaneMut { data: &mut large, stride: 640, width: 640, height: 360 }),
//! )?;
//! # Ok(())
//! # }
//! ```

mod between;
mod choose;
mod error;
mod inspect;
mod matte;
mod measure;
mod model;
mod places;
mod provider;
mod relax;
mod session;
mod setting;
mod silence;
mod simd;
mod speech;
mod tensor;
pub mod tile;
mod upscale;
mod voice;
mod whole;

pub use between::BetweenSession;
pub use choose::{Decision, Specimen, Trial, Watch, Wish, choose};
pub use error::{Cause, InferError};
pub use inspect::{Hints, Inspection, inspect, load_onnx, onnx_print};
pub use matte::MatteSession;
pub use measure::{Throughput, measure, measure_sound};
pub use model::{MAX_WEIGHTS_BYTES, Model, list_models, load_model, read_manifest};
pub use places::{Found, PlaceSession};
pub use provider::{CPU_PROVIDER, DeviceInfo, DeviceKind, ProviderInfo, Runtime};
pub use session::{CancelHandle, InferenceSession, SessionOptions};
pub use setting::{Setting, shorter_numbers};
pub use silence::silence;
pub use speech::SpeechSession;
pub use tensor::FillRow;
pub use tile::TilePlan;
pub use upscale::{BandSink, PlaneBandSink, RunStats, Upscaler};
pub use voice::VoiceSession;
pub use whole::WholeSession;
