// Runs commands, and waits for what takes a while.
import { spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Runs a command to its end and returns its standard output.
 * @throws Error with all of its output if it fails, or takes longer than `within` milliseconds.
 */
export function run(command, args, { within = 120_000, ...options } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], ...options });
    let output = '';
    let all = '';
    child.stdout.on('data', (chunk) => ((output += chunk), (all += chunk)));
    child.stderr.on('data', (chunk) => (all += chunk));
    const killer = setTimeout(() => child.kill('SIGKILL'), within);
    const told = `${command} ${args.join(' ')}`;
    child.once('error', (error) => (clearTimeout(killer), reject(new Error(`${told}: ${error.message}`))));
    child.once('close', (code, signal) => {
      clearTimeout(killer);
      if (code === 0) resolve(output);
      else reject(new Error(`${told} ended with ${signal ?? code}:\n${all.slice(-20_000)}`));
    });
  });
}

/**
 * Calls `look` repeatedly until it returns a true value, and returns that.
 * @throws Error with what was waited for, and the last result or error of `look`.
 */
export async function until(what, look, { within = 30_000, every = 200 } = {}) {
  let last;
  for (const end = Date.now() + within; ; await sleep(every)) {
    try {
      last = await look();
      if (last) return last;
    } catch (error) {
      last = error;
    }
    if (Date.now() > end) break;
  }
  const seen = last instanceof Error ? (last.stack ?? last.message) : JSON.stringify(last);
  throw new Error(`not within ${within / 1000} s: ${what}; the last look gave ${seen}`);
}
