import { resolve } from "node:path"
import type { Root, RootProvider } from "../root/root.ts"
import type { AgentName } from "../root/transcript/agents.ts"
import type { TranscriptRootOptions } from "../root/transcript/transcript-root.ts"

/**
 * The transcripts of an agent, for `openStore({ roots })` and `importFrom`: sessions, messages and parts in the shapes of opencode's. They
 * are read where they lie, while the agent writes to them, and never changed; our index of them lies in the store's.
 * @param place the folder that the agent keeps its history in, as `~/.codex`
 * @throws TypeError for an agent that is not known
 */
export function transcripts(
  agent: AgentName,
  place: string,
  options: TranscriptRootOptions = {},
): RootProvider {
  const at = resolve(place)
  const { AGENTS }: typeof import("../root/transcript/agents.ts") = require("../root/transcript/agents.ts")
  if (!Object.hasOwn(AGENTS, agent))
    throw new TypeError(`agent must be one of ${Object.keys(AGENTS).join(", ")}, not ${String(agent)}`)
  return {
    place: at,
    open(context): Root {
      const { transcriptRoot }: typeof import("../root/transcript/transcript-root.ts") =
        require("../root/transcript/transcript-root.ts")
      return transcriptRoot(AGENTS[agent], at, options).open(context)
    },
  }
}
