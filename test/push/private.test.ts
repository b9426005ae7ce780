import { expect, test } from "bun:test"
import * as fs from "node:fs"
import { join } from "node:path"
import { describePostgres } from "../support/postgres.ts"
import { message, session } from "../support/records.ts"
import { put, snapshot, tempFolder } from "../support/temp.ts"
import { planted } from "./planted.ts"
import { pushed, putSmall, small } from "./pushing.ts"
import { publishedIn } from "./tables.ts"

/** A store with a secret of every kind, in each place that a text can stand in; and what is never published at all. */
function withSecrets(): { directory: string; secrets: string[] } {
  const directory = tempFolder()
  const kinds = Object.values(planted)
  const texts = kinds.map(({ text }) => text)
  const all = texts.join("\n")
  const hidden = { share: "https://share.example.org/s/hidden-share", thought: "hidden-thought-aGlkZGVu" }
  put(
    directory,
    "session/proj/ses_1.json",
    session("ses_1", {
      title: all,
      directory: "/home/dev/app",
      share: { url: hidden.share, secret: "hidden-secret" },
    } as object),
  )
  put(
    directory,
    "message/ses_1/msg_1.json",
    message("msg_1", "ses_1", 1, {
      summary: { title: all, diffs: [{ file: texts[0], before: all, after: "" }] },
    } as object),
  )
  for (const [at, text] of texts.entries())
    put(directory, `part/msg_1/prt_${at}.json`, { type: "text", text: `It is ${text} as you see` })
  put(directory, "part/msg_1/prt_tool.json", {
    type: "tool",
    tool: "bash",
    callID: "call_1",
    state: {
      status: "completed",
      input: { command: all, env: Object.fromEntries(texts.map((text) => [text, text])) },
      output: JSON.stringify({ stdout: all, nested: JSON.stringify(all) }),
    },
  })
  put(directory, "part/msg_1/prt_thought.json", {
    type: "reasoning",
    text: "open",
    metadata: {
      anthropic: { signature: hidden.thought, redactedData: hidden.thought },
      openai: { itemId: "rs_1", reasoningEncryptedContent: hidden.thought },
      google: { thoughtSignature: hidden.thought },
      copilot: { encrypted_content: hidden.thought },
    },
  })
  put(directory, "todo/ses_1.json", [{ content: all, status: "pending", id: "1" }])
  put(directory, "session_diff/ses_1.json", [{ file: "a", before: all, after: all }])
  put(directory, "session_share/ses_1.json", { id: "x", secret: "hidden-secret", url: hidden.share })
  put(directory, "project/proj.json", { id: "proj", worktree: all })
  put(directory, "auth/one.json", { key: "hidden-secret" })
  return {
    directory,
    secrets: [...kinds.flatMap(({ secret }) => secret), hidden.share, hidden.thought, "hidden-secret"],
  }
}

