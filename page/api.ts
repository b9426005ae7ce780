import { isJsonObject, type JsonObject } from "../src/record/extract.ts"

/** The server's refusal of a request, or that there was no answer (status 0). */
export class ApiError extends Error {
  readonly status: number
  readonly code: string

  constructor(status: number, message: string, code = "", cause?: unknown) {
    super(message, { cause })
    this.name = "ApiError"
    this.status = status
    this.code = code
  }
}

/** Some of a list, and where the next older and newer ones are. */
export interface Page {
  readonly items: readonly JsonObject[]
  readonly older?: string
  readonly newer?: string
}

/** Asks the server that the page came from, and no other. */
export class Api {
  readonly #base: URL

  /** @param base the address that the paths of requests are relative to */
  constructor(base: string | URL) {
    this.#base = new URL(base)
  }

  /** The address of one of the server's paths. */
  url(path: string): URL {
    const url = new URL(path, this.#base)
    if (url.origin !== this.#base.origin) throw new ApiError(0, "The server pointed to another server")
    return url
  }

  /**
   * The answer to a request, when it is a good one.
   * @throws ApiError when it is not; the signal's reason
   */
  async request(path: string, init: RequestInit = {}): Promise<Response> {
    const url = this.url(path)
    let response: Response
    try {
      response = await fetch(url, init)
    } catch (error) {
      init.signal?.throwIfAborted()
      throw new ApiError(0, "The server does not answer", "", error)
    }
    if (!response.ok) throw await refusal(response)
    return response
  }

  /** A JSON answer of any shape. */
  async json(path: string, signal?: AbortSignal): Promise<unknown> {
    const response = await this.request(path, { ...(signal && { signal }) })
    return await response.json()
  }

  /** A JSON object; `undefined` where there is none of that name. */
  async object(path: string, signal?: AbortSignal): Promise<JsonObject | undefined> {
    try {
      const body = await this.json(path, signal)
      return isJsonObject(body) ? body : undefined
    } catch (error) {
      if (error instanceof ApiError && error.status === 404) return undefined
      throw error
    }
  }

  /** One page of a list. */
  async page(path: string, signal?: AbortSignal): Promise<Page> {
    const response = await this.request(path, { ...(signal && { signal }) })
    const body: unknown = await response.json()
    const { next: older, prev: newer } = links(response.headers.get("Link") ?? "", response.url)
    return {
      items: objects(body),
      ...(older !== undefined && { older }),
      ...(newer !== undefined && { newer }),
    }
  }

  /** The objects of a list, one by one as they arrive. */
  async *lines(path: string, signal?: AbortSignal): AsyncGenerator<JsonObject> {
    const response = await this.request(path, {
      ...(signal && { signal }),
      headers: { Accept: "application/x-ndjson" },
    })
    if (!response.body) return
    for await (const line of splitLines(response.body)) {
      const value: unknown = line.trim() === "" ? undefined : JSON.parse(line)
      if (isJsonObject(value)) yield value
    }
  }
}

/** A page's address with another size of the page. */
export function sized(address: string, limit: number): string {
  const url = new URL(address)
  url.searchParams.set("limit", String(limit))
  return url.href
}

/** The objects among a list's items. */
export function objects(body: unknown): JsonObject[] {
  return Array.isArray(body) ? body.filter(isJsonObject) : []
}

/** The lines of a stream of bytes, without their ends. */
export async function* splitLines(body: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  const reader = body.getReader()
  const decoder = new TextDecoder()
  let rest = ""
  try {
    for (;;) {
      const { done, value } = await reader.read()
      rest += decoder.decode(value, { stream: !done })
      const lines = rest.split(/\r?\n/)
      rest = lines.pop() ?? ""
      yield* lines
      if (done) break
    }
    if (rest !== "") yield rest
  } finally {
    // A reader that stops early ends the request.
    await reader.cancel().catch(() => {})
  }
}

/** Targets of a `Link` header (RFC 8288) by their relation. */
export function links(header: string, base: string): Record<string, string> {
  const found: Record<string, string> = {}
  for (const [, target = "", parameters = ""] of header.matchAll(
    /<([^>]*)>((?:\s*;\s*[^",;]+(?:"[^"]*")?)*)/g,
  )) {
    const [, relation] = /;\s*rel="?([^";\s]+)/i.exec(parameters) ?? []
    if (relation) found[relation] = new URL(target, base).href
  }
  return found
}

/** What a problem body (RFC 9457) says. */
async function refusal(response: Response): Promise<ApiError> {
  const body: unknown = await response.json().catch(() => undefined)
  const { title, detail, code } = isJsonObject(body) ? body : {}
  const says = [detail, title].find((text) => typeof text === "string" && text !== "")
  return new ApiError(
    response.status,
    typeof says === "string" ? says : `The server answered ${response.status}`,
    typeof code === "string" ? code : "",
  )
}
