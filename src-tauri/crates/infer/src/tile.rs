//! How a picture is cut into tiles. Pure geometry, in pixels of the input.
//!
//! Each axis is cut on its own. A tile *gives* its core, and *reads* more: `overlap` pixels of
//! context on inner sides, none on the sides that lie on the picture's border, so that the
//! network's own padding acts there as it does on the whole picture.

use frameloom_core::model::TileSpec;

/// Which tile size to use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TilePlan {
    /// The manifest's preferred size.
    #[default]
    Auto,
    /// One tile where the model allows it. Memory grows with the picture.
    Whole,
    /// Tiles with this longest side, context included; moved into the model's limits.
    Side(u32),
}

/// Pixels from `start` up to but not including `end`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// First pixel.
    pub start: usize,
    /// One past the last pixel.
    pub end: usize,
}

impl Span {
    /// Number of pixels.
    pub fn len(self) -> usize {
        self.end - self.start
    }

    /// True without a pixel.
    pub fn is_empty(self) -> bool {
        self.end <= self.start
    }
}

/// One tile along one axis.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cut {
    /// What it gives. The cores of an axis cover the picture exactly once.
    pub core: Span,
    /// What it reads. May end past the picture, where the last pixel is repeated.
    pub read: Span,
    /// Where it fades in over its predecessor.
    pub fade_in: Option<Span>,
    /// Where it fades out under its successor.
    pub fade_out: Option<Span>,
}

impl Cut {
    /// What it contributes to: its core and its share of the cross-fades.
    pub fn reach(&self) -> Span {
        Span {
            start: self.fade_in.map_or(self.core.start, |fade| fade.start),
            end: self.fade_out.map_or(self.core.end, |fade| fade.end),
        }
    }
}

/// The limits of a model and a wish, ready to cut any length.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CutRule {
    overlap: usize,
    feather: usize,
    multiple: usize,
    min: usize,
    limit: Option<usize>,
    side: usize,
    one_shape: bool,
    whole: bool,
}

impl CutRule {
    /// The rule for a model, with its preferred size.
    ///
    /// `None` if the model's limits leave no room for a core between the contexts.
    pub fn new(spec: &TileSpec) -> Option<Self> {
        let multiple = (spec.multiple as usize).max(1);
        let rule = Self {
            overlap: (spec.overlap as usize).next_multiple_of(multiple),
            feather: spec.feather as usize,
            multiple,
            min: (spec.min as usize).max(1).next_multiple_of(multiple),
            limit: spec.max.map(|max| max as usize / multiple * multiple),
            side: spec.preferred as usize,
            one_shape: false,
            whole: false,
        };
        if rule.limit.is_some_and(|limit| limit < rule.least()) {
            return None;
        }
        Some(rule.planned(TilePlan::Side(spec.preferred)))
    }

    /// The rules for width and height, which differ only for a model of a fixed size.
    pub fn for_axes(spec: &TileSpec) -> Option<(Self, Self)> {
        let axis = |side: Option<u32>| {
            let spec = match side {
                Some(side) => TileSpec {
                    min: side,
                    max: Some(side),
                    preferred: side,
                    ..spec.clone()
                },
                None => spec.clone(),
            };
            let rule = Self::new(&spec)?;
            Some(Self {
                whole: spec.is_whole(),
                ..rule
            })
        };
        let (width, height) = spec.fixed.unzip();
        Some((axis(width)?, axis(height)?))
    }

    /// Whether a picture of this length can be done: one that must not be cut may have no other
    /// length than the only one there is.
    pub fn takes(&self, length: usize) -> bool {
        !self.whole
            || self
                .limit
                .is_none_or(|limit| limit != self.min || limit == length)
    }

    /// The smallest side of a tile that has context on both sides.
    fn least(&self) -> usize {
        (2 * self.overlap + self.multiple).max(self.min)
    }

