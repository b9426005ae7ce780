import type { JsonObject } from "../../record/extract.ts"
import { present } from "../../record/present.ts"
import { parseColumn } from "./json-column.ts"
import type { Row } from "./view.ts"

const some = (value: unknown): unknown => value ?? undefined

/** A project's row as opencode's server gives it. */
export function projectBody(row: Row): { readonly body: JsonObject; readonly faults: readonly string[] } {
  const faults: string[] = []
  const json = (column: string): unknown => {
    const parsed = parseColumn(row[column])
    if (!parsed) return undefined
    if ("value" in parsed) return parsed.value ?? undefined
    faults.push(`The column ${column} ${parsed.fault}`)
    return undefined
  }
  const { icon_url: url, icon_url_override: override, icon_color: color } = row
  const body = present({
    id: row.id,
    worktree: some(row.worktree),
    vcs: some(row.vcs),
    name: some(row.name),
    icon:
      url || override || color
        ? present({ url: some(url), override: some(override), color: some(color) })
        : undefined,
    time: present({
      created: some(row.time_created),
      updated: some(row.time_updated),
      initialized: some(row.time_initialized),
    }),
    sandboxes: json("sandboxes"),
    commands: json("commands"),
  })
  return { body, faults }
}
