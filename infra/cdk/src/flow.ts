/** Which function takes from which queue. */

/** The queues, by name and in the order of processing, and the function that consumes each. */
export const CONSUMERS = {
  events: 'score',
  incoming: 'import',
  imports: 'score',
  messages: 'deliver',
  essential: 'deliver',
  accounts: 'rollup',
  'mail-events': 'deliver',
} as const;
/** The name of a queue. */
export type QueueName = keyof typeof CONSUMERS;
/** All of them. */
export const QUEUES = Object.keys(CONSUMERS) as QueueName[];

/** The queues of the function `name`. */
export function queuesOf(name: string): QueueName[] {
  return QUEUES.filter((queue) => CONSUMERS[queue] === name);
}
