import { z } from 'zod';
import type { KeptSchedule } from '../store/index.ts';
import { type ScheduleDefinition, scheduleDefinition } from './definition.ts';

/** Who made a schedule. */
export interface ScheduleMaker {
  /** `hub` for a client of a hub, otherwise the face that it came through. */
  readonly kind: string;
  readonly name?: string | undefined;
}

/** A schedule with all that was left out filled in. Times are milliseconds since the epoch. */
export interface Schedule {
  readonly id: string;
  readonly definition: ScheduleDefinition & { readonly missed: 'skip' | 'run_once' };
  readonly nextAt: number | undefined;
  readonly madeBy: ScheduleMaker;
  readonly createdAt: number;
  readonly updatedAt: number;
}

const makerSchema = z.object({ kind: z.string(), name: z.string().optional() });

/** With the rule for missed times that fits: a reminder is still wanted later, a report of each hour is not. */
export function withRules(definition: ScheduleDefinition): Schedule['definition'] {
  return { ...definition, missed: definition.missed ?? (definition.when.at === undefined ? 'skip' : 'run_once') };
}

/** The hub under which the schedule always runs, because it was made through it. */
export function hubBehind({ madeBy }: Schedule): string | undefined {
  return madeBy.kind === 'hub' ? madeBy.name : undefined;
}

export function toKept(schedule: Schedule): KeptSchedule {
  const { name, enabled, ...definition } = schedule.definition;
  const { id, nextAt, madeBy, createdAt, updatedAt } = schedule;
  return { id, name, definition, enabled, nextAt, madeBy, createdAt, updatedAt };
}

/** Throws when what was kept cannot be read. */
export function fromKept(kept: KeptSchedule): Schedule {
  const { id, name, enabled, nextAt, createdAt, updatedAt } = kept;
  const rest = z.record(z.string(), z.unknown()).parse(kept.definition);
  const definition = withRules(scheduleDefinition.parse({ ...rest, name, enabled }));
  return { id, definition, nextAt, madeBy: makerSchema.parse(kept.madeBy), createdAt, updatedAt };
}
