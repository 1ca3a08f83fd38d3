// Where ministack requires more permissions than AWS.

/** Actions that in AWS cover the call that does the same with several messages. */
const BATCHED = ['sqs:SendMessage', 'sqs:DeleteMessage', 'sqs:ChangeMessageVisibility'];

/** Statements that allow ministack's own batch actions wherever `statements` allow the action that AWS checks. */
export function batchesOf(statements) {
  return statements.flatMap((statement) => {
    const Action = [statement.Action].flat().filter((action) => BATCHED.includes(action)).map((action) => `${action}Batch`);
    return Action.length > 0 ? [{ ...statement, Action }] : [];
  });
}
