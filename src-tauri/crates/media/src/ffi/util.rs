//! Status codes, dictionaries, strings, library facts.

use crate::error::{FfmpegError, MediaError};
use ffmpeg_sys_next as sys;
use frameloom_core::time::{Rational, TimeBase};
use std::collections::BTreeMap;
use std::ffi::{CStr, CString, c_char, c_int};
use std::path::Path;
use std::ptr;

/// Reads an enum field of C as the integer it is.
///
/// # Safety
/// `field` must point to a readable C enum, which has the size of an `int`.
pub(crate) unsafe fn enum_number<T>(field: *const T) -> i32 {
    const { assert!(size_of::<T>() == size_of::<c_int>()) };
    // SAFETY: the caller promises a readable field; its size was checked above.
    unsafe { field.cast::<c_int>().read() }
}

/// Writes an enum field of C as the integer it is.
///
/// # Safety
/// `field` must point to a writable C enum.
pub(crate) unsafe fn set_enum_number<T>(field: *mut T, number: i32) {
    const { assert!(size_of::<T>() == size_of::<c_int>()) };
    // SAFETY: the caller promises a writable field; its size was checked above.
    unsafe { field.cast::<c_int>().write(number) };
}

/// The library's words for a status code.
pub(crate) fn error(code: c_int) -> FfmpegError {
    let mut buffer: [c_char; 256] = [0; 256];
    // SAFETY: the buffer is as long as stated, and the function ends it with a zero.
    let text = unsafe {
        sys::av_strerror(code, buffer.as_mut_ptr(), buffer.len());
        text_of(buffer.as_ptr())
    };
    FfmpegError {
        code,
        text: text.unwrap_or_default(),
    }
}

/// `Ok` with the value for a status that is not negative.
pub(crate) fn check(action: &'static str, status: c_int) -> Result<c_int, MediaError> {
    if status >= 0 {
        return Ok(status);
    }
    Err(failure(action, status))
}

/// The error for a negative status.
pub(crate) fn failure(action: &'static str, status: c_int) -> MediaError {
    match status {
        code if code == sys::AVERROR(libc::ENOMEM) => MediaError::OutOfMemory,
        sys::AVERROR_EXIT => MediaError::Cancelled,
        code => MediaError::Codec {
            action,
            source: error(code),
        },
    }
}

/// The error for a negative status of a write to `path`.
pub(crate) fn write_failure(status: c_int, path: &Path) -> MediaError {
    if status == sys::AVERROR_EXIT {
        return MediaError::Cancelled;
    }
    if status == sys::AVERROR(libc::ENOSPC) {
        return MediaError::DiskFull { path: path.into() };
    }
    MediaError::from_write(io_error(status), path)
}

/// A status code as an error of the system.
pub(crate) fn io_error(status: c_int) -> std::io::Error {
    // Only where the library's numbers are those of the system; elsewhere its words must do.
    if cfg!(unix) && (-255..0).contains(&status) {
        return std::io::Error::from_raw_os_error(-status);
    }
    std::io::Error::other(error(status))
}

/// A C string as text; `None` for a null pointer. Bytes that are not UTF-8 are replaced.
///
/// # Safety
/// `text` must be null or point to a string that ends with a zero.
pub(crate) unsafe fn text_of(text: *const c_char) -> Option<String> {
    if text.is_null() {
        return None;
    }
    // SAFETY: not null, and ended by a zero as the caller promises.
    let text = unsafe { CStr::from_ptr(text) };
    Some(text.to_string_lossy().into_owned())
}

/// Text for C; what follows an inner zero is cut off.
pub(crate) fn c_text(text: &str) -> CString {
    let end = text.find('\0').unwrap_or(text.len());
    CString::new(&text.as_bytes()[..end]).unwrap_or_default()
}

/// The `file:` address of a path, so that neither `-x`, `%d` nor `http://` in a file name means
/// anything else than its letters.
pub(crate) fn file_address(path: &Path) -> Option<CString> {
    let mut bytes = b"file:".to_vec();
    #[cfg(unix)]
    bytes.extend_from_slice(std::os::unix::ffi::OsStrExt::as_bytes(path.as_os_str()));
    #[cfg(not(unix))]
    bytes.extend_from_slice(path.to_str()?.as_bytes());
    CString::new(bytes).ok()
}

