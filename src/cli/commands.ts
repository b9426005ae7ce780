import type { Command } from "commander"
import type { Context } from "./context.ts"

type Make = (context: Context) => Command

/** The commands in the order of the help. Each is loaded when it is needed: to load them all takes longer than to list a page. */
const COMMANDS = {
  index: (): Make => {
    const { indexCommand }: typeof import("./commands/index.ts") = require("./commands/index.ts")
    return indexCommand
  },
  sessions: (): Make => {
    const { sessionsCommand }: typeof import("./commands/sessions.ts") = require("./commands/sessions.ts")
    return sessionsCommand
  },
  projects: (): Make => {
    const { projectsCommand }: typeof import("./commands/projects.ts") = require("./commands/projects.ts")
    return projectsCommand
  },
  messages: (): Make => {
    const { messagesCommand }: typeof import("./commands/messages.ts") = require("./commands/messages.ts")
    return messagesCommand
  },
  show: (): Make => {
    const { showCommand }: typeof import("./commands/show.ts") = require("./commands/show.ts")
    return showCommand
  },
  search: (): Make => {
    const { searchCommand }: typeof import("./commands/search.ts") = require("./commands/search.ts")
    return searchCommand
  },
  sources: (): Make => {
    const { sourcesCommand }: typeof import("./commands/sources.ts") = require("./commands/sources.ts")
    return sourcesCommand
  },
  usage: (): Make => {
    const { usageCommand }: typeof import("./commands/usage.ts") = require("./commands/usage.ts")
    return usageCommand
  },
  stats: (): Make => {
    const { statsCommand }: typeof import("./commands/stats.ts") = require("./commands/stats.ts")
    return statsCommand
  },
  problems: (): Make => {
    const { problemsCommand }: typeof import("./commands/problems.ts") = require("./commands/problems.ts")
    return problemsCommand
  },
  verify: (): Make => {
    const { verifyCommand }: typeof import("./commands/verify.ts") = require("./commands/verify.ts")
    return verifyCommand
  },
  rebuild: (): Make => {
    const { rebuildCommand }: typeof import("./commands/rebuild.ts") = require("./commands/rebuild.ts")
    return rebuildCommand
  },
  orphans: (): Make => {
    const { orphansCommand }: typeof import("./commands/orphans.ts") = require("./commands/orphans.ts")
    return orphansCommand
  },
  repair: (): Make => {
    const { repairCommand }: typeof import("./commands/repair.ts") = require("./commands/repair.ts")
    return repairCommand
  },
  export: (): Make => {
    const { exportCommand }: typeof import("./commands/export.ts") = require("./commands/export.ts")
    return exportCommand
  },
  import: (): Make => {
    const { importCommand }: typeof import("./commands/import.ts") = require("./commands/import.ts")
    return importCommand
  },
  move: (): Make => {
    const { moveCommand }: typeof import("./commands/move.ts") = require("./commands/move.ts")
    return moveCommand
  },
  push: (): Make => {
    const { pushCommand }: typeof import("./commands/push.ts") = require("./commands/push.ts")
    return pushCommand
  },
  forget: (): Make => {
    const { forgetCommand }: typeof import("./commands/forget.ts") = require("./commands/forget.ts")
    return forgetCommand
  },
  prune: (): Make => {
    const { pruneCommand }: typeof import("./commands/prune.ts") = require("./commands/prune.ts")
    return pruneCommand
  },
  restore: (): Make => {
    const { restoreCommand }: typeof import("./commands/restore.ts") = require("./commands/restore.ts")
    return restoreCommand
  },
  trash: (): Make => {
    const { trashCommand }: typeof import("./commands/trash.ts") = require("./commands/trash.ts")
    return trashCommand
  },
  serve: (): Make => {
    const { serveCommand }: typeof import("./commands/serve.ts") = require("./commands/serve.ts")
    return serveCommand
  },
  completion: (): Make => {
    const {
      completionCommand,
    }: typeof import("./commands/completion.ts") = require("./commands/completion.ts")
    return completionCommand
  },
} satisfies Record<string, () => Make>

const NAMES = Object.keys(COMMANDS) as (keyof typeof COMMANDS)[]
/** What tells of all commands. */
const OF_ALL: ReadonlySet<string> = new Set(["-h", "--help", "help", "completion"])

/** What makes each command there is. */
export function allCommands(): readonly Make[] {
  return NAMES.map((name) => COMMANDS[name]())
}

/**
 * What makes the commands that a command line may name: those whose names it holds, be they an option's value. All where there is none of
 * them, so that it can be told what comes near, or where it asks for what tells of all.
 * @param isBare whether there are only options
 */
export function commandsFor(argv: readonly string[], isBare: boolean): readonly Make[] {
  if (argv.some((text) => OF_ALL.has(text))) return allCommands()
  const held = NAMES.filter((name) => argv.includes(name))
  return held.length > 0 || isBare ? held.map((name) => COMMANDS[name]()) : allCommands()
}
