//! Calmer cameras and frames in between, through the real command line on real clips.
#![expect(clippy::unwrap_used, reason = "the helpers of a test may fail it")]

use e2e::*;
use frameloom_core::pixel::AnyPlane;
use frameloom_media::{Frame, Reader};
use std::path::{Path, PathBuf};

/// Luma, row by row.
struct Luma {
    width: usize,
    height: usize,
    values: Vec<f64>,
}

impl Luma {
    fn of(frame: &Frame) -> Self {
        let values = match frame.plane(0) {
            AnyPlane::U8(plane) => (0..plane.height)
                .flat_map(|y| plane.row(y).iter().map(|&v| f64::from(v)))
                .collect(),
            AnyPlane::U16(plane) => (0..plane.height)
                .flat_map(|y| plane.row(y).iter().map(|&v| f64::from(v)))
                .collect(),
        };
        Self {
            width: frame.width() as usize,
            height: frame.height() as usize,
            values,
        }
    }

    /// Mean squared difference of the middle to `other`, moved by whole pixels.
    fn apart(&self, other: &Self, (dx, dy): (i64, i64)) -> f64 {
        let (mx, my) = (self.width / 5, self.height / 5);
        let mut sum = 0.0;
        let mut count = 0.0;
        for y in (my..self.height - my).step_by(2) {
            for x in (mx..self.width - mx).step_by(2) {
                let there = (y as i64 + dy) as usize * self.width + (x as i64 + dx) as usize;
                let apart = self.values[y * self.width + x] - other.values[there];
                sum += apart * apart;
                count += 1.0;
            }
        }
        sum / count
    }

    /// By how many pixels `other` shows the same further right and down: the least difference
    /// within `reach`, and the lowest place of the parabola through its neighbours.
    fn shift_to(&self, other: &Self, reach: i64) -> (f64, f64) {
        let places = (-reach..=reach).flat_map(|y| (-reach..=reach).map(move |x| (x, y)));
        let (_, (x, y)) = places
            .map(|place| (self.apart(other, place), place))
            .min_by(|a, b| a.0.total_cmp(&b.0))
            .unwrap();
        let part = |before: f64, at: f64, after: f64| {
            let bend = before - 2.0 * at + after;
            if bend > 0.0 {
                0.5 * (before - after) / bend
            } else {
                0.0
            }
        };
        let at = self.apart(other, (x, y));
        let across = part(
            self.apart(other, (x - 1, y)),
            at,
            self.apart(other, (x + 1, y)),
        );
        let down = part(
            self.apart(other, (x, y - 1)),
            at,
            self.apart(other, (x, y + 1)),
        );
        (x as f64 + across, y as f64 + down)
    }
}

fn lumas(path: &Path) -> Vec<Luma> {
    let mut reader = Reader::open(path, &Default::default()).unwrap();
    let mut lumas = Vec::new();
    while let Some(frame) = reader.next_frame().unwrap() {
        lumas.push(Luma::of(&frame));
    }
    lumas
}

/// The root mean square of how the way of the picture bends from frame to frame, in pixels: a camera
/// at rest and one that moves evenly have none.
fn jitter(clip: &[Luma]) -> f64 {
    let steps: Vec<(f64, f64)> = clip
        .windows(2)
        .map(|pair| pair[0].shift_to(&pair[1], 9))
        .collect();
    let bends = steps.windows(2).map(|s| {
        let (x, y) = (s[1].0 - s[0].0, s[1].1 - s[0].1);
        x * x + y * y
    });
    (bends.clone().sum::<f64>() / bends.count() as f64).sqrt()
}

/// A picture seen by a camera that pans and shakes by parts of a pixel, 25 frames per second.
fn shaken(folder: &Path) -> Option<PathBuf> {
    let picture = test_data("images/photo/wolves.jpg")?;
    let path = folder.join("shaken.mkv");
    // Four times as large, so that a step of a pixel is a quarter of one.
    let shake = |a: f64, b: f64| {
        format!("trunc({a}*sin(n*2.1+{b})+{a}*0.7*sin(n*1.27+{b}*3)+{a}*0.4*sin(n*2.9))")
    };
    let filter = format!(
        "scale=2560:-2:flags=bicubic,crop=1600:900:x='400+n*6+{}':y='300+{}',scale=400:224:flags=area,\
         noise=c0s=3:c0f=t+u:all_seed=7,format=yuv420p",
        shake(9.0, 0.4),
        shake(7.0, 1.9)
    );
    let picture = text(&picture);
    ffmpeg(&[
        "-loop",
        "1",
        "-framerate",
        "25",
        "-i",
        &picture,
        "-vf",
        &filter,
        "-frames:v",
        "60",
        "-c:v",
        "ffv1",
        &text(&path),
    ])
    .then_some(path)
}

