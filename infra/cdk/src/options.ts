/** Options of the command line, by `-c KEY=VALUE`. README.md lists the keys. */

import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Node } from 'constructs';

/** The options of a deployment besides the configuration. */
export interface Options {
  /** The prefix of all names: `perennial`, or `perennial-STAGE`. */
  readonly prefix: string;
  /** The stage's name, if an account has several. */
  readonly stage?: string;
  /** The directory of the configuration. */
  readonly configDirectory: string;
  /** The target of the functions' binaries. */
  readonly architecture: 'arm64' | 'x86_64';
  /** The package of each function, a zip or a directory with `bootstrap` in it. */
  readonly packageOf: (name: string) => string;
  /** SHA-256 of the keys of the api, in hex; with `read:` before that of a key which may only read. */
  readonly apiKeyHashes: readonly string[];
  /** The public URL of the api, without a trailing slash; default: the api's own function URL. */
  readonly publicUrl?: string;
  /** Whether the sender's domain becomes an identity of this stack. Otherwise it must be one of the account. */
  readonly createIdentity: boolean;
  /** The address that receives alarms. */
  readonly alarmMail?: string;
  /** The ARN of the KMS key of the secrets in `channels.toml`, if it is not AWS's own. */
  readonly secretsKeyArn?: string;
  /** Any text. Another one makes the functions take the present values of their secrets. */
  readonly secretsRevision: string;
  /** How colleagues sign in to the dashboard; without it the dashboard shows nothing. */
  readonly signIn?: SignIn;
  /** The days for which the dashboard's audit log is kept; the dashboard has a default. */
  readonly auditDays?: string;
}

/** Sign-in to the dashboard at an identity provider. The dashboard's own checks are stricter, and name the variable. */
export interface SignIn {
  /** The issuer, as its discovery document has it. */
  readonly issuer: string;
  readonly clientId: string;
  /** Whether the provider knows the client without a secret. */
  readonly isPublic: boolean;
  /** The dashboard's optional variables that are given, by their names. */
  readonly variables: Readonly<Record<string, string>>;
}

/** The directory of this app. */
const APP = resolve(import.meta.dirname, '..');
/** The root of the repository. */
const ROOT = resolve(APP, '../..');

/** All keys. */
export const KEYS = [
  'stage',
  'config',
  'architecture',
  'packages',
  'apiKeyHashes',
  'publicUrl',
  'mailIdentity',
  'alarmMail',
  'secretsKeyArn',
  'secretsRevision',
  'oidcIssuer',
  'oidcClientId',
  'oidcClient',
  'oidcScopes',
  'oidcGroupsClaim',
  'oidcViewers',
  'oidcOperators',
  'oidcAdmins',
  'sessionHours',
  'dashboardUrl',
  'auditDays',
] as const;
type Key = (typeof KEYS)[number];

/**
 * Reads the context.
 * @throws Error naming the missing or invalid key, and the allowed values.
 */
export function readOptions(node: Node): Options {
  const text = (key: Key): string | undefined => {
    const value: unknown = node.tryGetContext(key);
    return value === undefined || String(value).trim() === '' ? undefined : String(value).trim();
  };
  const stage = text('stage');
  if (stage !== undefined && !/^[a-z][a-z0-9-]{0,19}$/.test(stage)) {
    throw new Error('-c stage must be lower-case letters, digits and -, begin with a letter, and have 20 characters at most');
  }
  const packages = text('packages') ?? join(ROOT, 'target/lambda');
  return {
    prefix: stage === undefined ? 'perennial' : `perennial-${stage}`,
    stage,
    configDirectory: resolve(text('config') ?? join(ROOT, 'infra/config')),
    architecture: one(text('architecture') ?? host(), 'architecture', ['arm64', 'x86_64']),
    packageOf: packages === 'placeholder' ? () => join(APP, 'placeholder') : (name) => zip(packages, name),
    apiKeyHashes: hashes(text('apiKeyHashes')),
    publicUrl: url(text('publicUrl'), 'publicUrl'),
    createIdentity: one(text('mailIdentity') ?? 'existing', 'mailIdentity', ['existing', 'create']) === 'create',
    alarmMail: text('alarmMail'),
    secretsKeyArn: text('secretsKeyArn'),
    secretsRevision: text('secretsRevision') ?? '1',
    signIn: signIn(text),
    auditDays: whole(text('auditDays'), 'auditDays', 3650),
  };
}

