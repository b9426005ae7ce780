import { expect, test } from "bun:test"
import { SHELLS } from "../../src/cli/completion.ts"
import { Output } from "../../src/cli/output.ts"
import { createProgram } from "../../src/cli/program.ts"
import { emptyHome } from "../support/home.ts"
import { put, tempFolder } from "../support/temp.ts"
import { cliIn } from "./in-process.ts"

const program = createProgram({
  output: new Output(process.stdout, process.stderr),
  home: emptyHome(),
  fail() {},
})

async function script(shell: string): Promise<string> {
  const { code, out, err } = await cliIn(emptyHome(), "completion", shell)
  expect({ code, err }).toEqual({ code: 0, err: "" })
  return out
}

/** What a shell prints that runs some code. */
function printed(shell: string, code: string): string {
  const { exitCode, stdout, stderr } = Bun.spawnSync([shell, "-c", code])
  expect({ shell, exitCode, err: stderr.toString() }).toEqual({ shell, exitCode: 0, err: "" })
  return stdout.toString()
}

test.each(SHELLS)(
  "the script for %s has every command and every option, and is one of that shell",
  async (shell) => {
    const text = await script(shell)
    for (const { options } of [program, ...program.commands])
      for (const { long } of options)
        expect(text).toContain(shell === "fish" ? `-l ${long?.slice(2)}` : `${long}`)
    for (const command of program.commands) expect(text).toContain(command.name())
    // Where the shell is installed it reads the script.
    if (Bun.which(shell)) printed(shell, `${shell} -n ${put(tempFolder(), `completion.${shell}`, text)}`)
  },
)

test("in bash commands, options and their choices are completed", async () => {
  const path = put(tempFolder(), "completion.bash", await script("bash"))
  const completed = (...words: string[]): string[] =>
    printed(
      "bash",
      `source ${path}; COMP_WORDS=(sessiondex ${words.map((word) => `'${word}'`).join(" ")}); COMP_CWORD=${words.length}; _sessiondex; echo "\${COMPREPLY[*]}"`,
    )
      .trim()
      .split(" ")
  expect(completed("se")).toEqual(["sessions", "search", "serve"])
  expect(completed("--dir", "/x", "sessions", "--ord")).toEqual(["--order"])
  expect(completed("sessions", "--order", "")).toEqual(["updated", "created"])
  expect(completed("sessions", "--arch")).toEqual(["--archived"])
  expect(completed("trash", "em")).toEqual(["empty"])
  expect(completed("trash", "--older")).toEqual(["--older-than"])
  expect(completed("completion", "")).toEqual(expect.arrayContaining([...SHELLS]))
})

test("another shell is misuse", async () => {
  expect(await cliIn(emptyHome(), "completion", "tcsh")).toMatchObject({ code: 2, out: "" })
})
