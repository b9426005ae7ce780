import type { ContainerName } from "../../agent.ts"
import type { Node } from "./line.ts"

/** What the lines of one conversation say of it as a whole. */
export interface Head {
  /** Of the first and newest line that has a time. */
  created: number
  updated: number
  /** The first work tree, and the one that the container's folder is called after. */
  cwd?: string | undefined
  root?: string | undefined
  version?: string | undefined
  gitBranch?: string | undefined
  slug?: string | undefined
  /** The session that the lines say they are of; a subagent's say their parent's. */
  session?: string | undefined
  forkedFrom?: string | undefined
}

/** Everything that a transcript has said so far. Texts of people and models are not in it, but for the first words. */
export interface Said {
  readonly nodes: ReadonlyMap<string, Node>
  /** By conversation: "" is the container's own, others are subagents' whose lines lie in the same file. */
  readonly heads: ReadonlyMap<string, Head>
  readonly names: Readonly<Record<string, string>>
  /** Titles that the agent made, by the last line that each tells of; that may lie in another file. */
  readonly summaries: ReadonlyMap<string, string>
  /** A line that was gone back to, and that nothing was said after yet. */
  readonly pinned?: string | undefined
  /** The last run of the agent was left behind in good order, so nothing runs any more. */
  readonly isEnded: boolean
}

/** Whether a container is a subagent's, by its name. */
export function isSubagent({ name }: ContainerName): boolean {
  return /(?:^|\/)agent-[^/]*$/.test(name)
}
