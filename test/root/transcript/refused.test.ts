import { expect, test } from "bun:test"
import * as fs from "node:fs"
import { join } from "node:path"
import { type FileSystem, fileSystem } from "../../../src/file/system.ts"
import { openStore, type Problem, type Root, type Store } from "../../../src/index.ts"
import type { Unseen } from "../../../src/root/record-source.ts"
import { codex } from "../../../src/root/transcript/agents/codex.ts"
import { transcriptRoot } from "../../../src/root/transcript/transcript-root.ts"
import { tempFolder, untilProven } from "../../support/temp.ts"
import { meta, SESSION, said } from "./codex-transcripts.ts"

const OTHER = SESSION.replace("01a3", "01a4")

function refusal(code: string): Error {
  return Object.assign(new Error(code), { code })
}

/** A home of two sessions on two days. */
async function home(wrap: (fs: FileSystem) => FileSystem, onOpen: (root: Root) => void = () => {}) {
  const place = join(tempFolder(), "home")
  const paths = [SESSION, OTHER].map((id, at) => {
    const folder = join(place, `sessions/2026/11/0${at + 1}`)
    fs.mkdirSync(folder, { recursive: true })
    const path = join(folder, `rollout-2026-11-0${at + 1}T08-00-00-${id}.jsonl`)
    const lines = [meta({ id }), said(`a zebra of ${id}`)]
    fs.writeFileSync(path, lines.map((line) => `${JSON.stringify(line)}\n`).join(""))
    return path
  })
  await untilProven()
  const problems: Problem[] = []
  const store = await openStore({
    directory: tempFolder(),
    indexPath: tempFolder(),
    backgroundIndex: false,
    onProblem: (problem) => problems.push(problem),
    roots: [
      {
        place,
        open(context) {
          const root = transcriptRoot(codex, place, { fs: wrap(fileSystem) }).open(context)
          onOpen(root)
          return root
        },
      },
    ],
  })
  return { store, problems, paths, [Symbol.asyncDispose]: () => store.close() }
}

async function ids(store: Store): Promise<string[]> {
  return (await Array.fromAsync(store.sessions.ids())).sort()
}

async function hits(store: Store): Promise<string[]> {
  const found = await Array.fromAsync(store.search("zebra", { in: "text" }))
  return found.map(({ sessionID }) => sessionID).sort()
}

test("a folder that cannot be looked into is told of; what may lie there is not said to be nowhere; the rest answers", async () => {
  let closed = ""
  await using opened = await home((fs) => ({
    ...fs,
    readDirectory: (path) => {
      if (path === closed) throw refusal("EACCES")
      return fs.readDirectory(path)
    },
    // Who closes a folder changes its times.
    stat: (path, like) => fs.stat(path, path === closed ? undefined : like),
    readNames: (path) => {
      if (path === closed) throw refusal("EACCES")
      return fs.readNames(path)
    },
  }))
  const { store, problems, paths } = opened
  expect(await ids(store)).toEqual([SESSION, OTHER].sort())
  expect(await hits(store)).toEqual([SESSION, OTHER].sort())
  closed = join(paths[1] ?? "", "..")
  expect(await ids(store)).toEqual([SESSION])
  expect(await hits(store)).toEqual([SESSION])
  expect(problems.map(({ path, code }) => ({ path, code }))).toContainEqual({
    path: closed,
    code: "UNREADABLE",
  })
  const told = await Array.fromAsync(store.problems())
  expect(told.map(({ path }) => path)).toEqual([closed])
  expect((await store.index()).unreadable.map(({ path }) => path)).toEqual([closed])
  closed = ""
  expect(await ids(store)).toEqual([SESSION, OTHER].sort())
  expect(await Array.fromAsync(store.problems())).toEqual([])
})

