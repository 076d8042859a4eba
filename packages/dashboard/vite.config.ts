// How the dashboard becomes files that any coordinator serves: everything in it, nothing from elsewhere, names with digests.
import { defineConfig } from 'vite';

export default defineConfig({
  root: import.meta.dirname,
  // Its warnings are about directives of libraries for servers that we do not have.
  logLevel: 'error',
  build: {
    outDir: 'dist',
    emptyOutDir: true,
    target: 'es2022',
    // No inline content: the policy that the pages are served under forbids it.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    // The charts are one large file, loaded when a chart is shown.
    chunkSizeWarningLimit: 1_000,
  },
});
