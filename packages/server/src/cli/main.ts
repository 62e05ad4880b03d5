import { Command } from 'commander';
import { version } from '../version.ts';
import { applyCommand } from './commands/apply.ts';
import { approveCommand } from './commands/approve.ts';
import { authorizeCommand } from './commands/authorize.ts';
import { backupCommand } from './commands/backup.ts';
import { callCommand } from './commands/call.ts';
import { doctorCommand } from './commands/doctor.ts';
import { exportCommand } from './commands/export.ts';
import { extCommand } from './commands/ext.ts';
import { hubCommand } from './commands/hub.ts';
import { importCommand } from './commands/import.ts';
import { keysCommand } from './commands/keys.ts';
import { linkCommand } from './commands/link.ts';
import { mcpCommand } from './commands/mcp.ts';
import { openApiCommand } from './commands/openapi.ts';
import { pluginCommand } from './commands/plugin.ts';
import { restoreCommand } from './commands/restore.ts';
import { startCommand } from './commands/start.ts';
import { statusCommand } from './commands/status.ts';
import { toolsCommand } from './commands/tools.ts';

const program = new Command('luna')
  .description('The self-hosted home for the tools of AI agents.')
  .version(version)
  .showHelpAfterError('Run with --help to see what is possible.')
  .addHelpText('after', '\nEach command has --help and --json. The home is --home DIR, LUNA_HOME, or the folder here.');

for (const command of [
  startCommand,
  statusCommand,
  doctorCommand,
  toolsCommand,
  callCommand,
  hubCommand,
  extCommand,
  pluginCommand,
  keysCommand,
  exportCommand,
  applyCommand,
  backupCommand,
  restoreCommand,
  importCommand,
  openApiCommand,
  authorizeCommand,
  approveCommand,
  linkCommand,
  mcpCommand,
]) {
  program.addCommand(command());
}

await program.parseAsync();
