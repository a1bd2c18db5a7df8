//! What the result of a chain of nodes shows of its source, and where.

use super::grid::Rect;
use super::seam::Seams;
use crate::nodes::{PictureFormat, Turn, fit_inside};
use frameloom_core::graph::{DepthShow, Op, RedactMode};
use frameloom_core::pixel::Planes;

/// Within so many stops more or less light, a picture keeps its structure.
const KNOWN_STOPS: f64 = 3.0;

/// A node that pictures went through, with what it got and gave.
#[derive(Debug, Clone)]
pub(crate) struct Passed {
    /// What it does; `None` for a turn that brings pictures upright.
    pub op: Option<Op>,
    /// That turn.
    pub turn: Option<Turn>,
    /// A model that changes brightness or colours on purpose.
    pub restyles: bool,
    /// The part of its pictures that it lays something over, where that is known.
    pub covers: Option<Rect>,
    /// Where the tiles of its model meet, in pixels of what it got.
    pub seams: Option<Seams>,
    /// What it got.
    pub input: PictureFormat,
    /// What it gave.
    pub output: PictureFormat,
}

impl Passed {
    /// A node that is neither a turn nor a restyling model.
    pub(crate) fn plain(op: &Op, input: &PictureFormat, output: &PictureFormat) -> Self {
        Self {
            op: Some(op.clone()),
            turn: None,
            restyles: false,
            covers: None,
            seams: None,
            input: input.clone(),
            output: output.clone(),
        }
    }
}

/// The part of the source that a result shows, where it shows it, and what of it stays as it was.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Geometry {
    /// Pixels of the source.
    pub view: Rect,
    /// Pixels of the result.
    pub place: Rect,
    /// Size of the source.
    pub source: (u32, u32),
    /// Size of the result.
    pub result: (u32, u32),
    /// From the view to the place, one after another.
    pub turns: Vec<Turn>,
    /// Parts of the result that something lies over.
    pub masks: Vec<Rect>,
    /// Something lies over parts of it that are not known.
    pub covered: bool,
    /// Brightness and colours were changed on purpose.
    pub restyled: bool,
    /// They were changed in a way of which the result may be anything, even blank.
    pub recolored: bool,
    /// Samples mean something else than those of the source.
    pub recoded: bool,
    /// Lines where tiles meet, in pixels of the source, and how many times larger the result is.
    pub seams: Option<(Seams, usize)>,
}

impl Geometry {
    /// Follows a source of this format through the nodes. `None` if nothing of it is left.
    pub(crate) fn follow(input: &PictureFormat, passed: &[Passed]) -> Option<Self> {
        let mut now = Self {
            view: Rect::of(input.width, input.height),
            place: Rect::of(input.width, input.height),
            source: (input.width, input.height),
            result: (input.width, input.height),
            turns: Vec::new(),
            masks: Vec::new(),
            covered: false,
            restyled: false,
            recolored: false,
            recoded: false,
            seams: None,
        };
        for node in passed {
            now.pass(node)?;
        }
        Some(now)
    }

    fn pass(&mut self, node: &Passed) -> Option<()> {
        let (was, is) = (self.result, (node.output.width, node.output.height));
        let rgb = |format: &PictureFormat| format.pixels.planes == Planes::Gbr;
        self.recoded |= rgb(&node.input) != rgb(&node.output)
            || (matches!(node.op, Some(Op::Concat))
                && (node.input.color.range != node.output.color.range
                    || node.input.color.matrix != node.output.color.matrix));
        self.restyled |= node.restyles;
        let untouched = self.place == Rect::of(self.source.0, self.source.1)
            && self.result == self.source
            && self.turns.is_empty();
        self.seams = match (&node.seams, &node.op) {
            // Where the model got the source itself.
            (Some(seams), _) if untouched && !seams.is_empty() => {
                let scale = (is.0 / was.0.max(1)) as usize;
                Some((seams.clone(), scale))
            }
            // The lines stay where they are.
            (
                None,
                Some(
                    Op::Convert { .. }
                    | Op::Denoise(_)
                    | Op::Text(_)
                    | Op::Subtitles(_)
                    | Op::Overlay(_),
                ),
            ) => self.seams.take(),
            _ => None,
        };
        if let Some(turn) = node.turn {
            self.turn(turn, was);
        }
        match &node.op {
            Some(Op::Crop(rect)) => self.crop(Rect {
                x: f64::from(rect.x),
                y: f64::from(rect.y),
                width: f64::from(rect.width),
                height: f64::from(rect.height),
            })?,
            Some(Op::Pad(pad)) => self.map(|r| r.moved(f64::from(pad.x), f64::from(pad.y))),
            Some(Op::Rotate(params)) => self.turn(Turn::clockwise(params.degrees), was),
            Some(Op::Flip(params)) => self.turn(Turn::flip(params.axis), was),
            Some(Op::Overlay(_) | Op::Text(_) | Op::Subtitles(_)) => match node.covers {
                Some(rect) => self.masks.push(rect),
                None => self.covered = true,
            },
            Some(Op::Color(params)) => {
                self.restyled = true;
                // A table may turn a picture into its negative or into black, and so many stops make
                // it white: then nothing that could be asked for looks like a fault.
                self.recolored |= params.lut.is_some() || params.exposure.abs() > KNOWN_STOPS;
            }
            // What of it was background nobody but the model knows, and a picture without a
            // foreground may well come out blank.
            Some(Op::Background(_)) => self.recolored = true,
            Some(Op::Light(_)) => self.restyled = true,
            // A picture of distances shows nothing of its source; what is out of focus shows it in
            // parts that are not known.
            Some(Op::Depth(params)) => match params.show {
                DepthShow::Map => return None,
                DepthShow::Blur => self.covered = true,
            },
            // The crop is at another place in every picture.
            Some(Op::Reframe(_)) => return None,
            // Where something is found shows only when the picture is seen; filled with one colour,
            // even most of a picture may be gone.
            Some(Op::Redact(params)) => match params.cover {
                RedactMode::Fill => self.recolored = true,
                RedactMode::Blur | RedactMode::Pixelate => self.covered = true,
            },
            // A stranger's model may paint as it likes: only blank pictures are told from that.
            Some(Op::Onnx(_) | Op::Style(_)) => return None,
            Some(Op::Concat) => {
                let ((x, y), fit) = fit_inside(&node.input, &node.output);
                self.map(|r| r.scaled(was, fit).moved(f64::from(x), f64::from(y)));
            }
            // The turn that was done above.
            None => {}
            Some(_) => self.map(|r| r.scaled(was, is)),
        }
        self.result = is;
        Some(())
    }

