//! Networks that find things in pictures: faces, text.
//!
//! They are small and compute on the processor whatever else computes: what they find does not
//! depend on a card, and a second session beside the one of a large model would only wait for it.
//! Such a network sees a picture in its own small size: whoever calls brings it to
//! [`PlaceSession::size_for`].

use crate::error::InferError;
use crate::model::Model;
use crate::provider::{CPU_PROVIDER, Runtime};
use crate::session::CancelHandle;
use crate::setting::Setting;
use frameloom_core::job::{Arithmetic, Device, ProviderChoice};
use frameloom_core::model::{Layout, ModelManifest, PlacesHead, PlacesSpec, TensorColor};
use ort::session::{Session, SessionInputValue, SessionOutputs};
use ort::value::TensorRef;
use std::sync::Arc;

/// Most candidates that are taken out of one picture; those that are less sure are left.
const MOST: usize = 4096;
/// Boxes of which so much is common, by what they cover together, mean one thing.
const SAME: f32 = 0.5;
/// A pixel of a map is part of something from this probability on.
const INSIDE: f32 = 0.3;
/// What a map shows smaller than this, in its pixels, is nothing.
const LEAST_PIXELS: usize = 12;
/// A map shows the core of a line of text. By so much of area by circumference it is larger.
const CORE_TO_LINE: f32 = 1.6;

/// Something that was found: its sides in parts of the picture, 0 to 1, and how sure it is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Found {
    /// Left, top, right, bottom.
    pub sides: [f32; 4],
    /// 0 to 1.
    pub score: f32,
}

impl Found {
    fn area(&self) -> f32 {
        let [left, top, right, bottom] = self.sides;
        (right - left).max(0.0) * (bottom - top).max(0.0)
    }

    /// What both cover, as a part of `self`.
    pub fn share_in(&self, other: &Found) -> f32 {
        let area = self.area();
        match area > 0.0 {
            true => self.common(other) / area,
            false => 0.0,
        }
    }

    /// The least that holds both, as sure as the surer one.
    #[must_use]
    pub fn with(&self, other: &Found) -> Found {
        Found {
            sides: [
                self.sides[0].min(other.sides[0]),
                self.sides[1].min(other.sides[1]),
                self.sides[2].max(other.sides[2]),
                self.sides[3].max(other.sides[3]),
            ],
            score: self.score.max(other.score),
        }
    }

    /// What both cover, as a part of what they cover together.
    pub fn overlap(&self, other: &Found) -> f32 {
        let common = self.common(other);
        let all = self.area() + other.area() - common;
        if all > 0.0 { common / all } else { 0.0 }
    }

    fn common(&self, other: &Found) -> f32 {
        Found {
            sides: [
                self.sides[0].max(other.sides[0]),
                self.sides[1].max(other.sides[1]),
                self.sides[2].min(other.sides[2]),
                self.sides[3].min(other.sides[3]),
            ],
            score: 0.0,
        }
        .area()
    }
}

/// A network that finds something, on the processor.
pub struct PlaceSession {
    session: Session,
    manifest: ModelManifest,
    spec: PlacesSpec,
    stop: CancelHandle,
    tensor: Vec<f32>,
}

impl PlaceSession {
    /// Opens the network of a model of a task that finds something.
    ///
    /// # Errors
    /// [`InferError::GraphMismatch`] for a model of another task, [`InferError::GraphRefused`].
    pub fn open(runtime: &Arc<Runtime>, model: &Model, threads: usize) -> Result<Self, InferError> {
        let manifest = model.manifest.clone();
        let Some(spec) = manifest.places.clone().filter(|_| manifest.task.finds()) else {
            return Err(InferError::GraphMismatch {
                model: manifest.id,
                reason: "it finds neither faces nor text".to_owned(),
            });
        };
        let session = runtime
            .builder(&Setting::CPU, threads.max(1), true)
            .and_then(|mut b| b.commit_from_memory(model.weights()))
            .map_err(|e| InferError::graph(&manifest.id, e))?;
        Ok(Self {
            session,
            manifest,
            spec,
            stop: CancelHandle::new()?,
            tensor: Vec::new(),
        })
    }

