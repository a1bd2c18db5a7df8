import type { Warning } from "./Warning";

export type UpscalePlan = { output: string, input_size: [number, number], output_size: [number, number], frames: number | null, model: string, encoder: string | null, warnings: Array<Warning>, encoder_parameters: Array<[string, string]>, };
