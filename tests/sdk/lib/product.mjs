// Starts a fresh Perennial on a free port with its own empty data directory, and reads its counts.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '../../lib/free-port.mjs';
import { paths } from './paths.mjs';

const STARTS_WITHIN_MS = 30_000;
const SETTLES_WITHIN_MS = 60_000;

export class Product {
  /** Starts `perennial up` and waits until it answers. Its log is printed only if it does not. */
  static async start({ writeKey = 'WK_TEST_123', publicKey = 'PK_TEST_123' } = {}) {
    const product = new Product();
    Object.assign(product, { writeKey, publicKey });
    product.port = await freePort();
    product.url = `http://127.0.0.1:${product.port}`;
    product.dir = await mkdtemp(join(tmpdir(), 'perennial-sdk-'));
    await product.#up();
    return product;
  }

  async #up() {
    this.log = '';
    // A message that a killed process had taken comes back after the visibility timeout.
    const keys = ['--write-key', this.writeKey, '--public-key', this.publicKey];
    const args = ['up', '--port', String(this.port), '--data', this.dir, ...keys, '--visibility', '3'];
    this.process = spawn(paths.product, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    const keep = (chunk) => (this.log = (this.log + chunk).slice(-20_000));
    this.process.stdout.on('data', keep);
    this.process.stderr.on('data', keep);
    this.exited = new Promise((resolve) => {
      this.process.once('exit', (code, signal) => resolve(signal ?? code));
      this.process.once('error', (error) => resolve(error.message));
    });
    try {
      await this.#untilItAnswers();
    } catch (error) {
      await this.stop();
      throw new Error(`${error.message}; its log ends:\n${this.log}`);
    }
  }

  /** Kills the process without a warning, and starts another on the same port and data. */
  async crash() {
    this.process.kill('SIGKILL');
    await this.exited;
    await this.#up();
  }

  async #untilItAnswers() {
    let ended;
    this.exited.then((how) => (ended = { how }));
    for (const end = Date.now() + STARTS_WITHIN_MS; Date.now() < end; await sleep(50)) {
      if (ended) throw new Error(`\`${paths.product} up\` ended at once (${ended.how})`);
      const answer = await fetch(`${this.url}/api/status`).catch(() => null);
      if (answer?.ok) return;
    }
    throw new Error(`\`${paths.product} up\` did not answer /api/status within ${STARTS_WITHIN_MS / 1000} s`);
  }

  /** Ends the process, kindly first, and removes its data. */
  async stop() {
    this.process.kill('SIGTERM');
    const killer = setTimeout(() => this.process.kill('SIGKILL'), 10_000);
    await this.exited;
    clearTimeout(killer);
    await rm(this.dir, { recursive: true, force: true });
  }

  /** The JSON response of `path`; null for 404. */
  async get(path) {
    const answer = await fetch(this.url + path);
    if (answer.status === 404) return null;
    assert.equal(answer.status, 200, `GET ${path}`);
    return answer.json();
  }

  /** Waits until nothing is in flight any more, and returns that status. */
  async settled() {
    let status;
    for (const end = Date.now() + SETTLES_WITHIN_MS; Date.now() < end; await sleep(100)) {
      status = await this.get('/api/status');
      if (status.idle) return status;
    }
    assert.fail(`still not idle after ${SETTLES_WITHIN_MS / 1000} s: ${JSON.stringify(status)}`);
  }

  /** The profile of `identity`, which is any of a person's identities. */
  async profile(identity) {
    const profile = await this.get(`/api/profiles/${encodeURIComponent(identity)}`);
    assert.ok(profile, `no profile for ${identity}`);
    return profile;
  }

  async account(id) {
    const account = await this.get(`/api/accounts/${encodeURIComponent(id)}`);
    assert.ok(account, `no account ${id}`);
    return account;
  }
}
