//! The demo clip's music: plucked strings over a soft chord, made sample by sample.

/// Samples per second.
pub const RATE: u32 = 48_000;

/// A RIFF/WAVE file of 16-bit stereo, `seconds` long.
pub fn wave(seconds: f32) -> Vec<u8> {
    let samples = render((seconds * RATE as f32) as usize);
    let size = (samples.len() * 2) as u32;
    let mut file = Vec::with_capacity(samples.len() * 2 + 44);
    file.extend(b"RIFF");
    file.extend((36 + size).to_le_bytes());
    file.extend(b"WAVEfmt ");
    file.extend(16u32.to_le_bytes());
    // Plain integers, two channels.
    file.extend(1u16.to_le_bytes());
    file.extend(2u16.to_le_bytes());
    file.extend(RATE.to_le_bytes());
    file.extend((RATE * 4).to_le_bytes());
    file.extend(4u16.to_le_bytes());
    file.extend(16u16.to_le_bytes());
    file.extend(b"data");
    file.extend(size.to_le_bytes());
    for sample in samples {
        file.extend(sample.to_le_bytes());
    }
    file
}

/// Frequency of a key, counted in semitones from A (440 Hz).
fn pitch(semitones: i32) -> f32 {
    440.0 * 2f32.powf(semitones as f32 / 12.0)
}

fn render(length: usize) -> Vec<i16> {
    let mut left = vec![0.0f32; length];
    let mut right = vec![0.0f32; length];
    // D major with added ninth and sixth: open, without weight.
    for (semitones, level) in [
        (-31, 0.10),
        (-19, 0.07),
        (-12, 0.05),
        (-8, 0.05),
        (-3, 0.035),
    ] {
        pad(&mut left, &mut right, pitch(semitones), level);
    }
    let tune = [
        (0.15, -7),
        (0.60, -3),
        (1.05, 0),
        (1.50, 5),
        (1.95, 9),
        (2.40, 7),
        (2.85, 5),
        (3.30, 0),
        (3.75, 2),
        (4.20, 5),
        (4.45, 9),
        (4.70, 14),
    ];
    for (index, (start, semitones)) in tune.into_iter().enumerate() {
        let pan = 0.5 + 0.3 * (index as f32 * 1.9).sin();
        pluck(&mut left, &mut right, start, pitch(semitones), pan);
    }
    let fade = |index: usize| {
        let time = index as f32 / RATE as f32;
        let end = length as f32 / RATE as f32 - time;
        (time / 0.4).min(1.0) * (end / 0.9).min(1.0)
    };
    let mut samples = Vec::with_capacity(length * 2);
    for (index, (l, r)) in left.iter().zip(&right).enumerate() {
        for value in [l, r] {
            // tanh keeps the sum of all strings from clipping hard.
            samples.push(((value * fade(index)).tanh() * 28_000.0) as i16);
        }
    }
    samples
}

/// A slowly beating tone: two oscillators a little apart, with a few soft overtones.
fn pad(left: &mut [f32], right: &mut [f32], frequency: f32, level: f32) {
    for (side, channel) in [left, right].into_iter().enumerate() {
        let detune = if side == 0 { 1.0015 } else { 0.9985 };
        for (index, value) in channel.iter_mut().enumerate() {
            let time = index as f32 / RATE as f32;
            let phase = std::f32::consts::TAU * frequency * detune * time;
            let swell = 0.75 + 0.25 * (time * 1.1 + frequency).sin();
            *value += level
                * swell
                * (phase.sin() + 0.3 * (2.0 * phase).sin() + 0.1 * (3.0 * phase).sin());
        }
    }
}

/// A plucked string: K. Karplus and A. Strong, "Digital synthesis of plucked-string and drum
/// timbres" (1983).
fn pluck(left: &mut [f32], right: &mut [f32], start: f32, frequency: f32, pan: f32) {
    let period = (RATE as f32 / frequency) as usize;
    let mut state = (frequency as u32).wrapping_mul(2_654_435_761).max(1);
    let mut string: Vec<f32> = (0..period)
        .map(|_| {
            state ^= state << 13;
            state ^= state >> 17;
            state ^= state << 5;
            state as f32 / u32::MAX as f32 - 0.5
        })
        .collect();
    // A soft finger: the noise loses its edge before it starts to ring.
    for _ in 0..3 {
        for index in 0..period {
            string[index] = 0.5 * (string[index] + string[(index + 1) % period]);
        }
    }
    let first = (start * RATE as f32) as usize;
    let mut at = 0;
    for index in first..left.len() {
        let next = (at + 1) % period;
        let value = string[at];
        string[at] = 0.4985 * (string[at] + string[next]);
        at = next;
        left[index] += 0.9 * value * (1.0 - pan);
        right[index] += 0.9 * value * pan;
        // One quiet echo on the other side.
        if let (Some(l), Some(r)) = (left.get_mut(index + 15_000), right.get_mut(index + 15_000)) {
            *l += 0.28 * value * pan;
            *r += 0.28 * value * (1.0 - pan);
        }
    }
}
