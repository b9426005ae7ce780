/**
 * How many things that each hold a descriptor are done at a time: a process may have no more than 256 of them (macOS) or far
 * fewer, and the app around the store needs its own. More at a time is no faster: the flushes share a few threads.
 */
const AT_ONCE = 16

/**
 * Does something for each item, for a bounded number of them at a time.
 * @throws the first failure, with no more begun, and when what was under way is over
 */
export async function eachAtOnce<T>(items: Iterable<T>, work: (item: T) => Promise<void>): Promise<void> {
  const all = [...items]
  const iterator = all[Symbol.iterator]()
  let failed = false
  const worker = async (): Promise<void> => {
    for (let next = iterator.next(); !next.done && !failed; next = iterator.next())
      try {
        await work(next.value)
      } catch (error) {
        failed = true
        throw error
      }
  }
  const workers = await Promise.allSettled(Array.from({ length: Math.min(AT_ONCE, all.length) }, worker))
  const failure = workers.find((result) => result.status === "rejected")
  if (failure) throw failure.reason
}
