import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { SetClock } from '../../test/fixtures/set-clock.ts';
import { temporaryFolder } from '../../test/fixtures/temporary-folder.ts';
import { LunaError } from '../errors/index.ts';
import { openStore, type Store } from '../store/index.ts';
import type { NewSchedule } from './definition.ts';
import type { ScheduledRun } from './run-queue.ts';
import { Scheduler, type SchedulerOptions } from './scheduler.ts';
import { localTime } from './times.ts';
import type { ScheduleEvent, ScheduleRunView } from './views.ts';

const minute = 60_000;
const admin = { kind: 'api' };
const hourly: NewSchedule = { name: 'hourly', action: { tool: 'report' }, when: { cron: '0 * * * *' } };
const long: NewSchedule = { ...hourly, time_limit_seconds: 86_400 };

async function newStore(): Promise<Store> {
  const store = await openStore(join(await temporaryFolder(), 'luna.db'));
  onTestFinished(() => store.close());
  return store;
}

/** A scheduler whose clock the test sets and whose runs end when the test says so. */
async function begun(store: Store, clock: SetClock, options: Partial<SchedulerOptions> = {}) {
  const begins: ScheduledRun[] = [];
  const ends: ((outcome: string | Error) => void)[] = [];
  const told: ScheduleRunView[] = [];
  const errors: LunaError[] = [];
  let listener: (event: ScheduleEvent) => void = () => undefined;
  const scheduler = new Scheduler({
    store,
    clock,
    run: (run) => {
      begins.push(run);
      return new Promise((resolve, reject) => {
        ends.push((outcome) => (outcome instanceof Error ? reject(outcome) : resolve(outcome)));
      });
    },
    onEvent: (event) => {
      if (event.type === 'schedule.ran') told.push(event.run);
      listener(event);
    },
    onError: (error) => errors.push(error),
    ...options,
  });
  await scheduler.start();
  onTestFinished(() => scheduler.close());
  const settled = () => scheduler.settled();
  const when = async (isSo: () => boolean) => {
    while (!isSo()) await new Promise((settle) => setImmediate(settle));
  };
  return {
    scheduler,
    begins,
    told,
    errors,
    goOn: (ms: number) => clock.goOn(ms, settled),
    /** Waits until so many runs have begun in all. */
    begun: (count: number) => when(() => begins.length >= count),
    /** Ends the run that began as number `index` and waits until that is told. */
    end: async (index: number, outcome: string | Error = 'done') => {
      const before = told.length;
      ends[index]?.(outcome);
      await when(() => told.length > before);
      await settled();
    },
    onEvent: (hear: (event: ScheduleEvent) => void) => {
      listener = hear;
    },
  };
}

test('a schedule runs at its times, and what came of it is kept', async () => {
  const clock = new SetClock('2026-05-01T09:30:00Z');
  const { scheduler, goOn, begun: begins, end, told } = await begun(await newStore(), clock);
  const made = await scheduler.add(hourly, admin);
  expect(made).toMatchObject({ enabled: true, missed: 'skip', overlap: 'skip', next: '2026-05-01T10:00:00+00:00' });
  await goOn(29 * minute);
  expect(scheduler.get('hourly').running).toBe(0);
  await goOn(minute);
  await begins(1);
  expect(scheduler.get(made.id)).toMatchObject({ running: 1, next: '2026-05-01T11:00:00+00:00' });
  await end(0, 'the report');
  await goOn(60 * minute);
  await begins(2);
  await end(1, new LunaError('tool_failed', 'no paper'));
  expect(told.map(({ status }) => status)).toEqual(['succeeded', 'failed']);
  expect(await scheduler.runs('hourly')).toMatchObject([
    { status: 'failed', errorCode: 'tool_failed', errorMessage: 'no paper', dueAt: Date.parse('2026-05-01T11:00Z') },
    { status: 'succeeded', origin: 'time', result: 'the report', times: 1 },
  ]);
  expect(scheduler.get('hourly').lastRun).toMatchObject({ status: 'failed' });
});

