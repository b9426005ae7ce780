import { parseAccept } from "hono/utils/accept"
import { jsonLine } from "../record/json-text.ts"
import type { Turn, Turns } from "./turns.ts"

/** Text sent at a time, in UTF-16 units. */
const CHUNK = 32 * 1024

/** How a list is written: as one JSON array, or as one JSON value a line. */
export type ListFormat = "json" | "ndjson"

const MEDIA_TYPE: Record<ListFormat, string> = {
  json: "application/json",
  ndjson: "application/x-ndjson",
}

const LINES = /^application\/(?:x-)?nd-?json$/i
const ARRAY = /^application\/json$/i

/** The format a client asks for; an array unless it names the other one, and would not rather have an array (RFC 9110, 12.5.1). */
export function listFormat(request: Request): ListFormat {
  const accepted = parseAccept(request.headers.get("accept") ?? "")
  const quality = (range: RegExp): number | undefined => {
    const named = accepted.filter(({ type }) => range.test(type)).map(({ q }) => q)
    return named.length > 0 ? Math.max(...named) : undefined
  }
  // The more a range says the more it counts.
  const array = quality(ARRAY) ?? quality(/^application\/\*$/i) ?? quality(/^\*\/\*$/) ?? 0
  const lines = quality(LINES) ?? 0
  return lines > 0 && lines >= array ? "ndjson" : "json"
}

export interface StreamOptions {
  readonly headers?: Record<string, string | undefined>
  /** Send every item at once instead of filling chunks, for those that are slow to find. */
  readonly eager?: boolean
  /** Where the list waits for its turn; by default it begins at once. */
  readonly turns?: Turns
  /** Told of what broke the stream; the client sees it cut off. */
  readonly onError: (error: unknown) => void
}

/**
 * Answers with a list that is written as it is read: nothing is read ahead of the client, and a client that goes away ends
 * the reading.
 * @param items begins the list; called when the first byte is asked for, so that a HEAD reads nothing
 */
export function streamList(
  request: Request,
  items: (signal: AbortSignal) => AsyncGenerator<unknown, unknown>,
  { headers = {}, eager = false, turns, onError }: StreamOptions,
): Response {
  const format = listFormat(request)
  const abort = new AbortController()
  const encoder = new TextEncoder()
  let list: AsyncGenerator<unknown, unknown> | undefined
  let turn: Turn | undefined
  let separator = ""
  const write = (item: unknown): string => {
    const text = jsonLine(item)
    if (format === "ndjson") return `${text}\n`
    const written = separator + text
    separator = ","
    return written
  }
  let begun = false
  /** Ends the list where it is; a client that takes more of it finds it cut off. */
  const end = async (reason: Error): Promise<void> => {
    abort.abort(reason)
    turn?.end()
    await list?.return(undefined)
  }
  const body = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          if (!begun) {
            begun = true
            // The first byte waits neither for the first record nor for the list's turn.
            if (format === "json") {
              controller.enqueue(encoder.encode("["))
              return
            }
          }
          turn ??= await turns?.take(abort.signal, () => {
            controller.error(new Error("Others waited, and nothing was taken of this list"))
            void end(new Error("The list lost its turn"))
          })
          turn?.busy(true)
          list ??= items(abort.signal)
          // Streams go on from one chunk to the next without letting others run.
          await new Promise((resolve) => setImmediate(resolve))
          let text = ""
          do {
            const next = await list.next()
            if (next.done) {
              if (format === "json") text += "]"
              if (text) controller.enqueue(encoder.encode(text))
              controller.close()
              turn?.end()
              return
            }
            text += write(next.value)
          } while (!eager && text.length < CHUNK)
          controller.enqueue(encoder.encode(text))
          turn?.busy(false)
        } catch (error) {
          turn?.end()
          if (abort.signal.aborted) return
          onError(error)
          controller.error(error)
        }
      },
      cancel: () => end(new Error("The client went away")),
    },
    // Without this a chunk would be read before anyone asks for it.
    { highWaterMark: 0 },
  )
  const all = new Headers({ "Content-Type": MEDIA_TYPE[format], "Cache-Control": "no-cache", Vary: "Accept" })
  for (const [name, value] of Object.entries(headers)) if (value !== undefined) all.set(name, value)
  return new Response(body, { headers: all })
}
