//! Files that give a matte: one number for each pixel, how far it belongs to the foreground.
//!
//! What a file does not say cannot be found with a picture here: which numbers it was trained on
//! shows only with the kind of foreground that it knows, of which nobody tells. So the usual is
//! taken, it is said, and the user may say otherwise.

use super::graph::Graph;
use super::trial::{Given, Trier};
use super::{Hints, MULTIPLES, no_picture};
use crate::error::InferError;
use crate::matte::probabilities;
use frameloom_core::model::{
    Activation, Layout, MatteSpec, Normal, OutputSpec, Packing, TensorRange, TensorType, TileSpec,
};

/// Longest side of the picture where the file takes any: what matting networks are trained on.
const USUAL_SIDE: u32 = 512;
/// Of a matte, so much is sure: near 0 or near 1.
const SURE_SHARE: f32 = 0.7;

/// How a file gives a matte.
pub(super) struct Found {
    pub spec: MatteSpec,
    pub range: TensorRange,
    pub output: OutputSpec,
    pub tile: TileSpec,
    pub findings: Vec<String>,
}

/// An output with a plane for each class.
#[derive(Clone, PartialEq)]
struct Shaped {
    output: String,
    layout: Layout,
    channels: usize,
}

/// How a file gives a matte, as far as it may be one. `None` if it does not look like one, and
/// nobody said that it is.
pub(super) fn look(
    trier: &mut Trier<'_>,
    graph: &Graph,
    hints: &Hints,
) -> Result<Option<Found>, InferError> {
    let is_said = hints.task.is_some();
    if graph.channels() != 3 {
        return match is_said {
            true => Err(no_picture(
                "a matte is made of a picture with red, green and blue, and it takes one channel",
            )),
            false => Ok(None),
        };
    }
    let normal = hints.imagenet.then_some(Normal::IMAGENET);
    let range = match graph.element {
        TensorType::Uint8 => TensorRange::Byte,
        _ if normal.is_some() => TensorRange::Unit,
        _ => hints.range.unwrap_or(TensorRange::Unit),
    };
    let (width, height) = graph.first_size();
    let given = trier.try_out((width, height), range, normal.as_ref())?;
    let found = given.iter().find_map(|given| {
        let shaped = shape(given, width, height)?;
        Some((shaped, given))
    });
    let Some((shaped, given)) = found else {
        return match is_said {
            true => Err(no_picture(format!(
                "none of its outputs has a number for each of {width} x {height} pixels: {}",
                shapes(&given)
            ))),
            false => Ok(None),
        };
    };
    let values = &given.values;
    if !values.iter().all(|v| v.is_finite()) {
        return Err(no_picture("it gives values that are not numbers"));
    }
    let Some((spec, is_sure)) = spec(&shaped, values, hints, normal, width * height)? else {
        return Ok(None);
    };
    if !is_said && !is_sure {
        return Ok(None);
    }
    let matte: Vec<f32> = probabilities(values, width * height, spec, shaped.layout).collect();
    let share = matte.iter().filter(|&&v| v > 0.5).count() as f32 / matte.len() as f32;
    let mut findings = vec![format!(
        "The output `{}` has {} for each pixel: a matte, {}.",
        shaped.output,
        match shaped.channels {
            1 => "one number".to_owned(),
            count => format!("{count} numbers"),
        },
        match spec.activation {
            Activation::None => "as it is".to_owned(),
            Activation::Sigmoid => "by the logistic function".to_owned(),
            Activation::Softmax => format!(
                "channel {} after softmax; `foreground` names another",
                spec.foreground
            ),
        }
    )];
    findings.push(match (normal, hints.range, graph.element) {
        (Some(_), _, _) => "Fed with the mean and the deviation of ImageNet, as was said.".to_owned(),
        (None, Some(_), _) => "The range is the one that was said.".to_owned(),
        (None, None, TensorType::Uint8) => "It takes bytes.".to_owned(),
        (None, None, _) => "Black and white are taken for 0 and 1, as most such files have it; if its mattes come out wrong, `range` or `imagenet` says otherwise.".to_owned(),
    });
    findings.push(format!(
        "Of a picture without people, it takes {:.0} % for foreground.",
        share * 100.0
    ));
    let tile = tile(trier, graph, (range, normal), &shaped, hints)?;
    findings.push(match tile.only_size() {
        Some((width, height)) => format!(
            "Pictures are brought to {width} x {height} pixels for it, and its matte back to theirs."
        ),
        None => format!(
            "Pictures are brought to {} pixels on their longest side for it, and its matte back to theirs.",
            tile.preferred
        ),
    });
    Ok(Some(Found {
        spec,
        range,
        output: OutputSpec {
            name: shaped.output,
            layout: shaped.layout,
            packing: Packing::Pixels,
            range: given.is_bytes.then_some(TensorRange::Byte),
        },
        tile,
        findings,
    }))
}

