import { expect, test } from "bun:test"
import { Api } from "../../page/api.ts"
import { Search } from "../../page/search.ts"

test("a search in one session looks everywhere again when another is opened, or none", async () => {
  const asked: string[] = []
  class Nothing extends Api {
    override async *lines(path: string) {
      asked.push(this.url(path).searchParams.get("session") ?? "everywhere")
      yield { end: { partial: false } }
    }
  }
  const search = new Search(new Nothing("http://localhost/"))
  const done = async (): Promise<void> => {
    while (search.state !== "done") await new Promise<void>((resolve) => search.watch(resolve))
  }
  search.ask("word", { kind: "text", session: "ses_1" })
  await done()
  search.follow("ses_1")
  expect(search.state).toBe("done")
  search.follow("ses_2")
  await done()
  expect(search.scope).toEqual({ kind: "text" })
  search.ask("word", { kind: "text", session: "ses_2" })
  await done()
  search.follow(undefined)
  await done()
  expect(asked).toEqual(["ses_1", "everywhere", "ses_2", "everywhere"])
})

test("a search as you type does not wait for the index, and tells where something may be missing", async () => {
  class Indexing extends Api {
    override async *lines(path: string) {
      expect(this.url(path).searchParams.get("wait")).toBe("false")
      yield { end: { partial: true, reason: "indexing" } }
    }
  }
  const search = new Search(new Indexing("http://localhost/"))
  search.ask("word")
  while (search.state !== "done") await new Promise<void>((resolve) => search.watch(resolve))
  expect([search.error, search.partial, search.canGrow]).toEqual([undefined, "indexing", false])
})

test("a search is of the source and project that the page shows, or of everything", async () => {
  const asked: string[] = []
  class Nothing extends Api {
    override async *lines(path: string) {
      const { searchParams } = this.url(path)
      asked.push([searchParams.get("source") ?? "", ...searchParams.getAll("project")].join())
      yield { end: { partial: false } }
    }
  }
  const search = new Search(new Nothing("http://localhost/"))
  const group = { ids: ["p"], name: "w", path: "/w", sources: [] }
  for (const filter of [
    { source: "codex", project: group },
    { project: { ...group, ids: ["p", "q"] } },
    {},
  ]) {
    search.ask("word", { kind: "all", filter })
    while (search.state !== "done") await new Promise<void>((resolve) => search.watch(resolve))
  }
  expect(asked).toEqual(["codex,p", ",p,q", ""])
})
