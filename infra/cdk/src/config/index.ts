/** The parts of `infra/config` that a deployment reads. `perennial config check` checks the files as a whole. */

import { queuesOf } from '../flow.ts';
import { type Mail, readEndpointSecrets, readHookSecrets, readMail, type SecretPlaces } from './channels.ts';
import { type Deployment, FUNCTIONS, readDeployment, VISIBILITY_TIMEOUTS } from './deployment.ts';
import { readSchedules, type Schedule } from './schedules.ts';
import { ConfigError, Section } from './toml.ts';

/** The parts of `infra/config` that a deployment reads. */
export interface Config {
  readonly deployment: Deployment;
  readonly schedules: readonly Schedule[];
  readonly mail: Mail;
  /** The secrets that `deliver` needs. */
  readonly endpoints: SecretPlaces;
  /** The secrets that `ingest` needs. */
  readonly hooks: SecretPlaces;
}

/**
 * Reads the files in `directory`.
 * @throws ConfigError naming all that is wrong.
 */
export function readConfig(directory: string): Config {
  const problems: string[] = [];
  const open = (name: string) => Section.open(directory, name, problems);
  const channels = open('channels.toml');
  const config: Config = {
    deployment: readDeployment(open('deployment.toml')),
    schedules: readSchedules(open('schedules.toml')),
    mail: readMail(channels),
    endpoints: readEndpointSecrets(channels),
    hooks: readHookSecrets(open('sources.toml')),
  };
  problems.push(...lateReports(config), ...starved(config));
  if (problems.length > 0) throw new ConfigError(problems);
  return config;
}

/**
 * A mail that SES did not report in time is sent again. So a report must not be able to be late and still arrive: by the end of
 * `resend_unknown_after_minutes` the queue has to be through with its attempts.
 */
function lateReports({ deployment, mail }: Config): string[] {
  const attempts = deployment.queues.maxReceives;
  const timeout = deployment.functions.deliver.timeoutSeconds;
  const seconds = (attempts - 1) * VISIBILITY_TIMEOUTS * timeout + timeout;
  if (mail.resendUnknownMinutes === 0 || seconds < mail.resendUnknownMinutes * 60) return [];
  return [
    `channels.toml: mail.resend_unknown_after_minutes must be above ${Math.floor(seconds / 60)}, the minutes in which a failing report is ` +
      'tried to its end (deployment.toml: queues.max_receives and functions.deliver.timeout_seconds)',
  ];
}

/** A queue that takes more calls than its function may have loses attempts at those that are turned away, and so whole messages. */
function starved({ deployment }: Config): string[] {
  return FUNCTIONS.flatMap((name) => {
    const { concurrency, batch } = deployment.functions[name];
    const queues = queuesOf(name).length;
    const wanted = queues * (batch?.atOnce ?? 0);
    if (concurrency === undefined || concurrency >= wanted) return [];
    return [`deployment.toml: functions.${name}.concurrency must be ${wanted} or more: batch.at_once for each of ${queues} queues`];
  });
}

export type { Batch, Deployment, FunctionName, FunctionSize } from './deployment.ts';
export type { Mail, SecretPlaces } from './channels.ts';
export type { Schedule } from './schedules.ts';
export { FUNCTIONS, VISIBILITY_TIMEOUTS } from './deployment.ts';
export { ConfigError } from './toml.ts';
