//! Networks that make the picture between two, found by the inputs of their graph and a trial: two
//! pictures that are alike give that picture, and the moment says which of two others it is like.

use super::no_picture;
use crate::between::BetweenSession;
use crate::choose::Specimen;
use crate::error::InferError;
use crate::model::Model;
use crate::provider::Runtime;
use crate::session::{InferenceSession, SessionOptions, psnr};
use crate::setting::Setting;
use frameloom_core::job::Device;
use frameloom_core::model::{
    BetweenSpec, Layout, ModelManifest, Moment, MomentPlanes, Task, TensorColor, TensorRange,
    TensorType,
};
use frameloom_core::said;
use ort::session::Session;
use ort::session::builder::GraphOptimizationLevel;
use ort::value::{Outlet, TensorElementType, ValueType};
use std::path::Path;
use std::sync::Arc;

/// Width and height of the first trial where the graph takes any: multiples of all that is asked for.
const FIRST: (usize, usize) = (256, 128);
/// By so many columns the second picture of a trial lies further left.
const MOVED: usize = 4;
/// Two pictures that are alike give that picture at least as exactly, in dB.
const SAME_DB: f64 = 24.0;
/// What sides must be multiples of; the largest that is known is of RIFE 4.25 lite.
const MULTIPLES: [usize; 8] = [1, 2, 4, 8, 16, 32, 64, 128];
/// Networks that look at pictures in small see nothing in smaller ones.
const LEAST_SIDE: usize = 64;
const RANGES: [TensorRange; 3] = [TensorRange::Unit, TensorRange::Symmetric, TensorRange::Byte];

/// A tensor of the graph; sides that it leaves open are negative.
struct Slot {
    name: String,
    shape: Vec<i64>,
    element: TensorElementType,
}

impl Slot {
    fn of(outlet: &Outlet) -> Option<Self> {
        let ValueType::Tensor { ty, shape, .. } = outlet.dtype() else {
            return None;
        };
        Some(Self {
            name: outlet.name().to_owned(),
            shape: shape.to_vec(),
            element: *ty,
        })
    }

    fn all(outlets: &[Outlet]) -> Option<Vec<Self>> {
        outlets.iter().map(Self::of).collect()
    }

    /// The order of its dimensions, if it holds a picture of three channels.
    fn picture(&self) -> Option<Layout> {
        match self.shape[..] {
            [batch, 3, _, _] if batch <= 1 => Some(Layout::Nchw),
            [batch, _, _, 3] if batch <= 1 => Some(Layout::Nhwc),
            _ => None,
        }
    }

    /// Width and height, where the graph says both.
    fn size(&self, layout: Layout) -> Option<(i64, i64)> {
        let (height, width) = match (&self.shape[..], layout) {
            (&[_, _, height, width], Layout::Nchw) | (&[_, height, width, _], Layout::Nhwc) => {
                (height, width)
            }
            _ => return None,
        };
        (width > 0 && height > 0).then_some((width, height))
    }
}

/// What stands in the graph.
struct Form {
    first: String,
    layout: Layout,
    element: TensorType,
    spec: BetweenSpec,
    output: String,
    fixed: Option<(u32, u32)>,
}

