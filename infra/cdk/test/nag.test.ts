import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { resolve } from 'node:path';
import { it } from 'node:test';
import { HASH, scratch } from './support.ts';

// Synthesising the app fails on any finding, so only the failure needs a test.
it('cdk-nag refuses a role that may do more than was looked at', () => {
  const { status, stdout, stderr } = spawnSync(process.execPath, ['--import', 'tsx', 'test/nag-app.ts'], {
    cwd: resolve(import.meta.dirname, '..'),
    encoding: 'utf8',
    env: {
      ...process.env,
      CDK_OUTDIR: scratch('nag'),
      CDK_CONTEXT_JSON: JSON.stringify({ packages: 'placeholder', apiKeyHashes: HASH }),
    },
  });
  assert.notEqual(status, 0);
  assert.match(stdout + stderr, /AwsSolutions-IAM5\[Action::dynamodb:\*\]/);
  assert.match(stdout + stderr, /AwsSolutions-IAM5\[Resource::\*\]/);
});
