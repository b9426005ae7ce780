import type { SessionWithOrigin } from "../index.ts"
import { oneLine } from "./text.ts"

/** Where a session was read from, in brackets; nothing of one in the store's own folder. */
export function whereabouts(
  { source, origin, machine, alsoOn = [] }: Omit<SessionWithOrigin, "session">,
  directory: string,
): string {
  if (origin === directory) return ""
  if (machine === undefined) return `[${source} ${oneLine(origin)}]`
  const also = alsoOn.length > 0 ? `, also on ${oneLine(alsoOn.join(", "))}` : ""
  return `[${source} on ${oneLine(machine)}${also}]`
}
