/** Takes the pictures of the page that the README shows, over a made-up history: docs/*.png. */
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { openPage, startBrowser } from "../test/browser/browser.ts"
import { findBrowser } from "../test/browser/find.ts"
import { writeHistory } from "../test/browser/history.ts"
import { startServer } from "../test/browser/server.ts"

const DOCS = join(import.meta.dir, "..", "docs")
const executable = findBrowser()
if (executable === undefined) throw new Error("There is no Chromium; see CONTRIBUTING.md")

const directory = mkdtempSync(join(tmpdir(), "sessiondex-screenshots-"))
const ids = writeHistory(directory, Date.now())
const [browser, server] = await Promise.all([startBrowser(executable), startServer(directory)])
try {
  for (const colorScheme of ["light", "dark"] as const) {
    const { page, close } = await openPage(browser, server.url, {
      colorScheme,
      viewport: { width: 1120, height: 700 },
    })
    const shoot = async (name: string): Promise<void> => {
      // The pointer and the focus are not what the picture is about.
      await page.mouse.move(0, 0)
      await page.waitForTimeout(400)
      await page.screenshot({ path: join(DOCS, `${name}-${colorScheme}.png`) })
    }
    await page.getByRole("img", { name: "Cost by model" }).waitFor()
    await page.getByRole("button", { name: "Show 1 nested session" }).click()
    await shoot("list")
    await page.goto(`${server.url}#/session/${ids.main}`)
    const edit = page.locator(".tool .fold-head", { hasText: "edit" })
    await edit.click()
    await page.locator(".transcript").evaluate((at) => at.scrollTo(0, at.scrollHeight - 1_190))
    await shoot("transcript")
    await edit.click()
    await page.getByLabel("Search titles").fill("thousand lines")
    await page.locator(".hit", { hasText: "Good." }).click()
    await shoot("search")
    await close()
  }
} finally {
  await browser.close()
  await server.stop()
  rmSync(directory, { recursive: true, force: true })
}
