/** Which calls of DynamoDB a function's code makes: found by reading it, so that a role that lags behind the code is seen before it is deployed. */

import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { read, ROOT } from './support.ts';

/** The SDK's calls, and their names in IAM. A transaction needs the permissions of its parts. */
const CALLS: Readonly<Record<string, string>> = {
  get_item: 'GetItem',
  put_item: 'PutItem',
  update_item: 'UpdateItem',
  delete_item: 'DeleteItem',
  query: 'Query',
  scan: 'Scan',
  batch_get_item: 'BatchGetItem',
  batch_write_item: 'BatchWriteItem',
};
const IN_TRANSACTIONS: readonly (readonly [RegExp, string])[] = [
  [/\bPut::builder\(\)/, 'PutItem'],
  [/\bUpdate::builder\(\)/, 'UpdateItem'],
  [/\bDelete::builder\(\)/, 'DeleteItem'],
  [/\bConditionCheck::builder\(\)/, 'ConditionCheckItem'],
];

/** Code that is not in a deployed function: tests, and work over all history, which the command line does. */
const NOT_DEPLOYED = /test|workbench|(^|\/)history/;

/** The Rust code in a folder, without tests and in one line. */
function code(folder: string): string {
  return readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.rs') && !NOT_DEPLOYED.test(file))
    .map((file) => read(`${folder}/${file}`).split('#[cfg(test)]')[0] ?? '')
    .join('\n')
    .replace(/\/\/.*$/gm, '')
    .replace(/\s+/g, ' ')
    .replace(/ ?\. ?/g, '.');
}

/** Each function's name and body. Functions of one name are combined. */
function bodies(text: string): Map<string, string> {
  const found = new Map<string, string>();
  for (const match of text.matchAll(/\bfn (\w+)/g)) {
    const name = match[1] ?? '';
    found.set(name, (found.get(name) ?? '') + block(text, match.index));
  }
  return found;
}

/** The next `{ … }` from `at` on. */
function block(text: string, at: number): string {
  const from = text.indexOf('{', at);
  let depth = 0;
  let to = from;
  do {
    if (text[to] === '{') depth += 1;
    if (text[to] === '}') depth -= 1;
    to += 1;
  } while (depth > 0 && to < text.length);
  return text.slice(from, to);
}

const STORE_CODE = code('shared/store/src');
const STORE = bodies(STORE_CODE);

/** IAM's names of the calls that a method of the store makes, directly and indirectly. */
function calls(method: string, seen: Set<string>): string[] {
  const body = STORE.get(method);
  if (body === undefined || seen.has(method)) return [];
  seen.add(method);
  const own = Object.entries(CALLS).flatMap(([call, action]) => (body.includes(`client.${call}()`) ? [action] : []));
  const transacted = IN_TRANSACTIONS.flatMap(([built, action]) => (built.test(body) ? [action] : []));
  const others = [...body.matchAll(/(?:\bself\.|(?<![\w.:]))(\w+)\(/g)].flatMap((match) => calls(match[1] ?? '', seen));
  return [...own, ...transacted, ...others];
}

/** The actions on the table and its index that the function called `name` needs, sorted. */
export function tableActions(name: string): string[] {
  const ownCode = code(`functions/${name}/src`);
  // Read models call the store for the functions that show them.
  const text = ownCode.includes('perennial_views') ? ownCode + code('shared/views/src') : ownCode;
  // Its own traits of the store, too: there it is `self`.
  const own = [...text.matchAll(/\bimpl \w+ for Store\b/g)].map((match) => block(text, match.index).replaceAll('self.', 'store.'));
  // And those traits of the store's own crate that it calls the store through.
  for (const match of STORE_CODE.matchAll(/\bimpl (\w+) for Store\b/g)) {
    if (text.includes(`dyn ${match[1]}`)) own.push(block(STORE_CODE, match.index).replaceAll('self.', 'store.'));
  }
  const methods = [...(text + own.join('')).matchAll(/\bstore\.(\w+)\(/g)].map((match) => match[1] ?? '');
  if (text.includes('ConfigHandle::load')) methods.push('current_config', 'bundle');
  const known = methods.filter((method) => STORE.has(method));
  return [...new Set(known.flatMap((method) => calls(method, new Set())))].sort();
}
