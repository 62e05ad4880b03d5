import type { PresetView, ToolView } from '@luna/core/control';
import type { PresetSettings } from './api/agents.ts';

/** What the form of a preset holds: texts as they are typed. */
export interface PresetForm {
  name: string;
  description: string;
  baseAgent: string;
  model: string;
  instructions: string;
  temperature: string;
  showProgress: boolean;
  limits: Record<LimitName, string>;
}

export type LimitName = (typeof presetLimits)[number]['name'];

/** The limits of a preset, as the form shows them. */
export const presetLimits = [
  { name: 'max_steps', label: 'Answers of the model in one turn', standard: '25' },
  { name: 'max_total_tokens', label: 'Tokens of one turn', standard: 'no limit' },
  { name: 'timeout_seconds', label: 'Seconds of one turn', standard: '900' },
  { name: 'max_parallel_calls', label: 'Calls of tools at a time', standard: '8' },
  { name: 'max_argument_bytes', label: 'Bytes of the arguments of a call', standard: '262144' },
  { name: 'max_result_characters', label: 'Characters of a result that the model gets', standard: '50000' },
] as const;

/** The form of a preset that is there, or of a new one. */
export function presetForm(preset?: PresetView): PresetForm {
  const limit = (name: LimitName) => String(preset?.limits?.[name] ?? '');
  return {
    name: preset?.name ?? '',
    description: preset?.description ?? '',
    baseAgent: preset?.baseAgent ?? 'simple_agent',
    model: preset?.model ?? '',
    instructions: preset?.instructions ?? '',
    temperature: preset?.temperature === undefined ? '' : String(preset.temperature),
    showProgress: preset?.showProgress ?? true,
    limits: Object.fromEntries(presetLimits.map(({ name }) => [name, limit(name)])) as PresetForm['limits'],
  };
}

/**
 * What is sent of a form. Of a preset that is there, empty fields take their settings away; limits that the form does
 * not know stay.
 */
export function presetSettings(form: PresetForm, preset?: PresetView): PresetSettings {
  const absent = preset ? null : undefined;
  const text = (value: string) => (value.trim() === '' ? absent : value.trim());
  return {
    name: form.name.trim(),
    base_agent: form.baseAgent,
    description: text(form.description),
    model: text(form.model),
    instructions: text(form.instructions),
    temperature: form.temperature.trim() === '' ? absent : Number(form.temperature),
    show_progress: form.showProgress,
    limits: limitsOf(form, preset) ?? absent,
  };
}

function limitsOf({ limits }: PresetForm, preset?: PresetView): Record<string, number> | undefined {
  const known: readonly string[] = presetLimits.map(({ name }) => name);
  const others = Object.entries(preset?.limits ?? {}).filter(([name]) => !known.includes(name));
  const given = Object.entries(limits).filter(([, value]) => value.trim() !== '');
  const all = [...others, ...given.map(([name, value]) => [name, Number(value)])];
  return all.length > 0 ? Object.fromEntries(all) : undefined;
}

/**
 * What becomes of `tool_config`: tools that were switched on or off, and names to take out. Settings under the full
 * name of a tool come before all others.
 */
export function toolChanges(
  tools: readonly Pick<ToolView, 'name' | 'qualifiedName'>[],
  { before, after }: { readonly before: ReadonlySet<string>; readonly after: ReadonlySet<string> },
  removed: Iterable<string> = [],
): NonNullable<PresetSettings['tool_config']> {
  const changed = tools.filter(({ name }) => before.has(name) !== after.has(name));
  return Object.fromEntries([
    ...[...removed].map((name) => [name, null]),
    ...changed.map(({ name, qualifiedName }) => [qualifiedName, { enabled: after.has(name) }]),
  ]);
}
