/**
 * Writes as the agent's own releases do, in place: one part again and again with growing text, new messages, a session that
 * is renamed. Logs every version with the times its writing began and ended: `bun imitator-child.ts <folder> <seconds>`.
 */
import * as fs from "node:fs"
import { join } from "node:path"

const [, , directory = "", seconds = "1"] = process.argv
const now = (): number => performance.timeOrigin + performance.now()

function write(kind: string, version: number, path: string, body: unknown): void {
  const file = join(directory, path)
  const text = JSON.stringify(body, null, 2)
  const begun = now()
  fs.mkdirSync(join(file, ".."), { recursive: true })
  // Truncated first and filled in two goes: what a reader may meet.
  const descriptor = fs.openSync(file, "w")
  fs.writeSync(descriptor, text.slice(0, text.length >> 1))
  fs.writeSync(descriptor, text.slice(text.length >> 1))
  fs.closeSync(descriptor)
  console.log(JSON.stringify({ kind, version, begun, ended: now() }))
}

const end = now() + Number(seconds) * 1000
const time = { created: 1, updated: 1 }
for (let tick = 0; now() < end; tick++) {
  const length = (tick * 37) % 4096
  write("part", tick, "part/msg_0/prt_1.json", {
    id: "prt_1",
    messageID: "msg_0",
    type: "text",
    version: tick,
    text: "x".repeat(length),
  })
  if (tick % 10 === 0) {
    const m = tick / 10
    write("message", m, `message/ses_1/msg_${m}.json`, {
      id: `msg_${m}`,
      sessionID: "ses_1",
      role: "user",
      time: { created: m },
    })
  }
  if (tick % 7 === 0)
    write("session", tick / 7, "session/p/ses_1.json", {
      id: "ses_1",
      projectID: "p",
      title: `version ${tick / 7}`,
      time: { ...time, updated: tick },
    })
  await Bun.sleep(20)
}
