/** Appends to files as an agent does: on each line of input `{ path, text, bytes?, pause? }`, so many bytes at once, with so many ms between. */
import * as fs from "node:fs"
import { dirname } from "node:path"

for await (const line of console) {
  if (line === "") continue
  const { path, text, bytes, pause } = JSON.parse(line)
  fs.mkdirSync(dirname(path), { recursive: true })
  const descriptor = fs.openSync(path, "a")
  const all = Buffer.from(text)
  for (let at = 0; at < all.length; at += bytes ?? all.length) {
    fs.writeSync(descriptor, all, at, Math.min(bytes ?? all.length, all.length - at))
    if (pause) await Bun.sleep(pause)
  }
  fs.closeSync(descriptor)
  console.log("done")
}
