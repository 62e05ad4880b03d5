import { appendFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { SourceView } from '@luna/core/control';
import { describe, expect, test } from 'vitest';
import { hasPython } from '../../packages/core/test/fixtures/python.ts';
import { clientKinds, connectHttp, connectStdio, type TestClient } from './support/clients.ts';
import { eventually } from './support/eventually.ts';
import { copyOfExampleHome, launchLuna } from './support/luna-process.ts';

/** A call of each tool of the example home, and a part of the answer. */
function callsOf(home: string): Record<string, [args: Record<string, unknown>, answer: RegExp]> {
  const file = (name: string) => join(home, 'files', name);
  const schedule = `counting-${Math.random()}`;
  return {
    notes_add: [{ text: 'The bin is collected on Tuesday', tags: ['home'] }, /collected on Tuesday/],
    notes_search: [{ query: 'bin collect*' }, /"total":\d/],
    notes_list: [{ tag: 'home' }, /collected on Tuesday/],
    notes_delete: [{ id: 1_000_000 }, /There is no note 1000000/],
    text_diff: [{ before: 'a\nb\n', after: 'a\nc\n' }, /^-b\n\+c/m],
    text_hash: [{ text: 'hello' }, /^2cf24dba5fb0a30e/],
    text_count: [{ text: 'Two words' }, /"words":2/],
    text_extract: [{ text: 'Write to ada@example.org.', kind: 'emails' }, /"ada@example\.org"/],
    units_length: [{ value: 26.2, from_unit: 'mi', to_unit: 'km' }, /42\.16/],
    units_temperature: [{ celsius: 100 }, /212/],
    whiteboard_draw: [
      {
        points: [
          [0, 0],
          [10, 10],
        ],
      },
      /"kind":"line"/,
    ],
    whiteboard_write: [{ at: [5, 5], text: 'hello' }, /"kind":"text"/],
    whiteboard_look: [{}, /"text":"hello"/],
    whiteboard_clear: [{}, /empty/],
    units_add_times: [{ times: ['1:30', '0:45'] }, /2:15/],
    hello_world: [{ name: 'Ada' }, /Hello, Ada!/],
    visit_counter: [{ page: 'start' }, /"visits":\d/],
    word_report: [{ text: 'three small words' }, /"words":3/],
    echo: [{ message: 'hello' }, /Echo: hello/],
    'get-annotated-message': [{ messageType: 'error' }, /Error/],
    'get-env': [{}, /"PATH"/],
    'get-resource-links': [{ count: 2 }, /resource links/],
    'get-resource-reference': [{ resourceType: 'Text', resourceId: 1 }, /resource/i],
    'get-structured-content': [{ location: 'New York' }, /temperature/],
    'get-sum': [{ a: 2, b: 3 }, /5/],
    'get-tiny-image': [{}, /image/i],
    'gzip-file-as-resource': [
      { name: 'x.gz', data: 'data:text/plain;base64,aGVsbG8=', outputType: 'resource' },
      /x\.gz/,
    ],
    'toggle-simulated-logging': [{}, /logging/i],
    'toggle-subscriber-updates': [{}, /updates/i],
    'trigger-long-running-operation': [{ duration: 0.2, steps: 2 }, /completed/i],
    'simulate-research-query': [{ topic: 'hubs', ambiguous: false }, /research|task/i],
    devops_disk: [{}, /total_bytes/],
    devops_processes: [{ limit: 2 }, /command/],
    'devops_git-status': [{ path: join(import.meta.dirname, '../..') }, /branch/],
    devops_service: [{ host: '127.0.0.1', port: 1 }, /reachable/],
    'botfather_send-message': [{ chat: 'me', text: 'hello' }, /Set BOT_ENDPOINT/],
    'botfather_click-button': [{ chat: 'me', message_id: '1', button: 'Yes' }, /Set BOT_ENDPOINT/],
    promptyoself_register: [{ name: schedule, tool: 'text_count', args: '{"text":"a b"}', every: 3600 }, /nextAt/],
    promptyoself_list: [{}, /text_count/],
    promptyoself_test: [{ cron: '0 9 * * *', timezone: 'Asia/Tokyo' }, /T09:00:00\+09:00/],
    promptyoself_execute: [{ name: schedule }, /"words\W+2/],
    promptyoself_cancel: [{ name: schedule }, /cancelled/],
    health: [{}, /"status":"ok".*"botfather"/],
    read_file: [{ path: file('welcome.md') }, /Welcome/],
    read_text_file: [{ path: file('welcome.md') }, /Welcome/],
    read_media_file: [{ path: file('welcome.md') }, /.*/],
    read_multiple_files: [{ paths: [file('welcome.md')] }, /Welcome/],
    write_file: [{ path: file('new.txt'), content: 'one\n' }, /wrote/i],
    edit_file: [{ path: file('new.txt'), edits: [{ oldText: 'one', newText: 'two' }] }, /\+two/],
    create_directory: [{ path: file('folder') }, /created/i],
    list_directory: [{ path: file('.') }, /welcome\.md/],
    list_directory_with_sizes: [{ path: file('.') }, /welcome\.md/],
    directory_tree: [{ path: file('.') }, /welcome\.md/],
    move_file: [{ path: '', source: file('new.txt'), destination: file(`moved-${Math.random()}.txt`) }, /moved/i],
    search_files: [{ path: file('.'), pattern: '**/*.md' }, /welcome\.md/],
    get_file_info: [{ path: file('welcome.md') }, /size/],
    list_allowed_directories: [{}, /files/],
  };
}

/** These ask their client; `questions.test.ts` answers them. */
const askingTools = [
  'get-roots-list',
  'trigger-elicitation-request',
  'trigger-sampling-request',
  'trigger-url-elicitation',
];

/** These want the internet, or Luna on its usual port; the tests do without both. */
const networkTools = ['fetch_page', 'luna_health'];
/** What it answers hangs on what else is set up. */
const dependingTools = ['promptyoself_agents'];
/** These are tried beside their files. */
const devTools = /^(?:git|github|image)_|^(?:scaffold_project|run_tests|code_gen|text_summarize)$/;

/** These fail here: there is no such note, and no bot has been set up. */
const failing = /^(?:notes_delete|botfather_.*)$/;

/** It takes five seconds, whoever asks. */
const slowTool = 'simulate-research-query';

async function callEveryTool(client: TestClient, home: string, leftOut?: string): Promise<void> {
  const calls = callsOf(home);
  const listed = (await client.tools()).map((tool) => tool.name);
  expect(listed.filter((name) => devTools.test(name))).toHaveLength(18);
  expect(listed.filter((name) => !devTools.test(name)).sort()).toEqual(
    [...Object.keys(calls), ...askingTools, ...networkTools, ...dependingTools].sort(),
  );
  for (const [name, [args, answer]] of Object.entries(calls)) {
    if (name === leftOut) continue;
    const result = await client.call(name, args);
    expect(result.isError ?? false, `${name}: ${JSON.stringify(result)}`).toBe(failing.test(name));
    expect(JSON.stringify(result).replaceAll('\\n', '\n').replaceAll('\\"', '"'), name).toMatch(
      answer.source.startsWith('^2cf') ? /2cf24dba5fb0a30e/ : answer,
    );
  }
}

describe('every tool of the example home is listed and called', () => {
  test.skipIf(!hasPython)(
    'by both lines of the SDK, over HTTP and over the stdio bridge',
    async () => {
      const home = await copyOfExampleHome();
      const running = await launchLuna(home);
      await appendFile(join(home, '.env'), `\nLUNA_URL=${running.url}\n`);
      // Programs are asked for what they can do; a busy machine takes its time.
      await eventually(async () => {
        const { sources } = await (await running.api('GET', 'status')).json();
        expect(sources.filter(({ health }: SourceView) => health.status === 'starting')).toEqual([]);
      });
      const [first, ...others] = clientKinds;
      await callEveryTool(await connectHttp(first, running), home);
      for (const kind of others) await callEveryTool(await connectHttp(kind, running), home, slowTool);
      // The bridge passes on what it gets; one client goes all the way, the others a few steps.
      await callEveryTool(await connectStdio(first, running), home, slowTool);
      for (const kind of others) {
        const client = await connectStdio(kind, running);
        expect((await client.tools()).map(({ name }) => name)).toContain('text_count');
        expect((await client.call('text_count', { text: 'two words' })).isError ?? false).toBe(false);
      }
    },
    180_000,
  );

  test('and a note that was kept is found after a restart', async () => {
    const home = await copyOfExampleHome();
    const first = await launchLuna(home);
    await first.api('POST', 'tools/call', { name: 'notes_add', args: { text: 'Keep the receipt' } });
    await first.stop();
    const second = await launchLuna(home);
    const found = await (
      await second.api('POST', 'tools/call', { name: 'notes_search', args: { query: 'receipt' } })
    ).json();
    expect(found.result.structuredContent).toMatchObject({ total: 1, notes: [{ text: 'Keep the receipt' }] });
  });
});
