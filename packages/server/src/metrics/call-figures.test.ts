import { Registry } from 'prom-client';
import { expect, test } from 'vitest';
import { CallFigures } from './call-figures.ts';

const call = (tool: string, durationMs: number, outcome: 'ok' | 'tool_error' | 'error' = 'ok') => ({
  caller: { kind: 'hub', name: 'team' },
  tool,
  durationMs,
  outcome,
});

test('calls are counted by tool, hub and outcome, and their durations in steps', async () => {
  const registry = new Registry();
  const figures = new CallFigures(registry);
  for (const ms of [1, 5, 7, 70_000]) figures.count(call('a', ms));
  figures.count(call('a', 30, 'tool_error'));
  figures.count({ ...call('a', 30, 'error'), caller: { kind: 'ui', name: 'ada' } });
  const text = await registry.metrics();
  expect(text).toContain('luna_tool_calls_total{caller="hub",hub="team",tool="a",outcome="ok"} 4');
  expect(text).toContain('luna_tool_calls_total{caller="hub",hub="team",tool="a",outcome="tool_error"} 1');
  // Who calls is not a label: there can be any number of people.
  expect(text).toContain('luna_tool_calls_total{caller="ui",hub="",tool="a",outcome="error"} 1');
  const bucket = (le: string) =>
    Number(
      new RegExp(`duration_seconds_bucket\\{caller="hub",hub="team",tool="a",le="${le}"\\} (\\d+)`).exec(text)?.[1],
    );
  expect(['0.005', '0.01', '0.05', '60', '\\+Inf'].map(bucket)).toEqual([2, 3, 4, 4, 5]);
  expect(text).toMatch(/duration_seconds_sum\{caller="hub",hub="team",tool="a"\} 70\.043/);
  expect(text).toContain('duration_seconds_count{caller="hub",hub="team",tool="a"} 5');
  expect(await registry.getMetricsAsJSON()).toHaveLength(2);
});

test('however many tools there are, the number of series has a limit', async () => {
  const registry = new Registry();
  const figures = new CallFigures(registry);
  for (let tool = 0; tool < 5_000; tool++) figures.count(call(`tool-${tool}`, 1));
  const text = await registry.metrics();
  expect(text.match(/^luna_tool_calls_total\{/gm)).toHaveLength(501);
  expect(text).toContain('luna_tool_calls_total{caller="hub",hub="team",tool="(other)",outcome="ok"} 4500');
});

test('a name that would break the format is escaped', async () => {
  const registry = new Registry();
  new CallFigures(registry).count(call('a"} 1\nfake{x="', 1));
  const text = await registry.metrics();
  expect(text).toContain('tool="a\\"} 1\\nfake{x=\\"",outcome="ok"} 1');
  expect(text).not.toMatch(/^fake/m);
});
