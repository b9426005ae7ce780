import { expect, test } from "bun:test"
import * as fs from "node:fs"
import { dirname, join } from "node:path"
import { openStore, type Store, type StoreChange } from "../../src/index.ts"
import type { StoreOptions } from "../../src/options.ts"
import { AGENTS, type AgentName } from "../../src/root/transcript/agents.ts"
import { type TranscriptRootOptions, transcriptRoot } from "../../src/root/transcript/transcript-root.ts"
import * as claude from "../root/transcript/claude-code-transcripts.ts"
import * as codex from "../root/transcript/codex-transcripts.ts"
import * as gemini from "../root/transcript/gemini-cli-lines.ts"
import { all } from "../support/records.ts"
import { tempFolder, untilProven } from "../support/temp.ts"
import { limited, until } from "./support.ts"

const SESSION = codex.SESSION
const OTHER = "01a30000-0000-7000-8000-000000000001"

function jsonLines(...values: readonly unknown[]): string {
  return values.map((value) => `${JSON.stringify(value)}\n`).join("")
}

function rollout(session = SESSION, folder = "sessions/2026/11/29"): string {
  return `${folder}/rollout-2026-11-29T08-00-00-${session}.jsonl`
}

function begun(session = SESSION, ...words: readonly string[]): string {
  return jsonLines(codex.meta({ id: session }), ...words.map((text) => codex.said(text)))
}

/** A process that appends as an agent does. */
function writer() {
  const child = Bun.spawn(["bun", join(import.meta.dir, "append-child.ts")], {
    stdin: "pipe",
    stdout: "pipe",
  })
  const lines = child.stdout.pipeThrough(new TextDecoderStream()).getReader()
  return {
    async append(path: string, text: string, how: { bytes?: number; pause?: number } = {}): Promise<void> {
      child.stdin.write(`${JSON.stringify({ path, text, ...how })}\n`)
      await child.stdin.flush()
      expect((await lines.read()).value).toBe("done\n")
    },
    async [Symbol.asyncDispose]() {
      child.stdin.end()
      await child.exited
    },
  }
}

interface Watching extends AsyncDisposable {
  readonly store: Store
  readonly place: string
  readonly seen: StoreChange[]
  /** Does something, and gives what is told of it: as much as is waited for, and what comes within a moment after. */
  step(change: () => unknown, isTold: (seen: readonly StoreChange[]) => boolean): Promise<StoreChange[]>
}

async function watching(
  agent: AgentName,
  files: Readonly<Record<string, string>>,
  options: Partial<StoreOptions> = {},
  rootOptions: TranscriptRootOptions = {},
): Promise<Watching> {
  const folder = tempFolder()
  const place = join(folder, "home")
  fs.mkdirSync(place)
  for (const [path, text] of Object.entries(files)) put(join(place, path), text)
  const store = await openStore({
    directory: join(folder, "store"),
    indexPath: join(folder, "index"),
    watch: true,
    // What is indexed before it is told of is told less exactly: these are of the watch alone.
    backgroundIndex: false,
    roots: [transcriptRoot(AGENTS[agent], place, rootOptions)],
    ...options,
  })
  const seen: StoreChange[] = []
  const reading = (async () => {
    for await (const change of store.changes()) seen.push(change)
  })()
  await until(() => !["off", "starting"].includes(stateOf(store)))
  return {
    store,
    place,
    seen,
    async step(change, isTold) {
      seen.length = 0
      await change()
      await until(() => isTold(seen))
      await Bun.sleep(250)
      return seen.map((one) => {
        expect(one.origin).toBe(place)
        expect(one.by).toBe("other")
        return one
      })
    },
    async [Symbol.asyncDispose]() {
      await store.close()
      await reading
      expect(stateOf(store)).toBe("stopped")
    },
  }
}

function stateOf(store: Store): string {
  return store.health().alsoReading[0]?.watch?.state ?? "off"
}

function put(path: string, text: string): void {
  fs.mkdirSync(dirname(path), { recursive: true })
  fs.writeFileSync(path, text)
}

async function texts(store: Store, session: string): Promise<string[]> {
  const told: string[] = []
  for await (const { parts } of store.messages.stream(session, { direction: "asc" }))
    for (const part of parts) if (part.type === "text") told.push(String(part.text))
  return told
}

