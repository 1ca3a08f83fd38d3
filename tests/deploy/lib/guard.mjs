// `node guard.mjs DIRECTORY COMMAND ARGUMENT…` runs a command for as long as its own standard input is open, then stops it with all its child processes, and
// removes the directory. The parent keeps the other end open, so that nothing is left running and nothing is left behind when that process dies, however it
// dies.
import { spawn } from 'node:child_process';
import { rmSync } from 'node:fs';

const [directory, command, ...args] = process.argv.slice(2);
// Detached, so that it leads its own process group, with all of its child processes.
const child = spawn(command, args, { stdio: ['ignore', 'inherit', 'inherit'], detached: true });

function end() {
  try {
    process.kill(-child.pid, 'SIGKILL');
  } catch {
    // All are gone.
  }
  rmSync(directory, { recursive: true, force: true, maxRetries: 5 });
  process.exit();
}
child.once('error', (error) => process.stderr.write(`${command}: ${error.message}\n`));
process.stdin.once('end', end).once('error', end).resume();
