import { type ServiceView, statusView } from '@luna/core/views';
import { Command } from 'commander';
import { print, run, table } from '../output.ts';
import { ask, findRunning } from '../running-luna.ts';

export function statusCommand(): Command {
  return new Command('status')
    .description('Show how the Luna of a home is.')
    .option('--home <dir>', 'the home (default: LUNA_HOME, or the folder here)')
    .option('--json', 'print JSON')
    .action((options: { home?: string; json?: boolean }) =>
      run(options.json, async () => {
        const luna = await findRunning(options.home);
        const status = await ask(luna, 'GET', '/status', statusView);
        print(status, options.json, (view) =>
          [
            `Luna ${view.version} runs at ${view.url} as process ${view.pid}, for ${view.uptimeSeconds} s, with ${Math.round(view.memoryRssBytes / 1_048_576)} MB.`,
            ...(view.config.error ? [`The configuration is not in force: ${view.config.error}`] : []),
            '',
            table([
              ['HUB', 'TOOLS', 'CLIENTS', 'URL'],
              ...view.hubs.map((hub) => [
                hub.name,
                String(hub.toolCount),
                String(hub.sessions),
                hub.enabled ? hub.url : 'off',
              ]),
            ]),
            '',
            table([
              ['SOURCE', 'KIND', 'STATUS', 'TOOLS', ''],
              ...view.sources.map((source) => [
                source.id,
                source.kind,
                source.health.status,
                String(source.toolCount),
                source.health.reason ?? '',
              ]),
            ]),
            ...(view.services.length > 0 ? ['', servicesTable(view.services)] : []),
          ].join('\n'),
        );
      }),
    );
}

function servicesTable(services: readonly ServiceView[]): string {
  return table([
    ['SERVICE', 'STATUS', 'PORT', 'CPU', 'MEMORY', ''],
    ...services.map(({ name, status, port, cpuPercent, memoryBytes, reason, lastLines = [] }) => [
      name,
      status,
      port === undefined ? '' : String(port),
      cpuPercent === undefined ? '' : `${cpuPercent} %`,
      memoryBytes === undefined ? '' : `${Math.round(memoryBytes / 1_048_576)} MB`,
      // What it said last is mostly why.
      [reason, reason === undefined ? undefined : lastLines.at(-1)].filter((part) => part !== undefined).join(' '),
    ]),
  ]);
}
