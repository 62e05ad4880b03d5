import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { fixedTool, homeOf } from './support/homes.ts';
import { luna, startLuna } from './support/luna-process.ts';

/** A crash of the machine or a slip of a hand has broken a file of Luna's own (RELIABILITY D13). */

const broken: Readonly<Record<string, string | 'folder'>> = {
  garbage: '\0\u0001garbage{{',
  cut: '{"supervisor":{"pid":12,',
  'of wrong types': '{"version":"x","supervisor":5,"services":[1],"servers":7,"operations":{},"pid":"a"}',
  'a folder': 'folder',
};

async function homeWith(file: string, content: string): Promise<string> {
  const home = await homeOf({ 'extensions/a/tools/a_tools.js': fixedTool('a', 'A'), 'master_config.json': '{}' });
  await breakFile(home, file, content);
  return home;
}

async function breakFile(home: string, file: string, content: string): Promise<void> {
  const path = join(home, '.luna', file);
  await mkdir(join(path, content === 'folder' ? 'kept' : '..'), { recursive: true });
  if (content !== 'folder') await writeFile(path, content);
}

const log = (home: string) => readFile(join(home, 'logs', 'luna.log'), 'utf8');

describe.each(Object.entries(broken))('%s', (_kind, content) => {
  test('in place of what Luna can make anew is no reason not to start', async () => {
    const home = await homeWith('lock.json', content);
    const made = ['lock.json', 'state.json', 'master_config.schema.json'];
    const told = ['external_services.json', 'update_queue.json'];
    for (const file of [...made, ...told].slice(1)) await breakFile(home, file, content);
    const running = await startLuna(home);
    expect((await running.api('POST', 'tools/call', { name: 'a' })).status).toBe(200);
    for (const file of made) {
      const text = await readFile(join(home, '.luna', file), 'utf8');
      expect(JSON.parse(text), file).not.toEqual(content);
      if (content === 'folder') expect(await readdir(join(home, '.luna', `${file}.broken`))).toEqual(['kept']);
    }
    const expectKept = async (file: string) => {
      const kept = join(home, '.luna', `${file}.broken`);
      if (content === 'folder') expect(await readdir(kept)).toEqual(['kept']);
      else expect(await readFile(kept, 'utf8')).toBe(content);
    };
    // What is in these is missed: it is told, and kept.
    await expectKept('external_services.json');
    await expect.poll(() => log(home)).toContain('external_services.json cannot be read and is made anew');
    await expect.poll(() => log(home)).toContain('update_queue.json cannot be read');
    expect((await running.api('GET', 'queue/current')).status).toBe(422);
    const saved = await running.api('POST', 'queue/save', { operations: [{ type: 'delete', name: 'a' }] });
    expect(saved.status).toBe(200);
    await expectKept('update_queue.json');
    expect((await running.api('GET', 'queue/current')).status).toBe(200);
    expect(await running.stop()).toBe(0);
  });

  test.each(['pinned_tools.json', 'luna.db'])(
    'in place of %s keeps Luna from starting, in a sentence: to begin anew would agree to what nobody agreed to',
    async (file) => {
      const home = await homeWith(file, content);
      const refused = await luna(['start', '--home', home, '--port', '0', '--json']);
      expect(refused.code).toBe(1);
      expect(JSON.parse(refused.stderr).error).toMatchObject({
        code: 'config_invalid',
        message: expect.stringContaining(join(home, '.luna', file)),
      });
      if (content === 'folder') expect(await readdir(join(home, '.luna', file))).toEqual(['kept']);
      else expect(await readFile(join(home, '.luna', file), 'utf8')).toBe(content);
    },
  );
});
