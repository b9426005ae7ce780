import { createHash, timingSafeEqual } from "node:crypto"
import { HttpProblem } from "./problem.ts"

export interface GuardOptions {
  /** Without it, whoever reaches the server may read. */
  readonly token?: string | undefined
  /** Host names answered besides the loopback's; `*` for every address given as numbers. */
  readonly hosts?: readonly string[] | undefined
  /** Origins whose pages may ask besides the server's own, as `https://example.com`. */
  readonly origins?: readonly string[] | undefined
}

const LOOPBACK: ReadonlySet<string> = new Set(["localhost", "127.0.0.1", "[::1]"])
const NUMERIC = /^(?:\d{1,3}(?:\.\d{1,3}){3}|\[[0-9a-f:.]+\])$/
const COOKIE = "sessiondex"
const MAX_URL = 8 * 1024
const MAX_PORT = 65_535

/** Whether a server that listens there can be reached from this machine only. */
export function isLoopback(hostname: string): boolean {
  return LOOPBACK.has(hostname) || hostname === "::1" || /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(hostname)
}

/** The host in an address; nothing where it has none, as that of a request without a Host header. */
function hostOf(url: string): string {
  return URL.canParse(url) ? new URL(url).host : ""
}

function digest(text: string): Buffer {
  return createHash("sha256").update(text).digest()
}

/** Decides which requests are answered at all: for the right host, from the right page, by someone who may. */
export class Guard {
  readonly #hosts: ReadonlySet<string>
  readonly #origins: ReadonlySet<string>
  readonly #token: Buffer | undefined
  readonly #cookie: Buffer | undefined
  readonly #cookieText: string | undefined

  constructor({ token, hosts = [], origins = [] }: GuardOptions) {
    if (token !== undefined && (typeof token !== "string" || token.length < 8))
      throw new TypeError("token must be a text of at least 8 characters")
    this.#hosts = new Set(hosts.map((host) => host.toLowerCase()))
    this.#origins = new Set(origins.map((origin) => new URL(origin).origin))
    if (token === undefined) return
    this.#token = digest(token)
    // The cookie is no copy of the token, since cookies are sent to the other ports of a machine too.
    this.#cookieText = digest(`cookie ${token}`).toString("base64url")
    this.#cookie = digest(this.#cookieText)
  }

  /**
   * Lets a request pass or refuses it.
   * @returns an answer that takes the place of the route's: the redirection that turns `?token=` into a cookie
   * @throws HttpProblem 400, 401, 403, 414
   */
  check(request: Request): Response | undefined {
    if (request.url.length > MAX_URL)
      throw new HttpProblem(414, "URI_TOO_LONG", `The address is longer than ${MAX_URL} characters`)
    const host = this.#checkHost(request)
    // The address is put together from what the client sent as host and as path.
    if (!URL.canParse(request.url)) throw new HttpProblem(400, "INVALID_URL", "That is no address")
    this.#checkOrigin(request, host)
    return this.#checkToken(request)
  }

  /** A foreign name for our address is how a page elsewhere gets around the same-origin rule (DNS rebinding). */
  #checkHost(request: Request): string {
    const host = (request.headers.get("host") ?? hostOf(request.url)).toLowerCase()
    const [, written = "", port = "0"] = /^(\[[0-9a-f:.]+\]|[^:@/?#\s]+)(?::(\d{1,5}))?$/.exec(host) ?? []
    const name = Number(port) <= MAX_PORT ? written : ""
    const numeric = this.#hosts.has("*") && NUMERIC.test(name)
    if (!LOOPBACK.has(name) && !this.#hosts.has(name) && !numeric)
      throw new HttpProblem(403, "FOREIGN_HOST", "This server does not answer to that host name")
    return host
  }

  /** Pages from elsewhere may neither read nor change anything; following a link to here is no harm. */
  #checkOrigin(request: Request, host: string): void {
    const origin = request.headers.get("origin")
    if (origin !== null) {
      if (origin === `http://${host}` || origin === `https://${host}` || this.#origins.has(origin)) return
      throw new HttpProblem(403, "FOREIGN_ORIGIN", "Pages of another origin may not ask this server")
    }
    const site = request.headers.get("sec-fetch-site")
    const foreign = site === "cross-site" || site === "same-site"
    const follows = request.headers.get("sec-fetch-mode") === "navigate" && request.method === "GET"
    if (foreign && !follows)
      throw new HttpProblem(403, "FOREIGN_ORIGIN", "Pages of another origin may not ask this server")
  }

  #checkToken(request: Request): Response | undefined {
    if (!this.#token) return undefined
    const bearer = /^Bearer +(\S+)$/i.exec(request.headers.get("authorization") ?? "")?.[1]
    if (bearer !== undefined && timingSafeEqual(digest(bearer), this.#token)) return undefined
    const url = new URL(request.url)
    const given = url.searchParams.get("token")
    if (given !== null && request.method === "GET" && timingSafeEqual(digest(given), this.#token))
      return this.#giveCookie(url)
    if (this.#hasCookie(request)) return undefined
    throw new HttpProblem(401, "TOKEN_REQUIRED", "A token is needed, and this is not it", {
      "WWW-Authenticate": 'Bearer realm="sessiondex"',
    })
  }

  #hasCookie(request: Request): boolean {
    const cookies = request.headers.get("cookie") ?? ""
    return cookies.split(";").some((cookie) => {
      const [name, value = ""] = cookie.trim().split("=", 2)
      return name === COOKIE && this.#cookie !== undefined && timingSafeEqual(digest(value), this.#cookie)
    })
  }

  /** Takes the token out of the address, where histories and screenshots would keep it. */
  #giveCookie(url: URL): Response {
    url.searchParams.delete("token")
    const query = url.searchParams.toString()
    return new Response(null, {
      status: 303,
      headers: {
        // Relative, since a handler can be mounted anywhere; without the dot "https:x" would be another server.
        Location: query ? `?${query}` : `./${url.pathname.slice(url.pathname.lastIndexOf("/") + 1)}`,
        "Set-Cookie": `${COOKIE}=${this.#cookieText}; Path=/; HttpOnly; SameSite=Strict`,
        "Cache-Control": "no-store",
      },
    })
  }
}