/** What is told, without the project, which is a digest. */
function short(told: readonly StoreChange[]): string[] {
  return told.map(({ kind, type, sessionID, messageID }) =>
    [type, kind, sessionID, messageID === undefined ? undefined : "…"].filter(Boolean).join(" "),
  )
}

const wroteMessage = (seen: readonly StoreChange[]): boolean =>
  seen.some(({ kind, type }) => kind === "message" && type === "written")
const ofKind =
  (kind: string, type: StoreChange["type"], sessionID = SESSION) =>
  (seen: readonly StoreChange[]): boolean =>
    seen.some((one) => one.kind === kind && one.type === type && one.sessionID === sessionID)

test("a message that another process appends is told with its session, whether or not anyone listed before", async () => {
  await using watch = await watching("codex", {
    [rollout()]: begun(SESSION, "first"),
    [rollout(OTHER)]: begun(OTHER, "other"),
  })
  await using child = writer()
  const { store, place } = watch
  const [session] = await all(store.sessions.list())
  const path = join(place, rollout())
  const told = await watch.step(() => child.append(path, jsonLines(codex.answer("second"))), wroteMessage)
  expect(short(told)).toEqual([`written session ${SESSION}`, `written message ${SESSION} …`])
  expect(told[0]).toEqual({
    kind: "session",
    type: "written",
    by: "other",
    origin: place,
    projectID: String(session?.projectID),
    sessionID: SESSION,
  })
  const messages = await all(store.messages.list(SESSION))
  expect(told[1]?.messageID).toBe(messages[0]?.id)
  expect(await texts(store, SESSION)).toEqual(["first", "second"])
  // What somebody asks for meanwhile is told once: the new message, and the answer before it, which has ended.
  const again = await watch.step(async () => {
    await child.append(path, jsonLines(codex.said("third")))
    await texts(store, SESSION)
  }, wroteMessage)
  const written = again.filter(({ kind }) => kind === "message").map(({ messageID }) => messageID)
  expect(written).toContain((await all(store.messages.list(SESSION)))[0]?.id)
  expect(new Set(written).size).toBe(written.length)
  expect(again.filter(({ kind }) => kind === "session")).toHaveLength(1)
}, 30_000)

test("what is appended byte by byte is told when its line is whole", async () => {
  await using watch = await watching("codex", { [rollout()]: begun(SESSION, "first") })
  await using child = writer()
  const { store, place } = watch
  await all(store.sessions.list())
  const line = jsonLines(codex.answer("letter by letter, é and 👩‍👩‍👧"))
  const told = await watch.step(
    () => child.append(join(place, rollout()), line, { bytes: 1, pause: 1 }),
    wroteMessage,
  )
  expect(told.filter(({ kind }) => kind === "message")).toHaveLength(1)
  expect(await texts(store, SESSION)).toEqual(["first", "letter by letter, é and 👩‍👩‍👧"])
}, 30_000)

test("a burst is told a bounded number of times, and its end for certain", async () => {
  await using watch = await watching("codex", { [rollout()]: begun(SESSION, "first") })
  await using child = writer()
  const { store, place } = watch
  await all(store.sessions.list())
  const LINES = 200
  const lines = Array.from({ length: LINES }, (_, at) => jsonLines(codex.said(`line ${at}`))).join("")
  const began = performance.now()
  const told = await watch.step(
    () => child.append(join(place, rollout()), lines, { bytes: Math.ceil(lines.length / LINES), pause: 10 }),
    () => watch.seen.filter(({ messageID }) => messageID !== undefined).length >= LINES,
  )
  const tenths = Math.ceil((performance.now() - began) / 100)
  expect(told.filter(({ kind }) => kind === "session").length).toBeLessThanOrEqual(tenths)
  expect(new Set(told.map(({ messageID }) => messageID)).size - 1).toBe(LINES)
  expect(await texts(store, SESSION)).toHaveLength(LINES + 1)
}, 30_000)

