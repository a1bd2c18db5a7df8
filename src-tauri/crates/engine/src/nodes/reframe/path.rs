//! The way of the crop through a clip.
//!
//! Each picture says where it wants to be shown, and how much it wants that. Within a shot, the
//! wish of most of the pictures around counts first (a weighted median: of two people who are
//! found in turns, one is followed, and not the gap between them), then the way is smoothed (a
//! Gaussian), so that the crop glides. Nothing is taken from beyond a cut, where the crop jumps.

/// Where a picture wants to be shown along the axis that is cut, 0 to 1, and how much.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Want {
    pub at: f64,
    pub weight: f64,
    /// The picture is the first of a shot.
    pub is_cut: bool,
}

/// Of a window that reaches `reach` pictures to each side, the part that the median has.
fn median_reach(reach: usize) -> usize {
    reach / 3
}

/// The middle of the crop in the picture `at` of a window.
pub(super) fn middle(window: &[Want], at: usize, reach: usize) -> f64 {
    let median = median_reach(reach);
    let glide = reach - median;
    let (first, last) = shot(window, at, reach);
    let sigma = (glide as f64 / 2.5).max(0.5);
    let (mut sum, mut weights) = (0.0, 0.0);
    for place in at.saturating_sub(glide).max(first)..=(at + glide).min(last) {
        let around = place.saturating_sub(median).max(first)..=(place + median).min(last);
        let Some(wanted) = most_wanted(&window[around]) else {
            continue;
        };
        let far = (place as f64 - at as f64) / sigma;
        let weight = (-0.5 * far * far).exp();
        sum += weight * wanted;
        weights += weight;
    }
    match weights > 0.0 {
        true => sum / weights,
        false => 0.5,
    }
}

/// The first and the last picture of the shot of `at`, as far as `reach` goes.
fn shot(window: &[Want], at: usize, reach: usize) -> (usize, usize) {
    let mut first = at;
    while first > 0 && at - first < reach && !window[first].is_cut {
        first -= 1;
    }
    let mut last = at;
    while last + 1 < window.len() && last - at < reach && !window[last + 1].is_cut {
        last += 1;
    }
    (first, last)
}

/// The weighted median.
fn most_wanted(wants: &[Want]) -> Option<f64> {
    let mut sorted: Vec<(f64, f64)> = wants.iter().map(|want| (want.at, want.weight)).collect();
    sorted.sort_by(|a, b| a.0.total_cmp(&b.0));
    let all: f64 = sorted.iter().map(|(_, weight)| weight).sum();
    let mut sum = 0.0;
    for (at, weight) in &sorted {
        sum += weight;
        if sum >= 0.5 * all {
            return Some(*at);
        }
    }
    None
}

/// Where the crop is between times that were named: it eases from each to the next, and rests
/// before the first and after the last. `keys` are in the order of their times.
pub(super) fn between(keys: &[(f64, f64)], seconds: f64) -> Option<f64> {
    let after = keys.partition_point(|(time, _)| *time <= seconds);
    Some(
        match (after.checked_sub(1).map(|i| keys[i]), keys.get(after)) {
            (Some((from, a)), Some((to, b))) => {
                let t = ((seconds - from) / (to - from)).clamp(0.0, 1.0);
                a + (b - a) * t * t * (3.0 - 2.0 * t)
            }
            (Some((_, at)), None) => at,
            (None, Some((_, at))) => *at,
            (None, None) => return None,
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wants(count: usize, at: impl Fn(usize) -> f64) -> Vec<Want> {
        let one = |i| Want {
            at: at(i),
            weight: 1.0,
            is_cut: false,
        };
        (0..count).map(one).collect()
    }

    fn way(window: &[Want], reach: usize) -> Vec<f64> {
        (0..window.len())
            .map(|at| middle(window, at, reach))
            .collect()
    }

    /// The largest third difference: how suddenly the crop changes how it moves.
    fn jerk(way: &[f64]) -> f64 {
        way.windows(4)
            .map(|w| (w[3] - 3.0 * w[2] + 3.0 * w[1] - w[0]).abs())
            .fold(0.0, f64::max)
    }

    #[test]
    fn a_jump_becomes_a_glide_without_a_jerk() {
        let jump = wants(120, |i| if i < 60 { 0.25 } else { 0.75 });
        let way = way(&jump, 30);
        assert!((way[0] - 0.25).abs() < 1e-9 && (way[119] - 0.75).abs() < 1e-9);
        let step = way
            .windows(2)
            .map(|w| (w[1] - w[0]).abs())
            .fold(0.0, f64::max);
        assert!(step < 0.03, "{step}");
        // Of a picture 1920 pixels wide, less than four pixels a picture, a picture, a picture.
        assert!(jerk(&way) < 0.002, "{}", jerk(&way));
        let shaky = wants(120, |i| 0.5 + 0.05 * ((i * 7919) % 13) as f64 / 13.0);
        assert!(jerk(&super::tests::way(&shaky, 30)) < 0.002);
    }

    #[test]
    fn of_two_people_one_is_shown_and_not_the_gap() {
        let two = wants(90, |i| if i % 3 == 0 { 0.2 } else { 0.8 });
        assert!(
            way(&two, 30).iter().all(|at| *at > 0.75),
            "{:?}",
            way(&two, 30)
        );
    }

    #[test]
    fn a_cut_is_jumped_and_nothing_comes_from_beyond_it() {
        let mut cut = wants(80, |i| if i < 40 { 0.2 } else { 0.8 });
        cut[40].is_cut = true;
        let way = way(&cut, 30);
        assert!(way[..40].iter().all(|at| (at - 0.2).abs() < 1e-9));
        assert!(way[40..].iter().all(|at| (at - 0.8).abs() < 1e-9));
    }

    #[test]
    fn what_is_wanted_little_counts_little() {
        let mut all = wants(60, |_| 0.5);
        for want in &mut all {
            want.weight = 0.01;
        }
        all[30] = Want {
            at: 0.9,
            weight: 1.0,
            is_cut: false,
        };
        assert!(middle(&all, 30, 30) > 0.75);
    }

    #[test]
    fn a_window_of_the_reach_says_the_same_as_the_whole_clip() {
        let mut all = wants(100, |i| (i * 7919 % 100) as f64 / 100.0);
        for i in [17, 18, 60] {
            all[i].is_cut = true;
        }
        for i in 0..100usize {
            let from = i.saturating_sub(12);
            let window = &all[from..(i + 13).min(100)];
            assert_eq!(middle(window, i - from, 12), middle(&all, i, 12), "{i}");
        }
    }

    #[test]
    fn keys_are_eased_between_and_rested_at() {
        let keys = [(1.0, 0.2), (3.0, 0.6)];
        assert_eq!(between(&keys, 0.0), Some(0.2));
        assert_eq!(between(&keys, 9.0), Some(0.6));
        assert!((between(&keys, 2.0).unwrap() - 0.4).abs() < 1e-9);
        assert_eq!(between(&[], 1.0), None);
    }
}
