import { createRouter, createWebHistory } from 'vue-router';

declare module 'vue-router' {
  interface RouteMeta {
    readonly title: string;
    /** Shown without the navigation, to people who are not signed in. */
    readonly bare?: boolean;
  }
}

export const router = createRouter({
  history: createWebHistory(),
  routes: [
    { path: '/', component: () => import('./pages/DashboardPage.vue'), meta: { title: 'Dashboard' } },
    { path: '/tools/:tool?', component: () => import('./pages/ToolsPage.vue'), meta: { title: 'Tools' } },
    { path: '/hubs', component: () => import('./pages/HubsPage.vue'), meta: { title: 'Hubs' } },
    { path: '/sources', component: () => import('./pages/SourcesPage.vue'), meta: { title: 'Sources' } },
    { path: '/sign-in', component: () => import('./pages/SignInPage.vue'), meta: { title: 'Sign in', bare: true } },
    { path: '/:rest(.*)', component: () => import('./pages/NotFoundPage.vue'), meta: { title: 'Not found' } },
  ],
});

router.afterEach((to) => {
  document.title = `${to.meta.title} · Luna`;
});
