import { expect, test } from "bun:test"
import { mkdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { createId } from "../../src/index.ts"
import { History } from "./history.ts"
import { describeInBrowser } from "./suite.ts"

const MESSAGES = 4_000
const PARTS = 7
const SESSIONS = 700
const LIMIT = 60_000
/** Elements in the page, however much there is to show. */
const MOST_ELEMENTS = 1_500

let large = ""

describeInBrowser(
  "the page over much",
  [],
  (directory) => {
    const history = new History(directory)
    const start = Date.now() - 10 * 86_400_000
    for (let index = 0; index < SESSIONS; index++) history.session(`Session ${index}`, start - index * 60_000)
    large = writeLarge(history, start)
  },
  (suite) => {
    test(
      `a session of ${(MESSAGES * PARTS).toLocaleString("en")} parts opens at its end and scrolls, with few elements`,
      async () => {
        await suite.open("", async (page) => {
          await page.goto("about:blank")
          const pages: string[] = []
          page.on("request", (request) => {
            if (request.url().includes("/message?")) pages.push(request.url())
          })
          await page.goto(`${suite.url()}#/session/${large}`)
          await page.locator(".row", { hasText: `part ${PARTS - 1} of message ${MESSAGES - 1}.` }).waitFor()
          expect(pages.length).toBe(1)
          const walk = await page.locator(".transcript").evaluate(async (scroller) => {
            let most = 0
            let empty = 0
            for (let step = 0; step < 90; step++) {
              scroller.scrollTop -= 700
              await new Promise(requestAnimationFrame)
              await new Promise(requestAnimationFrame)
              most = Math.max(most, document.querySelectorAll("*").length)
              const box = scroller.getBoundingClientRect()
              const middle = document.elementFromPoint(box.left + box.width / 2, box.top + box.height / 2)
              if (!middle?.closest(".row, .beginning")) empty++
            }
            return { most, empty }
          })
          expect(walk.most).toBeLessThan(MOST_ELEMENTS)
          expect(walk.empty).toBe(0)
          expect(pages.length).toBeGreaterThan(1)
          await page.keyboard.press("g")
          await page.locator(".row", { hasText: "part 0 of message 0." }).waitFor()
          expect(await page.locator(".beginning").textContent()).toContain("begins here")
          expect(await page.evaluate(() => document.querySelectorAll("*").length)).toBeLessThan(MOST_ELEMENTS)
        })
      },
      LIMIT,
    )

    test(
      "a deep link into its middle loads what is around, and more both ways",
      async () => {
        const middle = 2_000
        const id = messageID(middle)
        await suite.open(`#/session/${large}/${id}`, async (page) => {
          const target = page.locator(".row.target")
          await target.waitFor()
          expect(await target.getAttribute("data-key")).toBe(id)
          const box = await target.boundingBox()
          expect(box && box.y > 50 && box.y < 300).toBe(true)
          for (const [step, message] of [
            [-900, middle - 40],
            [900, middle + 40],
          ] as const) {
            const wanted = page.locator(".row", { hasText: `part 0 of message ${message}.` })
            for (let tries = 0; tries < 60 && (await wanted.count()) === 0; tries++) {
              await page.locator(".transcript").evaluate((at, by) => at.scrollBy(0, by), step)
              await page.waitForTimeout(30)
            }
            expect(await wanted.count()).toBe(1)
          }
          await page.getByRole("button", { name: "Newest" }).click()
          await page
            .locator(".row", { hasText: `of message ${MESSAGES - 1}.` })
            .first()
            .waitFor()
        })
      },
      LIMIT,
    )

    test(
      "the list comes page by page, and only what is in sight exists",
      async () => {
        await suite.open("", async (page) => {
          await page.locator(".session").first().waitFor()
          expect(await page.locator(".foot-end").textContent()).toBe("200+ sessions")
          const last = page.locator(".session", { hasText: `Session ${SESSIONS - 1}` })
          const tree = page.getByRole("tree")
          for (let tries = 0; tries < 100 && (await last.count()) === 0; tries++) {
            await tree.evaluate((at) => at.scrollBy(0, 8_000))
            await page.waitForTimeout(30)
            expect(await page.locator(".session").count()).toBeLessThan(60)
          }
          await last.waitFor()
          expect(await page.locator(".foot-end").textContent()).toBe("701 sessions")
        })
      },
      LIMIT,
    )
  },
)

const ids: string[] = []

function messageID(index: number): string {
  const id = ids[index]
  if (id === undefined) throw new Error(`There is no message ${index}`)
  return id
}

/** Written plainly: it is many files. */
function writeLarge(history: History, start: number): string {
  const session = history.session("A very long session", start)
  const folder = join(history.directory, "message", session)
  mkdirSync(folder, { recursive: true })
  for (let index = 0; index < MESSAGES; index++) {
    const created = start + index * 1_000
    const id = createId("message", created)
    ids.push(id)
    const role = index % 8 === 0 ? "user" : "assistant"
    writeFileSync(
      join(folder, `${id}.json`),
      JSON.stringify({ id, sessionID: session, role, time: { created } }),
    )
    const parts = join(history.directory, "part", id)
    mkdirSync(parts, { recursive: true })
    for (let part = 0; part < PARTS; part++) {
      const partID = createId("part", created)
      const text = `part ${part} of message ${index}. ${"More words. ".repeat((index * 5 + part * 11) % 30)}`
      writeFileSync(
        join(parts, `${partID}.json`),
        JSON.stringify({ id: partID, sessionID: session, messageID: id, type: "text", text }),
      )
    }
  }
  return session
}
