import { expect, test } from "bun:test"
import { existsSync, rmSync } from "node:fs"
import { join } from "node:path"
import type { Page } from "playwright-core"
import { put } from "../support/files.ts"
import { History, writeHistory } from "./history.ts"
import { writeHostile } from "./hostile.ts"
import { barriers, LIMIT, until } from "./page-test.ts"
import { describeInBrowser } from "./suite.ts"

const NOW = Date.now()

/** Waits until the rows in sight have been measured: before that their heights are guessed, and what lies below moves. */
async function measured(page: Page): Promise<void> {
  await page.locator(".transcript").evaluate(async (scroller) => {
    for (let frames = 0, height = -1; frames < 5; ) {
      await new Promise((resolve) => requestAnimationFrame(resolve))
      frames = scroller.scrollHeight === height ? frames + 1 : 0
      height = scroller.scrollHeight
    }
  })
}

/** The text of the message nearest to the top of the transcript, and where it stands. */
async function topRow(page: Page): Promise<{ key: string; y: number }> {
  return await page.locator(".transcript").evaluate((scroller) => {
    const edge = scroller.getBoundingClientRect().top
    for (const row of scroller.querySelectorAll<HTMLElement>(".row")) {
      const y = row.getBoundingClientRect().top - edge
      if (y >= 0) return { key: row.dataset.key ?? "", y }
    }
    throw new Error("No row is in sight")
  })
}

let ids: ReturnType<typeof writeHistory>
let hostile = ""

