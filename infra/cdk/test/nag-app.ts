/** The app with a role that may do everything: what cdk-nag has to refuse. */

import { App } from 'aws-cdk-lib';
import { PolicyStatement, type Role } from 'aws-cdk-lib/aws-iam';
import { addStage } from '../src/app.ts';

const app = new App();
const role = addStage(app).node.findChild('Functions').node.findChild('score').node.findChild('Role') as Role;
role.addToPolicy(new PolicyStatement({ actions: ['dynamodb:*'], resources: ['*'] }));
app.synth();
