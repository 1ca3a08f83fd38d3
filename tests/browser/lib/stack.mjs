// A running Perennial on a free port: empty, or with the sample company.
import { spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '../../lib/free-port.mjs';
import { product } from './tools.mjs';

const EMPTY_STARTS_WITHIN_MS = 60_000;
const SAMPLE_STARTS_WITHIN_MS = 40 * 60_000;
const SETTLES_WITHIN_MS = 60_000;

/** The sample company: the stack at PERENNIAL_URL, else `perennial demo`, whose end tells whether its totals were as expected. */
export async function sample() {
  if (process.env.PERENNIAL_URL) return { url: process.env.PERENNIAL_URL.replace(/\/$/, ''), stop: async () => 0 };
  return start(['demo'], (log) => log.includes('Ctrl-C stops it'), SAMPLE_STARTS_WITHIN_MS);
}

/** An empty stack that takes events with the write key `key`, at `port` if one is given, and with `env` in its environment. */
export const empty = (key, { port, env } = {}) =>
  start(['up', '--write-key', key], (log) => log.includes('dashboard'), EMPTY_STARTS_WITHIN_MS, { port, env });

async function start(args, isUp, within, { port: wanted, env } = {}) {
  const port = wanted ?? (await freePort());
  const process_ = spawn(product, [...args, '--port', String(port)], { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...env } });
  let log = '';
  let ended = null;
  const keep = (chunk) => (log = (log + chunk).slice(-50_000));
  process_.stdout.on('data', keep);
  process_.stderr.on('data', keep);
  const exited = new Promise((resolve) => process_.once('exit', (code, signal) => resolve((ended = signal ?? code))));
  const stop = async () => {
    process_.kill('SIGTERM');
    const killer = setTimeout(() => process_.kill('SIGKILL'), 30_000);
    await exited;
    clearTimeout(killer);
    if (ended !== 0) process.stdout.write(`\`perennial ${args[0]}\` ended (${ended}); its log ends:\n${log}\n`);
    return ended;
  };
  for (const end = Date.now() + within; Date.now() < end; await sleep(100)) {
    if (ended !== null) throw new Error(`\`perennial ${args[0]}\` ended (${ended}); its log ends:\n${log}`);
    if (isUp(log)) return { url: `http://127.0.0.1:${port}`, stop };
  }
  await stop();
  throw new Error(`\`perennial ${args[0]}\` was not up within ${within / 1000} s; its log ends:\n${log}`);
}

/** Sends calls of the tracking API, and waits until all of their consequences are stored. */
export async function send(url, key, calls) {
  const headers = { authorization: `Basic ${Buffer.from(`${key}:`).toString('base64')}`, 'content-type': 'application/json' };
  const answer = await fetch(`${url}/v1/batch`, { method: 'POST', headers, body: JSON.stringify({ batch: calls }) });
  if (!answer.ok) throw new Error(`POST /v1/batch: ${answer.status} ${await answer.text()}`);
  await settled(url);
}

/** Waits until nothing is in flight. */
export async function settled(url) {
  for (const end = Date.now() + SETTLES_WITHIN_MS; Date.now() < end; await sleep(100)) {
    if ((await json(url, '/api/status')).idle) return;
  }
  throw new Error(`still not idle after ${SETTLES_WITHIN_MS / 1000} s`);
}

/** The JSON of a path of the api. */
export async function json(url, path) {
  const answer = await fetch(url + path);
  if (!answer.ok) throw new Error(`GET ${path}: ${answer.status} ${await answer.text()}`);
  return answer.json();
}
