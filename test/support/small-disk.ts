import { join } from "node:path"
import { tempFolder } from "./temp.ts"

/** How much a disk takes. */
export interface SmallDisk {
  readonly bytes: number
  readonly inodes: number
}

const MOUNT = `mount -t tmpfs -o size="$1",nr_inodes="$2" tmpfs "$3" && shift 3 && exec "$@"`

/**
 * Runs a program on a disk of its own that is soon full: a file system in memory, in a namespace of mounts that goes with the
 * process. Gives what its last line says, or `undefined` where the system lets nobody mount one.
 * @param script a module; it is given the disk's folder and `args`
 */
export async function onSmallDisk(
  { bytes, inodes }: SmallDisk,
  script: string,
  ...args: readonly string[]
): Promise<unknown> {
  const disk = tempFolder()
  const rights = process.getuid?.() === 0 ? "-m" : "-rm"
  const enter = ["unshare", rights, "sh", "-c", MOUNT, "sh", String(bytes), String(inodes), disk]
  if (
    process.platform !== "linux" ||
    (await Bun.spawn([...enter, "true"], { stderr: "ignore" }).exited) !== 0
  ) {
    console.log("there is no small disk to try it on")
    return undefined
  }
  const child = Bun.spawn([...enter, "bun", script, disk, ...args], {
    cwd: join(import.meta.dir, "../.."),
    stdout: "pipe",
    stderr: "inherit",
  })
  const lines = (await new Response(child.stdout).text()).trim().split("\n")
  return JSON.parse(lines.at(-1) || "null")
}