    /// The same rule with another size; [`TilePlan::Auto`] keeps the present one.
    #[must_use]
    pub fn planned(self, plan: TilePlan) -> Self {
        let plan = if self.whole { TilePlan::Whole } else { plan };
        let wish = match plan {
            TilePlan::Auto => self.side,
            TilePlan::Whole => usize::MAX / 4,
            TilePlan::Side(side) => side as usize,
        };
        let side = (wish / self.multiple * self.multiple)
            .max(self.least())
            .min(self.limit.unwrap_or(usize::MAX / 4));
        Self { side, ..self }
    }

    /// All tiles of a cut axis get the same size, for providers that compile a graph anew for each
    /// shape.
    #[must_use]
    pub fn one_shape(self, one_shape: bool) -> Self {
        Self { one_shape, ..self }
    }

    /// Cuts an axis of `length` pixels, which is at least 1.
    pub fn cut(&self, length: usize) -> Vec<Cut> {
        let padded = length.next_multiple_of(self.multiple);
        let fixed = self.limit.filter(|&limit| limit == self.min);
        if padded <= self.side {
            return vec![Cut {
                core: Span {
                    start: 0,
                    end: length,
                },
                read: Span {
                    start: 0,
                    end: padded.max(fixed.unwrap_or(self.min)),
                },
                fade_in: None,
                fade_out: None,
            }];
        }
        let units = padded / self.multiple;
        let core_of = |count: usize| units.div_ceil(count) * self.multiple;
        let count = if core_of(2) + self.overlap <= self.side {
            2
        } else {
            let widest = (self.side - 2 * self.overlap) / self.multiple * self.multiple;
            padded.div_ceil(widest)
        };
        let core = core_of(count);
        let count = padded.div_ceil(core);
        let mut cuts: Vec<Cut> = (0..count)
            .map(|i| {
                let start = i * core;
                let end = ((i + 1) * core).min(length);
                Cut {
                    core: Span { start, end },
                    read: Span {
                        start: start.saturating_sub(self.overlap),
                        end: ((i + 1) * core + self.overlap).min(padded),
                    },
                    fade_in: None,
                    fade_out: None,
                }
            })
            .collect();
        let common = match fixed {
            Some(side) => side,
            None if self.one_shape => cuts
                .iter()
                .map(|cut| cut.read.len())
                .fold(self.min, usize::max),
            None => self.min,
        };
        for cut in &mut cuts {
            // More context is better than repeated pixels, and here the picture has it.
            let missing = common.saturating_sub(cut.read.len());
            let after = missing.min(padded - cut.read.end);
            cut.read.end += after;
            cut.read.start -= (missing - after).min(cut.read.start);
        }
        self.feather(&mut cuts);
        cuts
    }

