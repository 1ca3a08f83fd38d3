/** Findings of cdk-nag that were looked at and stay, each with its reason beside what it is about. */

import { Validations } from 'aws-cdk-lib';
import type { IConstruct } from 'constructs';

/** Says why a finding on `construct` stays. `rule` names the one finding where the rule has several: `AwsSolutions-IAM5[Resource::…]`. */
export function acknowledge(construct: IConstruct, rule: string, reason: string): void {
  Validations.of(construct).acknowledge({ id: rule, reason });
}
