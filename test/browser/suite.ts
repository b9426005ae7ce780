import { afterAll, beforeAll, describe } from "bun:test"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { Browser, BrowserContextOptions, Page } from "playwright-core"
import { openPage, startBrowser } from "./browser.ts"
import { findBrowser } from "./find.ts"
import { startServer } from "./server.ts"

const BROWSER = findBrowser()
/** Set where the tests must not be left out, as in CI. */
const REQUIRED = Bun.env.SESSIONDEX_TEST_BROWSER === "required"

type Open = (
  hash: string,
  use: (page: Page) => Promise<void>,
  options?: BrowserContextOptions & { errors?: RegExp },
) => Promise<void>

export interface Suite {
  readonly directory: string
  /** The server's address. */
  url(): string
  /** Shows a page while `use` runs, then demands that it asked nobody else and that nothing went wrong in it. */
  readonly open: Open
  stopServer(): Promise<void>
  startServer(...flags: string[]): Promise<void>
}

/**
 * Tests in a real browser over a real store, served by a process of its own.
 * @param of what `fill` fills: a store, or a home with histories, of which none is named to the server
 */
export function describeInBrowser(
  name: string,
  flags: readonly string[],
  fill: (directory: string) => void,
  tests: (suite: Suite) => void,
  of: "store" | "home" = "store",
): void {
  if (BROWSER === undefined) {
    const missing = `The browser tests "${name}" did not run: there is no Chromium; see CONTRIBUTING.md`
    if (REQUIRED) throw new Error(missing)
    console.warn(`\n${missing}\n`)
    return
  }
  const executable = BROWSER
  const directory = mkdtempSync(join(tmpdir(), "sessiondex-browser-"))
  const where = of === "store" ? directory : { home: directory }
  let browser: Browser | undefined
  let server: Awaited<ReturnType<typeof startServer>> | undefined
  const url = (): string => {
    if (!server) throw new Error("The server is not running")
    return server.url
  }
  const suite: Suite = {
    directory,
    url,
    async open(hash, use, { errors: expected = /^$/, ...options } = {}) {
      if (!browser) throw new Error("The browser is not running")
      const { page, foreign, errors, close } = await openPage(browser, url(), { ...options, hash })
      try {
        await use(page)
      } finally {
        await close()
      }
      const wrong = [...foreign, ...errors.filter((error) => !expected.test(error))]
      if (wrong.length > 0) throw new Error(`The page went wrong: ${wrong.join("; ")}`)
    },
    async stopServer() {
      await server?.stop()
      server = undefined
    },
    async startServer(...more) {
      server = await startServer(where, ...flags, ...more)
    },
  }
  describe(name, () => {
    beforeAll(async () => {
      fill(directory)
      ;[browser, server] = await Promise.all([startBrowser(executable), startServer(where, ...flags)])
    }, 30_000)
    afterAll(async () => {
      await browser?.close()
      await server?.stop()
      rmSync(directory, { recursive: true, force: true })
    })
    tests(suite)
  })
}
