/** The global `Perennial` of `inbox.js`. */
export interface Perennial {
  /** Shows a person's in-app inbox: a bell with the number of unread messages, and a list of them. */
  inbox(options: InboxOptions): Inbox;
}

export interface InboxOptions {
  /** The URL of Perennial's api, such as `https://messages.example.com`. */
  url: string;
  /** Your product's id of the signed-in person. */
  person: string;
  /** The person's token, which your backend makes; or a function that fetches one, and is called again when it has expired. */
  token?: string | (() => string | Promise<string>);
  /** The element that contains the bell; a corner of the page if there is none. */
  target?: Element | null;
  /** Light or dark, whatever the page's `color-scheme` is. */
  theme?: 'light' | 'dark';
  /** Seconds between polls for new messages while the page is visible; default: 60. */
  every?: number;
  /** Words in place of the English ones. */
  labels?: Partial<Labels>;
  /** Opens the chat, for a message that offers one; without it such a message shows its link. */
  onChat?: (message: Message) => void;
}

export interface Labels {
  title: string;
  none: string;
  open: string;
  chat: string;
  dismiss: string;
  close: string;
  /** The bell's accessible name besides the title. */
  unread: (count: number) => string;
}

export interface Message {
  id: string;
  title: string | null;
  body: string | null;
  link: string | null;
  kind: 'message' | 'chat';
  /** RFC 3339. */
  at: string;
  read_at: string | null;
  journey: string;
}

/** The inbox on the page. */
export interface Inbox {
  open(): void;
  close(): void;
  /** Polls for new messages now. */
  refresh(): Promise<void>;
  /** Removes it from the page. */
  destroy(): void;
}

declare global {
  interface Window {
    Perennial: Perennial;
  }
  const Perennial: Perennial;
}
