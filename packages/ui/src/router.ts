import { createRouter, createWebHistory, START_LOCATION } from 'vue-router';
import { api } from './api/client.ts';
import { atBase } from './base.ts';

declare module 'vue-router' {
  interface RouteMeta {
    readonly title: string;
    /** Shown without the navigation, to people who are not signed in. */
    readonly bare?: boolean;
  }
}

export const router = createRouter({
  history: createWebHistory(atBase('/')),
  // A tool opens over the list of tools, which stays where it is.
  scrollBehavior: (to, from, saved) => saved ?? (to.matched[0] === from.matched[0] ? false : { top: 0 }),
  routes: [
    { path: '/', component: () => import('./pages/DashboardPage.vue'), meta: { title: 'Dashboard' } },
    { path: '/tools/:tool?', component: () => import('./pages/ToolsPage.vue'), meta: { title: 'Tools' } },
    { path: '/hubs', component: () => import('./pages/HubsPage.vue'), meta: { title: 'Hubs' } },
    { path: '/sources', component: () => import('./pages/SourcesPage.vue'), meta: { title: 'Sources' } },
    { path: '/services', component: () => import('./pages/ServicesPage.vue'), meta: { title: 'Services' } },
    { path: '/agents', component: () => import('./pages/AgentsPage.vue'), meta: { title: 'Agents' } },
    { path: '/runs', component: () => import('./pages/RunsPage.vue'), meta: { title: 'Runs' } },
    { path: '/runs/:id', component: () => import('./pages/RunPage.vue'), meta: { title: 'Run' } },
    { path: '/schedules', component: () => import('./pages/SchedulesPage.vue'), meta: { title: 'Schedules' } },
    { path: '/keys', component: () => import('./pages/KeysPage.vue'), meta: { title: 'Keys' } },
    { path: '/account', component: () => import('./pages/AccountPage.vue'), meta: { title: 'Account' } },
    { path: '/sign-in', component: () => import('./pages/SignInPage.vue'), meta: { title: 'Sign in', bare: true } },
    { path: '/:rest(.*)', component: () => import('./pages/NotFoundPage.vue'), meta: { title: 'Not found' } },
  ],
});

// After an update of Luna the pieces of its former pages are gone: the page that is wanted is loaded as a whole.
router.onError((_error, to, from) => {
  if (from === START_LOCATION) return;
  void api.health().then(
    () => location.assign(atBase(to.fullPath)),
    () => undefined, // Luna is away, which the page says already.
  );
});

/** Leads whoever is not signed in (any more) to signing in, and back to this page afterwards. */
export function goToSignIn(): void {
  const { fullPath, path } = router.currentRoute.value;
  if (path !== '/sign-in') void router.replace({ path: '/sign-in', query: fullPath === '/' ? {} : { next: fullPath } });
}

router.afterEach((to) => {
  document.title = `${to.meta.title} · Luna`;
});
