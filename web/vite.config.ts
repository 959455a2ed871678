import vue from '@vitejs/plugin-vue'
import { defineConfig } from 'vitest/config'
import { mockApi } from './dev/mock.ts'

const backend = process.env['QIFU_BACKEND_URL'] ?? 'http://127.0.0.1:8080'

export default defineConfig({
  plugins: [vue(), ...(process.env['QIFU_WEB_MOCK'] ? [mockApi()] : [])],
  server: {
    proxy: process.env['QIFU_WEB_MOCK'] ? {} : { '/api': backend, '/readyz': backend, '/healthz': backend },
  },
  build: {
    outDir: 'dist',
    emptyOutDir: true,
    // the pages are served under default-src 'self': no data: address may stand in for a file
    assetsInlineLimit: 0,
    // what the browsers inside messengers and older phones understand
    target: ['chrome87', 'safari14', 'firefox78', 'edge88'],
    chunkSizeWarningLimit: 400,
  },
  test: {
    environment: 'happy-dom',
    include: ['tests/**/*.test.ts'],
    server: { deps: { inline: ['element-plus'] } },
    css: false,
  },
})
