import * as fs from "node:fs"
import { dirname, join } from "node:path"

/** A durable replacement of one file and nothing else: temp file, flush, rename, flush of the folder. */
export async function writeBare(path: string, text: string): Promise<void> {
  const temp = join(dirname(path), `.bare-${process.pid}.tmp`)
  const file = await fs.promises.open(temp, "wx")
  await file.writeFile(text)
  await file.sync()
  await file.close()
  fs.renameSync(temp, path)
  const folder = await fs.promises.open(dirname(path), "r")
  await folder.sync()
  await folder.close()
}
