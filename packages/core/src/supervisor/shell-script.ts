import { access, constants, open } from 'node:fs/promises';

/** A first line that is longer than this names no interpreter, in bytes. */
const maxLineLength = 256;

/**
 * What runs a script of the shell: the interpreter that its first line names (`#!/usr/bin/env bash`), with its one
 * argument, where there is such a program; `sh` otherwise. Whether the file may be executed does not matter.
 */
export async function interpreterOf(script: string): Promise<[string, ...string[]]> {
  const [, command, argument] = /^#!\s*(\/\S+)(?:[ \t]+(.*))?/.exec(await firstLineOf(script)) ?? [];
  if (command === undefined || !(await isProgram(command))) return ['sh'];
  const only = argument?.trim();
  return only ? [command, only] : [command];
}

async function firstLineOf(file: string): Promise<string> {
  const handle = await open(file);
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(maxLineLength), 0, maxLineLength, 0);
    return buffer.toString('utf8', 0, bytesRead).split(/\r?\n/, 1)[0] ?? '';
  } finally {
    await handle.close();
  }
}

async function isProgram(file: string): Promise<boolean> {
  return access(file, constants.X_OK).then(
    () => true,
    () => false,
  );
}
