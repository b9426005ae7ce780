import { Database } from "bun:sqlite"
import { expect, test } from "bun:test"
import { rmSync } from "node:fs"
import { join } from "node:path"
import type { ProjectGroup } from "../../src/index.ts"
import { put } from "../support/files.ts"
import { homeOfAll } from "../support/home.ts"
import { barriers, LIMIT, until } from "./page-test.ts"
import { describeInBrowser } from "./suite.ts"

describeInBrowser(
  "the page over all histories of a home",
  [],
  (home) => {
    homeOfAll({ environment: {}, home, platform: "linux" })
  },
  (suite) => {
    test(
      "marks each session with its source, and shows those of one alone",
      async () => {
        await suite.open("", async (page) => {
          const sessions = page.locator(".session")
          await sessions.first().waitFor()
          const marks = page.locator(".session .named-mark")
          expect(await marks.count()).toBe(await sessions.count())
          for (const [chip, name] of [
            ["Codex", "Codex"],
            ["Claude", "Claude Code"],
            ["Gemini", "Gemini CLI"],
            ["opencode", "opencode"],
          ] as const) {
            await page.getByRole("button", { name: chip, exact: true }).click()
            await page.getByRole("heading", { level: 1, name }).waitFor()
            await until(async () => [...new Set(await marks.allTextContents())].join(), name)
            expect(
              await page.getByRole("button", { name: chip, exact: true }).getAttribute("aria-pressed"),
            ).toBe("true")
          }
          expect(new URL(page.url()).hash).toBe("#/?source=opencode")
          await page.reload()
          await sessions.first().waitFor()
          expect([...new Set(await marks.allTextContents())]).toEqual(["opencode"])
          // The charts have a button of that name, too, once they are there.
          const group = page.getByRole("group", { name: "Source" })
          await group.getByRole("button", { name: "All", exact: true }).click()
          await until(async () => new Set(await marks.allTextContents()).size > 1, true)
        })
      },
      LIMIT,
    )

    test(
      "a project is one of all sources, and can be one of a single source",
      async () => {
        await suite.open("", async (page) => {
          await page.locator(".session").first().waitFor()
          const project = page.getByLabel("Project")
          // opencode and Codex have ids of their own for it.
          const option = project.locator("option", { hasText: "/home/dev/app" })
          await option.waitFor({ state: "attached" })
          expect(await option.count()).toBe(1)
          await project.selectOption({ label: "app — /home/dev/app" })
          await page.getByRole("heading", { level: 1, name: "app" }).waitFor()
          const groups = await (await fetch(new URL("project?groups=true", suite.url()))).json()
          const { sessions } = groups.find(({ worktree }: ProjectGroup) => worktree === "/home/dev/app")
          await until(() => page.locator(".foot-end").textContent(), `${sessions} sessions`)
          const marks = page.locator(".session .named-mark")
          expect(new Set(await marks.allTextContents()).size).toBeGreaterThan(1)
          await page.getByRole("button", { name: "Gemini", exact: true }).click()
          await page.getByRole("heading", { level: 1, name: "app · Gemini CLI" }).waitFor()
          await until(async () => [...new Set(await marks.allTextContents())].join(), "Gemini CLI")
          // Projects of other sources alone are not to be chosen then.
          await page.getByRole("button", { name: "opencode", exact: true }).click()
          await until(() => project.locator("option", { hasText: "/home/dev/rewound" }).count(), 0)
          expect(await project.locator("option", { hasText: "/home/dev/lib" }).count()).toBe(1)
        })
      },
      LIMIT,
    )

    test(
      "searches all sources at once, and marks whose a hit is",
      async () => {
        await suite.open("#/?source=claude-code", async (page) => {
          await page.locator(".session").first().waitFor()
          await page.getByLabel("Search titles").fill("parallel please")
          await page.getByText("Nothing found", { exact: true }).waitFor()
          await page.getByRole("button", { name: "Search all sources and projects" }).click()
          await page.locator(".hit .named-mark", { hasText: "Codex" }).first().waitFor()
          await page.getByLabel("Search titles").fill("write a parser")
          for (const name of ["Codex", "Claude Code"])
            await page.locator(".hit .named-mark", { hasText: name }).first().waitFor()
        })
      },
      LIMIT,
    )

    test(
      "draws the usage by source",
      async () => {
        await suite.open("", async (page) => {
          const card = page.locator(".card", { hasText: "Sources" })
          for (const name of ["Codex", "Claude Code", "Gemini CLI", "opencode"])
            await card.getByRole("rowheader", { name }).waitFor()
          const legend = page.locator(".chart", { hasText: "Messages" }).locator(".legend li")
          expect((await legend.allTextContents()).map((text) => text.replace(/ [\d,]+$/, ""))).toEqual([
            "Claude Code",
            "Codex",
            "Gemini CLI",
            "opencode",
          ])
          await page.getByRole("button", { name: "Codex", exact: true }).click()
          await page
            .locator(".chart", { hasText: "Messages" })
            .locator(".legend", { hasText: "Prompts" })
            .waitFor()
          expect(await card.count()).toBe(0)
        })
      },
      LIMIT,
    )

    test(
      "copies the command that goes on with a session, or shows it where there is no clipboard",
      async () => {
        const [{ session }] = await (
          await fetch(new URL("session?origin=true&source=codex&roots=true&limit=1", suite.url()))
        ).json()
        const command = `cd ${session.directory} && codex resume ${session.id}`
        await suite.open(
          `#/session/${session.id}`,
          async (page) => {
            await page.locator(".session-facts", { hasText: "Codex" }).waitFor()
            const copy = page.getByRole("button", { name: "Copy resume command" })
            expect(await copy.getAttribute("title")).toBe(command)
            await page.locator(".transcript").focus()
            await page.keyboard.press("c")
            await page.getByRole("button", { name: "Copied" }).waitFor()
            expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(command)
            await copy.waitFor()
            await page.evaluate(() => Object.defineProperty(navigator, "clipboard", { value: undefined }))
            await copy.click()
            const field = page.getByLabel("Copy resume command")
            await page.locator("input.command").waitFor()
            expect(await page.locator("input.command").inputValue()).toBe(command)
            expect(await page.evaluate(() => getSelection()?.toString())).toBe(command)
            expect(await field.count()).toBe(1)
          },
          { permissions: ["clipboard-read", "clipboard-write"] },
        )
      },
      LIMIT,
    )

    test(
      "shows the places that are read, and what cannot be read of them",
      async () => {
        const torn =
          "sessions/2026/11/27/rollout-2026-11-27T08-00-00-01a216f9-34d6-7eb2-889d-6826d33f4099.jsonl"
        const file = put(join(suite.directory, ".codex"), torn, "{ torn\n")
        try {
          await suite.open("", async (page) => {
            await page.locator(".session").first().waitFor()
            await page.keyboard.press("s")
            await page.getByRole("heading", { level: 1, name: "Sources" }).waitFor()
            await page.getByRole("button", { name: "Look again" }).waitFor()
            const sources = page.locator(".source")
            expect(await sources.locator("h2").allTextContents()).toEqual([
              "opencode",
              "Claude Code",
              "Codex",
              "Gemini CLI",
            ])
            const codex = sources.filter({ hasText: "Codex" })
            expect(await codex.locator(".problems li").allTextContents()).toEqual([
              expect.stringContaining(torn),
            ])
            expect(await codex.textContent()).toContain("1 problem")
            expect(await sources.filter({ hasText: "Everything can be read" }).count()).toBe(3)
            expect(await barriers(page)).toEqual([])
            await page.emulateMedia({ colorScheme: "dark" })
            expect(await barriers(page, ["color-contrast"])).toEqual([])
            rmSync(file)
            await page.getByRole("button", { name: "Look again" }).click()
            await until(() => sources.filter({ hasText: "Everything can be read" }).count(), 4)
            await codex.getByRole("link", { name: /sessions$/ }).click()
            await page.getByRole("heading", { level: 1, name: "Codex" }).waitFor()
            expect(new URL(page.url()).hash).toBe("#/?source=codex")
          })
        } finally {
          rmSync(file, { force: true })
        }
      },
      LIMIT,
    )

    test(
      "has no barriers, light, dark and narrow",
      async () => {
        await suite.open("", async (page) => {
          await page.locator(".session").first().waitFor()
          await page.getByRole("rowheader", { name: "Codex" }).waitFor()
          expect(await barriers(page)).toEqual([])
          await page.emulateMedia({ colorScheme: "dark" })
          expect(await barriers(page, ["color-contrast"])).toEqual([])
          await page.setViewportSize({ width: 360, height: 720 })
          // The list is all there is then; the main part comes with a session.
          expect(await barriers(page, ["wcag2a", "wcag2aa", "wcag21aa"])).toEqual([])
          expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(360)
        })
      },
      LIMIT,
    )
  },
  "home",
)

