//! Ways of things through pictures, as text: a line for each place, a blank line between two ways.

/// Most places of all ways of a node.
pub const MAX_SPOTS: usize = 8192;
/// Most bytes of them as text.
pub const MAX_PATHS_TEXT: usize = 512 << 10;
/// Times are written in thousandths of a second: a picture that far beyond an end is the one meant.
const HALF_A_STEP: f64 = 0.000_75;

/// Where something is at a time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Spot {
    /// Seconds from the first frame; 0 for a picture by itself.
    pub seconds: f64,
    /// Left, top, right and bottom in parts of the picture, 0 to 1.
    pub sides: [f64; 4],
}

/// The way of something through the pictures, from the first in which it is seen to the last, with no
/// picture between in which it is not.
#[derive(Debug, Clone, PartialEq)]
pub struct SeenPath(Vec<Spot>);

impl SeenPath {
    /// Of places in the order of their times; `None` where there is none, or they are in no order.
    pub fn new(spots: Vec<Spot>) -> Option<Self> {
        let in_order = spots.windows(2).all(|two| match two {
            [one, next] => one.seconds < next.seconds,
            _ => true,
        });
        (!spots.is_empty() && in_order).then_some(Self(spots))
    }

    /// Its places.
    pub fn spots(&self) -> &[Spot] {
        &self.0
    }

    /// It by a clock that began later by so many seconds; `None` if it was over before.
    #[must_use]
    pub fn earlier(&self, seconds: f64) -> Option<Self> {
        let moved = |spot: &Spot| Spot {
            seconds: spot.seconds - seconds,
            ..*spot
        };
        let begin = self.at(seconds).map(|sides| Spot {
            seconds: 0.0,
            sides,
        });
        let later = self.0.iter().map(moved).filter(|spot| spot.seconds > 0.0);
        Self::new(begin.into_iter().chain(later).collect())
    }

    /// Where it is at this time, in seconds from the first frame: on the straight way between the
    /// places before and after; `None` before its first and after its last place.
    pub fn at(&self, seconds: f64) -> Option<[f64; 4]> {
        let (first, last) = (self.0.first()?, self.0.last()?);
        if seconds < first.seconds - HALF_A_STEP || seconds > last.seconds + HALF_A_STEP {
            return None;
        }
        let after = self.0.partition_point(|spot| spot.seconds <= seconds);
        let before = match after.checked_sub(1) {
            Some(before) => self.0.get(before)?,
            None => return Some(first.sides),
        };
        let Some(next) = self.0.get(after) else {
            return Some(last.sides);
        };
        Some(between(before, next, seconds))
    }
}

/// Where something is that goes straight from one place to the next.
pub fn between(from: &Spot, to: &Spot, seconds: f64) -> [f64; 4] {
    let part = ((seconds - from.seconds) / (to.seconds - from.seconds).max(1e-9)).clamp(0.0, 1.0);
    let mut sides = from.sides;
    for (side, to) in sides.iter_mut().zip(to.sides) {
        *side += part * (to - *side);
    }
    sides
}

/// Reads ways: a line for each place, with seconds from the first frame, and left edge, upper edge,
/// width and height in percent of the picture; a blank line between two ways.
///
/// ```
/// let paths = frameloom_core::graph::parse_paths("1 10 20 5 8\n2 30 20 5 8\n\n7 50 50 5 5").unwrap();
/// assert_eq!(paths.len(), 2);
/// assert_eq!(paths[0].at(1.5).map(|sides| (sides[0] * 100.0).round()), Some(20.0));
/// assert_eq!(paths[0].at(2.5), None);
/// ```
///
/// # Errors
/// Which line is no place, and what one looks like.
pub fn parse_paths(text: &str) -> Result<Vec<SeenPath>, String> {
    let mut paths = Vec::new();
    let mut spots: Vec<Spot> = Vec::new();
    let mut count = 0;
    for (number, line) in (1..).zip(text.lines().map(str::trim)) {
        if line.is_empty() {
            paths.extend(SeenPath::new(std::mem::take(&mut spots)));
            continue;
        }
        let spot = parse_spot(line).ok_or_else(|| {
            format!(
                "line {number} is no place; one looks like \"2.5 10 20 5 8\": seconds, and left edge, upper \
                 edge, width and height in percent of the picture"
            )
        })?;
        if spots
            .last()
            .is_some_and(|last| last.seconds >= spot.seconds)
        {
            return Err(format!(
                "line {number} is not later than the one before; a blank line stands between two ways"
            ));
        }
        count += 1;
        if count > MAX_SPOTS {
            return Err(format!("there are more than {MAX_SPOTS} places"));
        }
        spots.push(spot);
    }
    paths.extend(SeenPath::new(spots));
    match paths.is_empty() {
        true => Err("there is no place".to_owned()),
        false => Ok(paths),
    }
}

