import { Database } from "bun:sqlite"
import { existsSync } from "node:fs"

// Stands in for the agent: a process of its own that has the database open, in WAL mode unless told otherwise, and does what it is told, a line at a time.
const [path = "", mode = ""] = process.argv.slice(2)
const db = new Database(path, { create: true })
if (mode !== "rollback") db.run("PRAGMA journal_mode = WAL")
db.run("PRAGMA busy_timeout = 0")
if (mode === "no-checkpoints") db.run("PRAGMA wal_autocheckpoint = 0")

/** So many times at least. */
const ROUNDS = 20

/** Writes a session whose messages are as many as its title says, until a file is there, and counts what went wrong. */
function churn(until: string): string {
  let busy = 0
  let rounds = 0
  for (; rounds < ROUNDS || !existsSync(until); rounds++)
    try {
      db.transaction(() => {
        const id = `ses_${rounds % 7}`
        const n = (rounds % 5) + 1
        db.run("DELETE FROM message WHERE session_id = ?", [id])
        db.run("DELETE FROM session WHERE id = ?", [id])
        db.run(
          "INSERT INTO session (id, project_id, slug, directory, title, version, time_created, time_updated) VALUES (?, 'p', 's', '/d', ?, '1', ?, ?)",
          [id, String(n), rounds, rounds],
        )
        for (let at = 0; at < n; at++)
          db.run("INSERT INTO message VALUES (?, ?, ?, ?, ?)", [
            `msg_${id}_${at}`,
            id,
            at,
            rounds,
            JSON.stringify({ role: "user", text: "x".repeat(2000), time: { created: at } }),
          ])
      })()
    } catch (error) {
      if (String((error as { code?: unknown }).code).startsWith("SQLITE_BUSY")) busy++
      else throw error
    }
  return JSON.stringify({ rounds, busy })
}

const INSERT_SESSION =
  "INSERT INTO session (id, project_id, slug, directory, title, version, time_created, time_updated) VALUES (?, 'p', 's', '/d', ?, '1', ?, ?)"

/**
 * Writes sessions anew, or away, one a round, with the round in every message and in its part; and in the title of `ses_mark` what there is
 * besides: how many sessions, the sum of their times, and the newest. Tells how many sessions there were after each round.
 */
function keepHistory(until: string): string {
  let busy = 0
  const counts: number[] = []
  const others = db.query<{ id: string; time_updated: number }, []>(
    "SELECT id, time_updated FROM session WHERE id <> 'ses_mark' ORDER BY time_updated DESC, id DESC",
  )
  for (let round = 0; round < ROUNDS || !existsSync(until); round++)
    try {
      db.transaction(() => {
        const id = `ses_${round % 7}`
        for (const table of ["part", "message"]) db.run(`DELETE FROM ${table} WHERE session_id = ?`, [id])
        db.run("DELETE FROM session WHERE id = ?", [id])
        if (round % 3 > 0) {
          db.run(INSERT_SESSION, [id, `zebra ${round}`, round, round])
          for (let at = 0; at <= round % 5; at++) {
            const message = `msg_${id}_${at}`
            const info = JSON.stringify({ role: "user", round, time: { created: at } })
            db.run("INSERT INTO message VALUES (?, ?, ?, ?, ?)", [message, id, at, round, info])
            for (const part of [`prt_${id}_${at}_0`, `prt_${id}_${at}_1`]) {
              const data = JSON.stringify({ type: "text", round, text: `zebra ${round}` })
              db.run("INSERT INTO part VALUES (?, ?, ?, ?, ?, ?)", [part, message, id, round, round, data])
            }
          }
        }
        db.run("DELETE FROM session WHERE id = 'ses_mark'")
        const rows = others.all()
        const sum = rows.reduce((sum, { time_updated }) => sum + time_updated, 0)
        db.run(INSERT_SESSION, ["ses_mark", `${rows.length} ${sum} ${rows[0]?.id}`, round, round])
        counts[round] = rows.length + 1
      })()
    } catch (error) {
      if (!String((error as { code?: unknown }).code).startsWith("SQLITE_BUSY")) throw error
      busy++
      counts[round] ??= counts[round - 1] ?? 0
    }
  return JSON.stringify({ counts, busy })
}

console.log("ready")
for await (const line of console) {
  const [command, ...rest] = line.split(" ")
  const text = rest.join(" ")
  if (command === "run") {
    db.run(text)
    console.log("done")
  } else if (command === "churn") console.log(churn(text))
  else if (command === "history") console.log(keepHistory(text))
  else if (command === "checkpoint")
    console.log(JSON.stringify(db.query("PRAGMA wal_checkpoint(TRUNCATE)").get()))
  else if (command === "kill") process.kill(process.pid, "SIGKILL")
  else if (command === "quit") {
    db.close()
    console.log("done")
    process.exit(0)
  }
}