describeInBrowser(
  "the page over a history that is not indexed yet",
  [],
  (home) => {
    // Beside a store the index is kept when the server ends.
    put(home, ".local/share/sessiondex/session/proj/ses_1.json", { title: "another", time: { created: 1 } })
    writeRollout(join(home, ".codex"), 0)
  },
  (suite) => {
    test(
      "shows how far indexing is until it is done, and then what a search lacked",
      async () => {
        await until(async () => (await codexHealth(suite.url())).backgroundIndex.state, "done")
        const { path } = (await codexHealth(suite.url())).index
        await suite.stopServer()
        // While somebody else writes to the index nobody can: indexing waits, and the files answer.
        using index = new Database(path)
        index.run("begin immediate")
        for (let session = 1; session < 20; session++) writeRollout(join(suite.directory, ".codex"), session)
        await suite.startServer()
        await suite.open("", async (page) => {
          await page.locator(".session").first().waitFor()
          const progress = page.getByRole("progressbar", { name: /^Indexing/ })
          await progress.waitFor()
          await page.getByLabel("Search titles").fill("the needle of session 17.")
          await page.locator(".hit").first().waitFor()
          expect(await progress.count()).toBe(1)
          index.run("rollback")
          await progress.waitFor({ state: "detached" })
          // Nobody has to ask for it again.
          await page.locator(".hit mark").first().waitFor()
          // That of the title is there at once, that of the text when it is indexed.
          await until(() => page.locator(".hit").count(), 2)
        })
      },
      LIMIT,
    )
  },
  "home",
)

/** What a server says of the one place that it reads beside its store. */
async function codexHealth(url: string) {
  const { alsoReading } = await (await fetch(new URL("health", url))).json()
  return alsoReading[0]
}

/** A transcript as Codex writes it. */
function writeRollout(place: string, session: number): void {
  const id = `01a21904-02f1-7240-a1e1-${String(session).padStart(12, "0")}`
  const timestamp = new Date(Date.UTC(2026, 10, 1, 0, session)).toISOString()
  const message = (role: string, type: string, text: string) => ({
    timestamp,
    type: "response_item",
    payload: { type: "message", role, content: [{ type, text }] },
  })
  const lines: object[] = [
    {
      timestamp,
      type: "session_meta",
      payload: { id, timestamp, cwd: "/home/dev/app", cli_version: "0.130.0" },
    },
    message("user", "input_text", `Find the needle of session ${session}.`),
  ]
  for (let line = 0; line < 12; line++)
    lines.push(message("assistant", "output_text", `${session} and ${line}: ${"words of hay, ".repeat(40)}`))
  put(
    place,
    `sessions/2026/11/01/rollout-2026-11-01T00-00-00-${id}.jsonl`,
    lines.map((line) => `${JSON.stringify(line)}\n`).join(""),
  )
}
