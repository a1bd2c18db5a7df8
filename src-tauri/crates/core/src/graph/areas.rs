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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_areas_and_what_is_none_is_named() {
        let areas = parse_areas("\n 0,0,50,50\n90 90 20 20 to 3 from 1\n").unwrap();
        assert_eq!(areas[0].sides, [0.0, 0.0, 0.5, 0.5]);
        assert!(areas[0].holds_at(1e9));
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
}
