import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

/** More shapes than this push out the oldest. */
const maxShapes = 2_000;
export const size = { width: 1000, height: 600 };

/** What is on the board, in a file that is wholly the old one or wholly the new one. */
export class Board {
  /** @param {string} file */
  constructor(file) {
    this.file = file;
    this.shapes = read(file);
    this.lastId = Math.max(0, ...this.shapes.map(({ id }) => id));
  }

  /** Adds a shape and returns it with its id. Throws a TypeError for what is no shape. */
  add(given) {
    this.lastId += 1;
    const shape = { id: this.lastId, ...checked(given) };
    this.#write([...this.shapes, shape].slice(-maxShapes));
    return shape;
  }

  clear() {
    this.#write([]);
  }

  #write(shapes) {
    mkdirSync(dirname(this.file), { recursive: true });
    writeFileSync(`${this.file}.new`, JSON.stringify(shapes));
    renameSync(`${this.file}.new`, this.file);
    this.shapes = shapes;
  }
}

function checked(shape) {
  const { kind, color = '#1f2937' } = shape ?? {};
  if (!/^#[0-9a-f]{6}$/i.test(color)) throw new TypeError('color: use a form such as #ff0000');
  if (kind === 'line') {
    const { points, width = 3 } = shape;
    if (!Array.isArray(points) || points.length < 2 || points.length > 5_000 || !points.every(isPoint))
      throw new TypeError(`points: give 2 to 5000 pairs [x, y] within ${size.width} by ${size.height}`);
    if (!(width >= 1 && width <= 40)) throw new TypeError('width: give 1 to 40');
    return { kind, points, color, width };
  }
  if (kind === 'text') {
    const { at, text } = shape;
    if (!isPoint(at)) throw new TypeError(`at: give a pair [x, y] within ${size.width} by ${size.height}`);
    if (typeof text !== 'string' || text.trim() === '' || text.length > 500)
      throw new TypeError('text: give 1 to 500 characters');
    return { kind, at, text, color };
  }
  throw new TypeError('kind: use "line" or "text"');
}

function isPoint(point) {
  return (
    Array.isArray(point) &&
    point.length === 2 &&
    point.every(Number.isFinite) &&
    point[0] >= 0 &&
    point[0] <= size.width &&
    point[1] >= 0 &&
    point[1] <= size.height
  );
}

function read(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    if (error.code === 'ENOENT') return [];
    throw error;
  }
}