test('one time happens once; then nothing comes', async () => {
  const clock = new SetClock('2026-05-01T09:30:00Z');
  const { scheduler, goOn, begun: begins, end } = await begun(await newStore(), clock);
  await scheduler.add({ name: 'once', action: { tool: 't' }, when: { at: '2026-05-01T12:00:00+02:00' } }, admin);
  await goOn(30 * minute);
  await begins(1);
  await end(0);
  expect(scheduler.get('once').nextAt).toBeUndefined();
  await goOn(600 * minute);
  expect(await scheduler.runs('once')).toHaveLength(1);
});

test.each([
  [
    'the hour that is left out',
    '2026-03-28T00:00:00Z',
    ['2026-03-28T02:30:00+01:00', '2026-03-29T03:00:00+02:00', '2026-03-30T02:30:00+02:00'],
  ],
  [
    'the hour that comes twice',
    '2026-10-24T00:00:00Z',
    ['2026-10-24T02:30:00+02:00', '2026-10-25T02:30:00+02:00', '2026-10-26T02:30:00+01:00'],
  ],
])('what is due every night in %s runs once each night', async (_what, from, nights) => {
  const clock = new SetClock(from);
  const ranAt: string[] = [];
  const run = async () => {
    ranAt.push(localTime(clock.now(), 'Europe/Berlin'));
    return 'done';
  };
  const { scheduler, goOn } = await begun(await newStore(), clock, { run });
  const when = { cron: '30 2 * * *', timezone: 'Europe/Berlin' };
  await scheduler.add({ name: 'nightly', action: { tool: 't' }, when }, admin);
  await goOn(3 * 24 * 60 * minute);
  expect(ranAt).toEqual(nights);
});

