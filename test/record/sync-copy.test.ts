import { expect, test } from "bun:test"
import fc from "fast-check"
import { createId } from "../../src/record/id.ts"
import { idOfFile } from "../../src/record/key.ts"
import { isSyncCopy } from "../../src/record/sync-copy.ts"

const MARKS = [
  ".sync-conflict-20260101-120000-ABCDEFG",
  ".sync-conflict-20260101-120000",
  " (conflicted copy)",
  " (conflicted copy 2026-01-01)",
  " (conflicted copy 2026-01-01 120000)",
  " (Bob's conflicted copy 2026-01-01)",
  " (Bob's conflicted copy 2026-01-01 (1))",
  " (Bob's conflicted copy 2026-01-01) (2)",
  " (host's Conflicted Copy 2026-01-01)",
  "_conflict-20260101-120000",
  " (SFConflict bob@example.com 2026-01-01-12-00-00)",
]
const NUMBERS = [" 2", " 17", " (1)", "-DESKTOP-ABC1234", "-LAPTOP-ABCD1234", "-DESKTOP-ABC1234-2"]

test("what synchronisers make of a name is no record's, be it one of the agent's ids or one made by hand", () => {
  for (const mark of MARKS)
    for (const base of [createId("session"), "ses_1", "global", "my notes", `${createId("part")} 2`]) {
      expect({ id: base + mark, copy: isSyncCopy(base + mark) }).toEqual({ id: base + mark, copy: true })
      expect(idOfFile(`${base}${mark}.json`)).toBeUndefined()
    }
  for (const number of NUMBERS)
    for (const base of [createId("message"), "0123456789abcdef0123456789abcdef01234567", `ses_1${MARKS[0]}`])
      expect({ id: base + number, copy: isSyncCopy(base + number) }).toEqual({
        id: base + number,
        copy: true,
      })
})

test("ids that were made, and those that people give, are never taken for such a copy", () => {
  const given = [
    ...["ses_1", "global", "my notes", "notes 2", "notes (1)", "a-b", "x.y", "v1.2", "2026-01-01 120000"],
    ...["build-DESKTOP-ABC1234", "ses_DESKTOP-ABC1234", "conflict", "sync-conflict", "x.sync-conflict"],
    ...["x_conflict", "x_conflict-1", "ses_conflict-20260101", "x.sync-conflict-1", "conflicted copy"],
    ...[
      "a conflicted copy",
      "(conflicted copy)",
      "x (conflicted copies)",
      "x (copy)",
      "_conflict-20260101-120000",
    ],
    ...["copy (of) x (1)", " (conflicted copy)", ".sync-conflict-20260101-120000-ABCDEFG"],
  ]
  for (const id of given) expect({ id, copy: isSyncCopy(id) }).toEqual({ id, copy: false })
  for (const kind of ["session", "message", "part"] as const) {
    for (let i = 0; i < 1_000; i++) expect(isSyncCopy(createId(kind))).toBe(false)
    // One letter too many or too few, or others behind it, is no id of the agent's, and a person's business.
    const id = createId(kind)
    for (const like of [
      `${id}x`,
      id.slice(0, -1),
      `${id}-2`,
      `${id}_2`,
      `${id}-backup`,
      `${id}.bak`,
      `${id}x 2`,
    ])
      expect({ like, copy: isSyncCopy(like) }).toEqual({ like, copy: false })
  }
  fc.assert(
    fc.property(
      fc.stringMatching(/^[A-Za-z0-9_-]{1,40}$/),
      (id) => isSyncCopy(id) === false || /_conflict-\d{8}-\d{6}$|-(DESKTOP|LAPTOP)-/i.test(id),
    ),
  )
})
