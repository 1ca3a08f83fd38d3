// `node guard.mjs DIRECTORY COMMAND ARGUMENT…` runs a command for as long as its own standard input is open, then ends it with all that it
// has started, and removes the directory. Whoever starts it holds the other end, so that nothing goes on running and nothing is left when
// that process dies, however it dies.
import { spawn } from 'node:child_process';
import { rmSync } from 'node:fs';

const [directory, command, ...args] = process.argv.slice(2);
// Detached, so that it leads a process group of its own: whatever it starts is in there.
const child = spawn(command, args, { stdio: ['ignore', 'inherit', 'inherit'], detached: true });

function end() {
  try {
    process.kill(-child.pid, 'SIGKILL');
  } catch {
    // They are all gone.
  }
  rmSync(directory, { recursive: true, force: true, maxRetries: 5 });
  process.exit();
}
child.once('error', (error) => process.stderr.write(`${command}: ${error.message}\n`));
process.stdin.once('end', end).once('error', end).resume();
