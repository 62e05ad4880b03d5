/** What is repeated in a regular expression, and texts that it is made for: enough to try it where it could go wrong. */
export interface PatternStructure {
  /** Parts to be tried by themselves, so that no beginning which a text would have to meet protects them. */
  readonly parts: readonly string[];
  /** Texts that, repeated, parts of the pattern match: characters, and what branches match. */
  readonly pumps: readonly string[];
  /** Characters that some parts match not, although they match nearly all. */
  readonly excluded: readonly string[];
}

/** More of either tells nothing new. */
const most = { parts: 12, pumps: 40, pumpLength: 24, depth: 200 } as const;
/** A repetition of fewer times multiplies nothing. */
const fewTimes = 8;
const samples = ['a', 'A', '0', ' ', '-', '_', '.', '!', 'é'];

/** Reads a pattern that is a legal regular expression; a group within groups within groups is not looked into. */
export function structureOf(pattern: string): PatternStructure {
  const reader = new Reader(pattern);
  reader.read();
  const single = [...new Set([...samples.slice(0, 6), ...reader.characters.slice(0, 8)])];
  const few = reader.characters.slice(0, 4);
  const pairs = few.flatMap((one) => few.map((other) => one + other));
  const pumps = new Set([...single, ...reader.branches.filter(({ length }) => length > 1).slice(0, 12), ...pairs]);
  return {
    parts: [...new Set(reader.parts)].slice(0, most.parts),
    pumps: [...pumps].slice(0, most.pumps),
    excluded: [...reader.excluded].slice(0, 12),
  };
}

/** One alternative of a group that is being read. */
interface Branch {
  /** A text that it matches. */
  text: string;
  /** Where each of its repeated terms begins. */
  repeated: number[];
}

interface Group {
  readonly begin: number;
  branch: Branch;
  /** The text of the first alternative: what stands for the group in the text around it. */
  text: string | undefined;
}

class Reader {
  readonly characters: string[] = [];
  readonly branches: string[] = [];
  readonly parts: string[] = [];
  readonly excluded = new Set<string>();
  readonly #pattern: string;
  readonly #open: Group[] = [];
  #at = 0;

  constructor(pattern: string) {
    this.#pattern = pattern;
  }

  read(): void {
    this.#begin(0);
    while (this.#at < this.#pattern.length) this.#term();
    while (this.#open.length > 0) this.#end();
  }

  #term(): void {
    const begin = this.#at;
    const char = this.#pattern[begin] ?? '';
    if (char === '(') {
      this.#at += /^\((?:\?(?:[:=!]|<[=!]|<[^>]*>))?/.exec(this.#pattern.slice(begin, begin + 80))?.[0].length ?? 1;
      if (this.#open.length < most.depth) this.#begin(begin);
      return;
    }
    if (char === '|') {
      this.#at++;
      return this.#endBranch();
    }
    if (char === ')') {
      this.#at++;
      if (this.#open.length > 1) this.#closed(this.#end());
      return;
    }
    if (char === '^' || char === '$') {
      this.#at++;
      return;
    }
    this.#at = begin + atomLength(this.#pattern, begin);
    const atom = this.#pattern.slice(begin, this.#at);
    this.#add(this.#sampleOf(atom), begin);
  }

  /** A group has ended; when it is repeated it is a part. */
  #closed({ begin, text }: Group): void {
    const atomEnd = this.#at;
    const times = this.#add(text ?? '', begin);
    if (times > fewTimes)
      this.parts.push(`^${this.#pattern.slice(begin, atomEnd)}${this.#pattern.slice(atomEnd, this.#at)}$`);
  }

  /** Adds a term to the branch, with the quantifier behind it; gives back how often it can come. */
  #add(text: string, begin: number): number {
    const quantifier = /^(?:[*+?]|\{(\d*)(?:(,)(\d*))?\})\??/.exec(this.#pattern.slice(this.#at, this.#at + 20));
    const branch = this.#open.at(-1)?.branch;
    if (branch) branch.text = (branch.text + text).slice(0, most.pumpLength);
    if (!quantifier) return 1;
    this.#at += quantifier[0].length;
    const times = timesOf(quantifier);
    if (times > fewTimes) branch?.repeated.push(begin);
    return times;
  }

  #begin(begin: number): void {
    this.#open.push({ begin, branch: { text: '', repeated: [] }, text: undefined });
  }

  #endBranch(end = this.#at - 1): void {
    const group = this.#open.at(-1);
    if (!group) return;
    const { text, repeated } = group.branch;
    group.text ??= text;
    this.branches.push(text);
    // Three that stand side by side go through each other's ways in the third power.
    const first = repeated[0];
    if (repeated.length >= 3 && first !== undefined) this.parts.push(`^(?:${this.#pattern.slice(first, end)})$`);
    group.branch = { text: '', repeated: [] };
  }

  #end(): Group {
    this.#endBranch(this.#open.length > 1 ? this.#at - 1 : this.#at);
    return this.#open.pop() as Group;
  }

  /** A character that the atom matches. */
  #sampleOf(atom: string): string {
    const isPlain = atom.length === 1 && atom !== '.';
    const sample = isPlain ? atom : sampleOf(atom);
    if (atom.startsWith('[^')) for (const char of insideOf(atom)) this.excluded.add(char);
    if (sample !== '' && !this.characters.includes(sample)) this.characters.push(sample);
    return sample;
  }
}

function timesOf([all, least, comma, greatest]: RegExpExecArray): number {
  if (all.startsWith('?')) return 1;
  if (all.startsWith('{') && greatest) return Number(greatest);
  return all.startsWith('{') && comma === undefined ? Number(least) : Number.POSITIVE_INFINITY;
}

/** How long the character, escape or class at this place is. */
function atomLength(pattern: string, begin: number): number {
  const rest = pattern.slice(begin, begin + 40);
  if (rest.startsWith('\\'))
    return (
      /^\\(?:u\{[0-9a-fA-F]+\}|u[0-9a-fA-F]{4}|x[0-9a-fA-F]{2}|c[A-Za-z]|[pP]\{[^}]*\}|k<[^>]*>|[\s\S])/.exec(rest)?.[0]
        .length ?? 1
    );
  if (!rest.startsWith('[')) return (pattern.codePointAt(begin) ?? 0) > 0xffff ? 2 : 1;
  for (let index = begin + 1; index < pattern.length; index++) {
    if (pattern[index] === '\\') index++;
    else if (pattern[index] === ']') return index - begin + 1;
  }
  return pattern.length - begin;
}

function sampleOf(atom: string): string {
  // What stands in a class is what it was made for; an escape may stand for what nobody would guess.
  const inside = atom.startsWith('[') ? insideOf(atom) : [];
  for (const flags of ['u', '']) {
    try {
      const regex = new RegExp(`^(?:${atom})$`, flags);
      return [...inside, ...samples, codeOf(atom)].find((sample) => regex.test(sample)) ?? '';
    } catch {
      // A reference to a group, or legal without the flag only.
    }
  }
  return '';
}

/** The characters that a class names, its ranges by their ends. */
function insideOf(characterClass: string): string[] {
  return [
    ...characterClass
      .slice(1, -1)
      .replace(/^\^/, '')
      .replace(/\\[a-zA-Z]|[\\-]/g, ''),
  ];
}

function codeOf(atom: string): string {
  const code = Number.parseInt(/^\\[ux]\{?([0-9a-fA-F]+)/.exec(atom)?.[1] ?? '', 16);
  return code <= 0x10ffff ? String.fromCodePoint(code) : '';
}
