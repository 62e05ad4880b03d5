import { readdir, readFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { markdownTable, percent } from './table.ts';

/** What V8 writes with --cpu-prof, as far as it is read here. */
interface CpuProfile {
  readonly nodes: readonly { readonly id: number; readonly callFrame: CallFrame }[];
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

interface CallFrame {
  readonly functionName: string;
  readonly url: string;
  readonly lineNumber: number;
}

const shownFunctions = 30;
/** Processes that hardly worked, such as launchers, are left out. Microseconds. */
const leastWork = 500_000;
const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** For each process that left a profile below the folder: the functions that took most time themselves. */
export async function describeProfiles(folder: string): Promise<string> {
  const entries = await readdir(folder, { recursive: true });
  const parts: string[] = [];
  for (const entry of entries.filter((name) => name.endsWith('.cpuprofile')).sort()) {
    const described = describe(entry, JSON.parse(await readFile(join(folder, entry), 'utf8')) as CpuProfile);
    if (described !== undefined) parts.push(described);
  }
  return parts.length === 0 ? `No process left a profile in ${folder}.` : parts.join('\n\n');
}

function describe(name: string, profile: CpuProfile): string | undefined {
  const frames = new Map(profile.nodes.map((node) => [node.id, node.callFrame]));
  const selfTime = new Map<string, number>();
  let busy = 0;
  profile.samples.forEach((id, index) => {
    const frame = frames.get(id);
    const time = profile.timeDeltas[index] ?? 0;
    if (!frame || frame.functionName === '(idle)') return;
    const label = labelOf(frame);
    selfTime.set(label, (selfTime.get(label) ?? 0) + time);
    busy += time;
  });
  if (busy < leastWork) return undefined;
  const top = [...selfTime].sort((a, b) => b[1] - a[1]).slice(0, shownFunctions);
  return `${name}: busy for ${(busy / 1e6).toFixed(1)} s\n${markdownTable(
    ['function', 'of busy time'],
    top.map(([label, time]) => [label, percent(time / busy)]),
  )}`;
}

function labelOf({ functionName, url, lineNumber }: CallFrame): string {
  const file = url.startsWith('file:') ? relative(root, fileURLToPath(url)).replace(/^.*node_modules\//, '') : url;
  return `${functionName || '(anonymous)'}${file === '' ? '' : `  ${file}:${lineNumber + 1}`}`;
}
