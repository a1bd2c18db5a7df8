//! What stands in the graph: names, types and sizes of its tensors.

use super::{Hints, no_picture};
use crate::error::InferError;
use crate::provider::Runtime;
use crate::setting::Setting;
use frameloom_core::model::{Layout, TensorType};
use frameloom_core::said;
use frameloom_core::said::Said;
use ort::session::builder::GraphOptimizationLevel;
use ort::value::{TensorElementType, ValueType};
use std::sync::Arc;

/// The one input of a graph that takes a picture.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Graph {
    pub input: String,
    pub element: TensorType,
    pub layout: Layout,
    /// Name of the batch's dimension, where the graph leaves it open.
    pub batch: Option<String>,
    channels: usize,
    width: Option<usize>,
    height: Option<usize>,
}

/// Side of the first trial where the graph takes any.
const FIRST: (usize, usize) = (192, 128);

impl Graph {
    pub(super) fn read(
        runtime: &Arc<Runtime>,
        weights: &[u8],
        hints: &Hints,
    ) -> Result<Self, InferError> {
        let session = runtime
            .builder(&Setting::CPU, 1, false)
            .and_then(|b| Ok(b.with_optimization_level(GraphOptimizationLevel::Disable)?))
            .and_then(|mut b| b.commit_from_memory(weights))
            .map_err(|e| no_picture(refusal(&e.to_string())))?;
        let inputs = session.inputs();
        let names: Vec<String> = inputs
            .iter()
            .map(|input| format!("`{}` ({})", input.name(), input.dtype()))
            .collect();
        let [input] = inputs else {
            return Err(no_picture(said!(
                "onnx.inputs",
                "a node gives one picture, and it takes {count} inputs: {names}",
                count = inputs.len(),
                names = names.join(", ")
            )));
        };
        let element = match input.dtype().tensor_type() {
            Some(TensorElementType::Float32) => TensorType::Float32,
            Some(TensorElementType::Float16) => TensorType::Float16,
            Some(TensorElementType::Uint8) => TensorType::Uint8,
            _ => {
                return Err(no_picture(said!(
                    "onnx.input_type",
                    "its input {name} is no picture; tensors of float32, float16 or uint8 are taken",
                    name = names[0].as_str()
                )));
            }
        };
        let ValueType::Tensor {
            shape,
            dimension_symbols,
            ..
        } = input.dtype()
        else {
            return Err(no_picture(said!(
                "onnx.no_tensor",
                "its input {name} is no tensor",
                name = names[0].as_str()
            )));
        };
        let &[batch, first, second, third] = &shape[..] else {
            return Err(no_picture(said!(
                "onnx.dimensions",
                "its input {name} has {count} dimensions; a picture has 4: batch, channels, height, width",
                name = names[0].as_str(),
                count = shape.len()
            )));
        };
        if batch > 1 {
            return Err(no_picture(said!(
                "onnx.batch",
                "it takes {count} pictures at once; a node gives one",
                count = batch
            )));
        }
        let is_channels = |size: i64| size == 1 || size == 3;
        let layout = hints
            .layout
            .unwrap_or(if is_channels(third) && !is_channels(first) {
                Layout::Nhwc
            } else {
                Layout::Nchw
            });
        let (declared, height, width) = match layout {
            Layout::Nchw => (first, second, third),
            Layout::Nhwc => (third, first, second),
        };
        let by_color = hints.color.map(|color| color.channels() as i64);
        let channels = match declared {
            size if size < 0 => by_color.unwrap_or(3),
            size if is_channels(size) => size,
            size => {
                return Err(no_picture(said!(
                    "onnx.channels",
                    "its input {name} has {count} channels; pictures of 1 or 3 are given",
                    name = names[0].as_str(),
                    count = size
                )));
            }
        };
        let side = |size: i64| usize::try_from(size).ok().filter(|&size| size > 0);
        let (width, height) = (side(width), side(height));
        if width
            .into_iter()
            .chain(height)
            .any(|side| !(8..=8192).contains(&side))
        {
            return Err(no_picture(said!(
                "onnx.side",
                "its input {name} has a side that no picture has",
                name = names[0].as_str()
            )));
        }
        let symbol = dimension_symbols.first().filter(|name| {
            // Overriding a shared name would fix another dimension too.
            let uses = dimension_symbols.iter().filter(|n| n == name).count();
            batch < 0 && !name.is_empty() && uses == 1
        });
        Ok(Self {
            input: input.name().to_owned(),
            element,
            layout,
            batch: symbol.cloned(),
            channels: channels as usize,
            width,
            height,
        })
    }

    pub(super) fn channels(&self) -> usize {
        self.channels
    }

    /// Width and height, if the graph takes no others. A side that it leaves open beside a fixed
    /// one is taken as it was tried first.
    pub(super) fn fixed_size(&self) -> Option<(usize, usize)> {
        match (self.width, self.height) {
            (None, None) => None,
            _ => Some(self.first_size()),
        }
    }

    /// Width and height of the first trial; different, so that they can be told apart.
    pub(super) fn first_size(&self) -> (usize, usize) {
        (
            self.width.unwrap_or(FIRST.0),
            self.height.unwrap_or(FIRST.1),
        )
    }

    /// Least side that is worth a call.
    pub(super) fn least_side(&self) -> usize {
        32
    }

    pub(super) fn sentence(&self) -> String {
        let side = |side: Option<usize>| side.map_or("any".to_owned(), |side| side.to_string());
        format!(
            "The input `{}` takes {} channels of {}, {}, width {}, height {}.",
            self.input,
            self.channels,
            match self.element {
                TensorType::Float32 => "float32",
                TensorType::Float16 => "float16",
                TensorType::Uint8 => "uint8",
            },
            match self.layout {
                Layout::Nchw => "channels first",
                Layout::Nhwc => "channels last",
            },
            side(self.width),
            side(self.height)
        )
    }
}

/// The operator that ONNX Runtime complains about, as in `No Op registered for Nonsense with
/// domain_version of 13`, `ai.onnx:Nonsense(-1) is not a registered function/op` or `Could not find an
/// implementation for Nonsense(7) node`.
fn unknown_operator(text: &str) -> Option<&str> {
    let behind = |words: &str| {
        let (_, behind) = text.split_once(words)?;
        behind.split(' ').next()
    };
    let before = |words: &str| {
        let (before, _) = text.split_once(words)?;
        before.rsplit(' ').next()
    };
    let name = behind("No Op registered for ")
        .or_else(|| before(" is not a registered function/op"))
        .or_else(|| behind("Could not find an implementation for "))?;
    // Without its version in brackets.
    Some(name.split('(').next().unwrap_or(name))
}

/// What ONNX Runtime says of a file that it does not load, with a remedy where there is one.
fn refusal(text: &str) -> Said {
    let lower = text.to_ascii_lowercase();
    if lower.contains("external data") || lower.contains("external_data") {
        return said!(
            "onnx.second_file",
            "its weights lie in a second file; save the model as one file"
        );
    }
    if lower.contains("protobuf") {
        return said!("onnx.no_onnx", "it is no ONNX file, or damaged");
    }
    if let Some(operator) = unknown_operator(text) {
        return said!(
            "onnx.operator",
            "it uses the operator `{operator}`, which this program's ONNX Runtime does not have; export the model with operators of the standard alone, or of an older version of it",
            operator = operator
        );
    }
    said!(
        "onnx.not_loaded",
        "ONNX Runtime does not load it ({error})",
        error = Said::from(text)
    )
}
