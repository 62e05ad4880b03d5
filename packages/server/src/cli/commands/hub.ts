import { LunaError } from '@luna/core/errors';
import { type HubWithKeyView, hubWithKeyView } from '@luna/core/views';
import { Command } from 'commander';
import { z } from 'zod';
import { print, table } from '../output.ts';
import { actBelow, type HomeOptions, type Request, subcommand } from '../subcommand.ts';

const root = '/mcp-servers';
const listOfHubs = z.object({ servers: z.array(hubWithKeyView) });

export function hubCommand(): Command {
  const command = new Command('hub').description('List, make and change the hubs of the Luna that runs on a home.');
  for (const make of [list, create, rename, enable, disable, remove, key]) command.addCommand(make());
  return command;
}

function list(): Command {
  return subcommand('list', 'List the hubs.').action((options: HomeOptions) =>
    act(options, async (request) => {
      const { servers } = await request('GET', '', listOfHubs);
      // Keys are shown by "luna hub key" alone.
      const hubs = servers.map(({ apiKey: _key, ...hub }) => hub);
      print(hubs, options.json, (views) => table([['HUB', 'TOOLS', 'CLIENTS', 'URL'], ...views.map(rowOf)]));
    }),
  );
}

function create(): Command {
  return subcommand('create', 'Make a hub and print its key.')
    .argument('<name>', 'lower-case letters, digits and "-"')
    .option('--hide-key', 'keep only a hash of the key: it is printed now and never again')
    .action((name: string, options: HomeOptions & { hideKey?: boolean }) =>
      act(options, async (request) => {
        const body = { name, show_key: !options.hideKey };
        print(await request('POST', '', hubWithKeyView, body), options.json, keyText);
      }),
    );
}

function rename(): Command {
  return subcommand('rename', 'Give a hub another name. It keeps its key; clients need the new address.')
    .argument('<name>', 'the name of the hub')
    .argument('<new-name>', 'its name from now on')
    .action((name: string, newName: string, options: HomeOptions) =>
      act(options, async (request) => {
        const hub = await request('PATCH', pathOf(name), hubWithKeyView, { name: newName });
        print(withoutKey(hub), options.json, ({ url }) => `The hub "${name}" is "${newName}" now: ${url}`);
      }),
    );
}

function enable(): Command {
  return switching('enable', 'Switch a hub on.', true);
}

function disable(): Command {
  return switching('disable', 'Switch a hub off. It keeps its settings; its clients are disconnected.', false);
}

function switching(verb: string, description: string, enabled: boolean): Command {
  return subcommand(verb, description)
    .argument('<name>', 'the name of the hub')
    .action((name: string, options: HomeOptions) =>
      act(options, async (request) => {
        const hub = await request('PATCH', pathOf(name), hubWithKeyView, { enabled });
        print(withoutKey(hub), options.json, () => `The hub "${name}" is ${enabled ? 'on' : 'off'}.`);
      }),
    );
}

function remove(): Command {
  return subcommand('delete', 'Delete a hub with its key and settings. Its tools stay.')
    .argument('<name>', 'the name of the hub')
    .action((name: string, options: HomeOptions) =>
      act(options, async (request) => {
        await request('DELETE', pathOf(name), z.undefined());
        print({ deleted: name }, options.json, () => `The hub "${name}" is gone.`);
      }),
    );
}

function key(): Command {
  return subcommand('key', 'Print the key of a hub.')
    .argument('<name>', 'the name of the hub')
    .option('--regenerate', 'make another key first; clients with the former one are disconnected')
    .action((name: string, options: HomeOptions & { regenerate?: boolean }) =>
      act(options, async (request) => {
        const hub = options.regenerate
          ? await request('POST', `${pathOf(name)}/regenerate-key`, hubWithKeyView)
          : find((await request('GET', '', listOfHubs)).servers, name);
        if (hub.access === 'oauth') {
          throw new LunaError(
            'conflict',
            `No key opens the hub "${name}": clients ask at ${hub.url}, and you let them in.`,
          );
        }
        if (hub.apiKey === '')
          throw new LunaError(
            'conflict',
            `Only a hash of the key of "${name}" is kept. Make another key with "luna hub key ${name} --regenerate".`,
          );
        print({ name: hub.name, url: hub.url, apiKey: hub.apiKey }, options.json, ({ apiKey }) => apiKey);
      }),
    );
}

function act(options: HomeOptions, work: (request: Request) => Promise<void>): Promise<void> {
  return actBelow(root, options, work);
}

function pathOf(name: string): string {
  return `/${encodeURIComponent(name)}`;
}

function find(hubs: readonly HubWithKeyView[], name: string): HubWithKeyView {
  const hub = hubs.find((candidate) => candidate.name === name);
  if (!hub) throw new LunaError('not_found', `There is no hub "${name}". "luna hub list" lists them.`);
  return hub;
}

function withoutKey({ apiKey: _key, ...hub }: HubWithKeyView): Omit<HubWithKeyView, 'apiKey'> {
  return hub;
}

function rowOf(hub: Omit<HubWithKeyView, 'apiKey'>): string[] {
  return [hub.name, String(hub.toolCount), String(hub.sessions), hub.enabled ? hub.url : 'off'];
}

function keyText(hub: HubWithKeyView): string {
  const note = hub.keyIsHashed ? '  Keep it now: it cannot be shown again.' : '';
  return [`The hub "${hub.name}" is at ${hub.url}`, `  Key  ${hub.apiKey}`, ...(note ? [note] : [])].join('\n');
}