describe('over a restart', () => {
  test('schedules are there, and go on', async () => {
    const clock = new SetClock('2026-05-01T09:30:00Z');
    const store = await newStore();
    const first = await begun(store, clock);
    const made = await first.scheduler.add(hourly, admin);
    await first.scheduler.close();
    const second = await begun(store, clock);
    expect(second.scheduler.list()).toEqual([made]);
    await second.goOn(30 * minute);
    await second.begun(1);
  });

  test('what was under way is interrupted, and not run again', async () => {
    const clock = new SetClock('2026-05-01T09:30:00Z');
    const store = await newStore();
    const first = await begun(store, clock);
    await first.scheduler.add({ ...hourly, missed: 'run_once' }, admin);
    await first.goOn(30 * minute);
    await first.begun(1);
    // The first one is never closed: as if its process had been killed.
    const second = await begun(store, clock);
    expect(await second.scheduler.runs('hourly')).toMatchObject([{ status: 'interrupted', startedAt: clock.now() }]);
    await second.goOn(59 * minute);
    expect(second.begins).toHaveLength(0);
  });

  test('what was stopped in order is interrupted too', async () => {
    const clock = new SetClock('2026-05-01T09:30:00Z');
    const { scheduler, goOn, begun: begins, begins: runs } = await begun(await newStore(), clock);
    await scheduler.add(hourly, admin);
    await goOn(30 * minute);
    await begins(1);
    await scheduler.close();
    expect(runs[0]?.signal.aborted).toBe(true);
    expect(await scheduler.runs('hourly')).toMatchObject([{ status: 'interrupted' }]);
    await expect(scheduler.run('hourly')).rejects.toMatchObject({ code: 'not_running' });
  });

  test.each([
    ['skip', 0, [{ status: 'missed', times: 3 }]],
    ['run_once', 1, [{ status: 'running', origin: 'catch_up', times: 3 }]],
  ] as const)('missed times are counted, and made up for by the rule %s', async (missed, count, runs) => {
    const store = await newStore();
    const first = await begun(store, new SetClock('2026-05-01T09:30:00Z'));
    await first.scheduler.add({ ...hourly, missed }, admin);
    await first.scheduler.close();
    const second = await begun(store, new SetClock('2026-05-01T12:20:00Z'));
    await second.begun(count);
    await second.scheduler.settled();
    expect(await second.scheduler.runs('hourly')).toMatchObject(runs);
    expect(second.scheduler.get('hourly').next).toBe('2026-05-01T13:00:00+00:00');
    expect(second.begins).toHaveLength(count);
  });

  test('a time that is reached within a minute is late, not missed', async () => {
    const store = await newStore();
    const first = await begun(store, new SetClock('2026-05-01T09:30:00Z'));
    await first.scheduler.add(hourly, admin);
    await first.scheduler.close();
    const second = await begun(store, new SetClock('2026-05-01T10:00:50Z'));
    await second.begun(1);
    expect(await second.scheduler.runs('hourly')).toMatchObject([{ origin: 'time', status: 'running' }]);
  });

  test('one time that was missed is made up for, unless it says otherwise', async () => {
    const store = await newStore();
    const first = await begun(store, new SetClock('2026-05-01T09:30:00Z'));
    const when = { at: '2026-05-01T10:00:00Z' };
    await first.scheduler.add({ name: 'wanted', action: { tool: 't' }, when }, admin);
    await first.scheduler.add({ name: 'unwanted', action: { tool: 't' }, when, missed: 'skip' }, admin);
    await first.scheduler.close();
    const second = await begun(store, new SetClock('2026-05-03T10:00:00Z'));
    await second.begun(1);
    expect(second.begins.map(({ schedule }) => schedule.definition.name)).toEqual(['wanted']);
    expect(await second.scheduler.runs('unwanted')).toMatchObject([{ status: 'missed', times: 1 }]);
  });

  test('runs that waited for their turn are missed, and made up for once', async () => {
    const clock = new SetClock('2026-05-01T09:30:00Z');
    const store = await newStore();
    const first = await begun(store, clock);
    await first.scheduler.add({ ...long, overlap: 'queue', missed: 'run_once' }, admin);
    await first.goOn(150 * minute);
    await first.begun(1);
    expect(first.scheduler.get('hourly')).toMatchObject({ running: 1, waiting: 2 });
    clock.jump(clock.now() + 1_000);
    const second = await begun(store, clock);
    await second.begun(1);
    const statuses = (await second.scheduler.runs('hourly')).map(({ status, times }) => [status, times]);
    expect(statuses).toEqual([
      ['running', 2],
      ['missed', 1],
      ['missed', 1],
      ['interrupted', 1],
    ]);
  });

  test('a schedule that cannot be read is named, and stops no other', async () => {
    const clock = new SetClock('2026-05-01T09:30:00Z');
    const store = await newStore();
    const first = await begun(store, clock);
    const { id } = await first.scheduler.add(hourly, admin);
    await first.scheduler.add({ ...hourly, name: 'other' }, admin);
    await first.scheduler.close();
    await store.db.updateTable('schedules').set({ definition: '{"of":"tomorrow"}' }).where('id', '=', id).execute();
    const second = await begun(store, clock);
    expect(second.scheduler.list()).toMatchObject([{ name: 'other' }]);
    expect(second.errors).toMatchObject([{ message: expect.stringContaining('"hourly" cannot be read') }]);
  });
});

