/** What `inbox.js` puts on the page as `Perennial`. */
export interface Perennial {
  /** Shows a person's in-app inbox: a bell with the number of unread messages, and a list of them. */
  inbox(options: InboxOptions): Inbox;
}

export interface InboxOptions {
  /** Where Perennial's api is, such as `https://messages.example.com`. */
  url: string;
  /** Whose inbox: the id that your product knows the signed-in person by. */
  person: string;
  /** The person's token, which your backend makes; or a function that fetches one, and is asked again when one has run out. */
  token?: string | (() => string | Promise<string>);
  /** The element that the bell is put into; a corner of the page where there is none. */
  target?: Element | null;
  /** Light or dark, whatever the page's `color-scheme` says. */
  theme?: 'light' | 'dark';
  /** Seconds between two looks for new messages while the page is seen; 60 where nothing is given. */
  every?: number;
  /** Words in place of the English ones. */
  labels?: Partial<Labels>;
  /** Opens the chat, for a message that offers one; such a message shows its link where this is not given. */
  onChat?: (message: Message) => void;
}

export interface Labels {
  title: string;
  none: string;
  open: string;
  chat: string;
  dismiss: string;
  close: string;
  /** What the bell says aloud besides the title. */
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
  /** Looks for new messages now. */
  refresh(): Promise<void>;
  /** Takes it off the page. */
  destroy(): void;
}

declare global {
  interface Window {
    Perennial: Perennial;
  }
  const Perennial: Perennial;
}
