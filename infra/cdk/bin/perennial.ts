/** What the CDK CLI runs. */

import { App } from 'aws-cdk-lib';
import { addStage } from '../src/app.ts';

const app = new App();
addStage(app);
app.synth();
