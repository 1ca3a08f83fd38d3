// An OpenID Connect provider on this machine: `oidc-provider`, with a form that signs in everyone by their name.
import { createServer } from 'node:http';
import { freePort } from '../../lib/free-port.mjs';
import { Provider } from './tools.mjs';

export const CLIENT = { id: 'perennial & sons', secret: 'a secret: with % and +' };

/** The groups of everyone who can sign in. */
export const GROUPS = { vera: ['staff'], oscar: ['staff', 'ops'], ada: ['boss'], nobody: ['guests', '<b>visitors</b>'] };

/** Starts the provider for a dashboard at `dashboard`. `auth` is the way in which the client has to show its secret. */
export async function provider(dashboard, { auth = 'client_secret_basic' } = {}) {
  const port = await freePort();
  const issuer = `http://127.0.0.1:${port}`;
  const oidc = new Provider(issuer, {
    clients: [
      {
        client_id: CLIENT.id,
        client_secret: CLIENT.secret,
        token_endpoint_auth_method: auth,
        redirect_uris: [`${dashboard}/sign-in/callback`],
        grant_types: ['authorization_code'],
        response_types: ['code'],
      },
    ],
    pkce: { required: () => true },
    // As most providers do, and the standard only where no access token is issued.
    conformIdTokenClaims: false,
    claims: { openid: ['sub', 'groups'], profile: ['name'], email: ['email', 'email_verified'] },
    cookies: { keys: ['a key of this test only'] },
    findAccount: (_, id) => ({
      accountId: id,
      claims: () => ({ sub: id, name: `${id[0].toUpperCase()}${id.slice(1)} <i>`, groups: GROUPS[id] ?? [], email: `${id}@example.com`, email_verified: true }),
    }),
  });
  const server = createServer(oidc.callback()).listen(port, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const stop = () => new Promise((resolve) => {
    server.close(resolve);
    server.closeAllConnections();
  });
  return { issuer, stop };
}

/** The environment of a dashboard that asks this provider. */
export const environment = (issuer) => ({
  OIDC_ISSUER: issuer,
  OIDC_CLIENT_ID: CLIENT.id,
  OIDC_CLIENT_SECRET: CLIENT.secret,
  OIDC_VIEWERS: 'staff',
  OIDC_OPERATORS: 'ops',
  OIDC_ADMINS: 'boss',
  SESSION_KEYS: 'a key of sessions that only this test has',
});

/** Signs in on the provider's form as `name`, and confirms that the dashboard may know it. */
export async function signIn(page, name) {
  await page.waitForSelector('input[name="login"]');
  await page.fill('input[name="login"]', name);
  await page.fill('input[name="password"]', 'any');
  await Promise.all([page.waitForNavigation(), page.click('button[type="submit"]')]);
  if (await page.locator('button[type="submit"]', { hasText: 'Continue' }).count()) {
    await Promise.all([page.waitForNavigation(), page.click('button[type="submit"]')]);
  }
}
