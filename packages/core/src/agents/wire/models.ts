import { LunaError } from '../../errors/index.ts';
import type { Agents } from '../agents.ts';

/** The answer of `GET /v1/models`: agents, presets that are on, and models that are relayed. */
export async function modelObjects(agents: Agents): Promise<object> {
  const builtIn = agents.builtIn();
  const presets = Object.entries(agents.presets());
  const taken = new Set([...builtIn.keys(), ...presets.map(([name]) => name)]);
  const models = (await agents.models.names()).filter((name) => !taken.has(name));
  return {
    object: 'list',
    data: [
      ...presets
        .filter(([, preset]) => preset.enabled && builtIn.has(preset.base_agent))
        .map(([name, { base_agent, description }]) => ({
          ...base(name),
          ...(description !== undefined && { description }),
          is_preset: true,
          base_agent,
          tool_count: agents.toolsOf(name).length,
        })),
      ...[...builtIn.values()]
        .filter(({ name }) => !presets.some(([preset]) => preset === name))
        .map(({ name, description }) => ({
          ...base(name),
          description,
          is_preset: false,
          base_agent: name,
          tool_count: agents.toolsOf(name).length,
        })),
      ...models.map((name) => ({ ...base(name), is_preset: false, base_agent: null, tool_count: 0 })),
    ],
  };
}

/** The answer of `GET /v1/models/{id}`. Throws `not_found`. */
export async function modelObject(agents: Agents, id: string): Promise<object> {
  const { data } = (await modelObjects(agents)) as { data: { id: string }[] };
  const found = data.find((model) => model.id === id);
  if (found) return found;
  throw new LunaError('not_found', `There is no agent, preset or model "${id.slice(0, 200)}".`, {
    details: { param: 'model' },
  });
}

function base(id: string): { id: string; object: string; created: number; owned_by: string } {
  return { id, object: 'model', created: 0, owned_by: 'luna' };
}
