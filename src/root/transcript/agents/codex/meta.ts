import { fieldsOf, type JsonObject } from "../../../../record/extract.ts"
import { present } from "../../../../record/present.ts"
import { textOf } from "./line.ts"

/** What a `session_meta` says that is kept. */
export interface Meta {
  readonly id: string
  readonly cwd?: string | undefined
  readonly version?: string | undefined
  readonly provider?: string | undefined
  /** The session whose tool started this one. */
  readonly parent?: string | undefined
  readonly forkedFrom?: string | undefined
  /** Whether what was before the fork lies in another file only. */
  readonly hasBase?: boolean
  readonly metadata: JsonObject
}

/** Reads a `session_meta`; what is missing or of a strange type is left out. Instructions are the client's, and are not kept. */
export function metaOf(payload: JsonObject): Meta {
  const { source, originator, agent_nickname, agent_role, agent_path } = payload
  const sub = fieldsOf(source).subagent
  const spawn = fieldsOf(fieldsOf(sub).thread_spawn)
  const git = fieldsOf(payload.git)
  const parent = textOf(spawn.parent_thread_id) ?? textOf(payload.parent_thread_id)
  const forkedFrom = textOf(payload.forked_from_id)
  const agent = {
    name: textOf(agent_nickname) ?? textOf(spawn.agent_nickname),
    role: textOf(agent_role) ?? textOf(spawn.agent_role),
    path: textOf(agent_path) ?? textOf(spawn.agent_path),
  }
  return {
    id: textOf(payload.id) ?? "",
    cwd: textOf(payload.cwd),
    version: textOf(payload.cli_version),
    provider: textOf(payload.model_provider),
    parent,
    forkedFrom,
    hasBase: textOf(fieldsOf(payload.history_base).thread_id) !== undefined,
    metadata:
      some({
        git: some({
          branch: textOf(git.branch),
          commit: textOf(git.commit_hash),
          repository: withoutSecrets(textOf(git.repository_url)),
        }),
        source: textOf(source) ?? (sub === undefined ? undefined : (textOf(sub) ?? "subagent")),
        originator: textOf(originator),
        forkedFrom,
        agent: some(agent),
      }) ?? {},
  }
}

/** An object of those fields that are there; `undefined` where none is. */
function some(fields: JsonObject): JsonObject | undefined {
  const there = present(fields)
  return Object.keys(there).length > 0 ? there : undefined
}

/** An address may name a user and a token. */
function withoutSecrets(address: string | undefined): string | undefined {
  return address?.replace(/^([a-z][a-z0-9+.-]*:\/\/)[^/]*@/i, "$1")
}
