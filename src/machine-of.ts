import { resolve } from "node:path"
import { loaded } from "./exhaustion.ts"
import { fileSystem } from "./file/system.ts"

/**
 * The id under which a machine pushes, as `postgres(url, { machine })` takes it; `undefined` before its first push.
 * @param folder the store's folder, or the `machineFolder` of its pushes
 * @throws StoreError `CORRUPT`, `UNREADABLE`
 */
export async function machineOf(folder: string): Promise<string | undefined> {
  const { MachineFile } = await loaded(() => import("./push/machine.ts"))
  return new MachineFile(fileSystem, resolve(folder)).read()?.id
}