    /// Where such networks compute.
    pub fn provider() -> ProviderChoice {
        ProviderChoice {
            provider: CPU_PROVIDER.to_owned(),
            fallback_reason: None,
            device: Device::Cpu,
            arithmetic: Arithmetic::F32,
            on_processor: true,
            reason: None,
            fallback_said: None,
            said: None,
        }
    }

    /// Stops this session from another thread.
    pub fn cancel_handle(&self) -> CancelHandle {
        self.stop.clone()
    }

    /// True if it takes pictures of one size only.
    pub fn is_fixed(&self) -> bool {
        self.manifest.tile.only_size().is_some()
    }

    /// Width and height that a picture of `width` x `height` pixels is brought to: the only size
    /// that the model takes, or one of the picture's proportion with the side that it prefers, not
    /// larger than the picture by more than the next size that the model takes.
    pub fn size_for(&self, width: usize, height: usize) -> (usize, usize) {
        let tile = &self.manifest.tile;
        if let Some((width, height)) = tile.only_size() {
            return (width as usize, height as usize);
        }
        let longest = width.max(height).max(1);
        let multiple = (tile.multiple as usize).max(1);
        let least = (tile.min as usize).next_multiple_of(multiple);
        let wanted = (tile.preferred as usize).min(longest);
        let side = |side: usize| {
            let scaled = (side * wanted).div_ceil(longest);
            scaled.next_multiple_of(multiple).clamp(least, 8192)
        };
        (side(width), side(height))
    }

    /// What is found in a picture of [`PlaceSession::size_for`], the surest first, each once: `rgb`
    /// are red, green and blue from 0 to 1, row by row; what is less sure than `least` is left out.
    ///
    /// # Errors
    /// [`InferError::Picture`] where the planes have another size, [`InferError::NotFinite`], and
    /// the failure of the run.
    pub fn run(
        &mut self,
        rgb: [&[f32]; 3],
        (width, height): (usize, usize),
        least: f32,
    ) -> Result<Vec<Found>, InferError> {
        let count = width * height;
        if rgb.iter().any(|plane| plane.len() != count) || count == 0 {
            return Err(InferError::Picture(format!(
                "its planes are not of {width} x {height} pixels"
            )));
        }
        if self.stop.is_cancelled() {
            return Err(InferError::Cancelled);
        }
        self.pack(rgb, count);
        let shape = match self.manifest.input.layout {
            Layout::Nchw => [1, 3, height, width],
            Layout::Nhwc => [1, height, width, 3],
        };
        let failed = |source: ort::Error, stop: &CancelHandle, id: &str| match stop.is_cancelled() {
            true => InferError::Cancelled,
            false => InferError::Run {
                model: id.to_owned(),
                width,
                height,
                source: source.into(),
            },
        };
        let id = &self.manifest.id;
        let tensor = TensorRef::from_array_view((shape, &self.tensor[..]))
            .map_err(|e| failed(e, &self.stop, id))?;
        let name = self.manifest.input.name.as_str();
        let inputs: Vec<(&str, SessionInputValue<'_>)> = vec![(name, tensor.into())];
        let outputs = self
            .session
            .run_with_options(inputs, self.stop.options())
            .map_err(|e| failed(e, &self.stop, id))?;
        let found = match &self.spec.head {
            PlacesHead::Boxes {
                boxes,
                scores,
                class,
            } => {
                let scores = values(&outputs, scores, id)?;
                let boxes = values(&outputs, boxes, id)?;
                of_boxes(boxes, scores, *class as usize, least).ok_or_else(|| {
                    InferError::GraphMismatch {
                        model: id.clone(),
                        reason: "its boxes and probabilities are not of the same candidates"
                            .to_owned(),
                    }
                })?
            }
            PlacesHead::Map { output } => {
                let map = values(&outputs, output, id)?;
                if map.len() != count {
                    return Err(InferError::GraphMismatch {
                        model: id.clone(),
                        reason: "its map has another size than the picture".to_owned(),
                    });
                }
                of_map(map, (width, height), least)
            }
        };
        Ok(found)
    }

    fn pack(&mut self, rgb: [&[f32]; 3], count: usize) {
        let input = &self.manifest.input;
        let (black, white) = input.range.black_white();
        self.tensor.resize(3 * count, 0.0);
        for (channel, plane) in rgb.iter().enumerate() {
            let (gain, offset) = match self.spec.normal {
                Some(normal) => {
                    let gain = 1.0 / normal.deviation[channel];
                    (gain, -normal.mean[channel] * gain)
                }
                None => (white - black, black),
            };
            let place = match input.color {
                TensorColor::Bgr => 2 - channel,
                TensorColor::Rgb | TensorColor::Luma => channel,
            };
            match input.layout {
                Layout::Nchw => {
                    let target = &mut self.tensor[place * count..][..count];
                    for (out, v) in target.iter_mut().zip(*plane) {
                        *out = v * gain + offset;
                    }
                }
                Layout::Nhwc => {
                    for (pixel, v) in self.tensor.chunks_exact_mut(3).zip(*plane) {
                        pixel[place] = v * gain + offset;
                    }
                }
            }
        }
    }
}

impl std::fmt::Debug for PlaceSession {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PlaceSession")
            .field("model", &self.manifest.id)
            .finish_non_exhaustive()
    }
}

