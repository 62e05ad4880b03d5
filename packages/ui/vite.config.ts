import ui from '@nuxt/ui/vite';
import vue from '@vitejs/plugin-vue';
import { defineConfig } from 'vite';

export default defineConfig({
  // Relative, so that one build works wherever Luna is on its host.
  base: './',
  plugins: [
    vue(),
    ui({
      autoImport: false,
      // The icons that the pages and the navigation name are built in: a Luna without internet shows them too.
      icon: { clientBundle: { scan: { globInclude: ['src/**/*.{vue,ts}'], globExclude: ['node_modules', 'dist'] } } },
      ui: {
        colors: { primary: 'indigo', neutral: 'slate' },
        // Names and paths may be one long word.
        alert: { slots: { title: 'wrap-anywhere', description: 'wrap-anywhere' } },
        toast: { slots: { title: 'wrap-anywhere', description: 'wrap-anywhere' } },
        modal: { slots: { wrapper: 'pr-8', title: 'wrap-anywhere', description: 'wrap-anywhere' } },
        slideover: { slots: { wrapper: 'pr-8', title: 'wrap-anywhere', description: 'wrap-anywhere' } },
        // Under the pointer, too, a button's text keeps its contrast: it darkens (in the dark, lightens), not fades.
        button: {
          compoundVariants: [
            {
              color: 'primary',
              variant: 'solid',
              class: 'hover:bg-(--ui-primary-strong) active:bg-(--ui-primary-strong)',
            },
            { color: 'error', variant: 'solid', class: 'hover:bg-(--ui-error-strong) active:bg-(--ui-error-strong)' },
          ],
        },
      },
    }),
  ],
  build: { outDir: 'dist', emptyOutDir: true, target: 'es2022', modulePreload: { polyfill: false } },
  // `npm run dev` here, with a Luna on its usual port for the API.
  server: { proxy: { '/api': 'http://127.0.0.1:8766', '/auth': 'http://127.0.0.1:8766' } },
});
