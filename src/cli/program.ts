import { Command, CommanderError, Option } from "commander"
import packageFile from "../../package.json" with { type: "json" }
import { isStoreError } from "../index.ts"
import { isBare, showNewest } from "./commands/newest.ts"
import { allCommands, commandsFor } from "./commands.ts"
import type { Context } from "./context.ts"
import { thisHome } from "./directory.ts"
import { EXAMPLES } from "./examples.ts"
import { escapeExclusions } from "./exclusions.ts"
import { Interrupted } from "./interrupt.ts"
import { Output } from "./output.ts"
import { bytes } from "./quantities.ts"
import { namedSource } from "./reading.ts"

/** Fine; a finding or a failure; misuse. */
export const EXIT = { fine: 0, failure: 1, misuse: 2 } as const

const MISUSE_CODES = new Set(["INVALID_KEY", "INVALID_CURSOR"])

/** Commands whose results may be long, and are for people to read. */
const PAGED: ReadonlySet<string> = new Set([
  "sessions",
  "projects",
  "messages",
  "show",
  "search",
  "usage",
  "stats",
  "problems",
  "orphans",
])

/**
 * Builds the command line; each command is a file of its own in `commands/`.
 * @param argv what it is for, where no other commands are needed than those that it may name
 */
export function createProgram(context: Context, argv?: readonly string[]): Command {
  const program = new Command("sessiondex")
    .description("List, read and search the history of AI coding agents. The JSON files stay the truth.")
    .version(packageFile.version)
    .addOption(
      new Option(
        "-d, --dir <folder>",
        "the store: the folder with session/, message/ and part/, or an agent's own; without it every history of this machine is read",
      ).env("SESSIONDEX_DIR"),
    )
    .option(
      "--source <name=folder>",
      "read this history instead, as codex=/backup/.codex; repeatable",
      namedSource,
    )
    .option("--no-sources", "read the store alone, and no agent's history")
    .option(
      "--fleet <url>",
      "read what many machines have pushed to this PostgreSQL database instead of this machine's histories",
    )
    .option("--json", "print one JSON object a line on standard output, and nothing else")
    .option("--index-path <folder>", "keep the index there instead of in the store")
    .option(
      "--also-read <folder>",
      "read another store too; repeatable",
      (folder: string, folders: string[] = []) => [...folders, folder],
    )
    .option("--max-record <size>", "the largest record to read (default: 16MiB)", bytes)
    .option("--no-older", "leave out the history in the older layout beside the store")
    .option("--no-color", "no colours, also on a terminal")
    .option("--no-pager", "print long results on the terminal without $PAGER")
    .showHelpAfterError("(see --help)")
    .addHelpText(
      "after",
      "\nWithout a command the newest sessions are listed.\nExit codes: 0 fine, 1 a finding or a failure, 2 misuse.",
    )
  for (const make of argv ? commandsFor(argv, isBare(program, argv)) : allCommands()) {
    const command = make(context).copyInheritedSettings(program)
    const examples = EXAMPLES[command.name()]?.map((line) => `\n  sessiondex ${line}`).join("")
    if (examples) command.addHelpText("after", `\nExamples:${examples}`)
    program.addCommand(command)
  }
  return program
}

/** Runs one command line and gives its exit code. @param output by default the process's own streams */
export async function run(
  argv: readonly string[],
  output = new Output(process.stdout, process.stderr),
  home = thisHome(),
): Promise<number> {
  let code: number = EXIT.fine
  const context: Context = {
    output,
    home,
    fail: () => {
      code = EXIT.failure
    },
  }
  const program = createProgram(context, argv).exitOverride()
  for (const command of program.commands) command.exitOverride()
  if (isBare(program, argv)) program.action(() => showNewest(context, program))
  program.hook("preAction", (_, command) => {
    const { json, pager } = command.optsWithGlobals<{ json?: boolean; pager: boolean }>()
    if (pager && !json && PAGED.has(command.name())) output.page()
  })
  try {
    await program.parseAsync(escapeExclusions(program, argv), { from: "user" })
  } catch (error) {
    await output.endPage()
    return tell(error, output)
  }
  await output.endPage()
  return code
}

function tell(error: unknown, output: Output): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.fine : EXIT.misuse
  if (isStoreError(error)) {
    output.error(`${error.code}: ${error.message}`)
    if (error.hint) output.error(error.hint)
    return MISUSE_CODES.has(error.code) ? EXIT.misuse : EXIT.failure
  }
  if (error instanceof Interrupted) {
    output.error(error.message)
    return EXIT.failure
  }
  if (error instanceof TypeError) {
    output.error(error.message)
    return EXIT.misuse
  }
  output.crash(error)
  return EXIT.failure
}
