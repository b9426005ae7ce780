import { basename } from "node:path"
import { isStoreError, type StoreErrorCode, type StoreHealth } from "../index.ts"

/** What a request is refused with: RFC 9457's members, and the code by which programs tell one problem from another. */
export class HttpProblem extends Error {
  readonly status: number
  readonly code: string
  readonly headers: Record<string, string>

  constructor(status: number, code: string, detail: string, headers: Record<string, string> = {}) {
    super(detail)
    this.status = status
    this.code = code
    this.headers = headers
  }
}

const TITLES: Record<number, string> = {
  400: "Bad Request",
  401: "Unauthorized",
  403: "Forbidden",
  404: "Not Found",
  405: "Method Not Allowed",
  409: "Conflict",
  413: "Content Too Large",
  414: "URI Too Long",
  500: "Internal Server Error",
  503: "Service Unavailable",
  507: "Insufficient Storage",
}

/** A record that cannot be read is the store's trouble and not the client's: 500, with the code that says which. */
const STATUS: Record<StoreErrorCode, number> = {
  NOT_FOUND: 404,
  CORRUPT: 500,
  TOO_LARGE: 500,
  UNREADABLE: 500,
  EXHAUSTED: 503,
  NOT_A_FILE: 500,
  INVALID_KEY: 400,
  INVALID_RECORD: 400,
  INVALID_CURSOR: 400,
  CONFLICT: 409,
  READ_ONLY: 403,
  LOCKED: 503,
  WRITE_FAILED: 507,
  NOT_DURABLE: 500,
  INDEX_UNAVAILABLE: 503,
  FLEET_UNAVAILABLE: 503,
  FLEET_SCHEMA: 503,
  MACHINE_COPIED: 409,
  CLOSED: 503,
}

/** What may be told of paths: where in the store something lies, not where the store or its index does. */
export class Paths {
  readonly #directories: readonly string[]

  constructor({ directory, alsoReading }: Pick<StoreHealth, "directory" | "alsoReading">) {
    // One folder can lie in another: the longer paths first.
    this.#directories = [directory, ...alsoReading.map((root) => root.directory)].toSorted(
      (a, b) => b.length - a.length,
    )
  }

  /** A text without the folders that the store reads. */
  strip(text: string): string {
    let stripped = text
    for (const directory of this.#directories)
      stripped = stripped.replaceAll(`${directory}/`, "").replaceAll(directory, "the store")
    return stripped
  }
}

/** What is told of an error: everything of our own, of a StoreError all but where the store lies, of others nothing. */
export function toProblem(error: unknown, paths: Paths): HttpProblem {
  if (error instanceof HttpProblem) return error
  if (isStoreError(error)) {
    const status = STATUS[error.code]
    const stripped = paths.strip(error.message)
    // What lies elsewhere, as the lock can, is named and no more.
    const detail = error.path ? stripped.replaceAll(error.path, basename(error.path)) : stripped
    return new HttpProblem(status, error.code, detail, status === 503 ? { "Retry-After": "1" } : {})
  }
  return new HttpProblem(500, "INTERNAL", "Something went wrong; the server's log says more")
}

/** The answer that tells of a problem, as `application/problem+json`. */
export function problemResponse({ status, code, message, headers }: HttpProblem): Response {
  const body = { type: "about:blank", title: TITLES[status] ?? "Error", status, detail: message, code }
  return new Response(JSON.stringify(body), {
    status,
    headers: { ...headers, "Content-Type": "application/problem+json", "Cache-Control": "no-store" },
  })
}
