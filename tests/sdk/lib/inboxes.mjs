// A stand-in for the api's inbox: returns the messages or errors that a test sets, and records the requests.
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { root } from './paths.mjs';

export const SNIPPET = join(root, 'functions', 'api', 'src', 'snippet');

/** A message with its own title. */
export const message = (id, rest = {}) => ({
  id,
  title: `Title ${id}`,
  body: `Body ${id}`,
  link: `/go/${id}`,
  kind: 'message',
  at: '2026-03-02T08:15:30Z',
  read_at: null,
  journey: 'welcome',
  ...rest,
});

/** `state.messages` is what it returns, `state.status` the status it responds with instead, `state.token` the token it requires. */
export async function standIn() {
  const state = { messages: [], status: 200, token: undefined, deeds: [], looks: [] };
  const server = createServer((request, response) => {
    response.setHeader('access-control-allow-origin', '*');
    response.setHeader('access-control-allow-headers', 'authorization');
    const path = new URL(request.url, 'http://api').pathname;
    const answer = (status, body) => response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    if (request.method === 'OPTIONS') return response.writeHead(204).end();
    if (path === '/inbox.js') {
      return response.writeHead(200, { 'content-type': 'text/javascript' }).end(readFileSync(join(SNIPPET, 'inbox.js')));
    }
    // Split before decoding: an id may hold a slash.
    const [, , , person, id, deed] = path.split('/').map(decodeURIComponent);
    if (!deed) state.looks.push(Date.now());
    const token = request.headers.authorization?.replace('Bearer ', '');
    if (state.status !== 200) return answer(state.status, {});
    if (state.token && token !== state.token) return answer(401, {});
    if (deed) state.deeds.push([person, id, deed, token].filter(Boolean).join(' '));
    return answer(200, { messages: state.messages, unread: 0 });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    state,
    url: `http://127.0.0.1:${server.address().port}`,
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}
