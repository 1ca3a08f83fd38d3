// Prints each check as it ends, failures with their cause, and the closing line `N passed, N failed`.
import { inspect } from 'node:util';

export default async function* report(events) {
  let passed = 0;
  let failed = 0;
  let skipped = 0;
  const failures = [];
  // The suites around the present check, outermost first, each printed before the first check in it.
  let around = [];
  for await (const { type, data } of events) {
    if (type === 'test:start') {
      around = [...around.slice(0, data.nesting), { name: data.name, printed: false }];
      continue;
    }
    if (type === 'test:stderr' || type === 'test:stdout') yield data.message;
    if (type !== 'test:pass' && type !== 'test:fail') continue;
    const indent = '  '.repeat(data.nesting);
    const cause = data.details.error?.cause ?? data.details.error;
    if (data.details.type === 'suite') {
      // A suite fails because of a check inside it, which has been counted, unless it could not even begin.
      const inside = data.details.error?.failureType === 'subtestsFailed';
      if (type === 'test:fail' && !inside) {
        failed += 1;
        failures.push([data, cause]);
      }
      if (data.skip !== undefined) {
        skipped += 1;
        yield `${indent}skip  ${data.name}: ${data.skip}\n`;
      }
      continue;
    }
    for (const [depth, suite] of around.slice(0, data.nesting).entries()) {
      if (!suite.printed) yield `${'  '.repeat(depth)}${suite.name}\n`;
      suite.printed = true;
    }
    const took = `${(data.details.duration_ms / 1000).toFixed(1)} s`;
    if (data.skip !== undefined) {
      skipped += 1;
      yield `${indent}skip  ${data.name}: ${data.skip}\n`;
    } else if (type === 'test:pass') {
      passed += 1;
      yield `${indent}ok    ${data.name} (${took})\n`;
    } else {
      failed += 1;
      // A test cancelled with its suite has no cause of its own: the suite's is printed.
      if (data.details.error?.failureType !== 'cancelledByParent') failures.push([data, cause]);
      yield `${indent}FAIL  ${data.name} (${took})\n`;
    }
  }
  for (const [{ name, file, line }, cause] of failures) {
    yield `\nFAIL  ${name}\n  at ${file}:${line}\n${indentAll(cause?.stack ?? inspect(cause))}\n`;
  }
  if (skipped > 0) yield `\n${skipped} skipped\n`;
  yield `\n${passed} passed, ${failed} failed\n`;
}

const indentAll = (text) => text.replaceAll(/^/gm, '  ');
