export { type AppOptions, createApp, type LunaApp } from './app.ts';
export { SignInLinks } from './auth/sign-in-links.ts';
export { type Patience, type RunningServer, type StartOptions, startServer } from './launcher.ts';
export { readSettings, type SettingFlags, type Settings } from './settings.ts';
