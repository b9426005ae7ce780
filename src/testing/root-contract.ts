import { afterAll, beforeAll, describe, expect, test } from "bun:test"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { RootProvider } from "../root/root.ts"
import { openStore, type Store } from "../store.ts"
import {
  counting,
  createdOf,
  type HeldRecord,
  type History,
  messagesOf,
  newestFirst,
  partsOf,
  updatedOf,
} from "./history.ts"
import type { Opened } from "./opened.ts"
import { textContract } from "./text-contract.ts"

/** A root and what it must hold. */
export interface RootSubject {
  readonly root: RootProvider
  readonly holds: History
  /** Called when all is done. */
  readonly close?: () => void | Promise<void>
}

const bodies = (records: readonly HeldRecord[]): unknown[] => records.map(({ body }) => body)

/**
 * Defines the tests that every root has to pass, with `bun:test`: a store that has nothing of its own reads it, and whatever it
 * answers is compared with the plainest computation over what the root is to hold. The history should be small (some hundred
 * records), and the better the more there is in it: several projects, children, archived sessions, equal times, many parts.
 * @param make gives the root; called once, before the first test
 */
export function rootContract(name: string, make: () => RootSubject | Promise<RootSubject>): void {
  describe(name, () => {
    const folder = mkdtempSync(join(tmpdir(), "sessiondex-contract-"))
    let subject: RootSubject | undefined
    let store: Store | undefined
    beforeAll(async () => {
      subject = await make()
      store = await openStore({
        directory: join(folder, "store"),
        indexPath: join(folder, "index"),
        roots: [subject.root],
        backgroundIndex: false,
      })
    })
    afterAll(async () => {
      await store?.close()
      await subject?.close?.()
      rmSync(folder, { recursive: true, force: true })
    })
    const opened = (): Opened => {
      if (!store || !subject) throw new Error("The root was not opened")
      return { store, holds: subject.holds }
    }
    sessionContract(opened)
    messageContract(opened)
    plainContract(opened)
    textContract(opened)
  })
}

function sessionContract(opened: () => Opened): void {
  test("it holds something to be tested with", () => {
    const { holds } = opened()
    expect(Math.min(holds.sessions.length, holds.messages.length, holds.parts.length)).toBeGreaterThan(0)
  })

  test("sessions are listed, paged and counted in every order and by every filter", async () => {
    const { store, holds } = opened()
    const listed = counting(holds.sessions)
    const values = <T>(of: (record: HeldRecord) => T): T[] => [...new Set(listed.map(of))]
    const field = (name: string) => (record: HeldRecord) => record.body[name] ?? null
    const archived = ({ body }: HeldRecord) =>
      Boolean((body as { time?: { archived?: unknown } }).time?.archived)
    const middle = values(updatedOf).sort((a, b) => a - b)[Math.floor(values(updatedOf).length / 2)] ?? 0
    const cases: [object, readonly HeldRecord[]][] = [
      [{}, listed],
      [{ parentID: null }, listed.filter((one) => field("parentID")(one) === null)],
      [{ archived: "exclude" }, listed.filter((one) => !archived(one))],
      [{ archived: "only" }, listed.filter(archived)],
      [{ updatedSince: middle }, listed.filter((one) => updatedOf(one) >= middle)],
      ...values(field("parentID"))
        .filter((parentID) => parentID !== null)
        .map((parentID): [object, HeldRecord[]] => [
          { parentID },
          listed.filter((one) => field("parentID")(one) === parentID),
        ]),
      ...values(field("directory"))
        .filter((directory) => typeof directory === "string")
        .map((directory): [object, HeldRecord[]] => [
          { directory },
          listed.filter((one) => field("directory")(one) === directory),
        ]),
      ...[...new Set(holds.sessions.map(({ folder }) => folder))].map((projectID): [object, HeldRecord[]] => [
        { projectID },
        holds.sessions.filter(({ folder }) => folder === projectID),
      ]),
    ]
    for (const [filter, matching] of cases)
      for (const order of ["updated", "created"] as const) {
        const expected = bodies([...matching].sort(newestFirst(order === "updated" ? updatedOf : createdOf)))
        expect(await Array.fromAsync(store.sessions.list({ ...filter, order }))).toEqual(expected as never)
        expect(await Array.fromAsync(store.sessions.list({ ...filter, order, direction: "asc" }))).toEqual(
          expected.toReversed() as never,
        )
        expect(await Array.fromAsync(store.sessions.list({ ...filter, order, limit: 2 }))).toEqual(
          expected.slice(0, 2) as never,
        )
        expect(await store.sessions.count(filter)).toBe(expected.length)
        const there: unknown[] = []
        const pages: unknown[][] = []
        for (let cursor: string | undefined; ; ) {
          const page = await store.sessions.page({ ...filter, order, limit: 3, cursor })
          there.push(...page.items)
          pages.push(page.items)
          cursor = page.older
          if (!cursor) {
            const before =
              page.newer && (await store.sessions.page({ ...filter, order, limit: 3, cursor: page.newer }))
            if (before) expect(before.items).toEqual(pages.at(-2) as never)
            break
          }
        }
        expect(there).toEqual(expected)
      }
  })

  test("every session is found by its id, its children under it", async () => {
    const { store, holds } = opened()
    for (const { id, folder, body } of counting(holds.sessions)) {
      expect(await store.sessions.get(id)).toEqual(body as never)
      expect(await store.sessions.get(["session", folder, id])).toEqual(body as never)
      expect(await store.read(["session", folder, id])).toMatchObject({ id })
      const children = counting(holds.sessions).filter((one) => one.body.parentID === id)
      expect(await Array.fromAsync(store.sessions.children(id))).toEqual(
        bodies(children.sort(newestFirst(updatedOf))) as never,
      )
    }
    expect(await store.sessions.get("ses_of_nobody")).toBeUndefined()
    expect(await Array.fromAsync(store.sessions.list({ projectID: "project-of-nobody" }))).toEqual([])
  })
}