    /// Moves everything that counts in pixels of the result.
    fn map(&mut self, change: impl Fn(Rect) -> Rect) {
        self.place = change(self.place);
        for mask in &mut self.masks {
            *mask = change(*mask);
        }
    }

    fn turn(&mut self, turn: Turn, (width, height): (u32, u32)) {
        if turn.is_none() {
            return;
        }
        let (w, h) = (f64::from(width), f64::from(height));
        let map = |(x, y): (f64, f64)| {
            let (u, v) = turned(turn, (x / w, y / h));
            if turn.swaps_sides() {
                (u * h, v * w)
            } else {
                (u * w, v * h)
            }
        };
        self.map(|r| Rect::between(map(r.corner()), map(r.far_corner())));
        self.turns.push(turn);
    }

    fn crop(&mut self, rect: Rect) -> Option<()> {
        let kept = self.place.intersection(&rect)?;
        // The same part of the view, by the way back.
        let share = |(x, y): (f64, f64)| {
            (
                (x - self.place.x) / self.place.width,
                (y - self.place.y) / self.place.height,
            )
        };
        let back = |point| {
            self.turns
                .iter()
                .rev()
                .fold(point, |point, turn| turned_back(*turn, point))
        };
        let (a, b) = (back(share(kept.corner())), back(share(kept.far_corner())));
        let view = self.view;
        let at = |(u, v): (f64, f64)| (view.x + u * view.width, view.y + v * view.height);
        self.view = Rect::between(at(a), at(b));
        self.place = kept;
        self.map(|r| r.moved(-rect.x, -rect.y));
        Some(())
    }

    /// The place in the result of a rectangle of the source that lies in the view.
    pub(crate) fn place_of(&self, rect: Rect) -> Rect {
        let map = |(x, y): (f64, f64)| {
            let share = (
                (x - self.view.x) / self.view.width,
                (y - self.view.y) / self.view.height,
            );
            let (u, v) = self
                .turns
                .iter()
                .fold(share, |point, turn| turned(*turn, point));
            (
                self.place.x + u * self.place.width,
                self.place.y + v * self.place.height,
            )
        };
        Rect::between(map(rect.corner()), map(rect.far_corner()))
    }
}

/// Where a point of a picture, in parts of its sides, comes to: mirrored, then turned clockwise.
fn turned(turn: Turn, (mut u, mut v): (f64, f64)) -> (f64, f64) {
    if turn.mirror {
        u = 1.0 - u;
    }
    for _ in 0..turn.quarters {
        (u, v) = (1.0 - v, u);
    }
    (u, v)
}

fn turned_back(turn: Turn, (mut u, mut v): (f64, f64)) -> (f64, f64) {
    for _ in 0..turn.quarters {
        (u, v) = (v, 1.0 - u);
    }
    if turn.mirror {
        u = 1.0 - u;
    }
    (u, v)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nodes::Pace;
    use frameloom_core::graph::FlipParams;
    use frameloom_core::pixel::PixelFormat;
    use frameloom_core::time::Rational;

    #[test]
    fn a_picture_that_is_brought_upright_and_mirrored_is_found_again_point_by_point() {
        let input = PictureFormat {
            width: 40,
            height: 20,
            pixels: PixelFormat::YUV420P8,
            color: Default::default(),
            sample_aspect_ratio: Rational { num: 1, den: 1 },
            pace: Pace::STILL,
        };
        let quarter = Turn::clockwise(90);
        let upright = quarter.format(&input);
        let mirror = Op::Flip(FlipParams {
            axis: frameloom_core::graph::FlipAxis::Horizontal,
        });
        let passed = [
            Passed {
                op: None,
                turn: Some(quarter),
                ..Passed::plain(&Op::Sink, &input, &upright)
            },
            Passed::plain(&mirror, &upright, &upright),
        ];
        let geometry = Geometry::follow(&input, &passed).unwrap();
        assert_eq!(geometry.place, Rect::of(20, 40));
        // The left upper corner goes to the right, and back to the left.
        let lies = |source: Rect, wanted: Rect| {
            let found = geometry.place_of(source);
            let sides = |r: Rect| [r.x, r.y, r.width, r.height];
            for (found, wanted) in sides(found).into_iter().zip(sides(wanted)) {
                assert!((found - wanted).abs() < 1e-9, "{found} is not {wanted}");
            }
        };
        lies(Rect::of(8, 4), Rect::of(4, 8));
        let far = Rect::of(8, 4).moved(32.0, 0.0);
        lies(far, Rect::of(4, 8).moved(0.0, 32.0));
    }
}
