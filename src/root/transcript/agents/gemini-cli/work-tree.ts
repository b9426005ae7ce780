import { fieldsOf } from "../../../../record/extract.ts"
import type { Sides } from "../../agent.ts"

/** What a transcript itself says of where it ran. */
export interface Whereabouts {
  /** The folder below `tmp/` that it lies in: a name for the work tree (since 0.2x), or the sha256 of its path. */
  readonly folder: string
  readonly projectHash?: string | undefined
  /** Paths that may be it. */
  readonly candidates: readonly string[]
}

/**
 * The work tree's path: the agent's own note beside the transcripts, else the path that `projects.json` gives the folder's name to,
 * else one whose sha256 is the header's (`getProjectHash`: of the path as it is), among those of `projects.json` and those that the
 * transcript names. `undefined` where none is.
 */
export function workTreeOf(
  { folder, projectHash, candidates }: Whereabouts,
  sides: Sides,
): string | undefined {
  const note = sides.text(`tmp/${folder}/.project_root`)?.trim()
  if (note) return note
  const projects = projectsIn(sides.text("projects.json"))
  const named = projects.find(([, name]) => name === folder)
  if (named) return named[0]
  const hash = projectHash ?? folder
  const paths = [...candidates, ...projects.map(([path]) => path)]
  return paths.find((path) => hashOf(path) === hash) ?? candidates[0]
}

function projectsIn(text: string | undefined): readonly (readonly [path: string, name: unknown])[] {
  if (text === undefined) return []
  try {
    return Object.entries(fieldsOf(fieldsOf(JSON.parse(text)).projects))
  } catch {
    // A broken list names no work tree; the transcripts are whole without.
    return []
  }
}

function hashOf(path: string): string {
  return new Bun.CryptoHasher("sha256").update(path).digest("hex")
}
