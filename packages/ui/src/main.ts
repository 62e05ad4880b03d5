import './app.css';
import ui from '@nuxt/ui/vue-plugin';
import { VueQueryPlugin } from '@tanstack/vue-query';
import { createApp } from 'vue';
import App from './App.vue';
import { queryClient } from './api/query-client.ts';
import { router } from './router.ts';

createApp(App).use(router).use(VueQueryPlugin, { queryClient }).use(ui).mount('#app');