#[test]
fn a_known_shake_goes_away_and_the_pan_stays() {
    let cli = Cli::new();
    let folder = cli.folder();
    let Some(source) = shaken(&folder) else {
        return;
    };
    let before = lumas(&source);
    for (name, more) in [("crop.mkv", &[][..]), ("mirror.mkv", &["--mirror"][..])] {
        let out = folder.join(name);
        let all = [
            "stabilise",
            &text(&source),
            "-o",
            &text(&out),
            "--codec",
            "ffv1",
            "-q",
            "lossless",
        ];
        cli.run(all.iter().chain(more)).expect_code(0);
        let after = lumas(&out);
        assert_eq!(after.len(), before.len());
        assert_eq!((after[0].width, after[0].height), (400, 224));
        let (shake, rest) = (jitter(&before), jitter(&after));
        println!("{name}: {shake:.3} pixels of jitter, {rest:.3} are left");
        assert!(
            rest < 0.15 * shake,
            "{name}: {rest} of {shake} pixels are left"
        );
        // A pixel and a half per frame over the middle of the clip, where the window is whole.
        let way: f64 = after[20..41]
            .windows(2)
            .map(|pair| pair[0].shift_to(&pair[1], 9).0)
            .sum();
        assert!(
            (-35.0..-25.0).contains(&way),
            "{name}: the pan became {way} pixels"
        );
    }
}

#[test]
fn a_clip_out_of_a_hand_is_calmer_and_its_sound_stays() {
    let Some(source) = test_data("media/video/h264_aac_17s_640x360.mp4") else {
        return;
    };
    let cli = Cli::new();
    let folder = cli.folder();
    let (clip, out) = (folder.join("clip.mp4"), folder.join("calm.mp4"));
    let cut = [
        "-ss",
        "4",
        "-t",
        "2",
        "-i",
        &text(&source),
        "-vf",
        "scale=320:180",
        "-c:v",
        "libx264",
        "-crf",
        "12",
        "-c:a",
        "copy",
        &text(&clip),
    ];
    if !ffmpeg(&cut) {
        return;
    }
    cli.run([
        "stabilise",
        &text(&clip),
        "-o",
        &text(&out),
        "--zoom",
        "1.25",
    ])
    .expect_code(0);
    let (before, after) = (lumas(&clip), lumas(&out));
    assert_eq!(before.len(), after.len());
    let (shake, rest) = (jitter(&before), jitter(&after));
    println!("{shake:.3} pixels of jitter, {rest:.3} are left");
    assert!(rest < 0.5 * shake, "{rest} of {shake} pixels are left");
    let (a, b) = (
        frameloom_media::probe(&clip).unwrap(),
        frameloom_media::probe(&out).unwrap(),
    );
    assert_eq!(a.streams.len(), b.streams.len());
}

/// Peak signal to noise ratio of the luma, in dB, of frames that are made anew: every second.
fn psnr(made: &[Luma], real: &[Luma]) -> f64 {
    let pairs = made.iter().zip(real).skip(1).step_by(2);
    let (mut sum, mut count) = (0.0, 0.0);
    for (a, b) in pairs {
        for (a, b) in a.values.iter().zip(&b.values) {
            sum += (a - b) * (a - b);
            count += 1.0;
        }
    }
    10.0 * (255.0f64 * 255.0 * count / sum).log10()
}