function messageContract(opened: () => Opened): void {
  test("every session's messages come in order, with their parts", async () => {
    const { store, holds } = opened()
    for (const { id } of counting(holds.sessions)) {
      const oldestFirst = messagesOf(holds, id)
      const streamed = oldestFirst.map((message) => ({
        info: message.body,
        parts: partsOf(holds, message.id),
      }))
      expect(await Array.fromAsync(store.messages.stream(id, { direction: "asc" }))).toEqual(
        streamed as never,
      )
      expect(await Array.fromAsync(store.messages.list(id))).toEqual(
        bodies(oldestFirst.toReversed()) as never,
      )
      expect(await Array.fromAsync(store.messages.ids(id, { limit: 2 }))).toEqual(
        oldestFirst
          .toReversed()
          .slice(0, 2)
          .map((message) => message.id),
      )
      expect(await store.messages.count(id)).toBe(oldestFirst.length)
      const paged: unknown[] = []
      for (let cursor: string | undefined; ; ) {
        const page = await store.messages.page(id, { limit: 3, cursor })
        paged.push(...page.items)
        cursor = page.older
        if (!cursor) break
      }
      expect(paged).toEqual(bodies(oldestFirst.toReversed()))
    }
    expect(await Array.fromAsync(store.messages.list("ses_of_nobody"))).toEqual([])
    expect(await store.messages.count("ses_of_nobody")).toBe(0)
  })

  test("every message and part is found by its id and by its key", async () => {
    const { store, holds } = opened()
    for (const { id, folder, body } of holds.messages) {
      expect(await store.messages.get(["message", folder, id])).toEqual(body as never)
      expect(await store.messages.get(id)).toMatchObject({ id } as never)
      expect(await store.parts.count(id)).toBe(partsOf(holds, id).length)
    }
    for (const { id, folder, body } of holds.parts) {
      expect(await store.parts.get(["part", folder, id])).toEqual(body as never)
      expect(await store.parts.get(id)).toMatchObject({ id } as never)
    }
    expect(await store.messages.get("msg_of_nobody")).toBeUndefined()
    expect(await store.parts.get("prt_of_nobody")).toBeUndefined()
  })

  test("an export is the whole session", async () => {
    const { store, holds } = opened()
    for (const session of counting(holds.sessions)) {
      const text = (await Array.fromAsync(store.export(session.id))).join("")
      expect(JSON.parse(text)).toEqual({
        info: session.body,
        messages: messagesOf(holds, session.id).map(({ id, body }) => ({
          info: body,
          parts: partsOf(holds, id),
        })),
      } as never)
    }
  })
}

function plainContract(opened: () => Opened): void {
  test("projects, todos and what else lies beside sessions are read by key", async () => {
    const { store, holds } = opened()
    for (const [kind, records] of Object.entries(holds.plain ?? {}))
      for (const [id, value] of Object.entries(records)) expect(await store.read([kind, id])).toEqual(value)
    const projects = holds.plain?.project ?? {}
    const listed = await Array.fromAsync(store.projects.list())
    expect(listed.map(({ id }) => id)).toEqual(Object.keys(projects).sort())
    const ids = new Set([...Object.keys(projects), ...holds.sessions.map(({ folder }) => folder)])
    expect(await Array.fromAsync(store.projects.ids())).toEqual([...ids].sort())
    expect(store.read(["todo", "ses_of_nobody"])).rejects.toMatchObject({ code: "NOT_FOUND" })
  })

  test("it is read only", async () => {
    const { store, holds } = opened()
    const [session] = holds.sessions
    const before = await Array.fromAsync(store.sessions.list())
    expect(store.sessions.update(session?.id ?? "", () => {})).rejects.toMatchObject({ code: "READ_ONLY" })
    expect(store.sessions.remove(session?.id ?? "")).rejects.toMatchObject({ code: "READ_ONLY" })
    expect(await Array.fromAsync(store.sessions.list())).toEqual(before)
  })

  test("totals, problems, orphans and a check agree with what it holds", async () => {
    const { store, holds } = opened()
    const indexed = await store.index()
    expect((await store.verify()).ok).toBe(true)
    const { sessions, messages, parts } = indexed
    expect({ sessions, messages, parts }).toEqual({
      sessions: holds.sessions.length,
      messages: holds.messages.length,
      parts: holds.parts.length,
    })
    const stats = await store.stats()
    expect(stats.alsoRead[0]?.kinds.session?.files).toBe(holds.sessions.length)
    expect((await Array.fromAsync(store.problems())).map(({ path }) => path).sort()).toEqual(
      [...(holds.problems ?? [])].sort(),
    )
    const known = new Set(holds.sessions.map(({ id }) => id))
    const orphans = (await Array.fromAsync(store.orphans())).filter(({ kind }) => kind === "message")
    expect(orphans.map(({ key }) => key[2]).sort()).toEqual(
      holds.messages
        .filter(({ folder }) => !known.has(folder))
        .map(({ id }) => id)
        .sort(),
    )
    const counted = (await store.usage()).reduce((sum, day) => sum + day.messages, 0)
    expect(counted).toBeLessThanOrEqual(holds.messages.length)
  })
}
