/** Takes the pictures of the page that the README shows, over the made-up histories of a home: docs/*.png. */
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { openPage, startBrowser } from "../test/browser/browser.ts"
import { findBrowser } from "../test/browser/find.ts"
import { writeHome } from "../test/browser/home.ts"
import { startServer } from "../test/browser/server.ts"
import { put } from "../test/support/files.ts"

const DOCS = join(import.meta.dir, "..", "docs")
const executable = findBrowser()
if (executable === undefined) throw new Error("There is no Chromium; see CONTRIBUTING.md")

const home = mkdtempSync(join(tmpdir(), "sessiondex-screenshots-"))
const ids = writeHome(home, Date.now())
put(
  home,
  ".codex/sessions/2026/11/26/rollout-2026-11-26T10-00-00-01a216f9-2942-7c80-9953-0000000000ff.jsonl",
  "{ torn\n",
)
const [browser, server] = await Promise.all([startBrowser(executable), startServer({ home })])
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
    await page.getByLabel("Search titles").fill("rounding")
    await page.locator(".hit", { hasText: "floating point" }).first().click()
    await shoot("search")
    await page.getByLabel("Search titles").fill("")
    await page.getByLabel("Search titles").blur()
    await page.goto(`${server.url}#/sources`)
    await page.getByRole("button", { name: "Look again" }).waitFor()
    // Where the pictures were taken is nothing to show.
    await page.locator(".source .path").evaluateAll((paths, home) => {
      for (const path of paths) path.textContent = (path.textContent ?? "").replace(home, "/home/dev")
    }, home)
    await shoot("sources")
    await close()
  }
} finally {
  await browser.close()
  await server.stop()
  rmSync(home, { recursive: true, force: true })
}
