use super::{Filter, PictureFormat};
use crate::EngineError;
use frameloom_media::{Converter, Frame, FramePool};

/// Changes size or pixel format through swscale, with the matrix and range of the picture.
pub(super) struct Scale {
    output: PictureFormat,
    pool: FramePool,
    converter: Converter,
}

impl Scale {
    pub(super) fn open(output: PictureFormat) -> Result<Self, EngineError> {
        Ok(Self {
            pool: FramePool::new(output.pixels, output.width, output.height)?,
            converter: Converter::new(),
            output,
        })
    }
}

impl Filter for Scale {
    fn output(&self) -> &PictureFormat {
        &self.output
    }

    fn process(&mut self, frame: &Frame) -> Result<Frame, EngineError> {
        Ok(self.converter.convert(frame, &self.pool)?)
    }
}
