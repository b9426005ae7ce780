import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright-core"

/** What Playwright turns off as well, of which this list takes the place, and the pages that the address bar loads for each window. */
const TURNED_OFF = [
  "AvoidUnnecessaryBeforeUnloadCheckSync",
  "DestroyProfileOnBrowserClose",
  "HttpsFirstBalancedModeAutoEnable",
  "HttpsUpgrades",
  "LensOverlay",
  "MediaRouter",
  "NetworkTimeServiceQuerying",
  "OptimizationHints",
  "PaintHolding",
  "PreconnectToSearch",
  "ThirdPartyStoragePartitioning",
  "WebUIOmniboxAimPopup",
  "WebUIOmniboxPopup",
]

/** Starts a browser that knows nothing and asks nobody. */
export async function startBrowser(executablePath: string): Promise<Browser> {
  return await chromium.launch({
    executablePath,
    headless: true,
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
      `--disable-features=${TURNED_OFF.join()}`,
    ],
  })
}

/** A page that is watched: what it asked of others, and what went wrong in it. */
export interface WatchedPage {
  readonly page: Page
  /** Addresses outside the server that it asked for. */
  readonly foreign: readonly string[]
  /** Errors of scripts, of the console and of the content security policy. */
  readonly errors: readonly string[]
  close(): Promise<void>
}

/** Opens a page of a server in a window of its own. */
export async function openPage(
  browser: Browser,
  url: string,
  options: BrowserContextOptions & { hash?: string } = {},
): Promise<WatchedPage> {
  const { hash = "", ...rest } = options
  const context = await browser.newContext({
    viewport: { width: 1200, height: 800 },
    reducedMotion: "reduce",
    ...rest,
  })
  context.setDefaultTimeout(20_000)
  const page = await context.newPage()
  const foreign: string[] = []
  const errors: string[] = []
  page.on("request", (request) => {
    if (!/^(?:data|blob):/.test(request.url()) && !request.url().startsWith(url)) foreign.push(request.url())
  })
  page.on("pageerror", (error) => errors.push(error.message))
  page.on("console", (message) => {
    if (message.type() === "error") errors.push(message.text())
  })
  page.on("dialog", (dialog) => {
    errors.push(`a dialog said ${dialog.message()}`)
    void dialog.dismiss()
  })
  await page.goto(url + hash)
  return { page, foreign, errors, close: () => context.close() }
}
