import { expect } from "bun:test"
import axe from "axe-core"
import type { Page } from "playwright-core"

/** How long a test in a browser may take, in ms, on a machine that may have much else to do. */
export const LIMIT = 60_000
const ALL_RULES = ["wcag2a", "wcag2aa", "wcag21aa", "best-practice"]

/** What keeps people who cannot see or use a mouse from reading the page. */
export async function barriers(page: Page, runOnly: string[] = ALL_RULES): Promise<string[]> {
  await page.evaluate(axe.source)
  return await page.evaluate(async (runOnly) => {
    const { violations } = await (globalThis as unknown as { axe: typeof axe }).axe.run({ runOnly })
    return violations.map(
      ({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 160)).join(" | ")}`,
    )
  }, runOnly)
}

/** Waits until something is as it should be; Playwright's own way needs `eval`, which the page's policy forbids. */
export async function until(look: () => Promise<unknown>, wanted: unknown): Promise<void> {
  for (let tries = 0; tries < 400; tries++) {
    if ((await look()) === wanted) return
    await Bun.sleep(30)
  }
  expect(await look()).toBe(wanted)
}
