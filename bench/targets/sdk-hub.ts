import { scriptHub } from './script-hub.ts';

/** The hub that anybody would write first with the MCP SDK; see `sdk-hub-server.ts`. */
export const sdkHub = scriptHub('SDK hub', 'sdk-hub-server.ts');
