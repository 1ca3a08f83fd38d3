/*! Perennial in-app inbox, Apache-2.0 */
// Served from this file without comments and indentation: whole lines only. Types are checked by `tests/run sdk`.
(() => {
  'use strict';

  const CSS = `
    :host { all: initial; color-scheme: inherit; position: relative; display: inline-block;
      font: var(--perennial-font, 14px/1.45 system-ui, sans-serif);
      --a: var(--perennial-accent, light-dark(#1d4ed8, #8ab4ff));
      --o: var(--perennial-on-accent, light-dark(#fff, #10131a));
      --b: var(--perennial-background, light-dark(#fff, #1d2026));
      --t: var(--perennial-text, light-dark(#1a1d23, #eceef2));
      --m: var(--perennial-muted, light-dark(#5b6270, #a4abb8));
      --l: var(--perennial-line, light-dark(#dfe2e8, #3a404b));
      --r: var(--perennial-radius, 10px); }
    :host(.corner) { position: fixed; top: 12px; right: 12px; z-index: 2147483000; }
    * { box-sizing: border-box; margin: 0; }
    [hidden] { display: none !important; }
    button { all: unset; box-sizing: border-box; cursor: pointer; border-radius: var(--r); }
    :focus-visible { outline: 2px solid var(--a); outline-offset: 2px; }
    .bell { position: relative; display: block; padding: 9px; color: var(--t); background: var(--b); border: 1px solid var(--l); }
    svg { display: block; width: 20px; height: 20px; fill: none; stroke: currentColor; stroke-width: 1.8; stroke-linecap: round; stroke-linejoin: round; }
    .count { position: absolute; top: -6px; right: -6px; min-width: 19px; padding: 0 5px; border-radius: 10px;
      font-size: 12px; font-weight: 600; line-height: 19px; text-align: center; color: var(--o); background: var(--a); }
    .panel { position: absolute; top: calc(100% + 8px); right: 0; z-index: 1; width: 360px; max-width: calc(100vw - 24px); max-height: min(520px, 75vh);
      display: flex; flex-direction: column; overflow: hidden; color: var(--t); background: var(--b);
      border: 1px solid var(--l); border-radius: var(--r); box-shadow: 0 12px 32px rgb(0 0 0 / .18); }
    .panel:focus { outline: none; }
    .panel.left { right: auto; left: 0; }
    header { display: flex; align-items: center; justify-content: space-between; padding: 10px 10px 10px 19px; border-bottom: 1px solid var(--l); }
    h2 { font-size: 15px; font-weight: 600; }
    ul { padding: 0; overflow: auto; list-style: none; overscroll-behavior: contain; }
    li { position: relative; padding: 14px 44px 14px 16px; border-left: 3px solid transparent; overflow-wrap: anywhere; }
    li + li { border-top: 1px solid var(--l); }
    li.new { border-left-color: var(--a); }
    h3 { font-size: 14px; font-weight: 600; }
    li p { margin-top: 2px; white-space: pre-line; }
    footer { display: flex; flex-wrap: wrap; gap: 4px 14px; align-items: baseline; margin-top: 8px; font-size: 13px; color: var(--m); }
    .go { font-size: 14px; font-weight: 600; color: var(--a); text-decoration: underline; text-underline-offset: 2px; }
    .x { padding: 6px; color: var(--m); }
    .x svg { width: 16px; height: 16px; }
    .x:hover, .bell:hover { color: var(--a); }
    li .x { position: absolute; top: 10px; right: 10px; }
    .none { padding: 28px 19px; text-align: center; color: var(--m); }
    .said { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
    @media (max-width: 480px) { .panel, .panel.left { position: fixed; inset: auto 12px 12px; width: auto; max-height: 75vh; } }
    @media (prefers-reduced-motion: no-preference) { .panel { animation: in .14s ease-out; } }
    @keyframes in { from { opacity: 0; transform: translateY(-4px); } }
  `;
  const BELL = 'M6 9a6 6 0 1 1 12 0c0 6 2.5 7 2.5 7h-17S6 15 6 9M10 20a2.2 2.2 0 0 0 4 0';
  const CROSS = 'M5 5l14 14M19 5L5 19';
  /** @type {import('./inbox').Labels} */
  const LABELS = {
    title: 'Messages', none: 'No messages', open: 'Open', chat: 'Start a chat', dismiss: 'Dismiss', close: 'Close',
    unread: (count) => `${count} unread`,
  };
  const MOST_SECONDS = 900;

  /**
   * An element. Children that are text stay text.
   * @template {keyof HTMLElementTagNameMap} T
   * @param {T} name
   * @param {Record<string, string>} attributes
   * @param {(Node | string)[]} children
   */
  const make = (name, attributes, ...children) => {
    const element = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    element.append(...children);
    return element;
  };

  /** @param {string} d */
  const icon = (d) => {
    const [svg, path] = ['svg', 'path'].map((name) => document.createElementNS('http://www.w3.org/2000/svg', name));
    svg.setAttribute('viewBox', '0 0 24 24');
    svg.setAttribute('aria-hidden', 'true');
    path.setAttribute('d', d);
    svg.append(path);
    return svg;
  };

  /**
   * Returns where a link leads, if it is safe.
   * @param {string | null} link
   */
  const safe = (link) => {
    if (!link || !URL.canParse(link, location.href)) return null;
    const to = new URL(link, location.href);
    return /^https?:$/.test(to.protocol) ? to.href : null;
  };

  /** @type {import('./inbox').Perennial['inbox']} */
  const inbox = (options) => {
    const labels = { ...LABELS, ...options.labels };
    const every = Math.max(options.every ?? 60, 5);
    const base = `${options.url.replace(/\/+$/, '')}/api/inbox/${encodeURIComponent(options.person)}`;

    const host = make('div', options.target ? {} : { class: 'corner' });
    if (options.theme) host.style.colorScheme = options.theme;
    const root = host.attachShadow({ mode: 'open' });
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(CSS);
    root.adoptedStyleSheets = [sheet];
    const count = make('span', { class: 'count', 'aria-hidden': 'true', hidden: '' });
    const bell = make('button', { type: 'button', class: 'bell', 'aria-haspopup': 'dialog', 'aria-expanded': 'false' }, icon(BELL), count);
    const close = make('button', { type: 'button', class: 'x', 'aria-label': labels.close }, icon(CROSS));
    const list = make('ul', {});
    const none = make('p', { class: 'none' }, labels.none);
    const top = make('header', {}, make('h2', {}, labels.title), close);
    const panel = make('div', { class: 'panel', role: 'dialog', 'aria-label': labels.title, tabindex: '-1', hidden: '' }, top, list, none);
    const said = make('p', { class: 'said', role: 'status' });
    root.append(bell, panel, said);

    /** @type {import('./inbox').Message[]} */
    let messages = [];
    /** @type {Map<string, HTMLLIElement>} */
    const shown = new Map();
    /** @type {Set<string>} */
    const read = new Set();
    /** @type {Set<string>} */
    const gone = new Set();
    let unread = 0;

    /** @type {string | undefined} */
    let token;
    /**
     * @param {string} address
     * @param {RequestInit} [init]
     */
    const call = async (address, init) => {
      for (let again = false; ; again = true) {
        token ??= typeof options.token === 'function' ? await options.token() : options.token;
        const headers = token ? { authorization: `Bearer ${token}` } : undefined;
        const answer = await fetch(address, { ...init, headers, credentials: 'omit', cache: 'no-store' });
        if (answer.ok) return answer;
        if (again || answer.status !== 401 || typeof options.token !== 'function') throw new Error(String(answer.status));
        token = undefined;
      }
    };
    /**
     * Reports an action. It arrives even if it is the page's last.
     * @param {string} id
     * @param {'read' | 'click' | 'dismiss'} deed
     */
    const tell = (id, deed) => void call(`${base}/${id}/${deed}`, { method: 'POST', keepalive: true }).catch(() => {});

    /** @param {import('./inbox').Message} message */
    const see = ({ id, read_at }) => {
      if (read_at || read.has(id)) return;
      read.add(id);
      tell(id, 'read');
      tally();
    };
    const sight = new IntersectionObserver((entries) => {
      for (const { isIntersecting, target } of entries) {
        const message = isIntersecting && messages.find(({ id }) => shown.get(id)?.firstElementChild === target);
        if (message) see(message);
      }
    }, { threshold: 0.9 });

    /** @param {import('./inbox').Message} message */
    const item = (message) => {
      const { id, title, body, kind, at } = message;
      const dismiss = make('button', { type: 'button', class: 'x', 'aria-label': `${labels.dismiss}: ${title ?? ''}` }, icon(CROSS));
      const time = make('time', { datetime: at }, new Date(at).toLocaleString([], { dateStyle: 'medium', timeStyle: 'short' }));
      const to = safe(message.link);
      const { onChat } = options;
      const talks = kind === 'chat' && onChat;
      const word = kind === 'chat' ? labels.chat : labels.open;
      const go = talks ? make('button', { type: 'button', class: 'go' }, word) : to ? make('a', { class: 'go', href: to, rel: 'noopener' }, word) : '';
      if (go) {
        go.addEventListener('click', () => {
          read.add(id);
          tell(id, 'click');
          tally();
          if (talks) talks(message);
        });
      }
      const entry = make('li', {}, make('h3', {}, title ?? ''), make('p', {}, body ?? ''), make('footer', {}, go, time), dismiss);
      dismiss.addEventListener('click', () => {
        const next = (entry.nextElementSibling ?? entry.previousElementSibling)?.lastElementChild;
        gone.add(id);
        tell(id, 'dismiss');
        show(messages);
        (next instanceof HTMLElement ? next : panel).focus();
      });
      return entry;
    };

    const tally = () => {
      const before = unread;
      unread = messages.filter(({ id, read_at }) => !read_at && !read.has(id)).length;
      count.hidden = !unread;
      count.textContent = unread > 99 ? '99+' : String(unread);
      bell.setAttribute('aria-label', unread ? `${labels.title}, ${labels.unread(unread)}` : labels.title);
      if (unread > before) said.textContent = labels.unread(unread);
    };

    /** @param {import('./inbox').Message[]} all */
    const show = (all) => {
      messages = all.filter(({ id }) => !gone.has(id));
      const before = [...shown.keys()].join();
      for (const id of shown.keys()) if (!messages.some((message) => message.id === id)) shown.delete(id);
      const entries = messages.map((message) => {
        const entry = shown.get(message.id) ?? item(message);
        shown.delete(message.id);
        shown.set(message.id, entry);
        if (panel.hidden) entry.classList.toggle('new', !message.read_at && !read.has(message.id));
        return entry;
      });
      if (before !== [...shown.keys()].join()) {
        const focused = root.activeElement;
        list.replaceChildren(...entries);
        if (focused instanceof HTMLElement) focused.focus();
        sight.disconnect();
        for (const entry of entries) if (entry.firstElementChild) sight.observe(entry.firstElementChild);
      }
      none.hidden = messages.length > 0;
      tally();
    };

    let wait = every;
    let last = 0;
    let ended = false;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    let timer;
    /** @type {Promise<void> | undefined} */
    let looking;
    const plan = () => {
      clearTimeout(timer);
      const left = last + wait * 1000 - Date.now();
      if (!ended && !document.hidden) timer = setTimeout(() => void refresh(), Math.max(left, 0) * (0.9 + Math.random() / 5));
    };
    const look = async () => {
      last = Date.now();
      try {
        const answer = await (await call(base)).json();
        if (!ended) show(answer.messages);
        wait = every;
      } catch {
        wait = Math.min(wait * 2, MOST_SECONDS);
      }
      looking = undefined;
      plan();
    };
    const refresh = () => (looking ??= look());

    /** @param {boolean} opens */
    const turn = (opens) => {
      if (panel.hidden !== opens) return;
      panel.hidden = !opens;
      bell.setAttribute('aria-expanded', String(opens));
      if (opens) {
        panel.classList.toggle('left', bell.getBoundingClientRect().right < panel.offsetWidth);
        panel.focus();
      } else {
        show(messages);
      }
    };
    /** @param {Event} event */
    const outside = (event) => {
      if (!event.composedPath().includes(host)) turn(false);
    };
    const back = () => {
      turn(false);
      bell.focus();
    };
    bell.addEventListener('click', () => turn(panel.hidden));
    close.addEventListener('click', back);
    root.addEventListener('keydown', (event) => {
      if (/** @type {KeyboardEvent} */ (event).key === 'Escape' && !panel.hidden) back();
    });
    document.addEventListener('pointerdown', outside);
    document.addEventListener('visibilitychange', plan);

    (options.target ?? document.body).append(host);
    show([]);
    void refresh();
    return {
      open: () => turn(true),
      close: () => turn(false),
      refresh,
      destroy: () => {
        ended = true;
        clearTimeout(timer);
        sight.disconnect();
        document.removeEventListener('pointerdown', outside);
        document.removeEventListener('visibilitychange', plan);
        host.remove();
      },
    };
  };

  window.Perennial = { ...window.Perennial, inbox };
})();
