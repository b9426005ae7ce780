/** How often it is looked while requests are answered, in ms: rarer and rarer while nothing grows, as a page that listens waits. */
const [LOOK_MS, RAREST_MS] = [20, 1_000]
const RARER = 1.1
/** Memory may grow by so much before garbage is collected, in bytes. */
const GROWTH = 4 * 1024 * 1024
/** In a process that holds more than that, a collection would take longer than it is worth: it is not ours alone. */
const LARGEST = 384 * 1024 * 1024

/**
 * Keeps a small server small: the engine lets garbage grow to a multiple of what is alive, which a listing of 100,000 sessions
 * makes tens of megabytes of.
 * @param isBusy whether requests are being answered; once they are not, nothing is done until the next call
 * @returns what to call when a request comes in
 */
export function garbageCollector(isBusy: () => boolean): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined
  let before = 0
  let wait = LOOK_MS
  const lookLater = (): void => {
    timer = setTimeout(look, wait)
    timer.unref()
  }
  const look = (): void => {
    timer = undefined
    const now = process.memoryUsage.rss()
    wait = Math.min(RAREST_MS, wait * RARER)
    if (now > before + GROWTH && now < LARGEST) {
      Bun.gc(true)
      before = process.memoryUsage.rss()
      wait = LOOK_MS
    } else before = Math.min(before, now)
    if (isBusy()) lookLater()
  }
  return () => {
    // Requests that follow close on one another must not put the next look off for ever.
    if (timer && wait < 2 * LOOK_MS) return
    if (timer) clearTimeout(timer)
    else before = process.memoryUsage.rss()
    wait = LOOK_MS
    lookLater()
  }
}
