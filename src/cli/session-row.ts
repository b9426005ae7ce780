import type { SessionWithOrigin, Store } from "../index.ts"
import { sessionFields } from "../record/extract.ts"
import type { Output } from "./output.ts"
import { oneLine } from "./text.ts"
import { clockColumn } from "./time.ts"

/** Prints a session of a listing: when it was updated, its id, its title, and where it is read from unless that is the store itself. */
export async function sessionRow(
  output: Output,
  store: Store,
  { session, source, origin }: SessionWithOrigin,
): Promise<void> {
  const { updated, title } = sessionFields(session)
  const when = output.style("dim", clockColumn(updated).slice(0, 16))
  const where = origin === store.directory ? "" : output.style("dim", `  [${source} ${oneLine(origin)}]`)
  await output.line(`${when}  ${output.style("cyan", oneLine(session.id))}  ${oneLine(title ?? "")}${where}`)
}
