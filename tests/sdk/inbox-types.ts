// The types of `inbox.js` for a customer's own TypeScript: this file is only checked, never run.
/// <reference path="../../functions/api/src/snippet/inbox.d.ts" />

const shown = Perennial.inbox({
  url: 'https://messages.example.com',
  person: 'u-1',
  token: async () => (await fetch('/inbox-token')).text(),
  target: document.querySelector('#bell'),
  theme: 'dark',
  labels: { title: 'Nachrichten', unread: (count) => `${count} ungelesen` },
  onChat: ({ id, title }) => console.log(id, title?.length),
});
shown.open();
const done: Promise<void> = shown.refresh();
void done.then(() => shown.destroy());

// @ts-expect-error nobody's inbox
Perennial.inbox({ url: 'https://messages.example.com' });
// @ts-expect-error no theme
Perennial.inbox({ url: 'https://messages.example.com', person: 'u-1', theme: 'blue' });
// @ts-expect-error no label
Perennial.inbox({ url: 'https://messages.example.com', person: 'u-1', labels: { tilte: 'Messages' } });
