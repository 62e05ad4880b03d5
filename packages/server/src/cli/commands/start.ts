import type { StatusView } from '@luna/core/control';
import { toLunaError } from '@luna/core/errors';
import { Command } from 'commander';
import { clientSnippet } from '../../client-setups.ts';
import type { RunningServer } from '../../launcher.ts';
import { readSettings, type SettingFlags } from '../../settings.ts';
import { counted, run } from '../output.ts';

/** After this long a stop that hangs is cut short, in milliseconds. */
const stopLimitMs = 10_000;

export function startCommand(): Command {
  return new Command('start')
    .description('Start Luna on a home and keep it running until Ctrl-C.')
    .option('--home <dir>', 'the home (default: LUNA_HOME, or the folder here)')
    .option('--host <address>', 'the address to listen on (default: 127.0.0.1; LUNA_HOST)')
    .option('--port <number>', 'the port to listen on (default: 8766; LUNA_PORT)')
    .option('--allow-external', 'allow an address that other machines reach')
    .option('--json', 'print one line of JSON when ready')
    .action((options: SettingFlags & { json?: boolean }) => run(options.json, () => start(options)));
}

async function start(options: SettingFlags & { json?: boolean }): Promise<void> {
  const settings = await readSettings(options, process.env);
  const onPhase = (phase: string) => {
    if (!options.json && process.stdout.isTTY) process.stdout.write(`\x1b[2K\r… ${phase}`);
  };
  // Loaded only here: the other commands need nothing of a server.
  const { startServer } = await import('../../launcher.ts');
  const starting: Promise<RunningServer> = startServer({
    settings,
    onPhase,
    signal: stopOnSignals(() => starting),
  });
  const server = await starting;
  if (!options.json && process.stdout.isTTY) process.stdout.write('\x1b[2K\r');
  const status = await server.luna.status();
  process.stdout.write(
    options.json
      ? `${JSON.stringify({ url: server.url, signIn: server.signInLink(), pid: process.pid, home: settings.home })}\n`
      : summary(server, status),
  );
}

/** Signals end what runs, and what only starts: the processes of sources are there long before all is ready. */
function stopOnSignals(starting: () => Promise<RunningServer>): AbortSignal {
  const stopping = new AbortController();
  const stop = () => {
    if (stopping.signal.aborted) return;
    setTimeout(() => process.exit(1), stopLimitMs).unref();
    stopping.abort();
    starting()
      .catch((thrown) => {
        if (toLunaError(thrown).code !== 'cancelled') throw thrown;
      })
      .then((server) => server?.close())
      .then(
        () => process.exit(0),
        () => process.exit(1),
      );
  };
  process.on('SIGINT', stop).on('SIGTERM', stop);
  return stopping.signal;
}

function summary(server: RunningServer, status: StatusView): string {
  const lines = [
    `Luna ${status.version} is ready.`,
    '',
    `  Open   ${server.signInLink()}   (works once, within 15 minutes)`,
    ...status.hubs
      .filter((hub) => hub.enabled)
      .map((hub) => `  Hub    ${hub.url}   (${counted(hub.toolCount, 'tool')})`),
    `  Home   ${status.home}`,
    '',
    ...status.sources.map((source) => {
      const note = source.health.status === 'ready' ? counted(source.toolCount, 'tool') : (source.health.reason ?? '');
      return `  ${source.health.status === 'ready' ? '✓' : '!'} ${source.id.padEnd(16)} ${source.health.status.padEnd(9)} ${note}`;
    }),
  ];
  const first = server.luna.admin.hubs().find((hub) => hub.enabled && !hub.keyIsHashed);
  if (first) lines.push('', 'To connect a client, give it this:', '', clientSnippet(first));
  lines.push('', 'Stop with Ctrl-C.', '');
  return lines.join('\n');
}
