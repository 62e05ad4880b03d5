import { z } from 'zod';
import { presetName } from '../../config/index.ts';
import type { Agent } from '../agent.ts';

const agentSchema = z.object({
  name: presetName,
  description: z.string().default(''),
  run: z.custom<Agent['run']>((value) => typeof value === 'function', 'must be a function'),
});

/** The agents that a module exports: its default, `AGENT`, or the list `AGENTS`. */
export function readAgents(exported: unknown): { readonly agents: readonly Agent[] } | { readonly wrong: string } {
  const { default: standard, AGENT: one, AGENTS: several } = exported as Readonly<Record<string, unknown>>;
  const found: readonly unknown[] = Array.isArray(several)
    ? several
    : [standard ?? one].filter((agent) => agent !== undefined);
  if (found.length === 0)
    return {
      wrong: 'export an agent: export default defineAgent({ name, description, run }), or a list named AGENTS.',
    };
  const agents: Agent[] = [];
  for (const candidate of found) {
    const parsed = agentSchema.safeParse(candidate);
    const issue = parsed.error?.issues[0];
    if (!parsed.success)
      return { wrong: `the agent does not fit: "${issue?.path.join('.') ?? ''}": ${issue?.message}.` };
    if (agents.some(({ name }) => name === parsed.data.name))
      return { wrong: `two agents are named "${parsed.data.name}".` };
    // Called on the object itself, which may be made of a class.
    agents.push({ ...parsed.data, run: (turn) => (candidate as Agent).run(turn) });
  }
  return { agents };
}
