import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  plugins: [svelte()],
  clearScreen: false,
  // The sample pictures of presets lie in `assets/`, outside of this folder.
  server: { port: 5199, strictPort: true, host: '127.0.0.1', fs: { allow: ['..'] } },
  build: {
    target: ['es2022', 'safari16'],
    // The content policy of the window allows no `data:` fonts or scripts.
    assetsInlineLimit: 0,
  },
  // Without it vitest resolves Svelte's server build and no component can be mounted.
  resolve: process.env['VITEST'] ? { conditions: ['browser'] } : {},
  test: {
    environment: 'jsdom',
    testTimeout: 60_000,
    include: ['src/**/*.test.ts'],
    setupFiles: ['src/test-setup.ts'],
  },
});