test("more messages at once than are told one by one are told as one", async () => {
  await using watch = await watching("codex", { [rollout()]: begun(SESSION, "first") })
  const { store, place } = watch
  await all(store.sessions.list())
  const many = Array.from({ length: 500 }, (_, at) => codex.said(`line ${at}`))
  const told = await watch.step(
    () => fs.appendFileSync(join(place, rollout()), jsonLines(...many)),
    ofKind("message", "unknown"),
  )
  expect(short(told).sort()).toEqual([`unknown message ${SESSION}`, `written session ${SESSION}`])
}, 30_000)

test("a transcript that is cut off or written anew is told, also where its lines lie where they lay", async () => {
  await using watch = await watching("codex", { [rollout()]: begun(SESSION, "first", "quagga") })
  const { store, place } = watch
  const path = join(place, rollout())
  await all(store.sessions.list())
  expect(await all(store.search("quagga"))).toHaveLength(1)
  const whole = fs.readFileSync(path, "utf8")
  await untilProven()
  const changed = await watch.step(
    () => fs.writeFileSync(path, whole.replace("quagga", "numbat")),
    ofKind("message", "unknown"),
  )
  expect(short(changed)).toContain(`unknown message ${SESSION}`)
  expect(await texts(store, SESSION)).toEqual(["first", "numbat"])
  expect(await all(store.search("numbat"))).toHaveLength(1)
  const cut = await watch.step(
    () => fs.truncateSync(path, whole.indexOf("\n", whole.indexOf("first")) + 1),
    ofKind("message", "removed"),
  )
  expect(short(cut)).toContain(`removed message ${SESSION} …`)
  expect(await texts(store, SESSION)).toEqual(["first"])
  const renamed = await watch.step(() => {
    const temp = `${path}.tmp`
    fs.writeFileSync(temp, whole)
    fs.renameSync(temp, path)
  }, wroteMessage)
  expect(short(renamed)).toContain(`written session ${SESSION}`)
  expect(await texts(store, SESSION)).toEqual(["first", "quagga"])
}, 30_000)

test("a new day's folder is watched, and what is written in it at once is told", async () => {
  await using watch = await watching("codex", {})
  await using child = writer()
  const { store, place } = watch
  const path = join(place, rollout(SESSION, "sessions/2026/11/30"))
  const told = await watch.step(() => child.append(path, begun(SESSION, "first")), wroteMessage)
  expect(short(told)).toEqual([`written session ${SESSION}`, `written message ${SESSION} …`])
  const more = await watch.step(() => child.append(path, jsonLines(codex.said("second"))), wroteMessage)
  expect(short(more)).toEqual([`written session ${SESSION}`, `written message ${SESSION} …`])
  expect(await texts(store, SESSION)).toEqual(["first", "second"])
}, 30_000)

test("a session that is archived is told as written, one that is deleted as removed", async () => {
  await using watch = await watching("codex", {
    [rollout()]: begun(SESSION, "first"),
    [rollout(OTHER)]: begun(OTHER, "other"),
  })
  const { store, place } = watch
  await all(store.sessions.list())
  const archived = join(place, rollout(SESSION, "archived_sessions"))
  const moved = await watch.step(
    () => {
      fs.mkdirSync(dirname(archived))
      fs.renameSync(join(place, rollout()), archived)
    },
    ofKind("session", "written"),
  )
  expect(short(moved).filter((line) => line.startsWith("removed session"))).toEqual([])
  expect((await store.sessions.get(SESSION))?.time.archived).toBeDefined()
  const back = await watch.step(
    () => fs.renameSync(archived, join(place, rollout())),
    ofKind("session", "written"),
  )
  expect(short(back)).toContain(`written session ${SESSION}`)
  const gone = await watch.step(() => fs.rmSync(join(place, rollout())), ofKind("session", "removed"))
  expect(short(gone)).toEqual([`removed session ${SESSION}`])
  // A folder that is moved away takes along all that lay in it.
  const away = await watch.step(
    () => fs.renameSync(join(place, "sessions/2026"), join(place, "away")),
    ofKind("session", "removed", OTHER),
  )
  expect(short(away)).toEqual([`removed session ${OTHER}`])
  expect(await all(store.sessions.list())).toEqual([])
}, 30_000)

