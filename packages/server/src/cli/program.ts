import { Command } from 'commander';
import { version } from '../version.ts';

/** Each loads only what it needs: most of them ask a Luna that runs, and are to answer at once. */
const commands: Readonly<Record<string, () => Promise<Command>>> = {
  start: async () => (await import('./commands/start.ts')).startCommand(),
  stop: async () => (await import('./commands/stop.ts')).stopCommand(),
  restart: async () => (await import('./commands/stop.ts')).restartCommand(),
  serve: async () => (await import('./commands/serve.ts')).serveCommand(),
  status: async () => (await import('./commands/status.ts')).statusCommand(),
  doctor: async () => (await import('./commands/doctor.ts')).doctorCommand(),
  update: async () => (await import('./commands/update.ts')).updateCommand(),
  logs: async () => (await import('./commands/logs.ts')).logsCommand(),
  tools: async () => (await import('./commands/tools.ts')).toolsCommand(),
  call: async () => (await import('./commands/call.ts')).callCommand(),
  hub: async () => (await import('./commands/hub.ts')).hubCommand(),
  agent: async () => (await import('./commands/agent.ts')).agentCommand(),
  runs: async () => (await import('./commands/runs.ts')).runsCommand(),
  ext: async () => (await import('./commands/ext.ts')).extCommand(),
  service: async () => (await import('./commands/service.ts')).serviceCommand(),
  plugin: async () => (await import('./commands/plugin.ts')).pluginCommand(),
  schedule: async () => (await import('./commands/schedule.ts')).scheduleCommand(),
  keys: async () => (await import('./commands/keys.ts')).keysCommand(),
  export: async () => (await import('./commands/export.ts')).exportCommand(),
  apply: async () => (await import('./commands/apply.ts')).applyCommand(),
  backup: async () => (await import('./commands/backup.ts')).backupCommand(),
  restore: async () => (await import('./commands/restore.ts')).restoreCommand(),
  import: async () => (await import('./commands/import.ts')).importCommand(),
  openapi: async () => (await import('./commands/openapi.ts')).openApiCommand(),
  authorize: async () => (await import('./commands/authorize.ts')).authorizeCommand(),
  approve: async () => (await import('./commands/approve.ts')).approveCommand(),
  link: async () => (await import('./commands/link.ts')).linkCommand(),
  mcp: async () => (await import('./commands/mcp.ts')).mcpCommand(),
  caddyfile: async () => (await import('./commands/caddyfile.ts')).caddyfileCommand(),
  install: async () => (await import('./commands/install.ts')).installCommand(),
  completion: async () => (await import('./commands/completion.ts')).completionCommand(),
};

/** The name of each command, in the order of the help. */
export const commandNames: readonly string[] = Object.keys(commands);

/** The luna command with these of its commands. */
export async function lunaProgram(names: readonly string[]): Promise<Command> {
  const program = new Command('luna')
    .description('The self-hosted home for the tools of AI agents.')
    .version(version)
    .showHelpAfterError('Run with --help to see what is possible.')
    .addHelpText(
      'after',
      '\nEach command has --help and --json. The home is --home DIR, LUNA_HOME, or the folder here.',
    );
  for (const name of names) {
    const command = await commands[name]?.();
    if (command) program.addCommand(command);
  }
  return program;
}
