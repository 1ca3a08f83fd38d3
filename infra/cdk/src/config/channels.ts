/** Of `channels.toml` and `sources.toml`: who mails come from, and which secrets the functions need. */

import type { Section } from './toml.ts';

/** How mails go out. */
export interface Mail {
  /** The sender's bare address, its host in lower case. */
  readonly fromAddress: string;
  /** The part of it behind the `@`: the identity that SES has to have verified. */
  readonly domain: string;
  /** The name of the configuration set; a stage's has the stage behind it. */
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
  // `deliver` writes the host in lower case, and IAM tells the cases of an address apart.
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

/** Where the secrets of the functions that send or receive are. Each list is sorted and names nothing twice. */
export interface SecretPlaces {
  /** Environment variables. */
  readonly env: readonly string[];
  /** Secrets of Secrets Manager, by name or ARN. */
  readonly stored: readonly string[];
  /** Parameters of the Parameter Store, by name (with its first slash) or ARN. */
  readonly parameters: readonly string[];
}

/** What the endpoints of `channels.toml` name. */
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

/** What the hooks of `sources.toml` name: always environment variables. */
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

/** As `deliver` tells them apart. */
function isParameter(name: string): boolean {
  return name.startsWith('/') || (name.startsWith('arn:') && name.split(':')[2] === 'ssm');
}

function distinct(names: (string | undefined)[]): string[] {
  return [...new Set(names.filter((name) => name !== undefined))].sort();
}
