// Every page with the sample company, as a colleague sees it in the morning.
import assert from 'node:assert/strict';
import { copyFile, mkdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { LOOKS, inOrder, open, picture, unfold } from './lib/look.mjs';
import { json, sample } from './lib/stack.mjs';
import { launch, pictures } from './lib/tools.mjs';

const REPORTS = ['activity', 'cohorts', 'activation', 'funnel', 'retention', 'revenue', 'plans', 'risk', 'adoption', 'nps', 'answers', 'scores', 'education', 'experiments', 'messages', 'deliverability', 'events', 'people'];
/** The pictures of the README. */
const SHOWN = [
  { name: 'overview', path: () => '/', width: 1270, height: 700 },
  { name: 'person', path: (ids) => `/people/${ids.person}`, width: 1180, height: 760 },
  { name: 'journey', path: () => '/journeys/trial_rescue', width: 1180, height: 860 },
];

describe('the dashboard of the sample company', { timeout: 90 * 60_000 }, () => {
  let stack;
  let browser;
  const ids = {};
  before(async () => {
    [stack, browser] = await Promise.all([sample(), launch()]);
    const { people } = await json(stack.url, '/api/profiles?score=churn&min=60&sort=highest&limit=1');
    const { accounts } = await json(stack.url, '/api/accounts?score=health&max=40&sort=lowest&limit=1');
    Object.assign(ids, { person: people[0].id, account: encodeURIComponent(accounts[0].id) });
  });
  after(() => Promise.all([stack?.stop(), browser?.close()]));

  const paths = () => [
    '/',
    '/people',
    '/people?stage=at_risk&score=churn&sort=highest',
    '/people?search=nobody-of-this-name',
    `/people/${ids.person}`,
    `/people/${ids.person}/why-not?journey=trial_rescue`,
    '/accounts',
    `/accounts/${ids.account}`,
    '/journeys',
    '/journeys/trial_rescue',
    '/segments',
    '/experiments',
    '/reports',
    ...REPORTS.map((name) => `/reports/${name}`),
    '/operations',
  ];

  for (const look of LOOKS) {
    test(`every page is in order at ${look.width} pixels, ${look.theme}`, async () => {
      const page = await open(browser, look);
      for (const path of paths()) {
        const answer = await page.goto(stack.url + path);
        assert.equal(answer.status(), 200, path);
        assert.match(answer.headers()['content-security-policy'], /^default-src 'none'; style-src 'self'; script-src 'self'/);
        const name = path === '/' ? 'overview' : path.slice(1).replace(ids.person, 'ID').replace(/[^a-z0-9]+/gi, '-').slice(0, 60);
        await picture(page, `${name}-${look.width}-${look.theme}`);
        await unfold(page);
        await inOrder(page, path, { axe: look.axe === true });
      }
      await page.context().close();
    });
  }

  test('figures equal those of the api and of the reports', async () => {
    const page = await open(browser);
    const [status, risk] = await Promise.all([json(stack.url, '/api/status'), json(stack.url, '/api/reports/risk')]);
    await page.goto(stack.url);
    await unfold(page);
    const stages = page.locator('section', { hasText: 'Stages' }).locator('tbody tr');
    for (const row of await stages.all()) {
      const [name, people] = await row.locator('td').allTextContents();
      assert.equal(Number(people.replaceAll(',', '')), status.stages[name.replace(/ /g, '_')] ?? 0, name);
    }
    const [table] = risk.tables;
    const at = (name) => table.columns.findIndex((column) => column.name === name);
    const everyone = table.rows.filter((row) => row[0] === 'everyone').sort((a, b) => b[at('mrr')].minor - a[at('mrr')].minor);
    const [mrr, atRisk] = ['mrr', 'mrr at risk'].map((name) => everyone[0][at(name)].minor);
    // Subscriptions of the sample company carry no price.
    const dollars = mrr === 0 ? '–' : Math.round(atRisk / 100).toLocaleString('en-US');
    const shown = await page.locator('.figure', { hasText: 'Revenue at risk' }).locator('strong').textContent();
    assert.equal(shown.replace('$', ''), dollars);
    await page.context().close();
  });

  test('a colleague comes from the overview to the reason, and to why a journey did not help', async () => {
    const page = await open(browser);
    await page.goto(stack.url);
    const first = page.getByRole('region', { name: 'People who may leave' }).getByRole('link').first();
    const name = await first.textContent();
    await first.click();
    assert.equal(await page.locator('h1').textContent(), name);
    await page.locator('summary', { hasText: 'Churn' }).click();
    const reasons = page.getByRole('region', { name: /^Why Churn is/ });
    const points = (await reasons.locator('tbody td.n').allTextContents()).map((text) => Number(text.replace('−', '-')));
    const total = Number(await reasons.locator('tfoot b').textContent());
    assert.ok(Math.abs(points.reduce((sum, one) => sum + one, 0) - total) < 0.05, `${points} make ${total}`);
    await page.locator('select[name=journey]').selectOption('trial_rescue');
    await page.getByRole('button', { name: 'Explain' }).click();
    assert.ok((await page.locator('.check').count()) >= 5, 'the rules are shown');
    await page.context().close();
  });

  test('a list goes on page by page, and as a file', async () => {
    const page = await open(browser);
    await page.goto(`${stack.url}/people`);
    const names = async () => page.locator('tbody tr td:first-child a').evaluateAll((links) => links.map((link) => link.getAttribute('href')));
    const first = await names();
    await page.getByRole('link', { name: 'Next page' }).click();
    const second = await names();
    assert.equal(new Set([...first, ...second]).size, first.length + second.length, 'nobody is on both pages');
    const href = await page.getByRole('link', { name: 'Download CSV' }).getAttribute('href');
    const file = await fetch(new URL(href, stack.url));
    assert.match(file.headers.get('content-disposition'), /people\.csv/);
    assert.ok((await file.text()).split('\r\n').length > 100);
    await page.context().close();
  });

  test('times are in the zone of the reader', async () => {
    const page = await open(browser);
    await page.goto(`${stack.url}/operations`);
    assert.match(await page.locator('[data-zone]').textContent(), /Europe\/Berlin/);
    await page.context().close();
  });

  test('the pictures of the README are small', async () => {
    const out = join(pictures, 'readme');
    await mkdir(out, { recursive: true });
    for (const { name, path, width, height } of SHOWN) {
      const page = await open(browser, { width });
      await page.setViewportSize({ width, height });
      await page.goto(stack.url + path(ids));
      const file = join(out, `${name}.png`);
      await page.screenshot({ path: file });
      assert.ok((await stat(file)).size < 150_000, `${name}: ${(await stat(file)).size} bytes`);
      if (process.env.PERENNIAL_DOCS) await copyFile(file, join(process.env.PERENNIAL_DOCS, `${name}.png`));
      await page.context().close();
    }
  });

  // The last one, since it stops the demo.
  test('the demo stops when it is asked to, and its totals are as expected', async () => {
    const last = stack;
    stack = undefined;
    assert.equal(await last.stop(), 0);
  });
});
