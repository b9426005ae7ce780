import { expect, test } from "bun:test"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { buildPage, builtPage } from "../../scripts/build-page.ts"

const SOURCE = join(import.meta.dir, "..", "..", "page")

test("the built page is what its sources give; `bun run build:page` makes it so", async () => {
  const [fresh, kept] = [await buildPage(), builtPage()]
  expect(Object.keys(kept).sort()).toEqual(["app.css", "app.js", "index.html"])
  for (const [name, text] of Object.entries(fresh)) expect([name, kept[name] === text]).toEqual([name, true])
})

test("the page has nothing inline, and nothing that turns text into HTML", () => {
  const { "index.html": html = "", "app.css": style = "" } = builtPage()
  expect(html).not.toMatch(/<script(?![^>]*\ssrc=)|<style|\sstyle=|\son\w+=/)
  expect(style).not.toMatch(/@import|url\(/)
  for (const name of new Bun.Glob("*.{ts,tsx}").scanSync(SOURCE)) {
    const text = readFileSync(join(SOURCE, name), "utf8")
    expect([
      name,
      /innerHTML|outerHTML|insertAdjacentHTML|DOMParser|document\.write|eval\(/i.exec(text),
    ]).toEqual([name, null])
  }
})
