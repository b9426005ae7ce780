import { type WatchFolder, watchFolder } from "../../src/file/folder-watches.ts"

/** Waits until something holds; a test that waits in vain fails by its time-out. */
export async function until(holds: () => unknown): Promise<void> {
  while (!(await holds())) await Bun.sleep(5)
}

/** As the system's, but with so many watches to give. */
export function limited(most: number): WatchFolder {
  let given = 0
  return (path, onName) => {
    if (given >= most)
      throw Object.assign(new Error("ENOSPC: no space left on device, watch"), { code: "ENOSPC" })
    given++
    const watch = watchFolder(path, onName)
    return {
      close() {
        given--
        watch.close()
      },
    }
  }
}