describe('a time at which the last run has not ended', () => {
  test('is skipped by default, and told', async () => {
    const clock = new SetClock('2026-05-01T09:30:00Z');
    const { scheduler, goOn, begun: begins, end, begins: runs } = await begun(await newStore(), clock);
    await scheduler.add(long, admin);
    await goOn(30 * minute);
    await begins(1);
    await goOn(120 * minute);
    await end(0);
    const statuses = (await scheduler.runs('hourly')).map(({ status, times }) => [status, times]);
    expect(statuses).toEqual([
      ['skipped', 2],
      ['succeeded', 1],
    ]);
    await goOn(60 * minute);
    await begins(2);
    expect(runs).toHaveLength(2);
  });

  test('waits with the rule queue, up to ten', async () => {
    const clock = new SetClock('2026-05-01T09:30:00Z');
    const { scheduler, goOn, begun: begins, end, begins: runs } = await begun(await newStore(), clock);
    await scheduler.add({ ...long, overlap: 'queue' }, admin);
    await goOn(13 * 60 * minute);
    await begins(1);
    expect(scheduler.get('hourly')).toMatchObject({
      running: 1,
      waiting: 10,
      lastRun: { status: 'skipped', times: 2 },
    });
    await end(0);
    await begins(2);
    expect([runs.length, scheduler.get('hourly').waiting]).toEqual([2, 9]);
  });

  test('runs beside it with the rule parallel', async () => {
    const clock = new SetClock('2026-05-01T09:30:00Z');
    const { scheduler, goOn, begun: begins } = await begun(await newStore(), clock);
    await scheduler.add({ ...long, overlap: 'parallel' }, admin);
    await goOn(90 * minute);
    await begins(2);
    expect(scheduler.get('hourly').running).toBe(2);
  });
});

test('a run that takes longer than its limit is ended, whether it listens or not', async () => {
  const clock = new SetClock('2026-05-01T09:30:00Z');
  const { scheduler, goOn, begun: begins, begins: runs, told } = await begun(await newStore(), clock);
  await scheduler.add({ ...hourly, time_limit_seconds: 30 }, admin);
  const ended = scheduler.run('hourly');
  await begins(1);
  await goOn(30_000);
  expect(await ended).toMatchObject({ status: 'failed', errorCode: 'timeout', origin: 'manual' });
  expect([runs[0]?.signal.aborted, told.length]).toEqual([true, 1]);
});

test('no more runs go at one time than may', async () => {
  const clock = new SetClock('2026-05-01T09:30:00Z');
  const {
    scheduler,
    goOn,
    begun: begins,
    end,
    begins: runs,
  } = await begun(await newStore(), clock, {
    limits: { running: 2 },
  });
  for (const name of ['a', 'b', 'c']) await scheduler.add({ ...hourly, name }, admin);
  await goOn(30 * minute);
  await begins(2);
  expect(scheduler.get('c')).toMatchObject({ running: 0, waiting: 1 });
  await end(0);
  await begins(3);
  expect(runs[2]?.schedule.definition.name).toBe('c');
});

test('a machine that slept has missed times; a clock that was ahead holds nothing up', async () => {
  const clock = new SetClock('2026-05-01T09:30:00Z');
  const { scheduler, goOn, begun: begins } = await begun(await newStore(), clock);
  await scheduler.add(hourly, admin);
  clock.jump('2026-05-02T09:30:00Z');
  // It looks at the clock twice a minute.
  await goOn(30_000);
  expect(scheduler.get('hourly')).toMatchObject({ lastRun: { status: 'missed', times: 24 } });
  clock.jump('2030-05-02T09:30:00Z');
  await goOn(30_000);
  expect(scheduler.get('hourly').next).toBe('2030-05-02T10:00:00+00:00');
  clock.jump('2026-05-02T09:40:00Z');
  await goOn(30_000);
  expect(scheduler.get('hourly').next).toBe('2026-05-02T10:00:00+00:00');
  await goOn(20 * minute);
  await begins(1);
});

