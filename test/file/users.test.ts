import { describe, expect, test } from "bun:test"
import * as fs from "node:fs"
import { join } from "node:path"
import { bytecodeOf, SHORT_LIVED } from "../support/bytecode.ts"
import { put, tempFolder } from "../support/temp.ts"
import type { UserSight, UserWork } from "./user-child.ts"

const child = bytecodeOf(join(import.meta.dir, "user-child.ts"))
const [ALICE, BOB, TEAM] = [12_001, 12_002, 12_100]

async function as(
  uid: number,
  directory: string,
  sessions: readonly string[],
  more: Partial<UserWork> = {},
): Promise<UserSight> {
  const work: UserWork = { uid, gid: uid, umask: 0o022, directory, sessions, ...more }
  const { stdout, stderr } = Bun.spawn([process.execPath, child(), JSON.stringify(work)], {
    stdout: "pipe",
    stderr: "pipe",
    env: SHORT_LIVED,
  })
  const [output, errors] = await Promise.all([new Response(stdout).text(), new Response(stderr).text()])
  if (output === "") throw new Error(errors)
  return JSON.parse(output)
}

/** A store's folder that others can get to. */
function storeOf(uid: number, gid: number, mode: number): string {
  const folder = tempFolder()
  fs.chmodSync(folder, 0o755)
  const directory = join(folder, "store")
  fs.mkdirSync(directory)
  fs.chownSync(directory, uid, gid)
  fs.chmodSync(directory, mode)
  return directory
}

/** What in a store is not its owner's. */
function strange(directory: string, uid: number): string[] {
  return fs
    .readdirSync(directory, { recursive: true, encoding: "utf8" })
    .filter((path) => fs.lstatSync(join(directory, path)).uid !== uid)
}

describe.if(process.geteuid?.() === 0)("users of one system", () => {
  test.each([0o700, 0o755])("what root does to a store of mode %o leaves it its owner's", async (mode) => {
    const directory = storeOf(ALICE, ALICE, mode)
    // Root comes first: lock and index are of its making.
    await as(0, directory, ["ses_1"])
    expect(strange(directory, ALICE)).toEqual([])
    expect(await as(ALICE, directory, ["ses_1", "ses_2"])).toEqual({
      sessions: ["ses_1", "ses_2"],
      titles: [" by 0 by 12001", " by 12001"],
      index: "ready",
    })
    await as(0, directory, ["ses_2"])
    expect(strange(directory, ALICE)).toEqual([])
    expect(await as(ALICE, directory, ["ses_2"])).toMatchObject({
      titles: [" by 0 by 12001", " by 12001 by 0 by 12001"],
      index: "ready",
    })
  })

  test("a file of another user that root replaces stays that user's", async () => {
    const directory = storeOf(0, 0, 0o755)
    const path = put(directory, "session/p/ses_1.json", { id: "ses_1", title: "", time: {} })
    fs.chownSync(path, BOB, TEAM)
    fs.chmodSync(path, 0o640)
    await as(0, directory, ["ses_1"])
    const { uid, gid, mode } = fs.statSync(path)
    expect({ uid, gid, mode: mode & 0o777 }).toEqual({ uid: BOB, gid: TEAM, mode: 0o640 })
  })

  test("a shared store is read, written and indexed by all of its group", async () => {
    const directory = storeOf(0, TEAM, 0o2770)
    const team = { gid: TEAM, umask: 0o002 }
    await as(ALICE, directory, ["ses_1"], team)
    expect(await as(BOB, directory, ["ses_1", "ses_2"], team)).toMatchObject({
      titles: [" by 12001 by 12002", " by 12002"],
      index: "ready",
    })
    expect(await as(ALICE, directory, ["ses_2"], team)).toMatchObject({
      titles: [" by 12001 by 12002", " by 12002 by 12001"],
      index: "ready",
    })
    // At the same time, too.
    const ids = Array.from({ length: 8 }, (_, i) => `ses_${i}`)
    await Promise.all([as(ALICE, directory, ids, team), as(BOB, directory, ids, team)])
    const { sessions, titles } = await as(ALICE, directory, [], team)
    expect(sessions).toEqual(ids)
    expect(titles.every((title) => / by 1200[12]$/.test(title))).toBe(true)
  })
})