/** The options of sign-in that are variables of the dashboard, by the variable's name. */
const SIGN_IN_VARIABLES: readonly (readonly [string, Key])[] = [
  ['OIDC_SCOPES', 'oidcScopes'],
  ['OIDC_GROUPS_CLAIM', 'oidcGroupsClaim'],
  ['OIDC_VIEWERS', 'oidcViewers'],
  ['OIDC_OPERATORS', 'oidcOperators'],
  ['OIDC_ADMINS', 'oidcAdmins'],
];

function signIn(text: (key: Key) => string | undefined): SignIn | undefined {
  const [issuer, clientId] = [text('oidcIssuer'), text('oidcClientId')];
  const others = SIGN_IN_VARIABLES.flatMap(([name, key]) => {
    const value = text(key);
    return value === undefined ? [] : [[name, value] as const];
  });
  const [hours, address] = [whole(text('sessionHours'), 'sessionHours', 24), url(text('dashboardUrl'), 'dashboardUrl')];
  if (issuer === undefined) {
    if (clientId ?? others[0] ?? hours ?? address) throw new Error('-c oidcIssuer is missing: the other options of sign-in need it');
    return undefined;
  }
  if (!/^(https:\/\/[^/?#]+|http:\/\/(127\.0\.0\.1|localhost)(:\d+)?)(\/[^?#]*)?$/.test(issuer)) throw new Error('-c oidcIssuer must be the https URL that the discovery document of your identity provider calls `issuer`');
  if (clientId === undefined) throw new Error('-c oidcClientId must be the client id that your identity provider gave the dashboard');
  if (!others.some(([name]) => ['OIDC_VIEWERS', 'OIDC_OPERATORS', 'OIDC_ADMINS'].includes(name))) {
    throw new Error('-c oidcViewers, oidcOperators or oidcAdmins must name a group, mail:ADDRESS or domain:DOMAIN: otherwise nobody has access');
  }
  const optional = { ...(hours && { SESSION_HOURS: hours }), ...(address && { DASHBOARD_URL: address }) };
  return {
    issuer,
    clientId,
    isPublic: one(text('oidcClient') ?? 'secret', 'oidcClient', ['secret', 'public']) === 'public',
    variables: { ...Object.fromEntries(others), ...optional },
  };
}

function whole(text: string | undefined, key: Key, most: number): string | undefined {
  if (text === undefined) return undefined;
  if (!/^\d+$/.test(text) || Number(text) < 1 || Number(text) > most) throw new Error(`-c ${key} must be a whole number from 1 to ${most}`);
  return text;
}

/** The default target of `cargo lambda build`. */
function host(): string {
  return process.arch === 'arm64' ? 'arm64' : 'x86_64';
}

function one<T extends string>(value: string, key: Key, allowed: readonly T[]): T {
  const found = allowed.find((known) => known === value);
  if (found === undefined) throw new Error(`-c ${key} must be ${allowed.join(' or ')}, not ${value}`);
  return found;
}

function zip(packages: string, name: string): string {
  const path = resolve(packages, name, 'bootstrap.zip');
  if (!existsSync(path)) {
    throw new Error(`${path} is not there: run \`cargo lambda build --release --output-format zip\`, or say where it is by -c packages=DIRECTORY`);
  }
  return path;
}

function hashes(text: string | undefined): string[] {
  const found = (text ?? '').split(',').map((hash) => hash.trim()).filter((hash) => hash !== '');
  const wrong = found.filter((hash) => !/^((read|operate):)?[0-9a-f]{64}$/.test(hash));
  if (found.length === 0 || wrong.length > 0) {
    throw new Error('-c apiKeyHashes must be the SHA-256 of each key of the api, in hex, with commas between, and with read: before that of a key which may only read: `perennial key` makes both');
  }
  return found;
}

function url(text: string | undefined, key: Key): string | undefined {
  if (text === undefined) return undefined;
  if (!/^https:\/\/[^/]+\/?$/.test(text)) throw new Error(`-c ${key} must be https://HOST without a path`);
  return text.replace(/\/$/, '');
}
