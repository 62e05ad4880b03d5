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

function isContainer(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

function emptyOf(value: object): object {
  return Array.isArray(value) ? [] : {};
}
