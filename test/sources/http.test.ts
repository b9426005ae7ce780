import { afterEach, expect, test } from "bun:test"
import { findSources, findStore, type Session, type SourceReport } from "../../src/index.ts"
import { type Served, serving, stopServers } from "../http/support.ts"
import { homeOfAll } from "../support/home.ts"
import { put } from "../support/temp.ts"

afterEach(stopServers)

const TORN = "sessions/2026/11/27/rollout-2026-11-27T08-00-00-01a216f9-34d6-7eb2-889d-6826d33f4099.jsonl"
const NAMES = ["opencode", "claude-code", "codex", "gemini-cli"]

function served(): Served {
  const home = homeOfAll()
  return serving(findStore(home), {}, { sources: findSources(home) })
}

interface Shown {
  readonly session: Session
  readonly source: string
  readonly origin: string
}

test("sessions of all sources are served, filtered by source, with it beside the body where that is asked for", async () => {
  const { json, store } = served()
  const all = (await json("/session")) as Session[]
  expect(all).toEqual(await Array.fromAsync(store.sessions.list()))
  const shown = (await json("/session?origin=true")) as Shown[]
  expect(shown).toEqual(await Array.fromAsync(store.sessions.listWithOrigin()))
  expect((await json("/session?origin=true&limit=7")) as Shown[]).toEqual(shown.slice(0, 7))
  for (const source of NAMES) {
    const own = shown.filter((one) => one.source === source)
    expect(own.length).toBeGreaterThan(3)
    expect(await json(`/session?source=${source}`)).toEqual(own.map(({ session }) => session))
    expect(await json(`/session?source=${source}&limit=2`)).toEqual(
      own.slice(0, 2).map(({ session }) => session),
    )
    const directory = own[0]?.session.directory ?? ""
    expect(await json(`/session?source=${source}&directory=${encodeURIComponent(directory)}`)).toEqual(
      own.flatMap(({ session }) => (session.directory === directory ? [session] : [])),
    )
    for (const one of own) {
      expect(await json(`/session/${one.session.id}`)).toEqual(one.session)
      expect(await json(`/session/${one.session.id}?origin=true`)).toEqual(one)
      const messages = await Array.fromAsync(store.messages.stream(one.session.id, { direction: "asc" }))
      expect(await json(`/session/${one.session.id}/message`)).toEqual(messages)
      expect(await json(`/session/${one.session.id}/message?limit=5`)).toEqual(messages.slice(-5))
    }
  }
  expect(await json("/session?source=other")).toEqual([])
}, 60_000)

test("pages of all sources lead from one to the next, and a source's own to its own alone", async () => {
  const { get, json, url } = served()
  for (const query of ["", "&source=codex", "&directory=/home/dev/app"]) {
    const walked: unknown[] = []
    for (let next: string | undefined = `${url}/session?origin=true&limit=7${query}`; next !== undefined; ) {
      const page: Response = await fetch(next)
      walked.push(...((await page.json()) as unknown[]))
      const [, target]: string[] = /<([^>]*)>; rel="next"/.exec(page.headers.get("Link") ?? "") ?? []
      next = target && new URL(target, next).href
    }
    expect(walked.length).toBeGreaterThan(7)
    expect(walked).toEqual((await json(`/session?origin=true${query}`)) as unknown[])
  }
  expect((await get("/session?limit=7")).headers.get("ETag")).toBeNull()
}, 60_000)

test("the health names each place and its source; a store that is not there yet is none", async () => {
  const { json, store } = served()
  const sources = (await Array.fromAsync(store.sources())).map(({ source, place }) => ({ source, place }))
  expect(sources.map(({ source }) => source)).toEqual(NAMES)
  expect(store.places()).toEqual(sources)
  expect(await json("/health")).toMatchObject({ sources })
  await store.write(["session", "p", "ses_1"], { id: "ses_1" })
  expect(await json("/health")).toMatchObject({
    sources: [{ source: "json", place: store.directory }, ...sources],
  })
}, 60_000)

test("hits, usage, stats and sources are told over HTTP, without the paths of what cannot be read", async () => {
  const { json, store } = served()
  for (const source of NAMES) {
    const found = (await json(`/search?q=e&limit=1000&fresh=true&source=${source}`)) as object[]
    expect(found.length).toBeGreaterThan(3)
    for (const hit of found.slice(0, -1)) expect(hit).toMatchObject({ source, origin: expect.any(String) })
    const usage = (await json(`/usage?source=${source}`)) as object[]
    expect(usage).toEqual((await store.usage({ source })).map((row) => ({ ...row })))
    for (const row of usage) expect(row).toMatchObject({ source })
  }
  const { directory = "" } =
    (await Array.fromAsync(store.sessions.list({ source: "codex", limit: 1 })))[0] ?? {}
  const within = `directory=${encodeURIComponent(directory)}`
  expect(await json(`/usage?${within}`)).toEqual(
    (await store.usage({ directory })).map((row) => ({ ...row })),
  )
  const hits = (await json(`/search?q=e&limit=1000&fresh=true&${within}`)) as object[]
  expect(hits.slice(0, -1)).toEqual(await Array.fromAsync(store.search("e", { directory, limit: 1000 })))
  expect(hits.length).toBeGreaterThan(1)
  expect(await json("/stats")).toMatchObject({ alsoRead: NAMES.map((source) => ({ source })) })
  const place = (await Array.fromAsync(store.sources()))[2]?.place ?? ""
  put(place, TORN, "{ torn\n")
  const reports = (await json("/source")) as SourceReport[]
  expect(reports.map(({ problems: _, ...report }) => report)).toEqual(
    (await Array.fromAsync(store.sources())).map(({ problems: _, ...report }) => report),
  )
  expect(reports.flatMap(({ problems }) => problems.map(({ path }) => path.split(":")[0]))).toEqual([TORN])
}, 60_000)
