import { spawn } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { paths } from './lib/paths.mjs';
import { serverSdk } from './lib/server-sdk.mjs';

const script = join(dirname(fileURLToPath(import.meta.url)), 'segment_python.py');

for (const gzip of [false, true]) {
  serverSdk(`segment-analytics-python, ${gzip ? 'gzip' : 'plain'}`, async ({ url, writeKey, calls }) => {
    const python = spawn(paths.python, [script], { stdio: ['pipe', 'pipe', 'inherit'] });
    python.stdin.end(JSON.stringify({ url, writeKey, gzip, calls }));
    const output = Buffer.concat(await python.stdout.toArray()).toString();
    return JSON.parse(output);
  });
}
