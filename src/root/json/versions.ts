import { untilAdmitted } from "../../exhaustion.ts"
import type { DeviceClock } from "../../file/clock.ts"
import { checkFolders, statRecord } from "../../file/layout.ts"
import { isProven, packStamp } from "../../file/stamp.ts"
import { checkKey, type Key, keyPath } from "../../record/key.ts"
import { TimeSlice } from "../../time-slice.ts"
import type { RecordFiles } from "./file-catalog.ts"

/**
 * An opaque text for the current versions of these records together, made from their files' stamps; no file is read. `undefined` if a
 * stamp is too young to prove that a later change would leave another one, or if a version is not on the disk yet.
 * @throws StoreError `INVALID_KEY`, `NOT_A_FILE`, `UNREADABLE`, `EXHAUSTED`; the signal's reason
 */
export async function versionOf(
  files: RecordFiles,
  clock: DeviceClock,
  keys: readonly Key[],
  signal?: AbortSignal,
): Promise<string | undefined> {
  const { fs, directory, unwritten } = files
  const slice = new TimeSlice(signal)
  const hash = new Bun.CryptoHasher("sha256")
  const clocks = new Map<bigint, bigint | undefined>()
  for (const key of keys) {
    const turn = slice.pass()
    if (turn) await turn
    checkKey(key)
    const path = keyPath(directory, key)
    await untilAdmitted(() => checkFolders(fs, directory, key))
    // A version that is not written yet has no stamp.
    if (unwritten.newest(path)) return undefined
    hash.update(JSON.stringify(key))
    let stat = await untilAdmitted(() => statRecord(fs, path))
    if (!stat) continue
    if (!clocks.has(stat.device)) {
      // The clock has to be read before the stat that it is to prove.
      clock.observe(stat)
      clocks.set(stat.device, clock.now(stat.device))
      stat = await untilAdmitted(() => statRecord(fs, path))
      if (!stat) continue
    }
    if (!isProven(stat, clocks.get(stat.device))) return undefined
    hash.update(packStamp(stat, true))
    hash.update(String(stat.size))
  }
  return hash.digest("base64url").slice(0, 22)
}
