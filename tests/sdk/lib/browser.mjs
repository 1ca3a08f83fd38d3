// A headless Chromium, and a page of another origin than the product's that has the browser SDK loaded.
import { once } from 'node:events';
import { createReadStream, existsSync } from 'node:fs';
import { createServer } from 'node:http';
import { basename, join } from 'node:path';
import { load, paths } from './paths.mjs';

const { chromium } = load('playwright-core');
const BUNDLES = join(paths.nodeModules, '@segment', 'analytics-next', 'dist', 'umd');
const PAGE = '<!doctype html><meta charset="utf-8"><title>Shop – Łódź</title><script src="/index.js"></script><p>A shop</p>';

/** Serves the page, and beside it the SDK as its authors built it. */
async function serveShop() {
  const server = createServer((request, response) => {
    const file = join(BUNDLES, basename(new URL(request.url, 'http://shop').pathname));
    if (file.endsWith('.js') && existsSync(file)) {
      response.setHeader('content-type', 'text/javascript');
      createReadStream(file).pipe(response);
    } else if (request.url === '/favicon.ico') {
      response.writeHead(204).end();
    } else {
      response.setHeader('content-type', 'text/html');
      response.end(PAGE);
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

export class Browser {
  static async start() {
    const browser = new Browser();
    browser.shop = await serveShop();
    browser.origin = `http://localhost:${browser.shop.address().port}`;
    browser.chromium = await chromium.launch({
      executablePath: paths.chromium,
      args: [
        '--no-sandbox',
        '--disable-gpu',
        '--disable-quic',
        '--no-first-run',
        '--disable-background-networking',
        '--disable-component-update',
        '--disable-sync',
      ],
    });
    return browser;
  }

  async stop() {
    await this.chromium?.close();
    this.shop.closeAllConnections();
    this.shop.close();
  }

  /**
   * Opens the shop as a new visitor, with the SDK loaded as `window.analytics` and pointed at `url`.
   * With `userToken` the page sends it with all calls of a user. `blocked` of the result collects what the browser refused to do or could not read.
   */
  async visit({ url, writeKey, segment = {}, userToken = null }) {
    const context = await this.chromium.newContext();
    const page = await context.newPage();
    page.blocked = [];
    page.on('console', (message) => {
      if (message.type() === 'error') page.blocked.push(message.text());
    });
    page.on('pageerror', (error) => page.blocked.push(String(error)));
    await page.goto(`${this.origin}/index.html?utm_source=news&utm_campaign=spring`);
    await page.evaluate(
      async ([url, writeKey, segment, userToken]) => {
        const host = new URL(url).host;
        const integrations = { 'Segment.io': { apiHost: `${host}/v1`, protocol: 'http', ...segment } };
        const loaded = window.AnalyticsNext.AnalyticsBrowser.load({ writeKey, cdnURL: url }, { integrations });
        [window.analytics] = await loaded;
        if (!userToken) return;
        await window.analytics.addSourceMiddleware(({ payload, next }) => {
          if (payload.obj.userId) payload.obj.context.userToken = userToken;
          next(payload);
        });
      },
      [url, writeKey, segment, userToken],
    );
    return page;
  }
}