fn parse_spot(line: &str) -> Option<Spot> {
    let mut words = line.split([' ', '\t', ',']).filter(|word| !word.is_empty());
    let mut number = |most: f64| -> Option<f64> {
        let number = words.next()?.parse::<f64>().ok()?;
        (0.0..=most).contains(&number).then_some(number)
    };
    let seconds = number(1e9)?;
    let [left, top] = [number(100.0)?, number(100.0)?];
    let [width, height] = [number(100.0)?, number(100.0)?];
    // What leads over an edge ends there.
    let (right, bottom) = ((left + width).min(100.0), (top + height).min(100.0));
    let is_place = words.next().is_none() && left < right && top < bottom;
    is_place.then_some(Spot {
        seconds,
        sides: [left, top, right, bottom].map(|percent| percent / 100.0),
    })
}

/// Ways as [`parse_paths`] reads them.
pub fn paths_text(paths: &[SeenPath]) -> String {
    let texts: Vec<String> = paths.iter().map(path_text).collect();
    texts.join("\n\n")
}

fn path_text(path: &SeenPath) -> String {
    let mut last = -1;
    let mut lines = Vec::with_capacity(path.0.len());
    for spot in &path.0 {
        // Two pictures within a thousandth are one place.
        let millis = (spot.seconds * 1e3).round() as i64;
        if millis <= last {
            continue;
        }
        last = millis;
        // In hundredths of a percent. Nothing is so small that it has no width.
        let [left, top, right, bottom] = spot
            .sides
            .map(|side| (side.clamp(0.0, 1.0) * 1e4).round() as i64);
        let (left, top) = (left.min(9_999), top.min(9_999));
        let percent = |value: i64| value as f64 / 100.0;
        lines.push(format!(
            "{} {} {} {} {}",
            millis as f64 / 1e3,
            percent(left),
            percent(top),
            percent((right - left).max(1)),
            percent((bottom - top).max(1)),
        ));
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ways_are_read_as_they_are_written() {
        let spot = |seconds, left| Spot {
            seconds,
            sides: [left, 0.25, left + 0.125, 0.5],
        };
        let paths = [
            SeenPath::new(vec![spot(0.04, 0.0), spot(3.52, 0.8125)]).unwrap(),
            SeenPath::new(vec![spot(2.0, 0.5)]).unwrap(),
        ];
        let text = paths_text(&paths);
        assert_eq!(
            text,
            "0.04 0 25 12.5 25\n3.52 81.25 25 12.5 25\n\n2 50 25 12.5 25"
        );
        let read = parse_paths(&text).unwrap();
        assert_eq!(read.len(), 2);
        for (seconds, left) in [(0.04, 0.0), (1.78, 0.40625), (3.52, 0.8125)] {
            let at = read[0].at(seconds).unwrap();
            assert!((at[0] - left).abs() < 1e-9, "{seconds}: {at:?}");
        }
        assert_eq!((read[0].at(0.03), read[0].at(3.53)), (None, None));
        let later = read[0].earlier(1.78).unwrap();
        assert_eq!((later.spots().len(), later.at(-0.1)), (2, None));
        assert!((later.at(1.74).unwrap()[0] - 0.8125).abs() < 1e-9);
        assert_eq!(read[0].earlier(4.0), None);
        let before = read[1].earlier(-1.0).unwrap();
        assert_eq!(before.spots()[0].seconds, 3.0);
        // A rounded time is that of its picture.
        assert!(read[0].at(0.0395).is_some() && read[1].at(2.0005).is_some());
    }

    #[test]
    fn what_is_no_way_is_named_by_its_line() {
        for wrong in [
            "1 2 3 4",
            "1 2 3 4 5 6",
            "x 1 1 1 1",
            "-1 1 1 1 1",
            "1 100 1 1 1",
            "1 1 1 0 1",
            "NaN 1 1 1 1",
            "1 1 1 1 101",
        ] {
            let told = parse_paths(&format!("0 0 0 5 5\n{wrong}")).unwrap_err();
            assert!(told.starts_with("line 2 is no place"), "{wrong}: {told}");
        }
        let told = parse_paths("1 0 0 5 5\n1 0 0 5 5").unwrap_err();
        assert!(told.contains("not later"), "{told}");
        assert!(parse_paths("1 0 0 5 5\n\n1 0 0 5 5").is_ok());
        assert!(parse_paths(" \n").is_err());
        let many: String = (0..=MAX_SPOTS).map(|n| format!("{n} 0 0 5 5\n")).collect();
        assert!(parse_paths(&many).is_err());
        assert!(SeenPath::new(Vec::new()).is_none());
    }
}