test('one that is off runs when it is asked for only; on again it begins from now', async () => {
  const clock = new SetClock('2026-05-01T09:30:00Z');
  const { scheduler, goOn, begun: begins, begins: runs, end } = await begun(await newStore(), clock);
  await scheduler.add({ ...hourly, enabled: false }, admin);
  await goOn(300 * minute);
  expect(runs).toHaveLength(0);
  const { status } = await scheduler.run('hourly', { wait: false });
  expect(status).toBe('queued');
  await begins(1);
  await expect(scheduler.run('hourly')).rejects.toMatchObject({ code: 'conflict' });
  await end(0);
  const changed = await scheduler.change('hourly', { enabled: true, name: 'every hour', missed: 'run_once' });
  expect(changed).toMatchObject({ name: 'every hour', missed: 'run_once', next: '2026-05-01T15:00:00+00:00' });
  expect((await scheduler.runs('every hour')).map((run) => run.status)).toEqual(['succeeded']);
});

test('one that is deleted ends its run and leaves nothing behind', async () => {
  const clock = new SetClock('2026-05-01T09:30:00Z');
  const store = await newStore();
  const { scheduler, begun: begins, begins: runs } = await begun(store, clock);
  await scheduler.add(hourly, admin);
  const ended = scheduler.run('hourly');
  await begins(1);
  await scheduler.remove('hourly');
  expect(await ended).toMatchObject({ errorMessage: 'The schedule was deleted.' });
  expect(runs[0]?.signal.aborted).toBe(true);
  await scheduler.settled();
  expect(await store.db.selectFrom('schedule_runs').selectAll().execute()).toEqual([]);
  await expect(scheduler.remove('hourly')).rejects.toMatchObject({ code: 'not_found' });
});

test('the history keeps so many runs, and results are shortened and covered', async () => {
  const clock = new SetClock('2026-05-01T09:30:00Z');
  const {
    scheduler,
    begun: begins,
    end,
  } = await begun(await newStore(), clock, {
    limits: { history: 3 },
    redact: (text) => text.replaceAll('secret', '***'),
  });
  await scheduler.add(hourly, admin);
  for (let index = 0; index < 5; index++) {
    const ended = scheduler.run('hourly');
    await begins(index + 1);
    await end(index, index === 4 ? `secret ${'x'.repeat(10_000)}` : new Error(`the secret ${index}`));
    await ended;
  }
  const runs = await scheduler.runs('hourly');
  expect(runs.map(({ errorMessage }) => errorMessage)).toEqual([undefined, 'the *** 3', 'the *** 2']);
  expect(runs[0]?.result).toMatch(/^\*\*\* x+…$/);
  expect(runs[0]?.result?.length).toBeLessThan(4_100);
});

test('there are only so many schedules; those whose time is over make room', async () => {
  const clock = new SetClock('2026-05-01T09:30:00Z');
  const {
    scheduler,
    goOn,
    begun: begins,
    end,
  } = await begun(await newStore(), clock, {
    limits: { schedules: 3, schedulesOfHub: 1 },
  });
  await scheduler.add({ ...hourly, name: 'of a hub', hub: 'one' }, { kind: 'hub', name: 'one' });
  await expect(scheduler.add(hourly, { kind: 'hub', name: 'one' })).rejects.toMatchObject({ code: 'limit_exceeded' });
  await scheduler.add({ ...hourly, name: 'once', when: { at: '2026-05-01T09:40:00Z' } }, admin);
  await scheduler.add({ ...hourly, name: 'third' }, admin);
  await expect(scheduler.add(hourly, admin)).rejects.toMatchObject({ code: 'limit_exceeded' });
  await goOn(10 * minute);
  await begins(1);
  await end(0);
  await scheduler.add(hourly, admin);
  expect(scheduler.list().map(({ name }) => name)).toEqual(['of a hub', 'third', 'hourly']);
});

test('what a hub made stays with the hub', async () => {
  const { scheduler } = await begun(await newStore(), new SetClock('2026-05-01T09:30:00Z'));
  await scheduler.add({ ...hourly, hub: 'one' }, { kind: 'hub', name: 'one' });
  await scheduler.add({ ...hourly, name: 'own', hub: 'one' }, admin);
  await expect(scheduler.change('hourly', { hub: null })).rejects.toMatchObject({ code: 'conflict' });
  await expect(scheduler.change('hourly', { hub: 'two' })).rejects.toMatchObject({ code: 'conflict' });
  await scheduler.hubRenamed('one', 'two');
  expect(scheduler.list()).toMatchObject([{ hub: 'two', madeBy: { kind: 'hub', name: 'two' } }, { hub: 'two' }]);
  await scheduler.hubDeleted('two');
  expect(scheduler.list().map(({ name }) => name)).toEqual(['own']);
});

