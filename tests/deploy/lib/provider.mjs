// A minimal OpenID Connect provider on this machine: it signs in whom the test names, and checks what a client has to send.
import { createHash, createSign, generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';

export const CLIENT = 'dashboard-of-a-test';

const encode = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');

export class Provider {
  static async start() {
    const provider = new Provider();
    provider.keys = generateKeyPairSync('rsa', { modulusLength: 2048 });
    provider.server = createServer((request, response) => void provider.#answer(request, response));
    provider.server.listen(0, '127.0.0.1');
    await once(provider.server, 'listening');
    provider.issuer = `http://127.0.0.1:${provider.server.address().port}`;
    return provider;
  }

  /** Signs in `claims` at the authorization `url` that the dashboard leads to; returns the query of the answer to it. */
  signIn(url, claims) {
    const asked = new URL(url).searchParams;
    this.expected = { challenge: asked.get('code_challenge'), callback: asked.get('redirect_uri'), claims: { ...claims, nonce: asked.get('nonce') } };
    return new URLSearchParams({ code: 'a code of this test', state: asked.get('state'), iss: this.issuer }).toString();
  }

  async #answer(request, response) {
    const json = (status, body) => response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    const { issuer } = this;
    if (request.url === '/.well-known/openid-configuration') {
      return json(200, { issuer, authorization_endpoint: `${issuer}/authorize`, token_endpoint: `${issuer}/token`, jwks_uri: `${issuer}/keys` });
    }
    if (request.url === '/keys') return json(200, { keys: [{ ...this.keys.publicKey.export({ format: 'jwk' }), kid: 'k', use: 'sig', alg: 'RS256' }] });
    if (request.url !== '/token') return json(404, {});
    let text = '';
    for await (const chunk of request.setEncoding('utf8')) text += chunk;
    const form = new URLSearchParams(text);
    const challenge = createHash('sha256').update(form.get('code_verifier') ?? '').digest('base64url');
    const isOurs = form.get('code') === 'a code of this test' && form.get('redirect_uri') === this.expected.callback && challenge === this.expected.challenge;
    if (!isOurs || !request.headers.authorization?.startsWith('Basic ')) return json(400, { error: 'invalid_grant' });
    const now = Math.floor(Date.now() / 1000);
    const claims = { iss: issuer, aud: CLIENT, iat: now, exp: now + 300, ...this.expected.claims };
    const signed = `${encode({ alg: 'RS256', kid: 'k' })}.${encode(claims)}`;
    const signature = createSign('RSA-SHA256').update(signed).sign(this.keys.privateKey).toString('base64url');
    return json(200, { id_token: `${signed}.${signature}`, token_type: 'Bearer' });
  }

  stop() {
    this.server.closeAllConnections();
    this.server.close();
  }
}
