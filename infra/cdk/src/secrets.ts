/** Secrets that functions have in their environment. Each is created with a random value, which is the key itself or waits for the real one. */

import { RemovalPolicy } from 'aws-cdk-lib';
import { type CfnSecret, type ISecret, Secret } from 'aws-cdk-lib/aws-secretsmanager';
import { Construct } from 'constructs';
import { acknowledge } from './nag.ts';
import type { SignIn } from './options.ts';

/** Letters and digits; a multiple of four, so that it is also base64, as signing keys of Standard Webhooks are. */
const RANDOM = { passwordLength: 64, excludeCharacters: '!"#$%&\'()*+,-./:;<=>?@[\\]^_`{|}~' };

/** How a secret is stored. */
interface Kept {
  readonly about: string;
  readonly removal: RemovalPolicy;
  /** Why it is not rotated automatically. */
  readonly rotation: string;
}

/** Keys of the functions themselves, by the variables that hold them. The first of several signs, all verify. */
const OWN: Readonly<Record<'UNSUBSCRIBE_KEYS' | 'INBOX_SECRETS', Kept>> = {
  UNSUBSCRIBE_KEYS: {
    about: 'Keys of unsubscribe links, with commas between',
    // Links in sent mails can be verified with nothing else.
    removal: RemovalPolicy.RETAIN,
    rotation: 'Links in mails work for years: a new key goes before the old one by hand, as the README says.',
  },
  INBOX_SECRETS: {
    about: 'What tokens of users and of their inboxes are made with, with commas between: for the product\'s own server too',
    removal: RemovalPolicy.DESTROY,
    rotation: 'The product\'s server makes tokens with it, and has to change it at the same time.',
  },
};

/** Secrets of the configuration: a hook's signing secret, an endpoint's, a chat's address. */
const SHARED: Kept = {
  about: 'What the config of Perennial calls by the last part of this name',
  removal: RemovalPolicy.DESTROY,
  rotation: 'It is shared with another company\'s system, which has to change it at the same time.',
};

/** Secrets of a stage whose colleagues sign in to the dashboard. */
const SIGN_IN: Readonly<Record<'SESSION_KEYS' | 'OIDC_CLIENT_SECRET', Kept>> = {
  SESSION_KEYS: {
    about: 'Keys of the dashboard\'s sessions, one or two with a comma between',
    removal: RemovalPolicy.DESTROY,
    rotation: 'A new key goes before the old one by hand, as the README says; without the old one everyone has to sign in again.',
  },
  OIDC_CLIENT_SECRET: {
    about: 'The dashboard\'s client secret at the identity provider',
    removal: RemovalPolicy.DESTROY,
    rotation: 'The identity provider makes it, and has to change it at the same time.',
  },
};

/** The secrets of a stage. */
export class Secrets extends Construct {
  private readonly all: ReadonlyMap<string, ISecret>;

  constructor(scope: Construct, id: string, props: { prefix: string; names: readonly string[]; signIn?: SignIn }) {
    super(scope, id);
    const create = (name: string, of: Kept) => [name, this.create(name, `${props.prefix}/${name}`, of)] as const;
    this.all = new Map([
      ...Object.entries(OWN).map(([name, of]) => create(name, of)),
      ...Object.entries(SIGN_IN)
        .filter(([name]) => props.signIn !== undefined && !(name === 'OIDC_CLIENT_SECRET' && props.signIn.isPublic))
        .map(([name, of]) => create(name, of)),
      ...props.names.map((name) => create(name, SHARED)),
    ]);
  }

  /** The secrets called `names`, as environment variables. */
  environment(...names: readonly string[]): Record<string, string> {
    const value = (name: string): string => {
      const secret = this.all.get(name);
      if (!secret) throw new Error(`there is no secret ${name}`);
      // A reference that CloudFormation resolves when it writes the function: the template never contains the value.
      return secret.secretValue.unsafeUnwrap();
    };
    return Object.fromEntries(names.map((name) => [name, value(name)]));
  }

  private create(id: string, name: string, { about, removal, rotation }: Kept): ISecret {
    const secret = new Secret(this, id, {
      secretName: name,
      description: about,
      generateSecretString: RANDOM,
      removalPolicy: removal,
    });
    acknowledge(secret, 'AwsSolutions-SMG4', rotation);
    // Uses the attribute `Id`, which is the ARN in AWS and in emulators; some emulators do not support `Ref`.
    return Secret.fromSecretCompleteArn(secret, 'ByArn', (secret.node.defaultChild as CfnSecret).attrId);
  }
}
