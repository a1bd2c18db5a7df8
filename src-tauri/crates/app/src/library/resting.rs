//! Files that cannot be read just now, and when they are tried again.

use frameloom_core::library::ItemId;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// Another program that has a file to itself is often through with it by then.
const FIRST: Duration = Duration::from_secs(30);
/// A damaged disk takes long for each try, and is not to be tried all the time.
const LONGEST: Duration = Duration::from_secs(60 * 60);

/// Items that are left alone for a while: the first time for half a minute, then for twice as long
/// each time.
#[derive(Debug, Default)]
pub(super) struct Resting(BTreeMap<ItemId, (Instant, Duration)>);

impl Resting {
    /// Those that are left alone now.
    pub(super) fn ids(&self) -> Vec<ItemId> {
        let now = Instant::now();
        let rests =
            |(id, (until, _)): (&ItemId, &(Instant, Duration))| (*until > now).then_some(*id);
        self.0.iter().filter_map(rests).collect()
    }

    /// It could not be read.
    pub(super) fn rest(&mut self, id: ItemId) {
        let wait = match self.0.get(&id) {
            Some((_, last)) => (*last * 2).min(LONGEST),
            None => FIRST,
        };
        self.0.insert(id, (Instant::now() + wait, wait));
    }

    /// It could.
    pub(super) fn forget(&mut self, id: ItemId) {
        self.0.remove(&id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_read_again_and_again_is_tried_ever_less_often() {
        let mut resting = Resting::default();
        let mut waits = Vec::new();
        for _ in 0..9 {
            resting.rest(7);
            assert_eq!(resting.ids(), [7]);
            waits.push(resting.0[&7].1.as_secs());
        }
        assert_eq!(waits, [30, 60, 120, 240, 480, 960, 1920, 3600, 3600]);
        resting.forget(7);
        assert!(resting.ids().is_empty());
        resting.rest(7);
        assert_eq!(resting.0[&7].1, FIRST);
    }
}
