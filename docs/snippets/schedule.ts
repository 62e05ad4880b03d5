import { Scheduler } from '@luna/core/schedule';
import { openStore } from '@luna/core/store';

const scheduler = new Scheduler({
  store: await openStore('schedules.db'),
  // Called at each time. What it returns is kept as the result; what it throws, as the reason of the failure.
  run: async ({ schedule, signal }) => {
    const { tool = '', args = {} } = schedule.definition.action;
    const answer = await fetch(`https://example.org/jobs/${tool}`, {
      method: 'POST',
      body: JSON.stringify(args),
      signal,
    });
    return `HTTP ${answer.status}`;
  },
  onEvent: (event) => {
    if (event.type === 'schedule.ran') console.log(event.run.schedule, event.run.status);
  },
});
await scheduler.start();

if (scheduler.list().length === 0) {
  const when = { cron: '30 2 * * *', timezone: 'Europe/Berlin' };
  await scheduler.add({ name: 'nightly', action: { tool: 'clean-up' }, when, missed: 'run_once' }, { kind: 'app' });
}
