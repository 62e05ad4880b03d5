import { legalName } from './naming.ts';
import type { RegisteredTool } from './registry.ts';

/** Which tools a hub or a preset may see and call. The same selection filters lists and refuses calls. */
export type Selection = (tool: RegisteredTool) => boolean;

/** Everything. */
export const everyTool: Selection = () => true;

/**
 * A selection from settings by tool name. A setting under the qualified name (`source__tool`) wins over one under
 * the plain name, and the plain name holds for every tool that is called so: a tool that was switched off stays off
 * when a collision renames it.
 */
export function selectionOf(
  settings: ReadonlyMap<string, boolean>,
  standard: (tool: RegisteredTool) => boolean = everyTool,
): Selection {
  // Asked at every call. What a registry holds of a tool never changes, and neither do the settings.
  const verdicts = new WeakMap<RegisteredTool, boolean | 'standard'>();
  const ownVerdict = (tool: RegisteredTool) =>
    settings.get(tool.qualifiedName) ??
    settings.get(tool.name) ??
    settings.get(tool.tool.name) ??
    settings.get(legalName(tool.tool.name)) ??
    'standard';
  return (tool) => {
    let verdict = verdicts.get(tool);
    if (verdict === undefined) {
      verdict = ownVerdict(tool);
      verdicts.set(tool, verdict);
    }
    return verdict === 'standard' ? standard(tool) : verdict;
  };
}
