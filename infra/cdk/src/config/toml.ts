/** Reads TOML files and reports all problems at once, each with its file and key. */

import { readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { parse, type TomlTable, type TomlValue } from 'smol-toml';

/** The configuration cannot be deployed. The message names each file and key. */
export class ConfigError extends Error {
  constructor(readonly problems: readonly string[]) {
    super(`the config cannot be deployed:\n${problems.map((problem) => `  ${problem}`).join('\n')}`);
    this.name = 'ConfigError';
  }
}

/** One table of a file. Reads typed values, and records problems instead of failing at once. */
export class Section {
  private constructor(
    private readonly place: string,
    private readonly table: TomlTable,
    private readonly problems: string[],
  ) {}

  /** Opens `name` in `directory`; problems are added to `problems`. A file that cannot be read is an empty one, with a problem. */
  static open(directory: string, name: string, problems: string[]): Section {
    const path = join(directory, name);
    const file = basename(path);
    try {
      return new Section(`${file}: `, parse(readFileSync(path, 'utf8')), problems);
    } catch (error) {
      problems.push(`${file}: ${error instanceof Error ? error.message : String(error)}`);
      return new Section(`${file}: `, {}, problems);
    }
  }

  /** Notes that something is wrong with `key`. */
  problem(key: string, what: string): void {
    this.problems.push(`${this.place}${key} ${what}`);
  }

  /** A table within this one; empty if it does not exist. */
  section(key: string): Section {
    const value = this.table[key];
    if (value !== undefined && !isTable(value)) this.problem(key, 'must be a table');
    return new Section(`${this.place}${key}.`, isTable(value) ? value : {}, this.problems);
  }

  /** The tables within this one, by their names. */
  sections(): [string, Section][] {
    return Object.keys(this.table).map((key) => [key, this.section(key)]);
  }

  /** An array of tables; empty if it does not exist. */
  list(key: string): Section[] {
    const value = this.table[key] ?? [];
    if (!Array.isArray(value)) {
      this.problem(key, 'must be a list');
      return [];
    }
    return value.map((entry, number) => {
      if (!isTable(entry)) this.problem(`${key}[${number}]`, 'must be a table');
      return new Section(`${this.place}${key}[${number}].`, isTable(entry) ? entry : {}, this.problems);
    });
  }

  /** Whether the key exists. */
  has(key: string): boolean {
    return key in this.table;
  }

  /** A text that is not empty, or `undefined` if it does not exist. */
  text(key: string): string | undefined {
    const value = this.table[key];
    if (value === undefined) return undefined;
    if (typeof value === 'string' && value.trim() !== '') return value;
    this.problem(key, 'must be a text');
    return undefined;
  }

  /** A text that must be there. */
  needed(key: string): string {
    if (!this.has(key)) this.problem(key, 'is missing');
    return this.text(key) ?? '';
  }

  /** A whole number within `least` and `most`, or `undefined` if it does not exist. */
  whole(key: string, least: number, most: number): number | undefined {
    const value = this.number(key, least, most);
    if (value === undefined || Number.isInteger(value)) return value;
    this.problem(key, 'must be a whole number');
    return undefined;
  }

  /** A number within `least` and `most`, or `undefined` if it does not exist. */
  number(key: string, least: number, most: number): number | undefined {
    const value = this.table[key];
    if (value === undefined) return undefined;
    if (typeof value === 'number' && value >= least && value <= most) return value;
    this.problem(key, `must be a number from ${least} to ${most}`);
    return undefined;
  }

  /** Records every key that is not in `known`. */
  only(...known: string[]): void {
    for (const key of Object.keys(this.table)) {
      if (!known.includes(key)) this.problem(key, `is not known here: ${known.join(', ')} are`);
    }
  }
}

function isTable(value: TomlValue | undefined): value is TomlTable {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date);
}
