import { text as textOf } from 'node:stream/consumers';
import { LunaError } from '@luna/core/errors';
import {
  availableExternalServiceView,
  type ExternalServiceDetailView,
  type ExternalServiceView,
  externalServiceDetailView,
  externalServiceView,
} from '@luna/core/views';
import { Command } from 'commander';
import { z } from 'zod';
import { print, table } from '../output.ts';
import { ask } from '../running-luna.ts';
import { act, type HomeOptions, subcommand } from '../subcommand.ts';
import { copyLog, detailOf, openLog, pathOf, root, showLogSince, untilSettled, upload } from './service/requests.ts';
import { parseSettings, readConfig, readText } from './service/settings.ts';

const availableList = z.object({ services: z.array(availableExternalServiceView) });
const installedList = z.object({ services: z.array(externalServiceView) });

interface InstallFlags extends HomeOptions {
  readonly config?: string;
  readonly set: readonly string[];
  readonly overwriteEnv?: boolean;
  readonly disabled?: boolean;
}

/** External services, from a terminal. */
export function serviceCommand(): Command {
  const command = new Command('service').description(
    'Install and drive external services (databases and the like) of the Luna that runs on a home.',
  );
  for (const make of [list, show, install, uninstall, start, stop, restart, enable, disable, logs, add])
    command.addCommand(make());
  return command;
}

function list(): Command {
  return subcommand('list', 'List services: those that are installed, and those that can be.').action(
    (options: HomeOptions) =>
      act(options, async (luna) => {
        const { services: installed } = await ask(luna, 'GET', `${root}/installed`, installedList);
        const { services: available } = await ask(luna, 'GET', `${root}/available`, availableList);
        const known = new Set(installed.map(({ name }) => name));
        const others = available.filter(({ name }) => !known.has(name));
        print({ installed, available: others }, options.json, () =>
          table([
            ['SERVICE', 'STATUS', 'WHAT'],
            ...installed.map((one) => [one.name, statusOf(one), one.reason ?? one.title]),
            ...others.map((one) => [
              one.name,
              one.error === undefined ? 'available' : 'broken',
              one.error ?? one.title,
            ]),
          ]),
        );
      }),
  );
}

function show(): Command {
  return named('show', 'Show a service: its settings, what it runs, and what is wrong with it.').action(
    (name: string, options: HomeOptions) =>
      act(options, async (luna) => {
        print(await detailOf(luna, name), options.json, shown);
      }),
  );
}

function install(): Command {
  return named('install', 'Install a service and wait until it runs. What it prints is shown.')
    .option('--set <field=value>', 'a setting that is no secret; can be repeated', collect, [])
    .option('--config <file>', 'a JSON file with settings, secrets too; "-" reads it from the standard input')
    .option('--overwrite-env', 'replace keys of .env that have another value')
    .option('--disabled', 'do not keep it running')
    .action((name: string, options: InstallFlags) =>
      act(options, async (luna) => {
        const { form } = await detailOf(luna, name);
        const config = { ...(await readConfig(options.config)), ...parseSettings(options.set, form) };
        const body = { config, overwrite_env: options.overwriteEnv ?? false, enabled: !options.disabled };
        const since = new Date().toISOString();
        await ask(luna, 'POST', `${pathOf(name)}/install`, externalServiceDetailView, body);
        const over = new AbortController();
        const following = options.json ? undefined : showLogSince(luna, name, since, over.signal);
        const view = await untilSettled(luna, name);
        over.abort();
        await following;
        if (!view.installed) throw new LunaError('process_failed', view.reason ?? 'The install failed.');
        print(view, options.json, installedText);
      }),
    );
}

function uninstall(): Command {
  return named('uninstall', 'Take a service off the machine. Its data stay unless you say otherwise.')
    .option('--delete-data', 'delete its data too')
    .option('--force', 'go on where its own command for it fails')
    .action((name: string, options: HomeOptions & { deleteData?: boolean; force?: boolean }) =>
      act(options, async (luna) => {
        const body = { delete_data: options.deleteData ?? false, force: options.force ?? false };
        await ask(luna, 'POST', `${pathOf(name)}/uninstall`, z.undefined(), body);
        print({ uninstalled: name }, options.json, () =>
          options.deleteData ? `"${name}" and its data are gone.` : `"${name}" is gone. Its data are kept.`,
        );
      }),
    );
}

const start = () => changing('start', 'Start a service and wait until it is well.');
const stop = () => changing('stop', 'Stop a service, until it is started or Luna is.');
const restart = () => changing('restart', 'Stop a service and start it.');
const enable = () => changing('enable', 'Keep a service running: from now on, and whenever Luna starts.');
const disable = () => changing('disable', 'Stop a service, and do not start it with Luna.');

function changing(verb: string, description: string): Command {
  return named(verb, description).action((name: string, options: HomeOptions) =>
    act(options, async (luna) => {
      const view = await ask(luna, 'POST', `${pathOf(name)}/${verb}`, externalServiceView, {});
      print(view, options.json, () => `"${name}" is ${statusOf(view)}${view.enabled ? '' : ', and not enabled'}.`);
    }),
  );
}

function logs(): Command {
  return named('logs', 'Print the log of a service.')
    .option('--lines <count>', 'how many of its last lines', '100')
    .option('--follow', 'go on with what comes, until Ctrl-C')
    .action((name: string, options: HomeOptions & { lines: string; follow?: boolean }) =>
      act(options, async (luna) => {
        const wanted = { lines: Number(options.lines), follow: options.follow ?? false };
        if (!options.json) await copyLog(luna, name, wanted, process.stdout);
        else {
          const text = await textOf(await openLog(luna, name, { ...wanted, follow: false }));
          print({ lines: text.split('\n').slice(0, -1) }, true, String);
        }
      }),
    );
}

function add(): Command {
  return subcommand('add', 'Add a definition: a service.json.')
    .argument('<file>', 'the file')
    .action((file: string, options: HomeOptions) =>
      act(options, async (luna) => {
        const text = await readText(file);
        const view = await upload(luna, text);
        print(view, options.json, () => `"${view.name}" can be installed: luna service install ${view.name}`);
      }),
    );
}

function named(name: string, description: string): Command {
  return subcommand(name, description).argument('<name>', 'the name of the service');
}

function collect(value: string, before: readonly string[]): string[] {
  return [...before, value];
}

function statusOf({ status }: ExternalServiceView): string {
  return status.replace('_', ' ');
}

function installedText(view: ExternalServiceDetailView): string {
  const provides = view.provides.length > 0 ? ` It has set ${view.provides.join(', ')} in .env.` : '';
  return `"${view.name}" runs.${provides}${view.path === undefined ? '' : ` It is seen at ${view.path}`}`;
}

function shown(view: ExternalServiceDetailView): string {
  const settings = view.form.map(({ name, secret, default: otherwise }) => {
    const value = view.config[name];
    if (secret) return [`  ${name}`, view.secrets.includes(name) ? '(secret)' : '(not set)'];
    return [`  ${name}`, value === undefined ? `${otherwise ?? ''} (if not set)` : String(value)];
  });
  return [
    `${view.title}: ${statusOf(view)}`,
    view.description,
    ...(view.reason === undefined ? [] : [`! ${view.reason}`]),
    ...view.notes.map((note) => `! ${note}`),
    ...(settings.length > 0 ? ['Settings', table(settings)] : []),
    'Commands',
    table(Object.entries(view.commands).map(([name, command]) => [`  ${name}`, [command].flat().join(' ')])),
    ...(view.provides.length > 0 ? [`Sets in .env: ${view.provides.join(', ')}`] : []),
  ].join('\n');
}
