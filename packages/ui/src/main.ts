import './app.css';
import ui from '@nuxt/ui/vue-plugin';
import { VueQueryPlugin } from '@tanstack/vue-query';
import { createApp } from 'vue';
import App from './App.vue';
import { onSignedOut } from './api/client.ts';
import { queryClient } from './api/query-client.ts';
import { goToSignIn, router } from './router.ts';

onSignedOut(goToSignIn);
createApp(App).use(router).use(VueQueryPlugin, { queryClient }).use(ui).mount('#app');