impl Form {
    fn of(session: &Session) -> Option<Self> {
        let inputs = Slot::all(session.inputs())?;
        let outputs = Slot::all(session.outputs())?;
        let kind = inputs.first()?.element;
        let element = match kind {
            TensorElementType::Float32 => TensorType::Float32,
            TensorElementType::Float16 => TensorType::Float16,
            _ => return None,
        };
        if inputs.iter().any(|input| input.element != kind) {
            return None;
        }
        let (first, layout, spec) = match &inputs[..] {
            [one] => {
                let planes = match one.shape[..] {
                    [_, 6, _, _] => None,
                    [_, 7, _, _] => Some(MomentPlanes::Moment),
                    [_, 8, _, _] => Some(MomentPlanes::MomentAndScale),
                    [_, 11, _, _] => Some(MomentPlanes::MomentAndGrid),
                    _ => return None,
                };
                let spec = BetweenSpec {
                    second: None,
                    moment: planes.map(|planes| Moment::Channels { planes }),
                };
                (one, Layout::Nchw, spec)
            }
            some => {
                let mut pictures = some.iter().filter_map(|slot| Some((slot, slot.picture()?)));
                let ((first, layout), (second, other)) = (pictures.next()?, pictures.next()?);
                if pictures.next().is_some() || layout != other {
                    return None;
                }
                let mut rest = some.iter().filter(|slot| slot.picture().is_none());
                let moment = match (rest.next(), rest.next()) {
                    (None, _) => None,
                    (Some(slot), None) => Some(moment_of(slot)?),
                    _ => return None,
                };
                let spec = BetweenSpec {
                    second: Some(second.name.clone()),
                    moment,
                };
                (first, layout, spec)
            }
        };
        // Some give flows and masks as well.
        let mut fits = outputs.iter().filter(|output| {
            let channels = match (&output.shape[..], layout) {
                (&[_, channels, _, _], Layout::Nchw) | (&[_, _, _, channels], Layout::Nhwc) => {
                    channels
                }
                _ => return false,
            };
            channels == 3 || channels < 0
        });
        let output = fits.next()?;
        let is_picture = |slot: &&Slot| {
            let name = slot.name.to_ascii_lowercase();
            ["image", "img", "frame", "out", "merged"]
                .iter()
                .any(|word| name.contains(word))
        };
        let output = match is_picture(&output) {
            true => output,
            false => fits.find(is_picture).unwrap_or(output),
        };
        let fixed = first.size(layout).and_then(|(width, height)| {
            Some((u32::try_from(width).ok()?, u32::try_from(height).ok()?))
        });
        Some(Self {
            first: first.name.clone(),
            layout,
            element,
            spec,
            output: output.name.clone(),
            fixed,
        })
    }

    /// How it is fed, in words.
    fn sentence(&self) -> String {
        let pictures = match &self.spec.second {
            Some(second) => format!(
                "The inputs `{}` and `{second}` take two pictures",
                self.first
            ),
            None => format!(
                "The input `{}` takes two pictures in one tensor",
                self.first
            ),
        };
        let moment = match &self.spec.moment {
            None => "; it makes the one in the middle, and others by halves.".to_owned(),
            Some(Moment::Number { input, .. }) => format!(", and `{input}` a moment between them."),
            Some(Moment::Plane { input }) => format!(", and `{input}` a plane of a moment."),
            Some(Moment::Channels { planes }) => {
                format!(", and {} planes that say a moment.", planes.count())
            }
        };
        format!("{pictures}{moment}")
    }
}

/// How a tensor says a moment: by a number, or by a plane of it.
fn moment_of(slot: &Slot) -> Option<Moment> {
    let input = slot.name.clone();
    match slot.shape[..] {
        [batch, 1, height, width] if batch <= 1 && (height, width) != (1, 1) => {
            Some(Moment::Plane { input })
        }
        _ if slot.shape.len() <= 4 && slot.shape.iter().all(|side| *side <= 1) => {
            Some(Moment::Number {
                input,
                dimensions: slot.shape.len() as u32,
            })
        }
        _ => None,
    }
}

/// A file, and what is tried on it.
pub(super) struct File<'a> {
    pub runtime: &'a Arc<Runtime>,
    pub weights: &'a [u8],
    pub path: &'a Path,
    pub specimen: &'a Specimen,
}

