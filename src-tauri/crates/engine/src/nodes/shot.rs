//! Where one shot ends and another begins.

/// Pictures that differ by so much on average, of 1, are of different shots.
const CUT: f32 = 0.12;

/// True if two pictures of one size, red, green and blue from 0 to 1, are of different shots.
pub(super) fn is_cut(before: &[Vec<f32>; 3], after: &[Vec<f32>; 3]) -> bool {
    let mut sum = 0.0f64;
    let mut count = 0;
    for (a, b) in before.iter().zip(after) {
        sum += a
            .iter()
            .zip(b)
            .map(|(a, b)| f64::from((a - b).abs()))
            .sum::<f64>();
        count += a.len();
    }
    sum > f64::from(CUT) * count as f64
}
