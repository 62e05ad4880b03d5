import type { ToolsBySourceView, ToolView } from '@luna/core/control';
import { useToast } from '@nuxt/ui/composables';
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
  const toast = useToast();

  function show(hub: string, names: ReadonlySet<string>, on: boolean): void {
    queries.setQueryData<ToolsBySourceView>(keys.tools, (view) => {
      if (!view) return view;
      const changed = (tool: ToolView) =>
        names.has(tool.name) ? { ...tool, hubs: { ...tool.hubs, [hub]: on } } : tool;
      return { sources: view.sources.map((source) => ({ ...source, tools: source.tools.map(changed) })) };
    });
  }

  async function switchThem(hub: string, tools: readonly ToolView[], on: boolean): Promise<boolean> {
    // An answer that is under way is older than this change, and would show it undone for a moment.
    await queries.cancelQueries({ queryKey: keys.tools });
    show(hub, new Set(tools.map(({ name }) => name)), on);
    const tool_config = Object.fromEntries(tools.map(({ qualifiedName }) => [qualifiedName, { enabled_in_mcp: on }]));
    const done = await act(() => api.changeHub(hub, { tool_config }));
    if (!done) await queries.invalidateQueries({ queryKey: keys.tools });
    return done !== undefined;
  }

  async function setSwitches(hub: string, tools: readonly ToolView[], on: boolean): Promise<void> {
    const differing = tools.filter((tool) => tool.hubs[hub] !== on);
    if (differing.length === 0 || !(await switchThem(hub, differing, on)) || differing.length === 1) return;
    toast.add({
      title: `${differing.length} tools are ${on ? 'on' : 'off'} in ${hub} now`,
      icon: 'i-lucide-circle-check',
      color: 'neutral',
      // Long enough to think it over.
      duration: 10_000,
      actions: [
        {
          label: 'Undo',
          color: 'neutral',
          variant: 'outline',
          onClick: () => void switchThem(hub, differing, !on),
        },
      ],
    });
  }

  return { setSwitches };
}
