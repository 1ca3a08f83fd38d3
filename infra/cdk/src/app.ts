/** The app: one stage, as the command line and `infra/config` say, looked over by cdk-nag. */

import { type App, Validations } from 'aws-cdk-lib';
import { AwsSolutionsChecks } from 'cdk-nag';
import { readConfig } from './config/index.ts';
import { readOptions } from './options.ts';
import { PerennialStack } from './perennial-stack.ts';

/**
 * Adds the stage to `app`. Its synthesis fails where cdk-nag finds something that was not looked at.
 * @throws Error where the command line or the config is wrong.
 */
export function addStage(app: App): PerennialStack {
  const options = readOptions(app.node);
  const config = readConfig(options.configDirectory);
  Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
  return new PerennialStack(app, options.prefix, { options, config });
}
