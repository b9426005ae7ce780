/**
 * The advisory lock that a transaction holds from taking its number of `schema.changes` until it ends. Take it last, so that it is held
 * only as long as the commit takes.
 */
export const CHANGE_LOCK = 0x73657374
