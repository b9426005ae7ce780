/**
 * The advisory lock under which the next of `schema.changes` is taken, until the transaction ends. It is held for a commit's time only
 * where it is taken last.
 */
export const CHANGE_LOCK = 0x73657374