describeInBrowser(
  "the page",
  [],
  (directory) => {
    ids = writeHistory(directory, NOW)
    hostile = writeHostile(new History(directory), NOW)
  },
  (suite) => {
    test(
      "lists sessions, newest first, by day, agents' sessions under theirs",
      async () => {
        await suite.open("", async (page) => {
          const titles = page.locator(".session-title")
          await page.locator(".session", { hasText: "Prices are a cent off" }).waitFor()
          expect(await titles.first().textContent()).toContain("hostile")
          expect(await titles.nth(1).textContent()).toBe("Prices are a cent off at checkout")
          const [newest] = await (await fetch(new URL("session?limit=1", suite.url()))).json()
          const isToday = new Date(newest.time.updated).toDateString() === new Date().toDateString()
          expect(await page.locator(".day").first().textContent()).toBe(isToday ? "Today" : "Yesterday")
          expect(await page.getByText("Find where prices are rounded").count()).toBe(0)
          await page.getByRole("button", { name: "Show 1 nested session" }).click()
          const child = page.getByRole("treeitem").filter({ hasText: "Find where prices are rounded" })
          expect(await child.getAttribute("aria-level")).toBe("2")
          await page.getByLabel("Project").selectOption({ label: "atlas — /home/dev/atlas" })
          await page.getByRole("heading", { name: "atlas" }).waitFor()
          await page.locator(".session", { hasText: "Port the report engine" }).waitFor()
          await page.getByText("Prices are a cent off").waitFor({ state: "detached" })
        })
      },
      LIMIT,
    )

    test(
      "shows a transcript: Markdown, code, tools, differences, pictures, todos",
      async () => {
        await suite.open(`#/session/${ids.main}`, async (page) => {
          await page.getByRole("heading", { level: 1, name: "Prices are a cent off at checkout" }).waitFor()
          expect(await page.locator(".prose table td code").last().textContent()).toBe("3.3000000000000003")
          expect(await page.locator(".code .hljs-keyword").first().textContent()).toBe("let")
          const link = page.getByRole("link", { name: "the note on money" })
          expect(await link.getAttribute("rel")).toBe("noopener noreferrer")
          const edit = page.locator(".tool", { hasText: "edit" }).first()
          expect(await edit.locator(".sums").textContent()).toBe("+5 −3")
          expect(await edit.locator("table").count()).toBe(0)
          await edit.getByRole("button").first().click()
          expect(await edit.locator("tr.added").count()).toBe(5)
          const bash = page.locator(".tool", { hasText: "Run the checkout tests" })
          expect(await bash.locator(".time").textContent()).toBe("12.5 s")
          await bash.getByRole("button").first().click()
          expect(await bash.locator("pre").last().textContent()).toBe("14 pass\n0 fail")
          expect(await page.locator('[data-state="error"] .state').textContent()).toBe("error")
          await page.getByRole("button", { name: "Todos 2/4" }).click()
          expect(await page.locator(".panel li").count()).toBe(4)
          await page.getByRole("button", { name: "Changes" }).click()
          expect(await page.locator(".panel tr.added .line").textContent()).toContain("Math.round(x * 100)")
          await page.keyboard.press("g")
          const picture = page.getByRole("img", { name: "checkout.png" })
          await picture.waitFor()
          expect(await picture.evaluate((image: HTMLImageElement) => image.naturalWidth)).toBe(2)
          await page.getByRole("button", { name: "1 agent" }).click()
          await page.locator(".panel").getByRole("link").click()
          await page.getByRole("heading", { level: 1, name: "Find where prices are rounded" }).waitFor()
          expect(await page.locator(".session.selected").textContent()).toContain("Find where prices")
          await page.getByRole("link", { name: "the session it was started from" }).click()
          await page.getByRole("heading", { level: 1, name: "Prices are a cent off" }).waitFor()
        })
      },
      LIMIT,
    )

    test(
      "opens at the newest message; older ones come while what one reads stays",
      async () => {
        await suite.open(`#/session/${ids.long}`, async (page) => {
          await page.locator(".row", { hasText: "Ported file 39" }).waitFor()
          const scroller = page.locator(".transcript")
          await until(
            () => scroller.evaluate((at) => Math.round(at.scrollHeight - at.scrollTop - at.clientHeight)),
            0,
          )
          await measured(page)
          for (let step = 0; step < 25; step++) {
            const before = await topRow(page)
            await scroller.evaluate((at) => at.scrollBy(0, -150))
            await page.waitForTimeout(20)
            // Rows that come into sight are measured a moment later; then what one reads is where it was.
            await until(async () => {
              const edge = await scroller.evaluate((at) => at.getBoundingClientRect().top)
              const y = await page
                .locator(`[data-key="${before.key}"]`)
                .evaluate((row) => row.getBoundingClientRect().top)
              return Math.abs(y - edge - before.y - 150) < 3
            }, true)
          }
          // Older ones have come meanwhile, and nothing in sight moved for them.
          await page.locator(".beginning", { hasText: "begins here" }).waitFor()
          await page.keyboard.press("g")
          await page.locator(".row", { hasText: "Step 0:" }).waitFor()
          await page.getByRole("button", { name: "Newest" }).click()
          await page.locator(".row", { hasText: "Ported file 39" }).waitFor()
        })
      },
      LIMIT,
    )

    test(
      "searches as one types, marks what it found and jumps to the message",
      async () => {
        await suite.open("", async (page) => {
          await page.locator(".session").first().waitFor()
          await page.keyboard.press("/")
          await page.keyboard.type("file 7", { delay: 15 })
          await page.locator(".hit mark").first().waitFor()
          await page.locator(".hits", { hasText: "Ported file 7." }).waitFor()
          await page.getByLabel("Search titles").fill('"Ported file 7."')
          const hit = page.locator(".hit")
          await until(() => hit.count(), 1)
          expect(await hit.locator("mark").allTextContents()).toEqual(["Ported file 7."])
          await page.keyboard.press("Enter")
          const found = page.locator(".row.target")
          await found.waitFor()
          expect(await found.textContent()).toContain("Ported file 7.")
          expect(new URL(page.url()).hash).toContain(`#/session/${ids.long}/msg_`)
          await until(() => page.evaluate(() => CSS.highlights.get("found")?.size), 1)
          // What stands in a folded part is unfolded.
          await page.getByRole("button", { name: "Tools" }).click()
          await page.getByLabel("Search titles").fill("bun test report/3.test.ts")
          await page.locator(".hit", { hasText: "report/3.test.ts" }).first().click()
          await page.locator(".row.target .fold-body", { hasText: "3 pass" }).waitFor()
          await page.getByLabel("Search titles").fill("zzz nothing like this")
          await page.getByText("Nothing found").waitFor()
          await page.keyboard.press("Escape")
          await page.getByRole("tree").waitFor()
        })
      },
      LIMIT,
    )

    test(
      "a new query ends the request of the one before",
      async () => {
        await suite.open("", async (page) => {
          await page.locator(".session").first().waitFor()
          const ended: string[] = []
          page.on("requestfailed", (request) =>
            ended.push(new URL(request.url()).searchParams.get("q") ?? ""),
          )
          let first = true
          await page.route("**/search?*", async (route) => {
            if (first) {
              first = false
              await Bun.sleep(500)
            }
            // The first one may be gone by then.
            await route.continue().catch(() => {})
          })
          const box = page.getByLabel("Search titles")
          const asked = page.waitForRequest(/\/search\?/)
          await box.fill("cent")
          await asked
          await box.fill("thousand")
          await page.locator(".hit mark", { hasText: "thousand" }).first().waitFor()
          expect(ended).toEqual(["cent"])
        })
      },
      LIMIT,
    )

    test(
      "shows what other programs write, at once",
      async () => {
        await suite.open(
          `#/session/${ids.child}`,
          async (page) => {
            await page.locator(".row", { hasText: "rounds." }).last().waitFor()
            await page.locator(".foot", { hasText: "Live" }).waitFor()
            const history = new History(suite.directory)
            const at = Date.now()
            const id = history.answer(ids.child, at, [{ type: "text", text: "Written a moment ago" }])
            await page.locator(".row", { hasText: "Written a moment ago" }).waitFor()
            history.part(ids.child, id, at + 1, { type: "text", text: "and one more part" })
            await page.locator(".row", { hasText: "and one more part" }).waitFor()
            const session = history.session("Begun while one looks", at)
            await page.locator(".session", { hasText: "Begun while one looks" }).waitFor()
            history.body("shop", session, {
              title: "Renamed while one looks",
              time: { created: at, updated: at },
            })
            await page.locator(".session", { hasText: "Renamed while one looks" }).waitFor()
            put(suite.directory, `session/a1c3f0/${session}.json`, "{ torn")
            await page
              .locator(".session", { hasText: "Renamed while one looks" })
              .waitFor({ state: "detached" })
          },
          { errors: /status of 500/ },
        )
      },
      LIMIT,
    )

    test(
      "lets go of the server while nobody looks at it, and is up to date when someone does",
      async () => {
        await suite.open(
          "",
          async (page) => {
            const look = (hidden: boolean): Promise<void> =>
              page.evaluate((hidden) => {
                Object.defineProperty(document, "hidden", { value: hidden, configurable: true })
                document.dispatchEvent(new Event("visibilitychange"))
              }, hidden)
            await page.locator(".foot", { hasText: "Live" }).waitFor()
            await page.clock.install()
            const isEvents = (request: { url(): string }): boolean => request.url().endsWith("/event")
            const left = page.waitForEvent("requestfailed", isEvents)
            await look(true)
            await page.clock.fastForward(11_000)
            await left
            const id = new History(suite.directory).session("Begun while nobody looked", Date.now())
            const come = page.waitForRequest(isEvents)
            await look(false)
            await come
            await page.locator(".session", { hasText: "Begun while nobody looked" }).waitFor()
            rmSync(join(suite.directory, "session", "a1c3f0", `${id}.json`))
            await page
              .locator(".session", { hasText: "Begun while nobody looked" })
              .waitFor({ state: "detached" })
          },
          { errors: /status of 404/ },
        )
      },
      LIMIT,
    )

    test(
      "leaves nothing beyond the edge of a narrow window",
      async () => {
        await suite.open(
          "#/overview",
          async (page) => {
            await page.getByRole("img", { name: "Cost by model" }).waitFor()
            expect(
              await page
                .locator(".card")
                .evaluateAll((cards) =>
                  cards
                    .filter((card) => card.getBoundingClientRect().right > innerWidth)
                    .map(({ textContent }) => textContent),
                ),
            ).toEqual([])
          },
          { viewport: { width: 390, height: 780 } },
        )
      },
      LIMIT,
    )

    test(
      "is dark where the system is, and as one chooses",
      async () => {
        const ground = (page: Page): Promise<string> =>
          page.evaluate(() => getComputedStyle(document.body).backgroundColor)
        await suite.open(
          "",
          async (page) => {
            expect(await ground(page)).toBe("rgb(22, 24, 27)")
            await page.getByRole("button", { name: /^Colours/ }).click()
            expect(await ground(page)).toBe("rgb(255, 255, 255)")
            await page.reload()
            expect(await ground(page)).toBe("rgb(255, 255, 255)")
            await page.keyboard.press("t")
            await page.emulateMedia({ colorScheme: "light" })
            expect(await ground(page)).toBe("rgb(22, 24, 27)")
          },
          { colorScheme: "dark" },
        )
      },
      LIMIT,
    )

    test(
      "a hostile record is text, and breaks nothing",
      async () => {
        await suite.open(`#/session/${hostile}`, async (page) => {
          await page.locator(".row", { hasText: "the last word" }).waitFor()
          await page.keyboard.press("g")
          await page.locator(".row", { hasText: "<script>alert(1)</script>" }).first().waitFor()
          const seen: string[] = []
          const look = async (): Promise<void> => {
            seen.push(
              ...(await page.evaluate(() => [
                ...[...document.querySelectorAll("a")].map(({ href }) => `a ${new URL(href).protocol}`),
                ...[...document.querySelectorAll("img")].map(({ src }) => `img ${src.slice(0, 15)}`),
                ...[
                  ...document.querySelectorAll(
                    "body script, body link, body style, iframe, object, embed, form, base",
                  ),
                ].map(({ tagName }) => `tag ${tagName}`),
                ...[...document.querySelectorAll("*")].flatMap((element) =>
                  element.getAttributeNames().filter((name) => /^on|^srcdoc$/i.test(name)),
                ),
              ])),
            )
          }
          for (let step = 0; step < 12; step++) {
            await page.evaluate(() => {
              for (const head of document.querySelectorAll<HTMLElement>('.fold-head[aria-expanded="false"]'))
                head.click()
            })
            await look()
            await page.locator(".transcript").evaluate((at) => at.scrollBy(0, 500))
            await page.waitForTimeout(25)
          }
          expect([...new Set(seen)].sort()).toEqual(["a http:", "a https:", "img data:image/png;"])
          expect(await page.evaluate(() => (globalThis as { hacked?: boolean }).hacked)).toBeUndefined()
          expect(await page.title()).toContain("<script>hostile</script>")
        })
      },
      LIMIT,
    )

    test(
      "absurd times, ids and depths cost nothing but themselves",
      async () => {
        const deep = `${'{"a":['.repeat(30_000)}1${"]}".repeat(30_000)}`
        const time = { created: 1.7e18, updated: 1.7e18, start: 1.7e18, end: 1.8e18 }
        const files = [
          put(suite.directory, "session/b7d2e9/ses_absurd.json", {
            title: "absurd",
            parentID: "\ud800",
            time,
          }),
          put(suite.directory, "message/ses_absurd/msg_1.json", { role: "assistant", time, cost: 1e300 }),
          put(suite.directory, "part/msg_1/prt_1.json", `{"type":"of no kind","deep":${deep}}`),
          put(suite.directory, "part/msg_1/prt_2.json", `{"type":"tool","state":{"input":${deep}}}`),
          put(suite.directory, "part/msg_1/prt_3.json", { type: "text", text: "the text beside them", time }),
          put(suite.directory, "message/ses_absurd/msg_2.json", {
            role: "assistant",
            time: { created: 253_370_000_000_000 },
            cost: 1e300,
          }),
        ]
        try {
          await suite.open(
            "#/session/ses_absurd",
            async (page) => {
              await page.getByRole("heading", { level: 1, name: "absurd" }).waitFor()
              await page.locator(".row", { hasText: "the text beside them" }).waitFor()
              await page.evaluate(() => {
                for (const head of document.querySelectorAll<HTMLElement>(".transcript .fold-head"))
                  head.click()
              })
              await until(() => page.getByText("nested too deep to be shown").count(), 3)
              await page.locator(".session", { hasText: "Prices are a cent off" }).waitFor()
            },
            { errors: /404/ },
          )
          await suite.open(
            "#/overview",
            async (page) => {
              await page.getByRole("heading", { name: "Messages" }).waitFor()
              // Not a single day of the year 9998.
              await page.getByRole("rowheader", { name: "sonnet-4.5" }).waitFor()
            },
            { errors: /404/ },
          )
        } finally {
          for (const file of files) rmSync(file)
        }
      },
      LIMIT,
    )

    test(
      "works by keyboard, and tells its keys",
      async () => {
        await suite.open("", async (page) => {
          await page.locator(".session").first().waitFor()
          await page.keyboard.press("?")
          await page.getByRole("dialog").waitFor()
          await page.keyboard.press("Escape")
          await page.getByRole("dialog").waitFor({ state: "detached" })
          // Wherever the focus is, the first key already moves.
          await page.evaluate(() => (document.activeElement as HTMLElement | null)?.blur())
          await page.keyboard.press("j")
          await page.locator("#sessions[aria-activedescendant]").waitFor()
          await page.keyboard.press("j")
          await page.keyboard.press("k")
          await page.keyboard.press("Enter")
          await page.locator(".session[aria-selected=true]").first().waitFor()
          await page.keyboard.press("Escape")
          await page.getByRole("heading", { name: "Your history" }).waitFor()
          await page.goto(suite.url())
          await page.locator(".session").first().waitFor()
          await page.keyboard.press("l")
          for (const key of ["ArrowDown", "ArrowDown", "ArrowRight", "ArrowDown", "Enter"])
            await page.keyboard.press(key)
          await page.getByRole("heading", { level: 1, name: "Find where prices are rounded" }).waitFor()
          await page.goto(`${suite.url()}#/session/${ids.main}`)
          await page.locator(".row", { hasText: "Good. Does it hold" }).waitFor()
          await page.keyboard.press("g")
          await page.locator(".row.current", { hasText: "Where does the extra cent" }).waitFor()
          await page.locator(".transcript").focus()
          await page.keyboard.press("j")
          await page.keyboard.press("o")
          await page.locator(".row.current .fold.open", { hasText: "floating point prices" }).waitFor()
          await page.keyboard.press("J")
          await page.locator(".row.current", { hasText: "thousand lines" }).waitFor()
          await page.keyboard.press("Escape")
          await page.getByRole("heading", { name: "Your history" }).waitFor()
        })
      },
      LIMIT,
    )

    test(
      "a narrow window shows one side at a time",
      async () => {
        await suite.open(
          "",
          async (page) => {
            await page.locator(".session", { hasText: "Port the report engine" }).click()
            await page.locator(".row", { hasText: "Ported file 39" }).waitFor()
            expect(await page.getByRole("tree").isVisible()).toBe(false)
            expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(360)
            await page.getByRole("link", { name: "Back to the list" }).click()
            await page.getByRole("tree").waitFor()
            expect(await page.getByRole("main").isVisible()).toBe(false)
            await page.getByRole("link", { name: "Overview" }).click()
            await page.getByRole("img", { name: "Tokens", exact: true }).waitFor()
            await page.getByRole("link", { name: "Back to the list" }).click()
            await page.getByRole("tree").waitFor()
          },
          { viewport: { width: 360, height: 720 } },
        )
      },
      LIMIT,
    )

    test(
      "draws activity, tokens and cost, and has them as figures",
      async () => {
        await suite.open("", async (page) => {
          for (const name of ["Messages", "Tokens", "Cost by model"])
            await page.getByRole("img", { name, exact: true }).waitFor()
          const chart = page.locator(".chart", { hasText: "Cost by model" })
          expect(await chart.locator(".legend li").allTextContents()).toHaveLength(3)
          await page.getByRole("img", { name: "Messages", exact: true }).focus()
          await page.keyboard.press("End")
          expect(await page.locator(".chart .readout").first().textContent()).toMatch(/\d{4} \d/)
          await page.getByRole("button", { name: "30 days" }).click()
          expect(
            await page.getByRole("img", { name: "Tokens", exact: true }).locator("g:not(.grid)").count(),
          ).toBe(30)
          expect(await page.getByRole("rowheader", { name: "sonnet-4.5" }).count()).toBe(1)
          await page.getByRole("button", { name: "Count files and bytes" }).click()
          await page.getByRole("heading", { name: "On the disk" }).waitFor()
          expect(await page.locator(".facts div").count()).toBeGreaterThan(3)
        })
      },
      LIMIT,
    )

    test(
      "has no barriers that a machine can find, light or dark",
      async () => {
        await suite.open(`#/session/${ids.main}`, async (page) => {
          await page.locator(".row", { hasText: "Good. Does it hold" }).waitFor()
          for (const name of ["edit", "bash"])
            await page.locator(".tool .fold-head", { hasText: name }).first().click()
          await page.getByRole("button", { name: "Todos" }).click()
          expect(await barriers(page)).toEqual([])
          await page.getByLabel("Search titles").fill("thousand")
          await page.locator(".hit mark").first().waitFor()
          // Only colours are others in the dark.
          for (const colorScheme of ["light", "dark"] as const) {
            await page.emulateMedia({ colorScheme })
            expect(await barriers(page, ["color-contrast"])).toEqual([])
          }
          await page.keyboard.press("Escape")
          await page.keyboard.press("Escape")
          await page.getByRole("img", { name: "Tokens", exact: true }).waitFor()
          expect(await barriers(page)).toEqual([])
        })
      },
      LIMIT,
    )

    test(
      "says so when there is no such session, and when the server is gone, and recovers",
      async () => {
        await suite.open(
          "#/session/ses_nothing",
          async (page) => {
            await page.getByText("There is no such session").waitFor()
            await page.locator(".session", { hasText: "Port the report engine" }).waitFor()
            await suite.stopServer()
            await page.locator(".foot", { hasText: "Connection lost" }).waitFor()
            await page.locator(".session", { hasText: "Port the report engine" }).click()
            await page.getByRole("alert").filter({ hasText: "The server does not answer" }).waitFor()
            await page.getByLabel("Search titles").fill("cent")
            await page.getByText("The search failed").waitFor()
            await suite.startServer("--port", new URL(page.url()).port)
            await page.getByRole("main").getByRole("button", { name: "Try again" }).click()
            await page.locator(".row", { hasText: "Ported file 39" }).waitFor()
            await page.locator(".foot", { hasText: "Live" }).waitFor()
          },
          { errors: /Failed to load resource/ },
        )
      },
      LIMIT,
    )

    test(
      "nothing can be removed",
      async () => {
        await suite.open(`#/session/${ids.main}`, async (page) => {
          await page.locator(".row", { hasText: "Good. Does it hold" }).waitFor()
          expect(await page.getByRole("button", { name: "Remove…" }).count()).toBe(0)
        })
      },
      LIMIT,
    )
  },
)

describeInBrowser(
  "the page where writing is allowed",
  ["--writable"],
  (directory) => {
    ids = writeHistory(directory, NOW)
  },
  (suite) => {
    test(
      "removes a session once that is confirmed",
      async () => {
        const file = join(suite.directory, "session", "a1c3f0", `${ids.main}.json`)
        await suite.open(
          `#/session/${ids.main}`,
          async (page) => {
            await page.getByRole("button", { name: "Remove…" }).click()
            await page.getByRole("button", { name: "Keep it" }).click()
            expect(existsSync(file)).toBe(true)
            await page.getByRole("button", { name: "Remove…" }).click()
            await page.getByRole("button", { name: "Remove", exact: true }).click()
            await page.getByRole("heading", { name: "Your history" }).waitFor()
            await page
              .locator(".session", { hasText: "Prices are a cent off" })
              .waitFor({ state: "detached" })
            expect(existsSync(file)).toBe(false)
          },
          { errors: /status of 404/ },
        )
      },
      LIMIT,
    )
  },
)
