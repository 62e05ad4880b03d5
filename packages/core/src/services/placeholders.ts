/** `{{field}}` in the texts of a definition, and `{{field | url}}` for a value that becomes part of an address. */

/** What a placeholder may name beside the fields of the form. */
export const ownPlaceholders = ['name', 'home', 'service_dir', 'data_dir', 'instance'] as const;

export type Values = Readonly<Record<string, string>>;

export interface Placeholder {
  readonly field: string;
  readonly forUrl: boolean;
}

/** Sticky, for whoever walks through a text. Other programs have braces too: `{{.Status}}` is left alone. */
export const placeholderPattern = /\{\{\s*([A-Za-z_][A-Za-z0-9_]*)\s*(\|\s*url\s*)?\}\}/y;

/** All placeholders of a text, in order. */
export function placeholdersOf(text: string): Placeholder[] {
  return [...text.matchAll(new RegExp(placeholderPattern, 'g'))].map(([, field = '', filter]) => ({
    field,
    forUrl: filter !== undefined,
  }));
}

/** The text with all values in it. For arguments, variables and addresses; never for what a shell reads. */
export function fillIn(text: string, values: Values): string {
  return text.replace(new RegExp(placeholderPattern, 'g'), (all, field: string, filter?: string) => {
    const value = Object.hasOwn(values, field) ? values[field] : undefined;
    if (value === undefined) return all;
    return filter === undefined ? value : encodeURIComponent(value);
  });
}

/** The environment key that carries a value to the commands of a service. */
export function variableOf(field: string): string {
  const own = ownPlaceholders.some((name) => name === field);
  return `LUNA_${own ? 'SERVICE' : 'CONFIG'}_${field.replace(/^service_/, '').toUpperCase()}`;
}
