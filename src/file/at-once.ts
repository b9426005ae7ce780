/**
 * How many tasks that each hold a descriptor run at a time. A process may have no more than 256 descriptors (macOS) or fewer, and
 * the app around the store needs some too. More tasks are no faster, since flushes share a few threads.
 */
const AT_ONCE = 16

/**
 * Runs `work` for each item, a bounded number at a time.
 * @throws the first failure, once all running work has ended; no new work is begun after it
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
