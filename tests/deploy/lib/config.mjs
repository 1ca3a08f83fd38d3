// The deployed configuration: the shipped one, with its own keys, two journeys of its own and a schedule that a test can wait for.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { appendFile, cp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { paths } from './paths.mjs';

/** The domain of the shipped config's sender. */
export const MAIL_DOMAIN = 'perennial.example';
/** A mail domain whose people belong to no account, so that no account update affects them. */
export const FREE_MAIL = 'freemail.example';
/** The write keys of servers and of pages: no deployed stage takes the shipped ones, which everybody knows. */
export const WRITE_KEY = 'deploy-test-write-key';
const PUBLIC_KEY = 'deploy-test-public-key';
/** Triggers a mail about the topic `tips`, at any hour, as often as it is sent. */
export const NEWS = 'Deploy Test News';
/** Triggers the same mail a minute later, by a timer. */
export const REMINDER = 'Deploy Test Reminder';

const JOURNEYS = `
[[journey]]
id = "deploy_test_news"
trigger = { event = "${NEWS}" }
reentry = "always"
any_hour = true
[[journey.step]]
channel = "mail"
template = "welcome"

[[journey]]
id = "deploy_test_reminder"
trigger = { event = "${REMINDER}" }
any_hour = true
[[journey.step]]
wait = { minutes = 1 }
[[journey.step]]
channel = "mail"
template = "welcome"
`;

const IMPORTS = `
[[import]]
id = "customers"

[[import.map]]
type = "identify"
user_id = "/id"
traits = { email = "/email" }

[[import.map]]
type = "track"
event = "Signed In"
user_id = "/id"
`;

/** Writes it to `directory`. */
export async function writeConfig(directory) {
  await cp(paths.config, directory, { recursive: true });
  const change = async (name, from, to) => {
    const file = join(directory, name);
    const shipped = await readFile(file, 'utf8');
    assert.ok(shipped.includes(from), `${name} has ${from}`);
    await writeFile(file, shipped.replace(from, to));
  };
  const hash = (key) => createHash('sha256').update(key).digest('hex');
  await change('sources.toml', hash('local-write-key'), hash(WRITE_KEY));
  await change('sources.toml', hash('local-public-key'), hash(PUBLIC_KEY));
  await change('schedules.toml', 'expression = "rate(5 minutes)"', 'expression = "rate(1 minute)"');
  await change('accounts.toml', 'free_mail = []', `free_mail = ["${FREE_MAIL}"]`);
  await appendFile(join(directory, 'journeys.toml'), JOURNEYS);
  await appendFile(join(directory, 'imports.toml'), IMPORTS);
}
