// A proxy that replaces responses with faults: the product has already accepted those requests.
import { once } from 'node:events';
import { Agent, createServer, request } from 'node:http';

/**
 * The first POSTs get the `faults` in turn, each after the product has answered; null, and all later ones, pass.
 * A fault is `{ status, headers }`, put over the product's own answer, or `'drop'`, which closes the connection.
 */
export async function faultyProxy(product, faults) {
  const left = [...faults];
  const posts = [];
  const agent = new Agent({ keepAlive: false });
  const server = createServer((incoming, outgoing) => {
    const chunks = [];
    incoming.on('data', (chunk) => chunks.push(chunk));
    incoming.on('end', async () => {
      const { status, headers, body } = await forward(incoming, Buffer.concat(chunks));
      if (incoming.method !== 'POST') return outgoing.writeHead(status, headers).end(body);
      const fault = left.shift();
      posts.push({ status, fault });
      if (fault === 'drop') return incoming.socket.destroy();
      if (!fault) return outgoing.writeHead(status, headers).end(body);
      // The headers stay the product's own, so that a browser may read the answer only if the product allows it.
      const spoiled = { ...headers, ...fault.headers };
      delete spoiled['content-length'];
      delete spoiled['transfer-encoding'];
      outgoing.writeHead(fault.status, spoiled).end('{"error":"spoiled on the way"}');
    });
  });

  async function forward(incoming, body) {
    const { method, url: path, headers } = incoming;
    const outgoing = request({ agent, host: '127.0.0.1', port: product.port, method, path, headers });
    outgoing.end(body);
    const [answer] = await once(outgoing, 'response');
    return { status: answer.statusCode, headers: answer.headers, body: Buffer.concat(await answer.toArray()) };
  }

  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    /** Each POST: the product's own status, and the fault in its place, if any. */
    posts,
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

/** The effects of a load balancer, throttling and a broken connection on a response. */
export const FAULTS = {
  'a 500': { status: 500 },
  'a 429 with Retry-After': { status: 429, headers: { 'retry-after': '1' } },
  'a dropped connection': 'drop',
};
