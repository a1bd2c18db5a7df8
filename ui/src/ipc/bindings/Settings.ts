export type Settings = { language: "system" | "en" | "vi" | "fr", theme: "system" | "dark" | "light", output_dir: string | null, };
