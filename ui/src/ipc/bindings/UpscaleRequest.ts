import type { Device } from "./Device";
import type { Quality } from "./Quality";
import type { VideoCodec } from "./VideoCodec";

export type UpscaleRequest = { input: string, output: string | null, model: string | null, scale: number | null, codec: VideoCodec | null, quality: Quality, device: Device, name_template: string | null, counter: number | null, overwrite: boolean, };
