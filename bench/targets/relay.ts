import { scriptHub } from './script-hub.ts';

/** No hub, but what a hub cannot be faster than; see `relay-server.ts`. Its calls are measured, and nothing else. */
export const relay = scriptHub('bare relay', 'relay-server.ts');