test("a copy that is taken away again leaves the session where it was", async () => {
  await using watch = await watching("codex", { [rollout()]: begun(SESSION, "first") })
  const { store, place } = watch
  await all(store.sessions.list())
  const copy = join(place, rollout(SESSION, "sessions/2026/12/01"))
  put(copy, fs.readFileSync(join(place, rollout()), "utf8"))
  await all(store.sessions.list())
  for (const path of [copy]) {
    const told = await watch.step(() => fs.rmSync(path), ofKind("session", "written"))
    expect(short(told).filter((line) => line.startsWith("removed"))).toEqual([])
    expect(await texts(store, SESSION)).toEqual(["first"])
    expect(await all(store.sessions.list())).toHaveLength(1)
  }
}, 30_000)

test("a fork that lies in two files is followed without the other one, and told of when that is cut off", async () => {
  const base = begun(SESSION, "first", "second")
  const fork = jsonLines(
    codex.meta({
      id: OTHER,
      history_base: { thread_id: SESSION, end_byte_offset: Buffer.byteLength(base) },
    }),
    codex.said("third"),
  )
  await using watch = await watching("codex", { [rollout()]: base, [rollout(OTHER)]: fork })
  const { store, place } = watch
  await all(store.sessions.list())
  expect(await texts(store, OTHER)).toEqual(["first", "second", "third"])
  const told = await watch.step(
    () => fs.appendFileSync(join(place, rollout(OTHER)), jsonLines(codex.said("fourth"))),
    wroteMessage,
  )
  expect(short(told)).toEqual([`written session ${OTHER}`, `written message ${OTHER} …`])
  expect(await texts(store, OTHER)).toEqual(["first", "second", "third", "fourth"])
  const cut = await watch.step(() => fs.rmSync(join(place, rollout())), ofKind("message", "removed", OTHER))
  expect(short(cut)).toContain(`removed session ${SESSION}`)
  expect(await texts(store, OTHER)).toEqual(["third", "fourth"])
}, 30_000)

test("a name that a small file beside the transcripts gives is told as its session's", async () => {
  await using watch = await watching("codex", { [rollout()]: begun(SESSION, "first"), "auth.json": "{}" })
  const { store, place } = watch
  await all(store.sessions.list())
  const told = await watch.step(
    () => {
      fs.writeFileSync(join(place, "auth.json"), "{}\n")
      fs.writeFileSync(
        join(place, "session_index.jsonl"),
        jsonLines({ id: SESSION, thread_name: "Named", updated_at: "2026-11-29T09:00:00Z" }),
      )
    },
    ofKind("session", "written"),
  )
  expect(short(told)).toEqual([`written session ${SESSION}`])
  expect((await store.sessions.get(SESSION))?.title).toBe("Named")
}, 30_000)

test("a new project of Claude Code, and a subagent's folder in it, are watched", async () => {
  await using watch = await watching("claude-code", {})
  await using child = writer()
  const { store, place } = watch
  const file = `projects/-home-dev-new/${claude.SESSION}`
  const told = await watch.step(
    () => child.append(join(place, `${file}.jsonl`), jsonLines(claude.user("u1", null, "first"))),
    wroteMessage,
  )
  expect(short(told)).toEqual([`written session ${claude.SESSION}`, `written message ${claude.SESSION} …`])
  const agent = await watch.step(
    () =>
      child.append(
        join(place, file, "subagents/agent-a1.jsonl"),
        jsonLines(claude.user("s1", null, "a task", { isSidechain: true, agentId: "a1" })),
      ),
    wroteMessage,
  )
  expect(short(agent)).toEqual(["written session agent-a1", "written message agent-a1 …"])
  // An answer whose last block comes in a line of its own is the same message, written again.
  const answered = await watch.step(
    async () => {
      await child.append(
        join(place, `${file}.jsonl`),
        jsonLines(claude.assistant("a1", "u1", "msg_1", claude.text("half"))),
      )
      await Bun.sleep(200)
      await child.append(
        join(place, `${file}.jsonl`),
        jsonLines(claude.assistant("a2", "a1", "msg_1", claude.text("whole"))),
      )
    },
    (seen) => seen.filter(({ kind }) => kind === "message").length >= 2,
  )
  const messages = answered.filter(({ kind }) => kind === "message")
  expect(new Set(messages.map(({ messageID }) => messageID)).size).toBe(1)
  expect(await texts(store, claude.SESSION)).toEqual(["first", "half", "whole"])
}, 30_000)