/// The plane of the foreground and what makes probabilities of it, and whether the numbers look
/// like a matte. `None` where nobody said which class it is, or that it is a matte at all.
fn spec(
    shaped: &Shaped,
    values: &[f32],
    hints: &Hints,
    normal: Option<Normal>,
    count: usize,
) -> Result<Option<(MatteSpec, bool)>, InferError> {
    let channels = shaped.channels;
    let foreground = match (hints.foreground, channels) {
        (Some(said), _) if (said as usize) < channels => said,
        (Some(said), _) => {
            return Err(no_picture(format!(
                "it has {channels} channels, counted from 0, and `foreground` says {said}"
            )));
        }
        (None, 1) => 0,
        // By custom the background comes first.
        (None, 2) => 1,
        (None, _) if hints.task.is_none() => return Ok(None),
        (None, _) => {
            return Err(no_picture(format!(
                "it tells {channels} classes apart; say by `foreground` which of them, counted from 0, is the foreground (in networks of the 21 classes of PASCAL VOC a person is 15)"
            )));
        }
    };
    let are_shares = values.iter().all(|v| (-0.01..=1.01).contains(v));
    let activation = hints.activation.unwrap_or(match (are_shares, channels) {
        (true, _) => Activation::None,
        (false, 1) => Activation::Sigmoid,
        (false, _) => Activation::Softmax,
    });
    if activation == Activation::Softmax && channels < 2 {
        return Err(no_picture(
            "it has one channel, and softmax is of two or more",
        ));
    }
    let spec = MatteSpec {
        channels: channels as u32,
        foreground,
        activation,
        normal,
    };
    let near_ends = probabilities(values, count, spec, shaped.layout)
        .filter(|v| !(0.1..=0.9).contains(v))
        .count();
    // A depth or a heat has all numbers between; of two classes nothing else is made.
    let is_sure = channels == 2 || (are_shares && near_ends as f32 >= SURE_SHARE * count as f32);
    Ok(Some((spec, is_sure)))
}

fn tile(
    trier: &mut Trier<'_>,
    graph: &Graph,
    (range, normal): (TensorRange, Option<Normal>),
    shaped: &Shaped,
    hints: &Hints,
) -> Result<TileSpec, InferError> {
    let of = |multiple: u32, fixed: Option<(usize, usize)>, preferred: u32| TileSpec {
        overlap: 0,
        feather: 0,
        multiple,
        min: fixed.map_or(
            (graph.least_side() as u32).next_multiple_of(multiple),
            |(w, h)| w.min(h) as u32,
        ),
        max: None,
        preferred,
        fixed: fixed.map(|(w, h)| (w as u32, h as u32)),
        whole: Some(true),
    };
    if let Some((width, height)) = graph.fixed_size() {
        return Ok(of(1, Some((width, height)), width.max(height) as u32));
    }
    let base = graph.least_side().next_multiple_of(128);
    for multiple in MULTIPLES {
        let (width, height) = (base + multiple, base - multiple);
        let Ok(given) = trier.try_out((width, height), range, normal.as_ref()) else {
            continue;
        };
        let same = given
            .iter()
            .any(|given| shape(given, width, height).as_ref() == Some(shaped));
        if same {
            let preferred = hints.tile.unwrap_or(USUAL_SIDE).max(32);
            return Ok(of(multiple as u32, None, preferred));
        }
    }
    Err(no_picture(
        "its matte has another size than the picture for every size that was tried",
    ))
}

fn shape(given: &Given, width: usize, height: usize) -> Option<Shaped> {
    let &[1, first, second, third] = &given.shape[..] else {
        return None;
    };
    if given.values.is_empty() {
        return None;
    }
    [
        (Layout::Nchw, first, second, third),
        (Layout::Nhwc, third, first, second),
    ]
    .into_iter()
    .find(|&(_, c, h, w)| {
        (1..=i64::from(MatteSpec::MOST_CHANNELS)).contains(&c)
            && (w, h) == (width as i64, height as i64)
    })
    .map(|(layout, channels, ..)| Shaped {
        output: given.name.clone(),
        layout,
        channels: channels as usize,
    })
}

fn shapes(given: &[Given]) -> String {
    let told: Vec<String> = given
        .iter()
        .map(|given| format!("`{}` {:?}", given.name, given.shape))
        .collect();
    told.join(", ")
}
