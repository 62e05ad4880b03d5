export { type ExtensionRoute, ExtensionServices } from './extension-services.ts';
