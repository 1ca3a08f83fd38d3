/** The app: one stage, as the command line and `infra/config` say. */

import { App, Validations } from 'aws-cdk-lib';
import { AwsSolutionsChecks } from 'cdk-nag';
import { readConfig } from '../src/config/index.ts';
import { readOptions } from '../src/options.ts';
import { PerennialStack } from '../src/perennial-stack.ts';

const app = new App();
const options = readOptions(app.node);
const config = readConfig(options.configDirectory);
Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
new PerennialStack(app, options.prefix, { options, config });
app.synth();