fn values<'a>(
    outputs: &'a SessionOutputs<'_>,
    name: &str,
    model: &str,
) -> Result<&'a [f32], InferError> {
    let mismatch = |reason: String| InferError::GraphMismatch {
        model: model.to_owned(),
        reason,
    };
    let value = outputs
        .get(name)
        .ok_or_else(|| mismatch(format!("it gives no `{name}`")))?;
    let (_, values) = value
        .try_extract_tensor::<f32>()
        .map_err(|e| mismatch(e.to_string()))?;
    match values.iter().all(|v| v.is_finite()) {
        true => Ok(values),
        false => Err(InferError::NotFinite {
            model: model.to_owned(),
        }),
    }
}

/// The candidates that are sure enough. `None` if the tensors do not belong together.
fn of_boxes(boxes: &[f32], scores: &[f32], class: usize, least: f32) -> Option<Vec<Found>> {
    let count = boxes.len() / 4;
    if count == 0 || !boxes.len().is_multiple_of(4) || !scores.len().is_multiple_of(count) {
        return None;
    }
    let classes = scores.len() / count;
    if class >= classes {
        return None;
    }
    let candidates = boxes.chunks_exact(4).zip(scores.chunks_exact(classes));
    let found = candidates
        .map(|(sides, scores)| Found {
            sides: [sides[0], sides[1], sides[2], sides[3]].map(|side| side.clamp(0.0, 1.0)),
            score: scores[class],
        })
        .filter(|found| found.score >= least && found.area() > 0.0)
        .collect();
    Some(each_once(found))
}

/// The surest of those that mean one thing, the surest first.
fn each_once(mut found: Vec<Found>) -> Vec<Found> {
    // Equal scores in the order of the candidates: the same in every run.
    found.sort_by(|a, b| b.score.total_cmp(&a.score));
    found.truncate(MOST);
    let mut kept: Vec<Found> = Vec::new();
    for one in found {
        if kept.iter().all(|other| one.overlap(other) < SAME) {
            kept.push(one);
        }
    }
    kept
}

