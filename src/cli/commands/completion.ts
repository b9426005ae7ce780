import { Argument, Command } from "commander"
import { completionScript, SHELLS, type Shell } from "../completion.ts"
import type { Context } from "../context.ts"

/** `completion`: what makes a shell complete commands and options. */
export function completionCommand({ output }: Context): Command {
  return new Command("completion")
    .description("print a script that completes commands and options in your shell")
    .addArgument(new Argument("<shell>", "your shell").choices(SHELLS))
    .action(async (shell: Shell, _: unknown, command: Command) => {
      await output.text(completionScript(command.parent ?? command, shell))
    })
}
