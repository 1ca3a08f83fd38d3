/** The entry point of the CDK CLI. */

import { App } from 'aws-cdk-lib';
import { addStage } from '../src/app.ts';

const app = new App();
addStage(app);
app.synth();
