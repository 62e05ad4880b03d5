/**
 * Values from elsewhere can be nested so deep that whatever walks them by calling itself exhausts its stack. What stands
 * here does not call itself.
 */

export interface ValueLimits {
  /** Levels of objects and lists. */
  readonly depth: number;
  /** Objects, lists and what they hold. */
  readonly parts?: number;
  /** Of keys and texts; 4 for each other value. */
  readonly characters?: number;
}

/** What of the limits a JSON value goes over first. */
export function overLimit(value: unknown, limits: ValueLimits): keyof ValueLimits | undefined {
  const { depth: maxDepth, parts: maxParts = Infinity, characters: maxCharacters = Infinity } = limits;
  let parts = 0;
  let characters = 0;
  // One list for each level: nearly all values are flat.
  let level: object[] = isContainer(value) ? [value] : [];
  for (let depth = 1; level.length > 0; depth++) {
    if (depth > maxDepth) return 'depth';
    const next: object[] = [];
    for (const container of level) {
      const isList = Array.isArray(container);
      for (const key in container) {
        const inner = (container as Record<string, unknown>)[key];
        parts++;
        characters += (isList ? 0 : key.length) + (typeof inner === 'string' ? inner.length : 4);
        if (isContainer(inner)) next.push(inner);
      }
      if (parts > maxParts) return 'parts';
      if (characters > maxCharacters) return 'characters';
    }
    level = next;
  }
  return undefined;
}

/** The value itself where it has no more levels than these; otherwise a copy in which the last of them is empty. */
export function cutBelow<Value>(value: Value, depth: number): Value {
  if (!isContainer(value) || overLimit(value, { depth }) === undefined) return value;
  const copy = emptyOf(value);
  let level: (readonly [from: object, to: object])[] = [[value, copy]];
  for (let at = 1; at < depth && level.length > 0; at++) {
    const next: (readonly [object, object])[] = [];
    for (const [from, to] of level) {
      for (const [key, inner] of Object.entries(from)) {
        const made = isContainer(inner) ? emptyOf(inner) : inner;
        // Not an assignment: that would lose a key such as `__proto__`.
        Object.defineProperty(to, key, { value: made, enumerable: true, configurable: true, writable: true });
        if (isContainer(inner)) next.push([inner, made as object]);
      }
    }
    level = next;
  }
  return copy as Value;
}

/** Whether a JSON text has more levels of objects and lists than these. It is not parsed for that. */
export function isDeeperThan(text: string, limit: number): boolean {
  // A text needs two characters for each level.
  if (text.length < 2 * limit) return false;
  let depth = 0;
  for (let index = 0; index < text.length; index++) {
    const char = text.charCodeAt(index);
    if (char === 0x22) {
      for (index++; index < text.length && text.charCodeAt(index) !== 0x22; index++) {
        if (text.charCodeAt(index) === 0x5c) index++;
      }
    } else if (char === 0x7b || char === 0x5b) {
      if (++depth > limit) return true;
    } else if (char === 0x7d || char === 0x5d) depth--;
  }
  return false;
}

function isContainer(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

function emptyOf(value: object): object {
  return Array.isArray(value) ? [] : {};
}
