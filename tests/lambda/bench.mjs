// The functions' own binaries beside the embedded stack, called through cargo-lambda's emulation of Lambda.
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { appendFile, cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { freePort } from '../lib/free-port.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const perennial = process.env.PERENNIAL_BIN ?? join(root, 'target', 'debug', 'perennial');
const tools = process.env.PERENNIAL_TEST_TOOLS ?? join(root, 'target', 'test-tools');
const cargoLambda = join(tools, 'venv', 'bin', 'cargo-lambda');
const run = promisify(execFile);

const WITHIN_MS = 30_000;
const DAY_MS = 86_400_000;
/** The end of the samples' story. */
const TOLD = Date.parse('2026-06-01T09:10:00Z');
/** A moment of the story as the samples write it. */
const MOMENT = /2026-06-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?Z/g;

/**
 * The story as of today: all its times moved by the same number of whole days, since last year's trial has long ended. Signed
 * parts stay unchanged.
 */
export function recent(payload, now = Date.now()) {
  if (/x-hub-signature/i.test(payload)) return payload;
  const days = Math.floor((now - TOLD) / DAY_MS);
  return payload.replace(MOMENT, (moment, fraction) => {
    const moved = new Date(Date.parse(moment) + days * DAY_MS).toISOString();
    return moved.replace(/\.\d+Z$/, `${fraction ?? ''}Z`);
  });
}

/** The functions that queues and schedules call; the others are called by URL. */
const CALLED = ['score', 'sweep', 'rollup', 'deliver', 'report', 'import'];

export const FUNCTIONS = ['ingest', ...CALLED, 'api', 'dashboard'];
export const samples = join(root, 'events');

/** A process whose output is kept, and printed if it ends by itself. */
class Child {
  constructor(command, args, env = process.env) {
    this.name = command;
    this.log = '';
    this.process = spawn(command, args, { cwd: root, env, stdio: ['ignore', 'pipe', 'pipe'] });
    const keep = (chunk) => (this.log = (this.log + chunk).slice(-50_000));
    this.process.stdout.on('data', keep);
    this.process.stderr.on('data', keep);
    this.ended = new Promise((resolve) => {
      this.process.once('exit', (code, signal) => resolve(signal ?? code));
      this.process.once('error', (error) => resolve(error.message));
    });
    this.ended.then((how) => (this.end = how));
  }

  /** Waits for what `find` finds. */
  async until(what, find) {
    for (const end = Date.now() + WITHIN_MS; Date.now() < end; await sleep(50)) {
      assert.equal(this.end, undefined, `${this.name} ended (${this.end}):\n${this.log}`);
      const found = await find(this);
      if (found) return found;
    }
    assert.fail(`${this.name}: no ${what} within ${WITHIN_MS / 1000} s:\n${this.log}`);
  }

  async stop() {
    this.process.kill('SIGTERM');
    const killer = setTimeout(() => this.process.kill('SIGKILL'), 10_000);
    await this.ended;
    clearTimeout(killer);
  }
}

export class Bench {
  #children = [];

  /** Starts the stack without its functions, Lambda's APIs, and every function with the environment that the stack reports. */
  static async start() {
    const bench = new Bench();
    try {
      await bench.#start();
      return bench;
    } catch (error) {
      await bench.stop();
      throw error;
    }
  }

  async #start() {
    this.port = String(await freePort());
    const lambda = `http://127.0.0.1:${this.port}`;
    const apis = this.#spawn(cargoLambda, ['lambda', 'watch', '--only-lambda-apis', '-A', '127.0.0.1', '-P', this.port]);
    await apis.until('server', ({ log }) => log.includes('starting Runtime server'));

    this.folder = await mkdtemp(join(tmpdir(), 'perennial-bench-'));
    const config = join(this.folder, 'config');
    await cp(join(root, 'infra', 'config'), config, { recursive: true });
    await appendFile(join(config, 'imports.toml'), await readFile(join(samples, 'import', 'imports.toml')));
    const up = ['up', '--port', '0', '--config', config, '--without', CALLED.join(','), '--invoke', lambda];
    this.stack = this.#spawn(perennial, up);
    [, this.url] = await this.stack.until('address', ({ log }) => log.match(/is up at (\S+)/));

    this.functions = {};
    for (const name of FUNCTIONS) {
      const env = {
        ...(await this.environment(name)),
        AWS_LAMBDA_RUNTIME_API: `${lambda}/.rt/${name}`,
        AWS_LAMBDA_FUNCTION_NAME: name,
        AWS_LAMBDA_FUNCTION_VERSION: '1',
        AWS_LAMBDA_FUNCTION_MEMORY_SIZE: '512',
      };
      this.functions[name] = this.#spawn(join(dirname(perennial), name), [], env);
    }
  }

  #spawn(...args) {
    const child = new Child(...args);
    this.#children.push(child);
    return child;
  }

  /** The output of `perennial env`, as a shell would read it. */
  async environment(name) {
    const { stdout } = await run(perennial, ['env', name, '--url', this.url]);
    const pairs = stdout.trimEnd().split('\n').map((line) => line.match(/^(\w+)=(?:'(.*)'|(.*))$/).slice(1));
    return Object.fromEntries(pairs.map(([key, quoted, plain]) => [key, quoted ?? plain]));
  }

  /** Puts a copy of a file into the directory that replaces the bucket. */
  async put(key, file) {
    const { BUCKET } = await this.environment('import');
    const path = join(fileURLToPath(BUCKET), key);
    await mkdir(dirname(path), { recursive: true });
    await cp(file, path);
  }

  /** The function's response to a sample payload moved to today: `cargo lambda invoke NAME --data-file events/NAME/FILE`. */
  async invoke(sample) {
    const [name] = sample.split('/');
    const folder = await mkdtemp(join(tmpdir(), 'perennial-sample-'));
    const file = join(folder, 'payload.json');
    await writeFile(file, recent(await readFile(join(samples, sample), 'utf8')));
    const args = ['lambda', 'invoke', name, '-A', '127.0.0.1', '-P', this.port, '--data-file', file];
    try {
      const { stdout } = await run(cargoLambda, args, { cwd: root, timeout: WITHIN_MS });
      return JSON.parse(stdout);
    } catch (error) {
      throw new Error(`${sample}: ${error.message}\n${this.functions[name].log}`);
    } finally {
      await rm(folder, { recursive: true });
    }
  }

  /** The JSON answer of the stack's own port. */
  async get(path) {
    const answer = await fetch(this.url + path, { signal: AbortSignal.timeout(WITHIN_MS) });
    assert.equal(answer.status, 200, `GET ${path}: ${await answer.clone().text()}`);
    return answer.json();
  }

  /** Waits until the response of `path` satisfies `is`, and returns it. */
  async eventually(path, is) {
    return this.stack.until(path, async () => {
      const answer = await fetch(this.url + path, { signal: AbortSignal.timeout(WITHIN_MS) });
      const body = answer.ok && (await answer.json());
      return body && is(body) ? body : null;
    });
  }

  /** Ends all processes, those that were started last first. */
  async stop() {
    for (const child of this.#children.reverse()) await child.stop();
    if (this.folder) await rm(this.folder, { recursive: true });
  }
}