#[test]
fn frames_that_were_taken_away_are_made_again_better_than_by_holding_mixing_or_minterpolate() {
    for (file, stretch) in [
        (
            "media/video/h264_aac_16s_320x240_60fps.mp4",
            "trim=start_frame=60:end_frame=120",
        ),
        // Out of a car.
        (
            "media/video/vp9_10bit.webm",
            "trim=start_frame=46:end_frame=70",
        ),
    ] {
        let Some(source) = test_data(file) else {
            return;
        };
        let cli = Cli::new();
        let folder = cli.folder();
        let path = |name: &str| text(&folder.join(name));
        let whole = format!("{stretch},setpts=N/50/TB,format=yuv420p");
        let halved = format!("{whole},select='not(mod(n,2))'");
        for (name, filter) in [("whole.mkv", &whole), ("half.mkv", &halved)] {
            let rate = if name == "half.mkv" { "25" } else { "50" };
            let all = [
                "-i",
                &text(&source),
                "-an",
                "-sn",
                "-vf",
                filter,
                "-r",
                rate,
                "-c:v",
                "ffv1",
                &path(name),
            ];
            if !ffmpeg(&all) {
                return;
            }
        }
        cli.run([
            "interpolate",
            &path("half.mkv"),
            "-o",
            &path("made.mkv"),
            "--codec",
            "ffv1",
            "-q",
            "lossless",
        ])
        .expect_code(0);
        for (name, filter) in [
            ("held.mkv", "fps=50"),
            (
                "mixed.mkv",
                "framerate=fps=50:interp_start=0:interp_end=255:scene=100",
            ),
            (
                "minterpolate.mkv",
                "minterpolate=fps=50:mi_mode=mci:mc_mode=aobmc:me_mode=bidir:vsbmc=1",
            ),
        ] {
            ffmpeg(&[
                "-i",
                &path("half.mkv"),
                "-vf",
                filter,
                "-c:v",
                "ffv1",
                &path(name),
            ]);
        }
        let real = lumas(Path::new(&path("whole.mkv")));
        let made = lumas(Path::new(&path("made.mkv")));
        assert!(
            made.len().abs_diff(real.len()) <= 1,
            "{} {}",
            made.len(),
            real.len()
        );
        let quality = |name: &str| psnr(&lumas(Path::new(&path(name))), &real[..real.len() - 4]);
        let own = quality("made.mkv");
        let others = ["held.mkv", "mixed.mkv", "minterpolate.mkv"].map(quality);
        println!("{file}: {own:.2} dB; held, mixed, minterpolate: {others:.2?} dB");
        for other in others {
            assert!(own > other, "{file}: {own} dB, {others:?}");
        }
    }
}

#[test]
fn a_cut_has_no_frame_in_between_and_the_rate_is_what_was_asked_for() {
    let cli = Cli::new();
    let folder = cli.folder();
    let (source, out) = (text(&folder.join("cut.mkv")), text(&folder.join("out.mkv")));
    let scenes = "testsrc2=s=320x180:r=25:d=1[a];mandelbrot=s=320x180:r=25,trim=end_frame=25,format=yuv420p[b];[a]format=yuv420p[c];[c][b]concat";
    if !ffmpeg(&["-filter_complex", scenes, "-c:v", "ffv1", &source]) {
        return;
    }
    cli.run([
        "interpolate",
        &source,
        "-o",
        &out,
        "--rate",
        "60",
        "--codec",
        "ffv1",
        "-q",
        "lossless",
    ])
    .expect_code(0);
    let info = frameloom_media::probe(Path::new(&out)).unwrap();
    let rate = info.main_video().unwrap().1.frame_rate.unwrap();
    assert!((rate.ratio().to_f64() - 60.0).abs() < 0.01, "{rate:?}");
    let (own, made) = (lumas(Path::new(&source)), lumas(Path::new(&out)));
    assert_eq!(made.len(), 120);
    // Between the frames at 0.96 and 1 s: the one before, and nothing of both.
    for at in [58, 59] {
        assert_eq!(made[at].values, own[24].values, "frame {at}");
    }
    assert_eq!(made[60].values, own[25].values);
}

#[test]
fn what_cannot_be_done_is_refused_in_a_sentence() {
    let cli = Cli::new();
    let clip = text(&demo_clip());
    for (words, says) in [
        (
            &["stabilise", clip.as_str(), "--zoom", "3"][..],
            "1.02 to 1.5",
        ),
        (&["stabilise", clip.as_str(), "--smooth", "0"], "0.1 to 2"),
        (&["interpolate", clip.as_str(), "--times", "1"], "2 to 8"),
        (
            &["interpolate", clip.as_str(), "--rate", "5000"],
            "1 to 1000",
        ),
    ] {
        let ran = cli.run(words).expect_code(2);
        assert!(ran.stderr.contains(says), "{ran:?}");
    }
    let Some(picture) = test_data("images/photo/bus.jpg") else {
        return;
    };
    let ran = cli.run(["stabilise", &text(&picture)]).expect_code(2);
    assert!(
        ran.stderr.contains("is a picture, and this is for clips"),
        "{ran:?}"
    );
}
