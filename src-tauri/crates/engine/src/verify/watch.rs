//! Looking at sources before they are processed.

use super::Plan;
use super::thumbnail::Thumbnail;
use crate::execute::inspect::{Look, look};
use crate::rgb::is_full_range;
use frameloom_core::pixel::Planes;
use frameloom_media::Frame;
use std::sync::Arc;

/// Looks at sources before they are processed; shared by the lanes.
#[derive(Debug, Clone)]
pub(crate) struct Watcher {
    plan: Option<Arc<Plan>>,
    /// No node stands between source and result: the frame itself is kept.
    keeps: bool,
}

/// What is known of a source when its result comes.
pub(crate) enum Before {
    /// What was seen of it.
    Seen(Seen),
    /// The frame itself, where it should leave as it came.
    Kept(Frame),
}

/// What was seen of a source.
pub(crate) struct Seen {
    pub look: Look,
    pub thumbnail: Option<Thumbnail>,
    /// What lies at both sides of the lines where tiles will meet.
    pub sides: Option<Vec<Vec<[f32; 2]>>>,
    pub is_rgb: bool,
    pub is_full: bool,
}

impl Watcher {
    pub(super) fn new(plan: Option<Arc<Plan>>, keeps: bool) -> Self {
        Self { plan, keeps }
    }

    /// Remembers what the comparison will need.
    pub(crate) fn before(&self, source: &Frame) -> Before {
        if self.keeps
            && let Ok(kept) = source.share()
        {
            return Before::Kept(kept);
        }
        Before::Seen(see(self.plan.as_deref(), source))
    }
}

pub(super) fn see(plan: Option<&Plan>, source: &Frame) -> Seen {
    Seen {
        look: look(source),
        thumbnail: plan.map(|plan| {
            let small = Thumbnail::of_source(source, &plan.grid);
            if plan.recoded {
                small.into_rgb(source)
            } else {
                small
            }
        }),
        sides: plan.and_then(|plan| Some(plan.seams.as_ref()?.0.sides(source, 1))),
        is_rgb: is_rgb(source),
        is_full: is_full_range(source.format(), &source.color()),
    }
}

pub(super) fn is_rgb(frame: &Frame) -> bool {
    frame.format().planes == Planes::Gbr
}
