//! Areas of pictures as a person writes them: a line each, in percent of the picture.

/// Most areas of a node.
pub const MAX_AREAS: usize = 256;

/// A part of the picture, perhaps for a time only.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Area {
    /// Left, top, right and bottom in parts of the picture, 0 to 1.
    pub sides: [f64; 4],
    /// Seconds from the first frame at which it begins; the beginning where `None`.
    pub from: Option<f64>,
    /// Seconds from the first frame at which it ends; the end where `None`.
    pub to: Option<f64>,
}

impl Area {
    /// True if it holds at some time from `from` on and before `to`, in seconds from the first frame.
    pub fn meets(&self, from: f64, to: f64) -> bool {
        self.from.is_none_or(|begin| begin < to) && self.to.is_none_or(|end| from < end)
    }

    /// True if it holds at this time, in seconds from the first frame.
    pub fn holds_at(&self, seconds: f64) -> bool {
        self.from.is_none_or(|from| seconds >= from) && self.to.is_none_or(|to| seconds < to)
    }
}

/// Reads areas: a line each, with left edge, upper edge, width and height in percent of the
/// picture, and perhaps `from` and `to` with seconds from the first frame.
///
/// ```
/// let areas = frameloom_core::graph::parse_areas("0 80 100 20\n10 10 25 40 from 1.5 to 4").unwrap();
/// assert_eq!(areas[1].sides, [0.1, 0.1, 0.35, 0.5]);
/// assert_eq!(areas[1].to, Some(4.0));
/// ```
///
/// # Errors
/// Which line is no area, and what one looks like.
pub fn parse_areas(text: &str) -> Result<Vec<Area>, String> {
    let lines = text.lines().map(str::trim).enumerate();
    let mut areas = Vec::new();
    for (number, line) in lines.filter(|(_, line)| !line.is_empty()) {
        let area = parse_area(line).ok_or_else(|| {
            format!(
                "line {} is no area; one looks like \"10 20 30 15\" or \"10 20 30 15 from 1.5 to 4\": left \
                 edge, upper edge, width and height in percent of the picture, and seconds",
                number + 1
            )
        })?;
        if areas.len() == MAX_AREAS {
            return Err(format!("there are more than {MAX_AREAS} areas"));
        }
        areas.push(area);
    }
    Ok(areas)
}

fn parse_area(line: &str) -> Option<Area> {
    let number = |word: &str| word.parse::<f64>().ok().filter(|n| n.is_finite());
    let mut words = line.split([' ', '\t', ',']).filter(|word| !word.is_empty());
    let mut percent = [0.0; 4];
    for side in &mut percent {
        *side = number(words.next()?).filter(|n| (0.0..=100.0).contains(n))? / 100.0;
    }
    let [left, top, width, height] = percent;
    let (mut from, mut to) = (None, None);
    while let Some(word) = words.next() {
        let time = match word {
            "from" => &mut from,
            "to" => &mut to,
            _ => return None,
        };
        let seconds = number(words.next()?).filter(|n| *n >= 0.0)?;
        if time.replace(seconds).is_some() {
            return None;
        }
    }
    let is_time = from.unwrap_or(0.0) < to.unwrap_or(f64::INFINITY);
    // An area that leads over an edge ends there.
    let sides = [left, top, (left + width).min(1.0), (top + height).min(1.0)];
    (is_time && sides[0] < sides[2] && sides[1] < sides[3]).then_some(Area { sides, from, to })
}

/// Reads where the middle of a crop is at which time: a line each, with seconds from the first frame
/// and percent of the axis along which it moves, in the order of their times.
///
/// ```
/// let keys = frameloom_core::graph::parse_keys("0 30\n2.5 70").unwrap();
/// assert_eq!(keys, [(0.0, 0.3), (2.5, 0.7)]);
/// ```
///
/// # Errors
/// Which line is no place, and what one looks like.
pub fn parse_keys(text: &str) -> Result<Vec<(f64, f64)>, String> {
    let lines = text.lines().map(str::trim).enumerate();
    let mut keys: Vec<(f64, f64)> = Vec::new();
    for (number, line) in lines.filter(|(_, line)| !line.is_empty()) {
        let key = parse_key(line).ok_or_else(|| {
            format!(
                "line {} is no place; one looks like \"2.5 30\": seconds, and the middle of the crop in \
                 percent from the left or the top",
                number + 1
            )
        })?;
        if keys.last().is_some_and(|(before, _)| *before >= key.0) {
            return Err(format!(
                "line {} is not later than the one before",
                number + 1
            ));
        }
        if keys.len() == MAX_AREAS {
            return Err(format!("there are more than {MAX_AREAS} places"));
        }
        keys.push(key);
    }
    match keys.is_empty() {
        true => Err("there is no place".to_owned()),
        false => Ok(keys),
    }
}

fn parse_key(line: &str) -> Option<(f64, f64)> {
    let number = |word: &str| {
        word.parse::<f64>()
            .ok()
            .filter(|n| n.is_finite() && *n >= 0.0)
    };
    let mut words = line.split([' ', '\t', ',']).filter(|word| !word.is_empty());
    let (seconds, percent) = (number(words.next()?)?, number(words.next()?)?);
    (percent <= 100.0 && words.next().is_none()).then_some((seconds, percent / 100.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_areas_and_what_is_none_is_named() {
        let areas = parse_areas("\n 0,0,50,50\n90 90 20 20 to 3 from 1\n").unwrap();
        assert_eq!(areas[0].sides, [0.0, 0.0, 0.5, 0.5]);
        assert!(areas[0].holds_at(1e9));
        assert!(areas[1].meets(0.0, 1.1) && areas[1].meets(2.9, 9.0));
        assert!(!areas[1].meets(0.0, 1.0) && !areas[1].meets(3.0, 4.0));
        assert_eq!(areas[1].sides, [0.9, 0.9, 1.0, 1.0]);
        assert!(!areas[1].holds_at(0.9) && areas[1].holds_at(1.0) && !areas[1].holds_at(3.0));
        for wrong in [
            "1 2 3",
            "1 2 0 4",
            "a b c d",
            "0 0 101 5",
            "100 0 5 5",
            "0 0 5 5 from 3 to 3",
            "0 0 5 5 from",
            "0 0 5 5 from 1 from 2",
            "0 0 5 NaN",
            "0 0 5 5 until 3",
        ] {
            let told = parse_areas(&format!("0 0 5 5\n{wrong}")).unwrap_err();
            assert!(told.starts_with("line 2 is no area"), "{wrong}: {told}");
        }
        assert!(parse_areas(&"0 0 5 5\n".repeat(257)).is_err());
        assert_eq!(parse_areas("").unwrap(), []);
    }

    #[test]
    fn places_of_a_crop_are_in_the_order_of_their_times() {
        assert_eq!(
            parse_keys("1 50\n\n2,100").unwrap(),
            [(1.0, 0.5), (2.0, 1.0)]
        );
        for wrong in [
            "", "1", "1 101", "-1 5", "1 2 3", "1 x", "2 5\n2 6", "2 5\n1 6",
        ] {
            assert!(parse_keys(wrong).is_err(), "{wrong}");
        }
    }
}