test('changes and runs are told', async () => {
  const { scheduler, onEvent, begun: begins, end } = await begun(await newStore(), new SetClock('2026-05-01T09:30Z'));
  const types: string[] = [];
  onEvent(({ type }) => types.push(type));
  await scheduler.add(hourly, admin);
  await scheduler.change('hourly', { overlap: 'queue' });
  void scheduler.run('hourly');
  await begins(1);
  await end(0);
  await scheduler.remove('hourly');
  const began = 'schedules.changed';
  expect(types).toEqual(['schedules.changed', 'schedules.changed', began, 'schedule.ran', 'schedules.changed']);
});

test('a disk that cannot be written to stops nothing for good', async () => {
  const clock = new SetClock('2026-05-01T09:30:00Z');
  const store = await newStore();
  const { scheduler, goOn, begun: begins, errors } = await begun(store, clock);
  await scheduler.add(hourly, admin);
  await store.db.schema.alterTable('schedule_runs').renameTo('away').execute();
  await goOn(30 * minute);
  expect(errors.length).toBeGreaterThan(0);
  await store.db.schema.alterTable('away').renameTo('schedule_runs').execute();
  await goOn(5_000);
  await begins(1);
});

test.each<[object, RegExp]>([
  [{ name: '' }, /name/],
  [{ name: '../x' }, /name/],
  [{ name: 'test' }, /kept for something else/],
  [{ name: 'x'.repeat(65) }, /name/],
  [{ action: {} }, /either "tool" or "agent"/],
  [{ action: { tool: 't', agent: 'a', prompt: 'p' } }, /either "tool" or "agent"/],
  [{ action: { tool: 't', prompt: 'p' } }, /takes "args"/],
  [{ action: { agent: 'a' } }, /"prompt"/],
  [{ action: { agent: 'a', prompt: 'x'.repeat(32_001) } }, /action.prompt/],
  [{ action: { tool: 't', args: { text: 'x'.repeat(64_001) } } }, /action.args/],
  [{ when: {} }, /one of "cron", "at" and "every_seconds"/],
  [{ when: { cron: '* * * * *', every_seconds: 5 } }, /one of/],
  [{ when: { cron: '* * * * *', timezone: 'Mars/Base' } }, /time zone/],
  [{ when: { every_seconds: 0.5 } }, /every_seconds/],
  [{ when: { every_seconds: 0 } }, /every_seconds/],
  [{ when: { at: 'tomorrow' } }, /when.at/],
  [{ when: { at: '2026-02-30T00:00:00Z' } }, /when.at/],
  [{ when: { at: '2020-01-01T00:00:00Z' } }, /has passed/],
  [{ overlap: 'twice' }, /overlap/],
  [{ time_limit_seconds: 0 }, /time_limit_seconds/],
  [{ hub: 'a', preset: 'b' }, /either "hub" or "preset"/],
  [{ action: { agent: 'a', prompt: 'p' }, preset: 'b' }, /as the "agent"/],
  [{ surprise: 1 }, /surprise/],
  [{ name: 'taken' }, /named "taken" already/],
])('%j is refused, and nothing is kept', async (part, why) => {
  const { scheduler } = await begun(await newStore(), new SetClock('2026-05-01T09:30:00Z'));
  await scheduler.add({ ...hourly, name: 'taken' }, admin);
  await expect(scheduler.add({ ...hourly, ...part }, admin)).rejects.toThrow(why);
  expect(scheduler.list()).toHaveLength(1);
});
