/** From `channels.toml` and `sources.toml`: the sender of mails, and the secrets of the functions. */

import type { Section } from './toml.ts';

/** How mails are sent. */
export interface Mail {
  /** The sender's bare address, its host in lower case. */
  readonly fromAddress: string;
  /** The part behind the `@`: the identity that has to be verified in SES. */
  readonly domain: string;
  /** The name of the configuration set; a stage's name is appended. */
  readonly configurationSet: string;
  /** Minutes after which a mail that SES did not report is sent again; 0 for never. */
  readonly resendUnknownMinutes: number;
  /** Shares of mails, 0 to 1, above which a journey pauses; SES puts an account under review at the same by default. */
  readonly bounceLimit: number;
  readonly complaintLimit: number;
}

/** Reads `[mail]` and `[pause]` of `channels.toml`. */
export function readMail(file: Section): Mail {
  const mail = file.section('mail');
  const from = mail.needed('from');
  const [, person, host] = /^(?:[^<]*<)?\s*([^\s<>@]+)@([^\s<>@]+)\s*>?$/.exec(from) ?? [];
  // `deliver` writes the host in lower case, and IAM compares addresses with case.
  const domain = (host ?? '').toLowerCase();
  if (mail.has('from') && !domain) mail.problem('from', 'must be an address, or `Name <address>`');
  const configurationSet = mail.needed('configuration_set');
  if (configurationSet && !/^[A-Za-z0-9_-]{1,64}$/.test(configurationSet)) {
    mail.problem('configuration_set', 'must be letters, digits, _ and -, up to 64');
  }
  const pause = file.section('pause');
  return {
    fromAddress: `${person ?? ''}@${domain}`,
    domain,
    configurationSet,
    resendUnknownMinutes: mail.whole('resend_unknown_after_minutes', 0, 1440) ?? 60,
    bounceLimit: (pause.number('bounce_percent', 0.001, 100) ?? 5) / 100,
    complaintLimit: (pause.number('complaint_percent', 0.001, 100) ?? 0.1) / 100,
  };
}

/** The places of the secrets of functions that send or receive. Each list is sorted and has no duplicates. */
export interface SecretPlaces {
  /** Environment variables. */
  readonly env: readonly string[];
  /** Secrets of Secrets Manager, by name or ARN. */
  readonly stored: readonly string[];
  /** Parameters of the Parameter Store, by name (with its leading slash) or ARN. */
  readonly parameters: readonly string[];
}

/** The secrets of the endpoints in `channels.toml`. */
export function readEndpointSecrets(file: Section): SecretPlaces {
  const places = file.section('webhook').sections().map(([, endpoint]) => ({
    env: environmentName(endpoint),
    stored: endpoint.text('secret'),
  }));
  const stored = distinct(places.map((place) => place.stored));
  return {
    env: distinct(places.map((place) => place.env)),
    stored: stored.filter((name) => !isParameter(name)),
    parameters: stored.filter(isParameter),
  };
}

/** The secrets of the hooks in `sources.toml`: always environment variables. */
export function readHookSecrets(file: Section): SecretPlaces {
  return { env: distinct(file.list('source').map(environmentName)), stored: [], parameters: [] };
}

function environmentName(section: Section): string | undefined {
  const name = section.text('secret_env');
  if (name !== undefined && !/^[A-Za-z][A-Za-z0-9_]*$/.test(name)) {
    section.problem('secret_env', 'must be letters, digits and _, and begin with a letter: Lambda takes no other variable');
    return undefined;
  }
  return name;
}

/** Uses the same rule as `deliver`. */
function isParameter(name: string): boolean {
  return name.startsWith('/') || (name.startsWith('arn:') && name.split(':')[2] === 'ssm');
}

function distinct(names: (string | undefined)[]): string[] {
  return [...new Set(names.filter((name) => name !== undefined))].sort();
}
