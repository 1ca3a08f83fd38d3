/** `deployment.toml`: the resources of queues and functions. The shipped file contains the defaults. */

import type { Section } from './toml.ts';

/** The functions, by the names of their crates under `functions/`. */
export const FUNCTIONS = ['ingest', 'score', 'sweep', 'rollup', 'deliver', 'report', 'api', 'dashboard', 'import'] as const;
/** The name of a function. */
export type FunctionName = (typeof FUNCTIONS)[number];

/** How a function polls its queues. */
export interface Batch {
  /** Messages of one call at most, 1 to 10,000. */
  readonly messages: number;
  /** Seconds that are waited for a batch to fill, 0 to 300. */
  readonly windowSeconds: number;
  /** Calls for one queue at once at most, 2 to 1,000. */
  readonly atOnce: number;
}

/** The resources of a function. */
export interface FunctionSize {
  /** 128 to 10,240; the processor's share grows with it. */
  readonly memoryMb: number;
  /** The longest that one call takes, 1 to 900; for those behind HTTPS, 30. */
  readonly timeoutSeconds: number;
  /** The reserved concurrency; `undefined` for the account's unreserved concurrency. */
  readonly concurrency?: number;
  /** Only for functions with a queue. */
  readonly batch?: Batch;
}

/** The content of the file. */
export interface Deployment {
  readonly queues: {
    /** Attempts before a message is moved to the dead-letter queue, 1 to 1,000. */
    readonly maxReceives: number;
    /** Days after which an unprocessed message is deleted, 1 to 14. */
    readonly retentionDays: number;
    /** The same of dead letters. */
    readonly dlqRetentionDays: number;
  };
  /** Days for which logs are kept: one of CloudWatch's values. */
  readonly logDays: number;
  readonly functions: Readonly<Record<FunctionName, FunctionSize>>;
}

/** The visibility timeout of a queue, as a multiple of its function's timeout. AWS recommends six. */
export const VISIBILITY_TIMEOUTS = 6;

/** The periods that CloudWatch keeps logs for, up to a year. */
const LOG_DAYS = [1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365];
/** Functions behind HTTPS, whose callers do not wait longer than `HTTP_SECONDS`. */
const HTTP: readonly FunctionName[] = ['ingest', 'api', 'dashboard'];
const HTTP_SECONDS = 30;

const USUAL: Readonly<Record<FunctionName, FunctionSize>> = {
  ingest: { memoryMb: 256, timeoutSeconds: 15 },
  score: { memoryMb: 512, timeoutSeconds: 60, batch: { messages: 100, windowSeconds: 1, atOnce: 10 } },
  sweep: { memoryMb: 256, timeoutSeconds: 60 },
  rollup: { memoryMb: 512, timeoutSeconds: 60, batch: { messages: 100, windowSeconds: 1, atOnce: 10 } },
  deliver: { memoryMb: 256, timeoutSeconds: 60, batch: { messages: 10, windowSeconds: 0, atOnce: 10 } },
  report: { memoryMb: 1024, timeoutSeconds: 600 },
  api: { memoryMb: 256, timeoutSeconds: 15 },
  dashboard: { memoryMb: 512, timeoutSeconds: 15 },
  import: { memoryMb: 1769, timeoutSeconds: 900, batch: { messages: 1, windowSeconds: 0, atOnce: 2 } },
};

/** Reads the file; problems are recorded in it. */
export function readDeployment(file: Section): Deployment {
  file.only('queues', 'logs', 'functions');
  const queues = file.section('queues');
  queues.only('max_receives', 'retention_days', 'dlq_retention_days');
  const logs = file.section('logs');
  logs.only('retention_days');
  const functions = file.section('functions');
  functions.only(...FUNCTIONS);
  const read = (name: FunctionName) => [name, readFunction(functions.section(name), name)] as const;
  return {
    queues: {
      maxReceives: queues.whole('max_receives', 1, 1000) ?? 5,
      retentionDays: queues.whole('retention_days', 1, 14) ?? 4,
      dlqRetentionDays: queues.whole('dlq_retention_days', 1, 14) ?? 14,
    },
    logDays: readLogDays(logs),
    functions: Object.fromEntries(FUNCTIONS.map(read)) as Record<FunctionName, FunctionSize>,
  };
}

function readLogDays(logs: Section): number {
  const days = logs.whole('retention_days', 1, 365) ?? 30;
  if (!LOG_DAYS.includes(days)) logs.problem('retention_days', `must be one of ${LOG_DAYS.join(', ')}`);
  return days;
}

function readFunction(section: Section, name: FunctionName): FunctionSize {
  const usual = USUAL[name];
  section.only('memory_mb', 'timeout_seconds', 'concurrency', ...(usual.batch ? ['batch'] : []));
  const timeoutSeconds = section.whole('timeout_seconds', 1, HTTP.includes(name) ? HTTP_SECONDS : 900);
  const size = {
    memoryMb: section.whole('memory_mb', 128, 10_240) ?? usual.memoryMb,
    timeoutSeconds: timeoutSeconds ?? usual.timeoutSeconds,
    concurrency: section.whole('concurrency', 1, 65_535),
  };
  if (!usual.batch) return size;
  const batch = readBatch(section.section('batch'), usual.batch);
  if (batch.windowSeconds >= (VISIBILITY_TIMEOUTS - 1) * size.timeoutSeconds) {
    // Otherwise a message would be redelivered while its first batch is still filling or being processed.
    section.problem('batch.window_seconds', `must be below ${VISIBILITY_TIMEOUTS - 1} times timeout_seconds`);
  }
  return { ...size, batch };
}

function readBatch(section: Section, usual: Batch): Batch {
  section.only('messages', 'window_seconds', 'at_once');
  const batch = {
    messages: section.whole('messages', 1, 10_000) ?? usual.messages,
    windowSeconds: section.whole('window_seconds', 0, 300) ?? usual.windowSeconds,
    atOnce: section.whole('at_once', 2, 1000) ?? usual.atOnce,
  };
  if (batch.messages > 10 && batch.windowSeconds === 0) {
    section.problem('messages', 'above 10 need a window_seconds of 1 or more');
  }
  return batch;
}
