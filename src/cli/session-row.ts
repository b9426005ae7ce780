import type { SessionWithOrigin, Store } from "../index.ts"
import { sessionFields } from "../record/extract.ts"
import type { Output } from "./output.ts"
import { oneLine } from "./text.ts"
import { clockColumn } from "./time.ts"
import { whereabouts } from "./whereabouts.ts"

/** Prints a session of a listing: when it was updated, its id, its title, and where it is read from unless that is the store itself. */
export async function sessionRow(output: Output, store: Store, found: SessionWithOrigin): Promise<void> {
  const { session } = found
  const { updated, title } = sessionFields(session)
  const when = output.style("dim", clockColumn(updated).slice(0, 16))
  const place = whereabouts(found, store.directory)
  const where = place && output.style("dim", `  ${place}`)
  await output.line(`${when}  ${output.style("cyan", oneLine(session.id))}  ${oneLine(title ?? "")}${where}`)
}