test("of a session that is found nowhere it is told where it may lie", async () => {
  let closed = ""
  let root: Root | undefined
  await using opened = await home(
    (fs) => ({
      ...fs,
      readDirectory: (path) => {
        if (path === closed) throw refusal("EACCES")
        return fs.readDirectory(path)
      },
      // Who closes a folder changes its times.
      stat: (path, like) => fs.stat(path, path === closed ? undefined : like),
    }),
    (opened) => {
      root = opened
    },
  )
  const unseen: Unseen[] = []
  const folders = (id: string) => root?.records.foldersOf("session", id, (one) => unseen.push(one))
  expect(await folders(OTHER)).toHaveLength(1)
  closed = join(opened.paths[1] ?? "", "..")
  expect(await folders(SESSION)).toHaveLength(1)
  expect(unseen).toEqual([])
  expect(await folders("ses_of_nobody")).toEqual([])
  expect(unseen).toMatchObject([{ path: closed, code: "UNREADABLE", closed: true }])
})

test("a transcript that stops being readable between two questions is told of, and hinders no other", async () => {
  let refused = ""
  await using opened = await home((fs) => ({
    ...fs,
    openFile: (path) => {
      if (path === refused) throw refusal("EIO")
      return fs.openFile(path)
    },
  }))
  const { store, problems, paths } = opened
  await store.index()
  refused = paths[1] ?? ""
  expect(await hits(store)).toEqual([SESSION])
  expect(problems.map(({ path, code }) => ({ path, code }))).toContainEqual({
    path: refused,
    code: "UNREADABLE",
  })
  expect(Array.fromAsync(store.messages.stream(OTHER))).rejects.toMatchObject({ code: "UNREADABLE" })
  expect(await Array.fromAsync(store.messages.stream(SESSION))).toHaveLength(1)
  refused = ""
  expect(await hits(store)).toEqual([SESSION, OTHER].sort())
})

test("a transcript whose lines come to say something else while it is read is read again", async () => {
  let onRead: (() => void) | undefined
  await using opened = await home((fs) => ({
    ...fs,
    readAt: (descriptor, into, position) => {
      const change = onRead
      onRead = undefined
      change?.()
      return fs.readAt(descriptor, into, position)
    },
  }))
  const { store, paths } = opened
  await store.index()
  const path = paths[0] ?? ""
  const before = fs.readFileSync(path, "utf8")
  onRead = () => fs.writeFileSync(path, before.replace("zebra", "okapi"))
  const [message] = await Array.fromAsync(store.messages.stream(SESSION))
  expect(message?.parts.map((part) => part.text)).toEqual([`a okapi of ${SESSION}`])
})

test("texts that could not be read while they were indexed are found once they can be", async () => {
  for (let allowed = 0; allowed < 12; allowed++) {
    let left = Number.POSITIVE_INFINITY
    await using opened = await home((fs) => ({
      ...fs,
      openFile: (path) => {
        if (path.endsWith(".jsonl") && left-- <= 0) throw refusal("EIO")
        return fs.openFile(path)
      },
    }))
    left = allowed
    await opened.store.index()
    left = Number.POSITIVE_INFINITY
    expect(await hits(opened.store)).toEqual([SESSION, OTHER].sort())
  }
})

test("parts asked for after their message are those of the file as it is then", async () => {
  await using opened = await home((fs) => fs)
  const { store, paths } = opened
  const path = paths[0] ?? ""
  const [id = ""] = await Array.fromAsync(store.messages.ids(SESSION))
  expect(await store.messages.get(id)).toBeDefined()
  const before = fs.readFileSync(path, "utf8")
  const parts = () => Array.fromAsync(store.parts.list(id), (part) => (part as { text?: unknown }).text)
  expect(await parts()).toEqual([`a zebra of ${SESSION}`])
  fs.writeFileSync(path, before.replace("a zebra", "a camel"))
  expect(await parts()).toEqual([`a camel of ${SESSION}`])
})

test("what stands behind a line that is passed over, and was cut, is read", async () => {
  await using opened = await home((fs) => fs)
  const { store, paths } = opened
  const time = '{"timestamp":"2026-10-01T00:00:00.000Z",'
  const cut = `${time}"type":"event_msg","payload":{"type":"user_message","message":"cut sh`
  fs.appendFileSync(paths[0] ?? "", `${cut}${time}${JSON.stringify(said("another zebra")).slice(1)}\n`)
  const texts = await Array.fromAsync(store.messages.stream(SESSION), ({ parts }) => parts[0]?.text)
  expect(texts).toContain("another zebra")
})
