import { expect, test } from "bun:test"
import * as fs from "node:fs"
import { fileSystem } from "../../src/file/system.ts"
import type { SearchHit, SearchOptions } from "../../src/index.ts"
import { resolveOptions } from "../../src/options.ts"
import { Store } from "../../src/store.ts"
import { Random } from "../support/random.ts"
import { message, session } from "../support/records.ts"
import { put, tempFolder, untilProven } from "../support/temp.ts"

const SESSIONS = 6
const MESSAGES = 60

function fill(directory: string): void {
  for (let s = 0; s < SESSIONS; s++) {
    const id = `ses_${s}`
    const time = { created: 1, updated: s * 10_000_000 }
    put(directory, `session/p/${id}.json`, session(id, { projectID: "p", title: `common ${s}`, time }))
    for (let m = 0; m < MESSAGES; m++) {
      put(
        directory,
        `message/${id}/msg_${s}_${m}.json`,
        message(`msg_${s}_${m}`, id, (s * MESSAGES + m) * 1000),
      )
      put(directory, `part/msg_${s}_${m}/prt_1.json`, { type: "text", text: "common word" })
    }
  }
}

/** Opens a store with another beside it, and counts the records of each that are opened. */
function openBoth(directory: string, backup: string) {
  const opened = { session: 0, message: 0, part: 0 }
  const store = new Store(resolveOptions({ directory, alsoRead: [backup], backgroundIndex: false }), {
    fs: {
      ...fileSystem,
      openFile(path) {
        for (const kind of ["session", "message", "part"] as const)
          if (path.startsWith(`${backup}/${kind}/`)) opened[kind]++
        return fileSystem.openFile(path)
      },
    },
  })
  return { store, opened }
}

async function find(store: Store, query: string, options: SearchOptions = {}): Promise<SearchHit[]> {
  return Array.fromAsync(store.search(query, { limit: 1000, ...options }))
}

test("of a backup no message is opened for a search whose sessions are all read from the store", async () => {
  const directory = tempFolder()
  const backup = tempFolder()
  fill(directory)
  fs.cpSync(directory, backup, { recursive: true, preserveTimestamps: true })
  // Else sessions written just now are read again, since no stamp proves anything of them yet.
  await untilProven()
  const { store, opened } = openBoth(directory, backup)
  await using _ = store
  await store.index()
  for (const [query, options, hits] of [
    ["common", { in: "text" }, SESSIONS * MESSAGES],
    ["common", { in: "text", limit: 50 }, 50],
    ["common", {}, SESSIONS * (MESSAGES + 1)],
    ["word", { limit: 7 }, 7],
    ["absent", {}, 0],
  ] as const) {
    opened.session = opened.message = opened.part = 0
    const found = await find(store, query, options)
    expect(found).toHaveLength(hits)
    expect(new Set(found.map(({ origin }) => origin)).size).toBeLessThan(2)
    expect({ query, ...opened }).toMatchObject({ query, message: 0, part: 0 })
    // Whose it is is asked once for a session.
    expect(opened.session).toBeLessThanOrEqual(SESSIONS)
  }
  // Nor is more of the backup gone through than the hits that are wanted need.
  opened.session = 0
  expect(await find(store, "word", { limit: 5 })).toHaveLength(5)
  expect(opened.session).toBe(1)
})

test("hits that no message of the backup is read for come in the order of those of one store", async () => {
  const directory = tempFolder()
  const backup = tempFolder()
  fill(directory)
  fs.cpSync(directory, backup, { recursive: true, preserveTimestamps: true })
  const plain = new Store(resolveOptions({ directory, backgroundIndex: false, readOnly: true }))
  const { store } = openBoth(directory, backup)
  await using _plain = plain
  await using _store = store
  // Before all is indexed a search that waits long gives what it has found so far.
  for (const each of [plain, store]) await each.index()
  for (const options of [{}, { limit: 20 }, { in: "text" }, { until: 100_000 }] as const) {
    const places = (hits: SearchHit[]) =>
      hits.map(({ kind, sessionID, messageID, time }) => ({ kind, sessionID, messageID, time }))
    expect(places(await find(store, "common", options))).toEqual(places(await find(plain, "common", options)))
  }
})

test("of a session of random copies only those titles and texts are found that the store shows of it", async () => {
  const random = new Random(7)
  const roots = [tempFolder(), tempFolder(), tempFolder()]
  for (let s = 0; s < 40; s++)
    for (const [r, root] of roots.entries()) {
      if (random.chance(0.3)) continue
      const id = `ses_${s}`
      const title = `${random.pick(["alpha", "beta", "alpha beta"])} ${r}`
      const project = `p${random.below(2)}`
      put(
        root,
        `session/${project}/${id}.json`,
        session(id, { title, time: { created: 1, updated: random.below(3) } }),
      )
      put(root, `message/${id}/msg_${s}.json`, message(`msg_${s}`, id, s * 1000))
      put(root, `part/msg_${s}/prt_1.json`, { type: "text", text: `${random.pick(["alpha", "beta"])} ${r}` })
    }
  const [directory = "", ...alsoRead] = roots
  await using store = new Store(resolveOptions({ directory, alsoRead, backgroundIndex: false }))
  for (const word of ["alpha", "beta"]) {
    const expected: string[] = []
    for await (const { session, origin } of store.sessions.listWithOrigin()) {
      if (session.title.includes(word)) expected.push(`title ${session.id} ${origin} ${session.title}`)
      for await (const { parts } of store.messages.stream(session.id))
        for (const part of parts)
          if ("text" in part && String(part.text).includes(word))
            expected.push(`text ${session.id} ${origin} ${part.text}`)
    }
    const hits = await find(store, word)
    expect(expected.length).toBeGreaterThan(20)
    expect(
      hits.map(({ kind, sessionID, origin, snippet }) => `${kind} ${sessionID} ${origin} ${snippet}`).sort(),
    ).toEqual(expected.sort())
  }
})