/// A fraction for C, or `None` where it does not fit.
pub(crate) fn av_rational(value: Rational) -> Option<sys::AVRational> {
    Some(sys::AVRational {
        num: c_int::try_from(value.num).ok()?,
        den: c_int::try_from(value.den).ok()?,
    })
}

/// A fraction of C; `None` for a zero denominator.
pub(crate) fn rational(value: sys::AVRational) -> Option<Rational> {
    Rational::new(i64::from(value.num), i64::from(value.den))
}

/// A time base of C; `None` unless positive.
pub(crate) fn time_base(value: sys::AVRational) -> Option<TimeBase> {
    TimeBase::new(i64::from(value.num), i64::from(value.den))
}

/// A timestamp of C; `None` for "no value".
pub(crate) fn ticks(value: i64) -> Option<i64> {
    (value != sys::AV_NOPTS_VALUE).then_some(value)
}

/// The entries of a dictionary.
///
/// # Safety
/// `dict` must be null or a live dictionary.
pub(crate) unsafe fn tags(dict: *const sys::AVDictionary) -> BTreeMap<String, String> {
    let mut tags = BTreeMap::new();
    let mut entry: *const sys::AVDictionaryEntry = ptr::null();
    loop {
        // SAFETY: `dict` is null or live, `entry` is null or came from the same dictionary.
        entry = unsafe { sys::av_dict_get(dict, c"".as_ptr(), entry, sys::AV_DICT_IGNORE_SUFFIX) };
        if entry.is_null() {
            return tags;
        }
        // SAFETY: an entry holds two strings that end with a zero.
        let (key, value) = unsafe { (text_of((*entry).key), text_of((*entry).value)) };
        if let (Some(key), Some(value)) = (key, value) {
            tags.insert(key, value);
        }
    }
}

/// An options dictionary that is freed when dropped.
pub(crate) struct Dict(pub(crate) *mut sys::AVDictionary);

impl Dict {
    pub(crate) fn new<'a>(
        entries: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Result<Self, MediaError> {
        let mut dict = Dict(ptr::null_mut());
        for (key, value) in entries {
            let (key, value) = (c_text(key), c_text(value));
            // SAFETY: both strings end with a zero and are copied.
            let status = unsafe { sys::av_dict_set(&mut dict.0, key.as_ptr(), value.as_ptr(), 0) };
            check("options could not be stored", status)?;
        }
        Ok(dict)
    }

    /// What a library function did not take out, i.e. did not understand.
    pub(crate) fn left(&self) -> Vec<String> {
        // SAFETY: the dictionary is null or live.
        unsafe { tags(self.0) }.into_keys().collect()
    }

    /// Gives the dictionary away.
    pub(crate) fn into_raw(mut self) -> *mut sys::AVDictionary {
        std::mem::replace(&mut self.0, ptr::null_mut())
    }
}

impl Drop for Dict {
    fn drop(&mut self) {
        // SAFETY: null or owned by this value.
        unsafe { sys::av_dict_free(&mut self.0) };
    }
}

/// Turns the library's own printing off: what matters arrives as errors and warnings.
pub(crate) fn quiet() {
    // SAFETY: sets one integer.
    unsafe { sys::av_log_set_level(sys::AV_LOG_QUIET) };
}

/// The generation of the muxers: 59 is FFmpeg 5, 61 is FFmpeg 7.
pub(crate) fn libavformat_major() -> u32 {
    // SAFETY: returns a constant.
    unsafe { sys::avformat_version() >> 16 }
}

/// Name, version, licence and configuration of each linked library.
pub(crate) fn libraries() -> Vec<(&'static str, u32, Option<String>, Option<String>)> {
    // SAFETY: these functions return constants.
    unsafe {
        vec![
            (
                "libavutil",
                sys::avutil_version(),
                text_of(sys::avutil_license()),
                text_of(sys::avutil_configuration()),
            ),
            (
                "libavcodec",
                sys::avcodec_version(),
                text_of(sys::avcodec_license()),
                text_of(sys::avcodec_configuration()),
            ),
            (
                "libavformat",
                sys::avformat_version(),
                text_of(sys::avformat_license()),
                text_of(sys::avformat_configuration()),
            ),
            (
                "libavfilter",
                sys::avfilter_version(),
                text_of(sys::avfilter_license()),
                text_of(sys::avfilter_configuration()),
            ),
            (
                "libswscale",
                sys::swscale_version(),
                text_of(sys::swscale_license()),
                text_of(sys::swscale_configuration()),
            ),
        ]
    }
}