    /// Lays the cross-fades around the boundaries, none wider than the narrowest core.
    fn feather(&self, cuts: &mut [Cut]) {
        let narrowest = cuts.iter().map(|cut| cut.core.len()).min().unwrap_or(0);
        let width = self.feather.min(self.overlap).min(narrowest);
        if width == 0 {
            return;
        }
        for i in 1..cuts.len() {
            let start = cuts[i].core.start - width / 2;
            let fade = Span {
                start,
                end: start + width,
            };
            cuts[i - 1].fade_out = Some(fade);
            cuts[i].fade_in = Some(fade);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn spec(overlap: u32, feather: u32, multiple: u32, min: u32, max: Option<u32>) -> TileSpec {
        TileSpec {
            overlap,
            feather,
            multiple,
            min,
            max,
            preferred: 256,
            fixed: None,
            whole: None,
        }
    }

    #[test]
    fn a_fixed_size_that_is_no_square_has_a_rule_for_each_axis() {
        let spec = TileSpec {
            fixed: Some((640, 360)),
            ..spec(8, 8, 1, 1, None)
        };
        let (across, down) = CutRule::for_axes(&spec).unwrap();
        for length in [100, 640, 1000] {
            assert!(across.cut(length).iter().all(|cut| cut.read.len() == 640));
            assert!(down.cut(length).iter().all(|cut| cut.read.len() == 360));
        }
        let whole = TileSpec {
            whole: Some(true),
            ..spec.clone()
        };
        let (across, _) = CutRule::for_axes(&whole).unwrap();
        assert!(across.takes(640) && !across.takes(100) && !across.takes(1280));
        let any = TileSpec {
            fixed: None,
            ..whole
        };
        let (across, _) = CutRule::for_axes(&any).unwrap();
        let across = across.planned(TilePlan::Side(64));
        assert_eq!(
            across.cut(3000).len(),
            1,
            "never cut, whatever is asked for"
        );
    }

    #[test]
    fn a_picture_that_fits_is_one_tile_without_context() {
        let rule = CutRule::new(&spec(13, 0, 1, 16, None)).unwrap();
        let cuts = rule.cut(256);
        assert_eq!(cuts.len(), 1);
        assert_eq!(cuts[0].read, Span { start: 0, end: 256 });
        assert_eq!(rule.cut(1)[0].read, Span { start: 0, end: 16 });
    }

    #[test]
    fn a_grid_divides_the_picture_evenly() {
        let rule = CutRule::new(&spec(13, 0, 1, 16, None)).unwrap();
        let cores: Vec<usize> = rule.cut(1280).iter().map(|c| c.core.len()).collect();
        assert_eq!(cores, [214, 214, 214, 214, 214, 210]);
    }

    #[test]
    fn a_fixed_size_is_always_read_in_full() {
        let rule = CutRule::new(&spec(8, 0, 1, 224, Some(224))).unwrap();
        for length in [1, 100, 224, 225, 400, 447, 448, 1000] {
            for cut in rule.cut(length) {
                assert_eq!(cut.read.len(), 224, "length {length}: {cut:?}");
            }
        }
    }

    #[test]
    fn limits_without_room_for_a_core_are_refused() {
        assert!(CutRule::new(&spec(32, 0, 1, 64, Some(64))).is_none());
    }

    proptest! {
        #[test]
        fn every_pixel_is_given_once_with_its_context(
            length in 1usize..3000,
            overlap in 0u32..40,
            feather in 0u32..40,
            multiple in 1u32..9,
            min in 1u32..130,
            room in proptest::option::of(0u32..300),
            side in 0u32..700,
            one_shape: bool,
        ) {
            let spec = spec(overlap, feather.min(overlap), multiple, min, room.map(|room| min + room));
            let rule = CutRule::new(&spec);
            prop_assume!(rule.is_some());
            let rule = rule.unwrap().planned(TilePlan::Side(side)).one_shape(one_shape);
            let cuts = rule.cut(length);
            let padded = length.next_multiple_of(multiple as usize);
            let mut next = 0;
            for (i, cut) in cuts.iter().enumerate() {
                prop_assert_eq!(cut.core.start, next);
                prop_assert!(!cut.core.is_empty());
                next = cut.core.end;
                // The read is aligned, legal, and within the picture unless there is one tile.
                prop_assert_eq!(cut.read.start % multiple as usize, 0);
                prop_assert_eq!(cut.read.len() % multiple as usize, 0);
                prop_assert!(cut.read.len() >= min as usize);
                if let Some(max) = spec.max {
                    prop_assert!(cut.read.len() <= max as usize);
                }
                prop_assert!(cut.read.start <= cut.core.start && cut.read.end >= cut.core.end);
                if cuts.len() > 1 {
                    prop_assert!(cut.read.end <= padded);
                }
                let before = cut.core.start - cut.read.start;
                let after = cut.read.end - cut.core.end;
                prop_assert!(before >= overlap as usize || cut.read.start == 0);
                prop_assert!(after >= overlap as usize || cut.read.end >= padded);
                // A cross-fade lies within both reads and meets no other.
                let reach = cut.reach();
                prop_assert!(reach.start >= cut.read.start && reach.end <= cut.read.end.min(length));
                if let (Some(a), Some(b)) = (cut.fade_in, cut.fade_out) {
                    prop_assert!(a.end <= b.start);
                }
                if i > 0 {
                    prop_assert_eq!(cuts[i - 1].fade_out, cut.fade_in);
                }
            }
            prop_assert_eq!(next, length);
            if one_shape || spec.max == Some(spec.min) {
                let first = cuts[0].read.len();
                prop_assert!(cuts.iter().all(|cut| cut.read.len() == first));
            }
        }
    }
}
