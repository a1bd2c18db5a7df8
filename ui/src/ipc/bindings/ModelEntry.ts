import type { ModelManifest } from "./ModelManifest";

export type ModelEntry = { id: string, manifest: ModelManifest | null, state: "ready" | "missing" | "damaged", message: string | null, bundled: boolean, };
