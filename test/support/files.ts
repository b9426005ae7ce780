import * as fs from "node:fs"
import { dirname, join } from "node:path"

/** Writes a file as another program would: in place. Text goes in as it is, everything else as JSON. */
export function put(directory: string, path: string, content: unknown): string {
  const file = join(directory, path)
  fs.mkdirSync(dirname(file), { recursive: true })
  fs.writeFileSync(
    file,
    typeof content === "string" || content instanceof Uint8Array ? content : JSON.stringify(content),
  )
  return file
}