test("Gemini CLI's session that is one object, written anew at each turn, is told", async () => {
  const object = (...messages: readonly unknown[]): string =>
    JSON.stringify({ ...gemini.HEADER, messages }, null, 2)
  const file = "tmp/app/chats/session-2026-11-01T00-00-5e551000.json"
  const session = gemini.HEADER.sessionId
  await using watch = await watching("gemini-cli", { [file]: object(gemini.user("u1", "first")) })
  const { store, place } = watch
  await all(store.sessions.list())
  const told = await watch.step(
    () =>
      fs.writeFileSync(join(place, file), object(gemini.user("u1", "first"), gemini.gemini("g1", "second"))),
    wroteMessage,
  )
  expect(told.filter(({ kind, type }) => kind === "message" && type === "written")).toHaveLength(1)
  expect(await texts(store, session)).toEqual(["first", "second"])
}, 30_000)

test("where the system refuses watches, transcripts are looked at now and then, and what changed is told", async () => {
  const files = Object.fromEntries(
    Array.from({ length: 20 }, (_, day) => {
      const session = `01a30000-0000-7000-8000-0000000000${10 + day}`
      return [rollout(session, `sessions/2026/11/${day}`), begun(session, "first")]
    }),
  )
  await using watch = await watching("codex", files, {}, { watch: limited(8) })
  const { store, place } = watch
  expect(store.health().alsoReading[0]?.watch).toEqual({
    state: "sweeping",
    folders: 8,
    reason: expect.stringContaining("ENOSPC"),
  })
  await all(store.sessions.list())
  for (const [path] of Object.entries(files).slice(-2)) {
    const session = path.slice(-42, -6)
    const told = await watch.step(
      () => fs.appendFileSync(join(place, path), jsonLines(codex.said("second"))),
      (seen) => seen.some(({ sessionID }) => sessionID === session),
    )
    expect(short(told)).toEqual([`written session ${session}`, `written message ${session} …`])
  }
}, 60_000)

test("a place that is put in place of another, and one that comes back, are watched again", async () => {
  await using watch = await watching("codex", { [rollout()]: begun(SESSION, "first") })
  const { store, place } = watch
  await all(store.sessions.list())
  const told = await watch.step(
    () => {
      fs.renameSync(place, `${place}-before`)
      fs.cpSync(`${place}-before`, place, { recursive: true })
    },
    (seen) => seen.some(({ kind, type }) => kind === "store" && type === "unknown"),
  )
  expect(short(told)).toContain("unknown store")
  await until(() => stateOf(store) === "watching")
  const more = await watch.step(
    () => fs.appendFileSync(join(place, rollout()), jsonLines(codex.said("second"))),
    wroteMessage,
  )
  expect(short(more)).toEqual([`written session ${SESSION}`, `written message ${SESSION} …`])
}, 60_000)

test("a store that is watched indexes transcripts without waiting to be asked, and tells of nothing that was there", async () => {
  const files = { [rollout()]: begun(SESSION, "a zebra"), [rollout(OTHER)]: begun(OTHER) }
  await using watch = await watching("codex", files, { backgroundIndex: true })
  const { store, seen } = watch
  await until(() => store.health().alsoReading[0]?.backgroundIndex.state === "done")
  expect(seen).toEqual([])
  expect((await all(store.search("zebra", { in: "text", wait: false }))).length).toBe(1)
})

test("what is new while the index is made is told of, whoever looks at it first", async () => {
  const files = Object.fromEntries(
    Array.from({ length: 200 }, (_, at) => {
      const id = OTHER.replace(/001$/, String(at).padStart(3, "0"))
      return [rollout(id), begun(id, "a zebra")]
    }),
  )
  await using watch = await watching("codex", files, { backgroundIndex: true })
  const { store, place, seen } = watch
  for (let at = 0; at < 5; at++) {
    const id = SESSION.replace(/^01a3/, `01b${at}`)
    put(join(place, rollout(id, `sessions/2026/12/0${at + 1}`)), begun(id, "new"))
    await until(() => ofKind("session", "written", id)(seen))
  }
  await until(() => store.health().alsoReading[0]?.backgroundIndex.state === "done")
  expect(await store.sessions.count()).toBe(205)
})
