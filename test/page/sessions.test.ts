import { expect, test } from "bun:test"
import { Api, type Page } from "../../page/api.ts"
import { nested } from "../../page/format.ts"
import { listRows, type SessionItem, SessionList, sessionItem } from "../../page/sessions.ts"

const NOW = new Date(2026, 5, 15, 12).getTime()
const DAY = 86_400_000

function item(id: string, updated: number, parentID: string | null = null): SessionItem {
  const session = sessionItem({ id, parentID, time: { updated } })
  if (!session) throw new Error("A session with an id is one")
  return session
}

function shown(sessions: readonly SessionItem[], open: readonly string[] = []): string[] {
  return listRows(sessions, new Set(open), NOW).map((row) =>
    row.kind === "day"
      ? row.label
      : `${" ".repeat(row.depth)}${row.key}${row.children > 0 ? ` ${row.children}` : ""}`,
  )
}

test("sessions stand under their days, newest first, children under open parents", () => {
  const sessions = [
    item("old", NOW - 40 * DAY),
    item("parent", NOW - DAY),
    item("first", NOW - DAY - 5, "parent"),
    item("second", NOW - DAY - 1, "parent"),
    item("deep", NOW, "second"),
    item("new", NOW - 5),
  ]
  expect(shown(sessions)).toEqual(["Today", "new", "Yesterday", "parent 2", "May 6", "old"])
  expect(shown(sessions, ["parent", "second"])).toEqual([
    "Today",
    "new",
    "Yesterday",
    "parent 2",
    " second 1",
    "  deep",
    " first",
    "May 6",
    "old",
  ])
})

test("times beyond all dates have no day, and spoil no other", () => {
  expect(shown([item("far", 1e300), item("further", 1e301), item("new", NOW), item("none", 0)])).toEqual([
    "No date",
    "further",
    "far",
    "Today",
    "new",
    "No date",
    "none",
  ])
})

test("no session is lost: not orphans, not those that are each other's parents", () => {
  const sessions = [
    item("orphan", NOW, "gone"),
    item("a", NOW - 1, "b"),
    item("b", NOW - 2, "a"),
    item("below", NOW - 3, "b"),
    item("self", NOW - 4, "self"),
  ]
  const all = new Set(listRows(sessions, new Set(["a", "b"]), NOW).map(({ key }) => key))
  for (const { id } of sessions) expect(all.has(id)).toBe(true)
})

test("strange fields become empty ones; without an id it is no session", () => {
  expect(sessionItem({ title: "x" })).toBeUndefined()
  expect(
    sessionItem({ id: "s", title: 5, time: "then", parentID: {}, summary: null, directory: [] }),
  ).toEqual({
    id: "s",
    title: "Untitled session",
    parentID: null,
    projectID: "",
    directory: "",
    created: 0,
    updated: 0,
    archived: false,
    additions: 0,
    deletions: 0,
    source: "",
    isBranch: false,
  })
})

test("what was left by going back is told apart from agents' work", () => {
  const branch = sessionItem({ id: "left", parentID: "s", metadata: { branch: { why: "rewound" } } })
  if (!branch) throw new Error("A session with an id is one")
  const [, row] = listRows([item("s", NOW), item("agent", NOW, "s"), branch], new Set(), NOW)
  expect(row).toMatchObject({ key: "s", children: 2, branches: 1 })
  expect([nested(2, 1), nested(1, 0), nested(3, 3)]).toEqual(["1 agent, 1 branch", "1 agent", "3 branches"])
})

/** A server of so many sessions, newest first, that tells what it was asked for. */
class Sessions extends Api {
  asked: string[] = []
  titles = "first"

  readonly #many: number

  constructor(many: number) {
    super("http://localhost/")
    this.#many = many
  }

  override async page(path: string): Promise<Page> {
    const { searchParams } = this.url(path)
    const [limit, from] = [Number(searchParams.get("limit")), Number(searchParams.get("cursor") ?? 0)]
    this.asked.push(`${limit} from ${from}`)
    const items = Array.from({ length: Math.min(limit, this.#many - from) }, (_, i) => ({
      session: { id: `ses_${from + i}`, title: this.titles, time: { updated: NOW - from - i } },
      source: "codex",
    }))
    const older = `http://localhost/session?limit=${limit}&cursor=${from + limit}`
    return { items, ...(from + limit < this.#many && { older }) }
  }
}

test("a change that can be anything is looked up, and leaves as many sessions as one had scrolled to", async () => {
  const api = new Sessions(1_500)
  const list = new SessionList(api)
  await list.show({})
  await list.more()
  expect(list.count).toBe(400)
  api.titles = "second"
  const renewed = Promise.withResolvers<void>()
  list.watch(() => {
    if (list.find("ses_399")?.title === "second") renewed.resolve()
  })
  list.apply({ kind: "store", type: "unknown", projectID: "", sessionID: "", messageID: "" })
  await renewed.promise
  expect(list.count).toBe(400)
  await list.more()
  expect(list.count).toBe(600)
  expect(api.asked).toEqual(["200 from 0", "200 from 200", "400 from 0", "200 from 400"])
  await list.show({ source: "codex" })
  expect(list.count).toBe(200)
})

test("a list is asked for by source and project, and takes in only what belongs to it", async () => {
  const asked: URLSearchParams[] = []
  class Two extends Api {
    override async page(path: string): Promise<Page> {
      asked.push(this.url(path).searchParams)
      return { items: [] }
    }
    override async object(path: string) {
      const id = /session\/(\w+)/.exec(path)?.[1] ?? ""
      return {
        session: { id, projectID: id === "elsewhere" ? "other" : "p", directory: "/w" },
        source: id === "foreign" ? "opencode" : "codex",
      }
    }
  }
  const list = new SessionList(new Two("http://localhost/"))
  const project = { ids: ["p"], name: "w", path: "/w", sources: [] }
  await list.show({ source: "codex", project })
  await list.show({ project: { ...project, ids: ["p", "q"] } })
  await list.show({ source: "codex", project })
  expect(asked.map((query) => [query.get("source"), ...query.getAll("project")])).toEqual([
    ["codex", "p"],
    [null, "p", "q"],
    ["codex", "p"],
  ])
  const settled = Promise.withResolvers<void>()
  list.watch(() => {
    if (list.find("own")) settled.resolve()
  })
  for (const sessionID of ["foreign", "elsewhere", "own"])
    list.apply({ kind: "session", type: "written", projectID: "", sessionID, messageID: "" })
  await settled.promise
  expect(list.rows.map(({ key }) => key)).toContain("own")
  expect([list.count, list.find("own")?.source]).toEqual([1, "codex"])
})
