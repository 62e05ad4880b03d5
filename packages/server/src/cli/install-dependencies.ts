import { print } from './output.ts';
import type { HomeOptions } from './subcommand.ts';

/** Puts what a folder depends on into it, and tells of each step. Throws as `installDependencies` does. */
export async function installInto(folder: string, { json }: HomeOptions): Promise<void> {
  const onLine = (line: string) => {
    if (!json) process.stderr.write(`  ${line}\n`);
  };
  const { installDependencies } = await import('@luna/core/updates');
  const steps = await installDependencies(folder, { onLine, isFetched: false });
  print(steps, json, () =>
    steps.length === 0 ? 'It depends on nothing: there is no package.json and no requirements.txt.' : 'Installed.',
  );
}
