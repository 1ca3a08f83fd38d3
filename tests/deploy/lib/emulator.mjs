// An AWS on this machine: ministack, with TLS and with IAM enforced.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { openSync, readFileSync } from 'node:fs';
import { mkdir, mkdtemp } from 'node:fs/promises';
import { Agent, request } from 'node:https';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePort } from '../../lib/free-port.mjs';
import { certify } from './certificates.mjs';
import { paths } from './paths.mjs';
import { run, until } from './run.mjs';

export const REGION = 'eu-central-1';
export const ACCOUNT = '000000000000';
const STARTS_WITHIN_MS = 60_000;
const ANSWERS_WITHIN_MS = 30_000;

export class Emulator {
  /** Starts an empty one. */
  static async start() {
    const emulator = new Emulator();
    await mkdir(paths.target, { recursive: true });
    emulator.directory = await mkdtemp(join(paths.target, 'deploy-'));
    await emulator.#up();
    return emulator;
  }

  async #up() {
    const tls = await certify(this.directory);
    const port = await freePort();
    this.agent = new Agent({ ca: readFileSync(tls.authority), keepAlive: true });
    // An address, not a name: clients then put a bucket's name into the path, and not before a host that no resolver knows.
    this.url = `https://127.0.0.1:${port}`;
    const temporary = join(this.directory, 'tmp');
    await mkdir(temporary);
    // Its environment and that of its clients, without the environment of the shell around the tests: functions inherit ministack's, and must get everything
    // from their deployment.
    this.environment = {
      PATH: process.env.PATH,
      HOME: this.directory,
      TMPDIR: temporary,
      LANG: 'C.UTF-8',
      AWS_ENDPOINT_URL: this.url,
      AWS_CA_BUNDLE: tls.authority,
      NODE_EXTRA_CA_CERTS: tls.authority,
      AWS_REGION: REGION,
      AWS_DEFAULT_REGION: REGION,
      AWS_ACCESS_KEY_ID: 'test',
      AWS_SECRET_ACCESS_KEY: 'test',
      AWS_CONFIG_FILE: '/dev/null',
      AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
      AWS_EC2_METADATA_DISABLED: 'true',
    };
    this.logFile = join(this.directory, 'ministack.log');
    const log = openSync(this.logFile, 'a');
    // Not by its own command `ministack`: with TLS and as root that takes port 443 too.
    const server = ['-m', 'hypercorn', 'ministack.app:app', '--workers', '0', '--bind', `127.0.0.1:${port}`];
    const guard = join(dirname(fileURLToPath(import.meta.url)), 'guard.mjs');
    this.process = spawn(
      process.execPath,
      [guard, this.directory, paths.python, ...server, '--certfile', tls.certificate, '--keyfile', tls.key],
      {
        detached: true,
        cwd: this.directory,
        stdio: ['pipe', log, log],
        env: {
          ...this.environment,
          GATEWAY_PORT: String(port),
          MINISTACK_HOST: '127.0.0.1',
          MINISTACK_REGION: REGION,
          MINISTACK_ACCOUNT_ID: ACCOUNT,
          USE_SSL: '1',
          MINISTACK_SSL_CERT: tls.certificate,
          MINISTACK_SSL_KEY: tls.key,
          AUTH: 'true',
          LAMBDA_EXECUTOR: 'local',
          IOT_MTLS_ENABLED: '0',
          SFTP_ENABLED: '0',
          S3_DATA_DIR: join(this.directory, 's3'),
          STATE_DIR: join(this.directory, 'state'),
        },
      },
    );
    this.exited = once(this.process, 'exit');
    this.process.stdin.on('error', () => {});
    try {
      const ready = async () => (await this.fetch('/_ministack/ready')).status === 200;
      await until('ministack is ready', ready, { within: STARTS_WITHIN_MS });
    } catch (error) {
      const log = this.log();
      await this.stop();
      throw new Error(`${error.message}; its log ends:\n${log}`);
    }
  }

  /** Sends an HTTPS request to it: `{status, headers, text}`. */
  fetch(path, { method = 'GET', headers = {}, body } = {}) {
    // Not Node's `fetch`, which knows only authorities configured before this process started.
    return new Promise((resolve, reject) => {
      const options = { method, headers, agent: this.agent, timeout: ANSWERS_WITHIN_MS };
      const asked = request(this.url + path, options, async (response) => {
        try {
          let text = '';
          for await (const chunk of response.setEncoding('utf8')) text += chunk;
          resolve({ status: response.statusCode, headers: response.headers, text });
        } catch (error) {
          reject(error);
        }
      });
      asked.once('error', reject);
      asked.once('timeout', () => asked.destroy(new Error(`${method} ${path}: no answer within ${ANSWERS_WITHIN_MS / 1000} s`)));
      asked.end(body);
    });
  }

  /** The last output of ministack. */
  log(characters = 6_000) {
    return readFileSync(this.logFile, 'utf8').slice(-characters);
  }

  /** Runs the CDK CLI in `cwd`, and returns its output. */
  cdk(args, { cwd = paths.app } = {}) {
    return run(paths.cdk, args, { cwd, within: 180_000, env: { ...this.environment, CI: 'true' } });
  }

  /** Stops it, with all functions that run in it, and removes its files. */
  async stop() {
    this.agent.destroy();
    this.process.stdin.end();
    await this.exited;
  }
}
