import { expect, test } from "bun:test"
import * as fs from "node:fs"
import { join } from "node:path"
import { ProcessLock } from "../../src/file/lock.ts"
import { failure } from "../support/records.ts"
import { tempFolder, tempFoldersOnDisk } from "../support/temp.ts"

tempFoldersOnDisk()

test("one holder at a time; the next gets in when the first lets go", async () => {
  const path = join(tempFolder(), "lock")
  const a = new ProcessLock(path)
  const b = new ProcessLock(path)
  const release = await a.acquire()
  expect(b.tryAcquire()).toBeUndefined()
  expect(await failure(b.acquire(20))).toMatchObject({ code: "LOCKED" })
  release()
  const other = await b.acquire()
  expect(a.tryAcquire()).toBeUndefined()
  other()
  a.close()
  b.close()
})

test("closed while it is held it is free, and letting go of it then is no error", async () => {
  const path = join(tempFolder(), "lock")
  const a = new ProcessLock(path)
  const b = new ProcessLock(path)
  const release = await a.acquire()
  a.close()
  const other = await b.acquire(20)
  release()
  expect(a.tryAcquire()).toBeUndefined()
  other()
  a.close()
  b.close()
})

test("a holder that is killed frees it at once", async () => {
  const path = join(tempFolder(), "lock")
  const holder = Bun.spawn(
    [
      "bun",
      "-e",
      `import { ProcessLock } from "./src/file/lock.ts"; globalThis.lock = new ProcessLock(${JSON.stringify(path)}); await lock.acquire(); console.log("held"); setInterval(() => {}, 1000)`,
    ],
    { cwd: join(import.meta.dir, "../.."), stdout: "pipe" },
  )
  // Whatever happens below, it does not outlive the test.
  using _ = { [Symbol.dispose]: () => holder.kill("SIGKILL") }
  const reader = holder.stdout.getReader()
  await reader.read()
  const lock = new ProcessLock(path)
  expect(lock.tryAcquire()).toBeUndefined()
  holder.kill("SIGKILL")
  await holder.exited
  const release = lock.tryAcquire()
  expect(release).toBeDefined()
  release?.()
  lock.close()
})

test("taking it makes no journal file, which would cost each write two changes of the folder", async () => {
  const folder = tempFolder()
  const lock = new ProcessLock(join(folder, "lock"))
  ;(await lock.acquire())()
  const before = fs.statSync(folder, { bigint: true })
  for (let i = 0; i < 3; i++) (await lock.acquire())()
  expect(fs.statSync(folder, { bigint: true }).mtimeNs).toBe(before.mtimeNs)
  lock.close()
})

test("noise in its file, and its removal, do not stop it", async () => {
  const path = join(tempFolder(), "lock")
  fs.writeFileSync(path, "not a database".repeat(400))
  const lock = new ProcessLock(path)
  ;(await lock.acquire())()
  fs.rmSync(path)
  ;(await lock.acquire())()
  expect(fs.existsSync(path)).toBe(true)
  lock.close()
})