/// How a network of this kind is fed, with how that was found; `None` for a graph of another family.
/// `bare` holds what is true of every file, and what the user says of colours.
pub(super) fn look(
    file: &File<'_>,
    range: Option<TensorRange>,
    bare: impl Fn(&str, Layout, TensorType) -> ModelManifest,
) -> Result<Option<(ModelManifest, Vec<String>)>, InferError> {
    let opened = file
        .runtime
        .builder(&Setting::CPU, 1, false)
        .and_then(|b| Ok(b.with_optimization_level(GraphOptimizationLevel::Disable)?))
        .and_then(|mut b| b.commit_from_memory(file.weights));
    // What cannot even be loaded is refused with its reason by whoever looks for pictures.
    let Ok(session) = opened else { return Ok(None) };
    let Some(form) = Form::of(&session) else {
        return Ok(None);
    };
    drop(session);
    let mut manifest = bare(&form.first, form.layout, form.element);
    manifest.task = Task::Between;
    manifest.restyles = false;
    manifest.output.name.clone_from(&form.output);
    manifest.output.layout = form.layout;
    manifest.between = Some(form.spec.clone());
    manifest.tile.whole = Some(true);
    manifest.tile.fixed = form.fixed;
    let mut findings = vec![form.sentence()];
    let size = match form.fixed {
        Some((width, height)) => (width as usize, height as usize),
        None => FIRST,
    };
    let pictures = pictures(file.specimen, size);
    let ranges = range.map_or(RANGES.to_vec(), |range| vec![range]);
    let mut found = None;
    for range in ranges {
        manifest.input.range = range;
        let mut session = open(file, &manifest)?;
        let still = shown(&mut session, [&pictures[0], &pictures[0]], size, 0.5)?;
        if psnr(&pictures[0].concat(), &still.concat(), 1.0) >= SAME_DB {
            found = Some(session);
            break;
        }
    }
    let Some(mut session) = found else {
        return Err(no_picture(said!(
            "onnx.between_other",
            "it takes two pictures, and of two that are alike it makes another"
        )));
    };
    findings.push("Of two pictures that are alike it makes that one.".to_owned());
    if session.knows_moments() {
        for (moment, like, unlike) in [(0.1, 0, 1), (0.9, 1, 0)] {
            let made = shown(&mut session, [&pictures[0], &pictures[1]], size, moment)?.concat();
            let near = |picture: usize| psnr(&pictures[picture].concat(), &made, 1.0);
            if near(like) <= near(unlike) {
                return Err(no_picture(said!(
                    "onnx.between_moment",
                    "it takes two pictures and a moment, and what it makes does not go from one to the other with the moment"
                )));
            }
        }
        findings.push("What it makes goes from one to the other with the moment.".to_owned());
    }
    if form.fixed.is_none() {
        let multiple = multiple(&mut session, file.specimen)?;
        let least = LEAST_SIDE.next_multiple_of(multiple);
        manifest.tile.multiple = multiple as u32;
        manifest.tile.min = least as u32;
        findings.push(format!(
            "It takes pictures of any size whose sides are multiples of {multiple}; others are continued to one."
        ));
    }
    Ok(Some((manifest, findings)))
}

fn open(file: &File<'_>, manifest: &ModelManifest) -> Result<BetweenSession, InferError> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let options = SessionOptions {
        device: Device::Cpu,
        threads: threads.min(8),
        ..SessionOptions::default()
    };
    let model = Model::new(manifest.clone(), file.path, file.weights.to_vec());
    let (session, _) = InferenceSession::open(file.runtime, &model, &options)?;
    BetweenSession::new(session)
}

/// Which multiples the sides must be.
fn multiple(session: &mut BetweenSession, specimen: &Specimen) -> Result<usize, InferError> {
    for multiple in MULTIPLES {
        let size = (FIRST.0 + multiple, FIRST.0 - multiple);
        let [first, second] = pictures(specimen, size);
        if shown(session, [&first, &second], size, 0.5).is_ok() {
            return Ok(multiple);
        }
    }
    Err(no_picture(said!(
        "onnx.whole_sizes",
        "what it gives has another size than the picture for every size that was tried"
    )))
}

type Rgb = [Vec<f32>; 3];

/// A picture, and the same further left.
fn pictures(specimen: &Specimen, (width, height): (usize, usize)) -> [Rgb; 2] {
    let whole = specimen.region(width + MOVED, height);
    [0, MOVED].map(|from| {
        [0, 1, 2].map(|channel: usize| {
            let rows = whole[channel].chunks_exact(width + MOVED);
            rows.flat_map(|row| &row[from..from + width])
                .copied()
                .collect()
        })
    })
}

fn shown(
    session: &mut BetweenSession,
    pictures: [&Rgb; 2],
    size: (usize, usize),
    moment: f32,
) -> Result<Rgb, InferError> {
    let planes = pictures.map(|[r, g, b]| [&r[..], &g[..], &b[..]]);
    let mut out = Rgb::default();
    session.run(planes, size, moment, &mut out)?;
    Ok(out)
}

/// A file that is said to be of this kind and is not.
pub(super) fn none() -> InferError {
    no_picture(said!(
        "onnx.no_between",
        "it is said to make pictures in between; such a model takes two pictures, perhaps with a moment, and gives one"
    ))
}

/// Red, green and blue, or as the user says.
pub(super) fn color(hint: Option<TensorColor>) -> TensorColor {
    hint.filter(|color| *color != TensorColor::Luma)
        .unwrap_or(TensorColor::Rgb)
}
