import { expect, test } from "bun:test"
import { join } from "node:path"
import { message, session } from "../support/records.ts"
import { put, tempFolder } from "../support/temp.ts"

const ROOT = join(import.meta.dir, "../..")

test("where the index can grow no more, the files answer and writes go on", async () => {
  const directory = tempFolder()
  put(directory, "session/p/ses_1.json", session("ses_1"))
  for (let m = 0; m < 3000; m++)
    put(directory, `message/ses_1/msg_${m}.json`, message(`msg_${m}`, "ses_1", m))
  const script = `import { openStore } from "./src/index.ts"
    await using store = await openStore({ directory: ${JSON.stringify(directory)}, backgroundIndex: false })
    const ids = await Array.fromAsync(store.messages.ids("ses_1"))
    await store.messages.write({ id: "msg_new", sessionID: "ses_1", role: "user", time: { created: 9999 } })
    const after = await Array.fromAsync(store.messages.ids("ses_1", { limit: 1 }))
    const { index, answers } = store.health()
    console.log(JSON.stringify([ids.length, after, index.kind, answers.files > 0, await store.messages.count("ses_1")]))`
  // No file of this process may grow beyond 100 kB: to SQLite a full disk, while the records are small enough.
  const limited = Bun.spawn(["bash", "-c", `trap '' XFSZ; ulimit -f 100; exec bun -e "$0"`, script], {
    cwd: ROOT,
    stdout: "pipe",
    stderr: "inherit",
  })
  expect(JSON.parse(await new Response(limited.stdout).text())).toEqual([
    3000,
    ["msg_new"],
    "unavailable",
    true,
    3001,
  ])
})
