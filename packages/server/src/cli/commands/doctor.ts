import { Command } from 'commander';
import { examine } from '../../doctor/doctor.ts';
import type { Finding } from '../../doctor/finding.ts';
import { findHome } from '../../settings.ts';
import { counted, print, run } from '../output.ts';

const marks: Readonly<Record<Finding['status'], string>> = { ok: '✓', warning: '!', problem: '✗' };

export function doctorCommand(): Command {
  return new Command('doctor')
    .description('Look for what keeps the Luna of a home from working, and say what to do about it.')
    .option('--home <dir>', 'the home (default: LUNA_HOME, or the folder here)')
    .option('--json', 'print JSON')
    .addHelpText('after', '\nExit code 1 when there is a problem. Works while Luna runs and while it does not.')
    .action((options: { home?: string; json?: boolean }) =>
      run(options.json, async () => {
        const home = findHome(options.home, process.env);
        const findings = await examine(home);
        const problems = findings.filter(({ status }) => status === 'problem').length;
        if (problems > 0) process.exitCode = 1;
        print({ home, problems, findings }, options.json, () =>
          [
            ...findings.map(textOf),
            '',
            problems === 0 ? 'No problem was found.' : `${counted(problems, 'problem')} found.`,
          ].join('\n'),
        );
      }),
    );
}

function textOf({ check, status, message, advice }: Finding): string {
  const line = `${marks[status]} ${check}: ${message}`;
  return advice === undefined ? line : `${line}\n    → ${advice}`;
}
