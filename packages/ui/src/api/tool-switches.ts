import type { ToolsBySourceView, ToolView } from '@luna/core/control';
import { useQueryClient } from '@tanstack/vue-query';
import { useAct } from './act.ts';
import { api } from './client.ts';
import { keys } from './queries.ts';

/** Switching tools on and off for a hub: shown at once, taken back when the server refuses. */
export function useToolSwitches(): {
  setSwitches: (hub: string, tools: readonly ToolView[], on: boolean) => Promise<void>;
} {
  const queries = useQueryClient();
  const act = useAct();

  function show(hub: string, names: ReadonlySet<string>, on: boolean): void {
    queries.setQueryData<ToolsBySourceView>(keys.tools, (view) => {
      if (!view) return view;
      const changed = (tool: ToolView) =>
        names.has(tool.name) ? { ...tool, hubs: { ...tool.hubs, [hub]: on } } : tool;
      return { sources: view.sources.map((source) => ({ ...source, tools: source.tools.map(changed) })) };
    });
  }

  async function setSwitches(hub: string, tools: readonly ToolView[], on: boolean): Promise<void> {
    const differing = tools.filter((tool) => tool.hubs[hub] !== on);
    if (differing.length === 0) return;
    show(hub, new Set(differing.map(({ name }) => name)), on);
    const tool_config = Object.fromEntries(
      differing.map(({ qualifiedName }) => [qualifiedName, { enabled_in_mcp: on }]),
    );
    const done = await act(() => api.changeHub(hub, { tool_config }));
    if (!done) await queries.invalidateQueries({ queryKey: keys.tools });
  }

  return { setSwitches };
}
