import { expect, test } from "bun:test"
import { join } from "node:path"
import { bytecodeOf, SHORT_LIVED } from "../support/bytecode.ts"
import { message, session } from "../support/records.ts"
import { put, tempFolder } from "../support/temp.ts"

const programPath = bytecodeOf(join(import.meta.dir, "../../src/cli/start.ts"))

function store(): string {
  const directory = tempFolder()
  put(directory, "session/p1/ses_1.json", session("ses_1", { title: "The delta of a river" }))
  for (const [at, text] of ["delta one", "delta two", "\u{1b}[31mother\u{1b}[0m\nthing"].entries()) {
    const created = Date.UTC(2026, 10, 22 + at, 12)
    put(directory, `message/ses_1/msg_${at}.json`, message(`msg_${at}`, "ses_1", created))
    put(directory, `part/msg_${at}/prt_1.json`, { type: "text", text })
  }
  return directory
}

interface Ran {
  readonly code: number
  readonly out: string
  readonly err: string
}

async function cli(directory: string, argv: string[], env: Record<string, string> = {}): Promise<Ran> {
  const child = Bun.spawn(["bun", programPath(), "--dir", directory, ...argv], {
    env: { ...SHORT_LIVED, ...env },
    stdout: "pipe",
    stderr: "pipe",
    stdin: "ignore",
  })
  const [out, err] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()])
  return { code: await child.exited, out, err }
}

async function found(directory: string, argv: string[], env?: Record<string, string>): Promise<unknown[]> {
  const { out } = await cli(directory, ["search", "--json", ...argv], env)
  const hits = out.split("\n").filter(Boolean)
  return hits.map((line) => JSON.parse(line)).map(({ messageID, sessionID }) => messageID ?? sessionID)
}

test("words with a minus exclude, also where they look like options", async () => {
  const directory = store()
  expect(await found(directory, ["delta", "-two"])).toEqual(["msg_0", "ses_1"])
  expect(await found(directory, ["delta", "-two", "--in", "text"])).toEqual(["msg_0"])
  expect(await found(directory, ["e", "-delta", "--limit", "5"])).toEqual(["msg_2"])
  expect(await found(directory, ["-one", "--", "delta", "-river"])).toEqual(["msg_1"])
  expect(await found(directory, ['delta -"a river" -one'])).toEqual(["msg_1"])
  expect((await cli(directory, ["sessions", "-one"])).code).toBe(2)
})

test("a date is one of the system's time zone, as times are shown, unless it names its own", async () => {
  const directory = store()
  const zone = { TZ: "America/New_York" }
  const shown = await cli(directory, ["search", "delta", "--limit", "1"], zone)
  expect(shown.out).toStartWith("2026-11-23 07:00:00  ses_1")
  expect((await cli(directory, ["sessions"], zone)).out).toStartWith("1969-12-31 19:00  ses_1")
  expect((await cli(directory, ["stats"], zone)).out).toContain("\n1969-12")
  expect(await found(directory, ["delta", "--in", "text", "--since", "2026-11-23"], zone)).toEqual(["msg_1"])
  expect(await found(directory, ["delta", "--since", "2026-11-23 07:00"], zone)).toEqual(["msg_1"])
  expect(await found(directory, ["delta", "--since", "2026-11-23T07:00:00.001"], zone)).toEqual([])
  expect(await found(directory, ["delta", "--since", "2026-11-23T13:00+02:00"], zone)).toEqual(["msg_1"])
  expect(
    await found(directory, ["delta", "--until", String(Date.UTC(2026, 10, 22, 12)), "--in", "text"]),
  ).toEqual(["msg_0"])
  for (const odd of ["yesterday 1", "2026", "2026-02-31", "2026-11-22 25:00", "-5", ""])
    expect([odd, (await cli(directory, ["search", "delta", "--since", odd])).code]).toEqual([odd, 2])
})

test("exit codes, notes and colours", async () => {
  const directory = store()
  const plain = await cli(directory, ["search", "other"])
  expect(plain).toEqual({
    code: 0,
    out: "2026-11-24 12:00:00  ses_1  The delta of a river\n    other thing\n",
    err: "",
  })
  expect(await cli(directory, ["search", "absent"])).toEqual({ code: 1, out: "", err: "" })
  expect((await cli(directory, ["search"])).code).toBe(2)
  const limited = await cli(directory, ["search", "delta", "--limit", "1", "--json"])
  expect(limited.out.split("\n")).toHaveLength(2)
  expect(limited.err).toContain("There may be more (limit)")
})

test("a store that is not indexed is indexed first, unless that is not to be waited for", async () => {
  const directory = store()
  const hasty = await cli(directory, ["search", "delta", "--no-wait", "--in", "text"])
  expect(hasty).toMatchObject({ code: 1, out: "", err: expect.stringContaining("(indexing)") })
  expect(await found(directory, ["delta", "--in", "text"])).toEqual(["msg_1", "msg_0"])
  expect(await found(directory, ["delta", "--in", "text", "--no-wait"])).toEqual(["msg_1", "msg_0"])
})
