/** Secrets that functions have in their environment. Each is created with a random value, which is the key itself or waits for the real one. */

import { RemovalPolicy, type SecretValue } from 'aws-cdk-lib';
import { type CfnSecret, type ISecret, Secret } from 'aws-cdk-lib/aws-secretsmanager';
import { Construct } from 'constructs';
import { acknowledge } from './nag.ts';

/** Letters and digits; a multiple of four, so that it is also base64, as signing keys of Standard Webhooks are. */
const LENGTH = 64;

/** The secrets of a stage. */
export class Secrets extends Construct {
  private readonly unsubscribe: ISecret;
  private readonly named: ReadonlyMap<string, ISecret>;

  constructor(scope: Construct, id: string, props: { prefix: string; names: readonly string[] }) {
    super(scope, id);
    this.unsubscribe = this.create('UnsubscribeKeys', {
      name: `${props.prefix}/UNSUBSCRIBE_KEYS`,
      about: 'Keys of unsubscribe links, with commas between: the first signs, all verify',
      // Links in mails that went out verify with nothing else.
      removal: RemovalPolicy.RETAIN,
      rotation: 'Links in mails work for years. A new key goes before the old one by hand, as the README says.',
    });
    this.named = new Map(
      props.names.map((name) => [
        name,
        this.create(name, {
          name: `${props.prefix}/${name}`,
          about: `What Perennial's functions have as ${name}`,
          removal: RemovalPolicy.DESTROY,
          rotation: 'It is shared with another company\'s system, which has to change it at the same time.',
        }),
      ]),
    );
  }

  /** The keys of unsubscribe links. */
  get unsubscribeKeys(): string {
    return this.inEnvironment(this.unsubscribe.secretValue);
  }

  /** The secrets called `names`, as variables of an environment. */
  environment(names: readonly string[]): Record<string, string> {
    const value = (name: string): string => {
      const secret = this.named.get(name);
      if (!secret) throw new Error(`there is no secret ${name}`);
      return this.inEnvironment(secret.secretValue);
    };
    return Object.fromEntries(names.map((name) => [name, value(name)]));
  }

  private create(id: string, of: { name: string; about: string; removal: RemovalPolicy; rotation: string }): ISecret {
    const secret = new Secret(this, id, {
      secretName: of.name,
      description: of.about,
      generateSecretString: { passwordLength: LENGTH, excludePunctuation: true },
      removalPolicy: of.removal,
    });
    acknowledge(secret, 'AwsSolutions-SMG4', of.rotation);
    // By its attribute `Id`, which is the ARN in AWS and in emulators of it; `Ref` is not in all of them.
    const arn = (secret.node.defaultChild as CfnSecret).attrId;
    return Secret.fromSecretCompleteArn(secret, 'ByArn', arn);
  }

  /** A reference that CloudFormation resolves when it writes the function: the template never holds the value. */
  private inEnvironment(value: SecretValue): string {
    return value.unsafeUnwrap();
  }
}