/// What hangs together in a map of probabilities, with the room around it that belongs to it.
fn of_map(map: &[f32], (width, height): (usize, usize), least: f32) -> Vec<Found> {
    let mut seen = vec![false; map.len()];
    let mut found = Vec::new();
    let mut waiting = Vec::new();
    for start in 0..map.len() {
        if seen[start] || map[start] < INSIDE {
            continue;
        }
        let (mut left, mut top, mut right, mut bottom) = (width, height, 0, 0);
        let (mut count, mut sum) = (0, 0.0f64);
        seen[start] = true;
        waiting.push(start);
        while let Some(at) = waiting.pop() {
            let (x, y) = (at % width, at / width);
            (left, top) = (left.min(x), top.min(y));
            (right, bottom) = (right.max(x + 1), bottom.max(y + 1));
            count += 1;
            sum += f64::from(map[at]);
            let around = [
                (x > 0).then(|| at - 1),
                (x + 1 < width).then_some(at + 1),
                (y > 0).then(|| at - width),
                (y + 1 < height).then_some(at + width),
            ];
            for next in around.into_iter().flatten() {
                if !seen[next] && map[next] >= INSIDE {
                    seen[next] = true;
                    waiting.push(next);
                }
            }
        }
        let score = (sum / count as f64) as f32;
        if count < LEAST_PIXELS || score < least {
            continue;
        }
        let (w, h) = ((right - left) as f32, (bottom - top) as f32);
        let around = CORE_TO_LINE * w * h / (2.0 * (w + h));
        let side =
            |at: usize, out: f32, whole: usize| ((at as f32 + out) / whole as f32).clamp(0.0, 1.0);
        found.push(Found {
            sides: [
                side(left, -around, width),
                side(top, -around, height),
                side(right, around, width),
                side(bottom, around, height),
            ],
            score,
        });
    }
    found.sort_by(|a, b| b.score.total_cmp(&a.score));
    found.truncate(MOST);
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_overlaps_is_one_thing_and_the_surest_stands_for_it() {
        let boxes = [
            [0.1, 0.1, 0.3, 0.3],
            [0.12, 0.1, 0.32, 0.3],
            [0.6, 0.6, 0.9, 1.2],
            [0.5, 0.5, 0.5, 0.9],
        ];
        let scores = [[0.4, 0.6], [0.1, 0.9], [0.2, 0.8], [0.0, 1.0]];
        let found = of_boxes(&boxes.concat(), &scores.concat(), 1, 0.5).unwrap();
        assert_eq!(found.len(), 2, "{found:?}");
        assert_eq!(found[0].sides, [0.12, 0.1, 0.32, 0.3]);
        assert_eq!(found[1].sides, [0.6, 0.6, 0.9, 1.0]);
        assert_eq!(of_boxes(&boxes.concat(), &scores.concat(), 2, 0.5), None);
        assert_eq!(of_boxes(&boxes.concat(), &[0.5; 5], 0, 0.5), None);
        assert_eq!(of_boxes(&[], &[], 0, 0.5), None);
    }

    #[test]
    fn what_hangs_together_in_a_map_is_found_with_room_around_it() {
        let (width, height) = (64, 32);
        let mut map = vec![0.0; width * height];
        for y in 10..14 {
            map[y * width + 8..y * width + 40].fill(0.9);
        }
        // A speck, and something that is not sure.
        map[30 * width + 60] = 1.0;
        for y in 20..26 {
            map[y * width + 50..y * width + 60].fill(0.35);
        }
        let found = of_map(&map, (width, height), 0.5);
        let [line] = &found[..] else {
            panic!("{found:?}")
        };
        let pixels = [
            line.sides[0] * 64.0,
            line.sides[1] * 32.0,
            line.sides[2] * 64.0,
            line.sides[3] * 32.0,
        ];
        assert!(pixels[0] < 6.0 && pixels[2] > 42.0, "{pixels:?}");
        assert!(pixels[1] < 8.0 && pixels[3] > 16.0, "{pixels:?}");
    }
}
