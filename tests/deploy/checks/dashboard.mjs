// The dashboard: nothing without sign-in, and what each role may do.
import assert from 'node:assert/strict';
import { until } from '../lib/run.mjs';

/** What a browser would keep of an answer's cookies. */
const cookiesOf = (answer) => [answer.headers['set-cookie'] ?? []].flat().map((cookie) => cookie.split(';')[0]).filter((cookie) => !cookie.endsWith('=')).join('; ');

export function dashboard(check) {
  check('the dashboard shows nothing to who has not signed in, and a viewer only looks, which the audit log says', async ({ stage, provider }) => {
    const person = (await stage.profile('ada')).id;
    for (const path of ['/', '/people', `/people/${person}`, '/people?format=csv', '/audit']) {
      const answer = await stage.open(path);
      assert.deepEqual([answer.status, answer.text], [303, ''], path);
      assert.match(answer.headers.location, /^\/sign-in/);
    }
    const forged = { headers: { cookie: '__Host-perennial-session=e30.e30' } };
    assert.equal((await stage.open('/people', forged)).status, 303);

    const begun = await stage.open(`/sign-in?to=/people/${person}`);
    assert.equal(begun.status, 303, begun.text);
    const answer = provider.signIn(begun.headers.location, { sub: 'u-1', name: 'Vera', groups: ['staff'] });
    const signedIn = await stage.open(`/sign-in/callback?${answer}`, { headers: { cookie: cookiesOf(begun) } });
    assert.equal(signedIn.status, 303, signedIn.text);
    assert.equal(signedIn.headers.location, `/people/${person}`);
    assert.match(String(signedIn.headers['set-cookie']), /__Host-perennial-session=[^;]+; Path=\/; Max-Age=28800; HttpOnly; SameSite=Lax; Secure/);
    const cookie = cookiesOf(signedIn);
    const page = await stage.open(`/people/${person}`, { headers: { cookie } });
    assert.equal(page.status, 200, page.text);
    assert.ok(page.text.includes('Vera') && !page.text.includes('Unmerge'), page.text);
    const [, token] = page.text.match(/name="token" value="([^"]+)"/);
    const post = { method: 'POST', body: new URLSearchParams({ token }).toString(), headers: { cookie, 'sec-fetch-site': 'same-origin', 'content-type': 'application/x-www-form-urlencoded' } };
    assert.equal((await stage.open('/operations/queues/events/redrive', post)).status, 403);
    assert.equal((await stage.open('/audit', { headers: { cookie } })).status, 403);

    const log = JSON.parse(await stage.operate('audit', '--json')).entries;
    assert.deepEqual(log.map(({ name, role, kind, what, people }) => [name, role, kind, what, people]), [['Vera', 'viewer', 'read', `/people/${person}`, [person]]]);
  });

  check('an operator of the dashboard redrives, and the audit log has how it was before and after', async ({ stage, provider }) => {
    const begun = await stage.open('/sign-in');
    const answer = provider.signIn(begun.headers.location, { sub: 'u-2', name: 'Oscar', groups: ['ops'] });
    const cookie = cookiesOf(await stage.open(`/sign-in/callback?${answer}`, { headers: { cookie: cookiesOf(begun) } }));
    const page = await stage.open('/operations', { headers: { cookie } });
    assert.equal(page.status, 200, page.text);
    const [, token] = page.text.match(/name="token" value="([^"]+)"/);
    const post = { method: 'POST', body: new URLSearchParams({ token }).toString(), headers: { cookie, 'sec-fetch-site': 'same-origin', 'content-type': 'application/x-www-form-urlencoded' } };
    const done = await stage.open('/operations/queues/accounts/redrive', post);
    assert.equal(done.status, 303, done.text);
    await until('the act is in the log', async () => {
      const acts = JSON.parse(await stage.operate('audit', '--json')).entries.filter(({ kind }) => kind === 'act');
      assert.deepEqual(acts.map(({ name, what, after }) => [name, what, after]), [['Oscar', 'redrive queue accounts', '0 moved back to the queue']]);
      return true;
    });
  });
}

export function refused(check) {
  check('the dashboard of a stage without an identity provider refuses everything', async ({ other }) => {
    for (const path of ['/', '/people', '/people/ada', '/sign-in', '/audit']) {
      const answer = await other.open(path);
      assert.equal(answer.status, 403, path);
      assert.match(answer.text, /Sign-in is not set up/);
    }
  });
}

export default { dashboard, refused };
