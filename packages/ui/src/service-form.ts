import type { ExternalServiceDetailView } from '@luna/core/services';

/** The form by which an external service is installed, made from its definition. */

export interface SettingField {
  readonly name: string;
  readonly label: string;
  readonly kind: 'text' | 'password' | 'number' | 'checkbox' | 'select' | 'textarea';
  readonly help: string;
  readonly required: boolean;
  readonly secret: boolean;
  readonly choices: readonly { readonly label: string; readonly value: string }[];
  readonly initial: string | boolean;
}

export type SettingValues = Record<string, string | boolean>;

/** The fields, each with what it is now, or with its default. */
export function settingFields({ form, config, secrets }: ExternalServiceDetailView): SettingField[] {
  return form.map((raw) => {
    const { name, type, secret } = raw;
    const isKept = secret && secrets.includes(name);
    const isMade = secret && raw.generate === true;
    const value = config[name] ?? (secret ? undefined : raw.default) ?? '';
    const hasDefault = raw.default !== undefined && raw.default !== null && raw.default !== '';
    return {
      name,
      label: typeof raw.label === 'string' ? raw.label : name,
      kind: secret && type !== 'textarea' ? 'password' : kindOf(type),
      // A definition may say itself what is said here of each such field.
      help: [
        ...new Set([textOf(raw.help), secretHelp({ isKept, isMade, hasDefault: secret && hasDefault }), limitsOf(raw)]),
      ]
        .filter(Boolean)
        .join(' '),
      required: raw.required && !isKept && !isMade && !hasDefault && type !== 'checkbox',
      secret,
      choices: choicesOf(raw.options),
      initial: type === 'checkbox' ? value === true || value === 'true' : String(value),
    };
  });
}

export function initialSettings(fields: readonly SettingField[]): SettingValues {
  return Object.fromEntries(fields.map(({ name, initial }) => [name, initial]));
}

/** What is sent: fields that were left empty are not given, so that they keep what they have, or get their default. */
export function settingsOf(fields: readonly SettingField[], values: SettingValues): Record<string, string | boolean> {
  return Object.fromEntries(
    fields.flatMap(({ name }) => {
      const value = values[name] ?? '';
      return value === '' ? [] : [[name, value]];
    }),
  );
}

function kindOf(type: string): SettingField['kind'] {
  if (type === 'port' || type === 'number') return 'number';
  return type === 'password' || type === 'checkbox' || type === 'select' || type === 'textarea' ? type : 'text';
}

function choicesOf(options: unknown): SettingField['choices'] {
  if (!Array.isArray(options)) return [];
  return options.map((option: string | { value: string; label?: string }) =>
    typeof option === 'string'
      ? { label: option, value: option }
      : { label: option.label ?? option.value, value: option.value },
  );
}

function secretHelp({ isKept, isMade, hasDefault }: { isKept: boolean; isMade: boolean; hasDefault: boolean }): string {
  if (isKept) return 'It is set. Left empty, it stays.';
  if (isMade) return 'Left empty, one is made.';
  return hasDefault ? 'Left empty, it has its default.' : '';
}

function limitsOf({ min, max }: Record<string, unknown>): string {
  if (typeof min === 'number' && typeof max === 'number') return `From ${min} to ${max}.`;
  if (typeof min === 'number') return `At least ${min}.`;
  return typeof max === 'number' ? `At most ${max}.` : '';
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
