//! From frames to packets: which encoder, with which settings, and the encoding itself.
//!
//! # What each quality hands over
//!
//! For a clip of 8 bits in 4:2:0; what a cell says goes to ffmpeg as it is, with `g` (a key frame
//! about every two seconds; every frame for FFV1, ProRes and DNxHR) and `threads` besides.
//! "Refused" is an error before the job starts. Those of a GIF are the options of `paletteuse`.
//! More bits, full chroma and transparency change the profile of ProRes and DNxHR; static HDR data
//! is added to the parameters of x265. `frameloom encoders` prints the same for this machine.
//!
//! | makes | encoder | draft | good | archive | lossless |
//! |---|---|---|---|---|---|
//! | H.264 | libx264 | `preset=veryfast x264-params=sync-lookahead=0 crf=23` | `preset=fast x264-params=sync-lookahead=0 crf=18` | `preset=slow x264-params=sync-lookahead=0 crf=14` | `preset=slow x264-params=sync-lookahead=0 qp=0` |
//! | H.264 | libopenh264 | `rc_mode=off global_quality=3068` | `rc_mode=off global_quality=2360` | `rc_mode=off global_quality=1770` | refused |
//! | H.264 | h264_videotoolbox | `flags=+qscale global_quality=5900` | `flags=+qscale global_quality=8260` | `flags=+qscale global_quality=10030` | refused |
//! | H.264 | h264_nvenc | `preset=p2 rc=constqp qp=26` | `preset=p5 rc=constqp qp=20` | `preset=p7 rc=constqp qp=15` | `preset=p7 tune=lossless` |
//! | H.264 | h264_amf | `quality=speed rc=cqp qp_i=25 qp_p=27` | `quality=balanced rc=cqp qp_i=19 qp_p=21` | `quality=quality rc=cqp qp_i=14 qp_p=16` | refused |
//! | H.264 | h264_mf | `rate_control=quality quality=60` | `rate_control=quality quality=85` | `rate_control=quality quality=95` | refused |
//! | HEVC | libx265 | `preset=superfast crf=26 x265-params=log-level=none:pools=1` | `preset=fast crf=20 x265-params=log-level=none:pools=1` | `preset=slow crf=16 x265-params=log-level=none:pools=1` | `preset=slow x265-params=log-level=none:pools=1:lossless=1` |
//! | HEVC | hevc_videotoolbox | `flags=+qscale global_quality=5900` | `flags=+qscale global_quality=8260` | `flags=+qscale global_quality=10030` | refused |
//! | HEVC | hevc_nvenc | `preset=p2 rc=constqp qp=26` | `preset=p5 rc=constqp qp=20` | `preset=p7 rc=constqp qp=15` | `preset=p7 tune=lossless` |
//! | HEVC | hevc_amf | `quality=speed rc=cqp qp_i=25 qp_p=27` | `quality=balanced rc=cqp qp_i=19 qp_p=21` | `quality=quality rc=cqp qp_i=14 qp_p=16` | refused |
//! | AV1 | libsvtav1 | `preset=11 crf=36 svtav1-params=lp=1` | `preset=8 crf=25 svtav1-params=lp=1` | `preset=5 crf=16 svtav1-params=lp=1` | refused |
//! | AV1 | av1_nvenc | `preset=p2 rc=constqp qp=26` | `preset=p5 rc=constqp qp=20` | `preset=p7 rc=constqp qp=15` | refused |
//! | AV1 | libaom-av1 | `cpu-used=8 crf=36 row-mt=1` | `cpu-used=6 crf=25 row-mt=1` | `cpu-used=4 crf=16 row-mt=1` | refused |
//! | VP9 | libvpx-vp9 | `deadline=good cpu-used=5 row-mt=1 b=0 crf=36` | `deadline=good cpu-used=3 row-mt=1 b=0 crf=24` | `deadline=good cpu-used=1 row-mt=1 b=0 crf=15` | `deadline=good cpu-used=1 row-mt=1 b=0 lossless=1` |
//! | FFV1 | ffv1 | `level=3 slicecrc=1` | `level=3 slicecrc=1` | `level=3 slicecrc=1` | `level=3 slicecrc=1` |
//! | ProRes | prores_ks | `profile=lt vendor=apl0` | `profile=hq vendor=apl0` | `profile=hq vendor=apl0` | refused |
//! | DNxHR | dnxhd | `profile=dnxhr_lb` | `profile=dnxhr_hq` | `profile=dnxhr_hq` | refused |
//! | MPEG-4 part 2 | mpeg4 | `flags=+qscale global_quality=590 bf=0 sc_threshold=1000000000` | `flags=+qscale global_quality=236 bf=0 sc_threshold=1000000000` | `flags=+qscale global_quality=118 bf=0 sc_threshold=1000000000` | refused |
//! | GIF | gif | `dither=bayer diff_mode=none` | `dither=sierra2_4a diff_mode=rectangle` | `dither=floyd_steinberg diff_mode=rectangle` | refused |
//! | APNG | apng | `pred=sub compression_level=1` | `pred=mixed compression_level=6` | `pred=mixed compression_level=9` | `pred=mixed compression_level=9` |
//! | WebP | libwebp | `quality=70 compression_level=2` | `quality=85 compression_level=4` | `quality=95 compression_level=6` | `quality=75 compression_level=4 lossless=1` |

pub(crate) mod encoder;
pub(crate) mod plan;
pub(crate) mod quality;
pub(crate) mod table;
