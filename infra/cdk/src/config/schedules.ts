/** `schedules.toml`: when the clock calls which function. */

import { FUNCTIONS, type FunctionName } from './deployment.ts';
import type { Section } from './toml.ts';

/** One schedule. */
export interface Schedule {
  /** Its name. */
  readonly id: string;
  /** The function that it calls. */
  readonly function: FunctionName;
  /** `rate(5 minutes)`, `cron(0 6 * * ? *)` or `at(2027-01-31T06:00:00)`. */
  readonly expression: string;
  /** The IANA zone that a cron expression is read in. */
  readonly timeZone: string;
  /** Minutes between two calls of a rate; `undefined` for a cron or a moment. */
  readonly everyMinutes?: number;
}

/** Which functions a schedule may call. The others are fed by queues or by HTTPS. */
const SCHEDULED: readonly FunctionName[] = ['sweep', 'report'];
const MINUTES: Readonly<Record<string, number>> = { minute: 1, hour: 60, day: 1440 };

/** Reads the file; problems are recorded in it. */
export function readSchedules(file: Section): Schedule[] {
  const seen = new Set<string>();
  return file.list('schedule').map((entry) => {
    entry.only('id', 'function', 'expression', 'time_zone');
    const id = entry.needed('id');
    if (seen.has(id)) entry.problem('id', 'stands twice');
    seen.add(id);
    if (!/^[A-Za-z0-9_-]{1,40}$/.test(id)) entry.problem('id', 'must be letters, digits, _ and -, up to 40');
    const called = FUNCTIONS.find((name) => name === entry.needed('function')) ?? 'sweep';
    if (!SCHEDULED.includes(called) || called !== entry.text('function')) {
      entry.problem('function', `must be ${SCHEDULED.join(' or ')}`);
    }
    const expression = entry.needed('expression');
    if (!/^(rate|cron|at)\(.+\)$/.test(expression)) entry.problem('expression', 'must be rate(…), cron(…) or at(…)');
    return { id, function: called, expression, timeZone: entry.text('time_zone') ?? 'UTC', everyMinutes: every(expression) };
  });
}

function every(expression: string): number | undefined {
  const [, count, unit] = /^rate\((\d+) (minute|hour|day)s?\)$/.exec(expression) ?? [];
  return count && unit ? Number(count) * (MINUTES[unit] ?? 1) : undefined;
}
