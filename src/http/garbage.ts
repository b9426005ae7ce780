/** How often it is looked while requests are answered, in ms. */
const LOOK_MS = 20
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
  let timer: ReturnType<typeof setInterval> | undefined
  let before = 0
  const look = (): void => {
    const now = process.memoryUsage.rss()
    if (now > before + GROWTH && now < LARGEST) {
      Bun.gc(true)
      before = process.memoryUsage.rss()
    } else before = Math.min(before, now)
    if (isBusy()) return
    clearInterval(timer)
    timer = undefined
  }
  return () => {
    if (timer) return
    before = process.memoryUsage.rss()
    timer = setInterval(look, LOOK_MS)
    timer.unref()
  }
}
