import { expect, test } from "bun:test"
import { join } from "node:path"
import { onSmallDisk } from "../support/small-disk.ts"

const CHILD = join(import.meta.dir, "full-disk-child.ts")
const DISK = { bytes: 1024 * 1024, inodes: 120 }

/** Runs a scenario on a disk that has no byte left, and on one that has no inode left. */
function onFullDisks(scenario: string, check: (found: unknown, full: "bytes" | "inodes") => void): void {
  test.each(["bytes", "inodes"] as const)(`${scenario}: a disk without %s`, async (full) => {
    const found = await onSmallDisk(DISK, CHILD, scenario, full)
    if (found !== undefined) check(found, full)
  })
}

const files = (...ids: string[]): string[] => [
  ...ids.map((id) => `${id}.json`),
  ...ids.map((id) => `msg_${id}.json`),
  ...ids.map(() => "prt_1.json"),
  ...ids.map((id) => `${id}.json`),
]

onFullDisks("first write", (found) => {
  expect(found).toMatchObject({
    written: { code: "WRITE_FAILED", cause: "ENOSPC", hint: expect.stringContaining("full") },
    listed: 3,
    left: ["ses_1.json", "ses_2.json", "ses_3.json"],
  })
})

onFullDisks("first removal", (found) => {
  expect(found).toEqual({
    removed: true,
    cascade: expect.objectContaining({ sessions: 1, messages: 1, parts: 1, sideFiles: 1 }),
    left: [
      "ses_1.json",
      "ses_3.json",
      "msg_ses_1.json",
      "msg_ses_3.json",
      "prt_1.json",
      "prt_1.json",
      "ses_3.json",
    ],
  })
})

for (const scenario of ["first purge", "purge beside a trash"])
  onFullDisks(scenario, (found) => {
    expect(found).toEqual({ pruned: ["ses_1 purged", "ses_2 purged"], left: files("ses_3") })
  })

onFullDisks("prune, then empty the trash", (found) => {
  expect(found).toEqual({
    pruned: { code: "WRITE_FAILED", cause: "ENOSPC", hint: expect.stringContaining("purge") },
    whole: files("ses_2", "ses_3"),
    entries: 1,
    emptied: ["ses_1"],
    later: ["ses_2 trashed"],
  })
})

onFullDisks("verify when there is room again", (found) => {
  expect(found).toEqual({ listed: 3, kind: "unavailable", verified: true })
})