describePostgres("what leaves the machine", (server) => {
  test("a dry run lists what would go and what would be masked, and changes nothing anywhere", async () => {
    const url = await server.database()
    const { directory } = withSecrets()
    putSmall(directory, "ses_2")
    const before = snapshot(directory)
    const dry = await pushed(directory, url, { dryRun: true })
    const files = Object.entries(snapshot(directory)).filter(([path]) => !path.startsWith(".sessiondex"))
    expect(Object.fromEntries(files)).toEqual(before)
    expect(fs.existsSync(join(directory, ".sessiondex-machine.json"))).toBe(false)
    expect(await server.sql("select nspname from pg_namespace where nspname = 'sessiondex'", url)).toEqual([])
    expect(dry).toMatchObject({ sessions: { added: 2 }, left: [] })
    const [one, two] = dry.yielded.toSorted((a, b) => (a.sessionID < b.sessionID ? -1 : 1))
    expect(two).toMatchObject({ sessionID: "ses_2", action: "added", records: 5, masked: {} })
    for (const kind of Object.keys(planted)) expect(one?.masked[kind]).toBeGreaterThan(8)
    expect(one?.masked).toMatchObject({ share: 1, "encrypted-reasoning": 5 })
    // What is then published is what was told.
    const real = await pushed(directory, url)
    expect(real.masked).toEqual(dry.masked)
    expect(real.records).toBe(dry.records)
    const nothing = await pushed(directory, url, { dryRun: true })
    expect(nothing).toMatchObject({ sessions: { unchanged: 2 }, yielded: [], masked: {}, records: 0 })
  })

  test("no secret of any kind, no share and no encrypted reasoning is in the database", async () => {
    const url = await server.database()
    const { directory, secrets } = withSecrets()
    expect(await pushed(directory, url)).toMatchObject({ sessions: { added: 1 }, left: [] })
    const dump = server.run("pg_dump", url)
    expect(dump.length).toBeGreaterThan(20_000)
    expect(dump).toContain("It is [masked:openai-key] as you see")
    expect(dump.toLowerCase()).toContain("rs_1")
    expect(secrets.length).toBeGreaterThan(15)
    for (const secret of secrets) {
      expect({ secret, found: dump.includes(secret) }).toEqual({ secret, found: false })
      // What a search goes through is folded.
      const folded = dump.toLowerCase().includes(secret.toLowerCase())
      expect({ secret, folded }).toEqual({ secret, folded: false })
    }
    // Wanted otherwise, keys go along; the rest never does.
    const open = await pushed(directory, url, { mask: false })
    expect(open).toMatchObject({ sessions: { changed: 1 }, masked: { share: 1, "encrypted-reasoning": 5 } })
    const after = server.run("pg_dump", url)
    expect(after).toContain(planted["openai-key"]?.text ?? "-")
    for (const never of ["hidden-share", "hidden-thought", "hidden-secret"])
      expect(after).not.toContain(never)
    // And back again.
    expect(await pushed(directory, url)).toMatchObject({ sessions: { changed: 1 } })
    expect(server.run("pg_dump", url)).not.toContain(planted["openai-key"]?.text ?? "-")
  })

  test("only chosen projects are published, by id or by folder", async () => {
    const directory = tempFolder()
    const place = {
      ses_1: ["one", "/home/dev/app"],
      ses_2: ["one", "/home/dev/app/secret"],
      ses_3: ["two", "/home/dev/application"],
      ses_4: ["two", "/srv"],
    }
    for (const [id, [projectID = "", folder]] of Object.entries(place))
      putSmall(directory, id, {
        projectID,
        directory: folder,
        time: { created: 1, updated: Number(id.slice(4)) },
      } as object)
    const choices = [
      [{ project: "one" }, ["ses_1", "ses_2"]],
      [{ project: ["one", "/srv"] }, ["ses_1", "ses_2", "ses_4"]],
      [{ project: "/home/dev/app/" }, ["ses_1", "ses_2"]],
      [{ project: "/home/dev/app", exclude: "/home/dev/app/secret" }, ["ses_1"]],
      [{ exclude: "one" }, ["ses_3", "ses_4"]],
      [{ exclude: ["two", "/home/dev/app/secret"] }, ["ses_1"]],
      [{ since: 3 }, ["ses_3", "ses_4"]],
      [{ source: "codex" }, []],
      [{ source: "json", since: 4 }, ["ses_4"]],
      [{ project: "none" }, []],
    ] as const
    const url = await server.database()
    for (const [at, [choice, wanted]] of choices.entries()) {
      const options = structuredClone(choice) as object
      const { yielded } = await pushed(directory, url, { ...options, name: `no ${at}`, newMachine: true })
      expect(yielded.map(({ sessionID }) => sessionID).sort()).toEqual([...wanted])
      expect(Object.keys((await publishedIn(server, url))[`no ${at}`] ?? {}).sort()).toEqual([...wanted])
      // Chosen again they are known, and what was not chosen has not come.
      const again = await pushed(directory, url, options)
      expect(again).toMatchObject({ sessions: { unchanged: wanted.length }, yielded: [] })
    }
    for (const wrong of [
      { project: "" },
      { exclude: [1] },
      { since: Number.NaN },
      { source: 1 },
      { name: "" },
      { project: ".." },
    ])
      await expect(pushed(directory, url, wrong as object)).rejects.toThrow()
    await expect(pushed(directory, "https://example.org", {})).rejects.toThrow(TypeError)
  })

  test("projects of what is chosen go along, and no others", async () => {
    const url = await server.database()
    const directory = small("ses_1", { projectID: "one" })
    putSmall(directory, "ses_2", { projectID: "two" })
    for (const id of ["one", "two", "three"]) put(directory, `project/${id}.json`, { id, worktree: `/${id}` })
    const projects = () => server.sql("select id, body from sessiondex.project order by id", url)
    await pushed(directory, url, { project: "one" })
    expect(await projects()).toEqual([{ id: "one", body: '{"id":"one","worktree":"/one"}' }])
    put(directory, "project/one.json", { id: "one", worktree: "/moved" })
    await pushed(directory, url)
    expect(await projects()).toMatchObject([
      { id: "one", body: '{"id":"one","worktree":"/moved"}' },
      { id: "two" },
    ])
  })
})
