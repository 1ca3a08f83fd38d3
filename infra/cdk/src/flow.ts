/** Which function takes from which queue. */

/** The queues, by name and in the order in which work flows, and the function that each feeds. */
export const CONSUMERS = {
  events: 'score',
  messages: 'deliver',
  essential: 'deliver',
  accounts: 'rollup',
  'mail-events': 'deliver',
} as const;
/** One of the queues. */
export type QueueName = keyof typeof CONSUMERS;
/** All of them. */
export const QUEUES = Object.keys(CONSUMERS) as QueueName[];

/** The queues that feed `name`. */
export function queuesOf(name: string): QueueName[] {
  return QUEUES.filter((queue) => CONSUMERS[queue] === name);
}
