import { once } from "node:events"
import * as fs from "node:fs"
import { join } from "node:path"
import { FleetConnection } from "../../src/postgres/connection.ts"
import { gramsOf } from "../../src/postgres/texts.ts"
import type { PostgresServer } from "../../test/support/postgres-server.ts"

/** Words by how often they come: each row of texts has some of them. */
export const WORDS = {
  common: "the",
  frequent: "parser",
  rare: "xylophonequartz",
  absent: "qzjvxabsentword",
  short: "qz",
  kanji: "漢字",
} as const

export interface FleetSize {
  readonly sessions: number
  readonly messages: number
  readonly machines: number
}

/** Words of a text, on average. */
const LENGTH = 60
const VOCABULARY = 20_000
const DAY = 86_400_000
const NEWEST = Date.UTC(2026, 10, 1)

/**
 * Fills a new database with so many messages of one text each, by COPY and without the push: first the texts, of which all else is
 * made within the server, then the indexes.
 */
export async function fillFleet(server: PostgresServer, url: string, size: FleetSize): Promise<void> {
  const fleet = new FleetConnection(url)
  await fleet.migrate()
  await fleet.close()
  const run = (text: string) => server.sql(text, url)
  const indexes = await run(
    "select indexname, indexdef from pg_indexes where schemaname = 'sessiondex' and indexname not like '%_pkey'",
  )
  const keys = await run(
    `select conrelid::regclass::text as at, conname as name, pg_get_constraintdef(oid) as def from pg_constraint
      where connamespace = 'sessiondex'::regnamespace and contype = 'f'`,
  )
  for (const { at, name } of keys) await run(`alter table ${at} drop constraint "${name}"`)
  for (const { indexname } of indexes) await run(`drop index sessiondex."${indexname}"`)
  const path = join(server.folder, "texts.tsv")
  await writeTexts(path, size)
  await run(
    `insert into sessiondex.machine (id, name) select 'm' || n, 'machine ' || n from generate_series(0, ${size.machines - 1}) n`,
  )
  await run(
    `copy sessiondex.text (machine, session, message, piece, whole, created, role, folded, grams) from '${path}'`,
  )
  fs.rmSync(path)
  await run(`insert into sessiondex.session
    select machine, session, 'opencode', '/home/dev', 'project' || (hashtext(session) & 31), null, '/home/dev/app',
      'Session ' || session, 'session ' || session, min(created), max(created), false,
      json_build_object('id', session, 'projectID', 'project' || (hashtext(session) & 31), 'title', 'Session ' || session,
        'directory', '/home/dev/app', 'time', json_build_object('created', min(created), 'updated', max(created)))::text,
      '', nextval('sessiondex.changes') from sessiondex.text group by machine, session`)
  await run(`insert into sessiondex.message select machine, session, message, created, role,
    json_build_object('id', message, 'sessionID', session, 'role', role, 'time', json_build_object('created', created))::text, ''
    from sessiondex.text`)
  await run(`insert into sessiondex.part select machine, session, message, 'prt' || message, 0, 'text', null,
    json_build_object('id', 'prt' || message, 'sessionID', session, 'messageID', message, 'type', 'text', 'text', folded)::text
    from sessiondex.text`)
  await run("set maintenance_work_mem = '512MB'")
  for (const { indexdef } of indexes) await run(`set maintenance_work_mem = '512MB'; ${indexdef}`)
  for (const { at, name, def } of keys) await run(`alter table ${at} add constraint "${name}" ${def}`)
  await run("vacuum analyze")
}

async function writeTexts(path: string, { sessions, messages, machines }: FleetSize): Promise<void> {
  const out = fs.createWriteStream(path, { mode: 0o644 })
  let seed = 1
  const random = (): number => {
    seed = (seed * 1_103_515_245 + 12_345) & 0x7fffffff
    return seed / 0x7fffffff
  }
  const words = Array.from({ length: VOCABULARY }, (_, at) => (at === 0 ? WORDS.common : wordOf(at)))
  const rareAt = new Set([0.2, 0.5, 0.8].map((share) => Math.floor(messages * share)))
  for (let at = 0; at < messages; at++) {
    const session = at % sessions
    const text: string[] = []
    // Zipf's law, nearly: the n-th word comes 1/n as often as the first.
    for (let n = Math.floor(LENGTH * (0.2 + 1.6 * random())); n >= 0; n--)
      text.push(words[Math.floor(VOCABULARY ** random()) - 1] ?? "")
    if (at % 50 === 7) text.push(WORDS.frequent)
    if (at % 100 === 9) text.push("第一章 漢字の話", "🙂")
    if (rareAt.has(at)) text.push(WORDS.rare)
    const folded = text.join(" ")
    const created = NEWEST - (messages - at) * Math.floor((300 * DAY) / messages)
    const grams = gramsOf(folded).map((gram) => `"${gram}"`)
    const row = [
      `m${session % machines}`,
      `ses_${session}`,
      `msg_${at}`,
      0,
      "t",
      created,
      at % 2 ? "assistant" : "user",
    ]
    if (!out.write(`${[...row, folded, `{${grams}}`].join("\t")}\n`)) await once(out, "drain")
  }
  out.end()
  await once(out, "close")
}

/** A word made of a number, of letters alone, without the rare ones. */
function wordOf(at: number): string {
  const consonants = "bcdfghklmnprstvw"
  const vowels = "aeiou"
  let word = ""
  for (let rest = at; rest > 0; rest = Math.floor(rest / 80))
    word += (consonants[rest % 16] ?? "") + (vowels[Math.floor(rest / 16) % 5] ?? "")
  return word
}
