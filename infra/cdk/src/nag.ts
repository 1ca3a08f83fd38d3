/** Reviewed findings of cdk-nag that are accepted, each with its reason beside its construct. */

import { Validations } from 'aws-cdk-lib';
import type { IConstruct } from 'constructs';

/** Accepts a finding on `construct`. `rule` names one finding if the rule has several: `AwsSolutions-IAM5[Resource::…]`. */
export function acknowledge(construct: IConstruct, rule: string, reason: string): void {
  Validations.of(construct).acknowledge({ id: rule, reason });
}
