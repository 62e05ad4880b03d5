import type { InspectionView } from '@luna/core/views';
import { counted, table } from '../../output.ts';

/** What an extension brings, for a person who decides. Nothing in it can steer their terminal. */
export function previewText(shown: InspectionView): string {
  const { files, dependencies, installed } = shown;
  const rows = [
    ['Files', `${counted(files.count, 'file')}, ${files.bytes} bytes`],
    ['Tools', shown.toolFiles.join(', ')],
    ['Starts', shown.commands.map(({ command }) => command).join(', ')],
    [
      'Secrets',
      shown.requiredSecrets.map((key) => (shown.missingSecrets.includes(key) ? `${key} (not set)` : key)).join(', '),
    ],
    [
      'Permissions',
      shown.permissions.map(({ tool, permissions }) => `${tool}: ${JSON.stringify(permissions)}`).join('; '),
    ],
    ['npm', dependencies.npm.map(({ name, range }) => `${name} ${range}`).join(', ')],
    ['Python', dependencies.python.join(', ')],
  ].filter(([, value]) => value !== '');
  const state = !installed
    ? 'new'
    : installed.isSame
      ? 'this very copy is installed'
      : `instead of ${installed.version ?? 'what is installed'}`;
  const lines = [
    [shown.name, shown.version, `(${state}), from ${shown.source}`].filter(Boolean).join(' '),
    ...(shown.revision !== undefined ? [`  ${shown.revision}`] : []),
    ...(shown.tooNew !== undefined ? [`  ! ${shown.tooNew}`] : []),
    ...(shown.description !== undefined ? [`  ${shown.description}`] : []),
    ...table(rows.map((row) => row))
      .split('\n')
      .map((line) => `  ${line}`),
    ...shown.commands.map(({ command, script }) => `\n  ${command}:\n${indented(script)}`),
    ...shown.warnings.map((warning) => `  ! ${warning}`),
    ...shown.refusals.map((refusal) => `  ✗ ${refusal}`),
  ];
  return lines.map(inert).join('\n');
}

function indented(script: string): string {
  const lines = script.trimEnd().split('\n');
  const shown = lines.slice(0, 20).map((line) => `    ${line}`);
  return [...shown, ...(lines.length > 20 ? ['    …'] : [])].join('\n');
}

function inert(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is taken out
  return text.replaceAll(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g, '·');
}
