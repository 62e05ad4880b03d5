import { Command } from 'commander';
import { Launcher } from '../../launch/launcher.ts';
import { ServiceManager } from '../../service-manager.ts';
import { readSettings, type SettingFlags } from '../../settings.ts';
import { run } from '../output.ts';
import { PhaseLines } from '../phase-lines.ts';

export function startCommand(): Command {
  return settingOptions(new Command('start'))
    .description('Start Luna on a home and keep it running until Ctrl-C.')
    .option('--json', 'print one line of JSON when ready')
    .action((options: SettingFlags & { json?: boolean }) => run(options.json, () => start(options)));
}

/** The settings that a server takes from the command line. */
export function settingOptions(command: Command): Command {
  return command
    .option('--home <dir>', 'the home (default: LUNA_HOME, or the folder here)')
    .option('--host <address>', 'the address to listen on (default: 127.0.0.1; LUNA_HOST)')
    .option('--port <number>', 'the port to listen on (default: 8766; LUNA_PORT)')
    .option('--allow-external', 'allow an address that other machines reach');
}

async function start(options: SettingFlags & { json?: boolean }): Promise<void> {
  const settings = await readSettings(options, process.env);
  const lines = options.json ? undefined : new PhaseLines(process.stdout);
  const manager = new ServiceManager({
    environment: process.env,
    onError: (line) => process.stderr.write(`luna: ${line}\n`),
  });
  const launcher = await Launcher.open({
    settings,
    onPhase: (phase) => lines?.show(phase),
    onNotice: (text) => {
      lines?.clear();
      process.stderr.write(`${text}\n`);
    },
    onReady: ({ url, signIn, addresses, phases, summary }, isFirst) => {
      lines?.clear();
      void manager.ready(url);
      if (options.json && !isFirst) return;
      const ready = { url, signIn, pid: process.pid, home: settings.home, addresses, phases };
      if (options.json) process.stdout.write(`${JSON.stringify(ready)}\n`);
      else process.stdout.write(isFirst ? `\n${summary}` : 'Luna is ready again.\n');
    },
  });
  const stop = () => {
    void manager.stopping();
    launcher.stop();
  };
  process.on('SIGINT', stop).on('SIGTERM', stop);
  await launcher.run();
}
