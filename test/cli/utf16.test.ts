import { expect, test } from "bun:test"
import { join } from "node:path"
import { copyOfTree, put, tempFolder } from "../support/temp.ts"
import { cliHere } from "./in-process.ts"

test("an export that a Windows shell saved as UTF-16 is imported as the one it was", async () => {
  const id = "ses_dfbe6a4e1ffeIeM8GwmO4ELkWY"
  const { out } = await cliHere(copyOfTree("opencode-1.1.65/storage"), "export", id)
  // `opencode export … > file` of Windows PowerShell, with the line that the agent prints before.
  const text = `\u{feff}Exporting session: ${id}\r\n${out.replaceAll("\n", "\r\n")}`
  const file = put(tempFolder(), "export.json", Buffer.from(text, "utf16le"))
  const directory = join(tempFolder(), "storage")
  expect(await cliHere(directory, "import", file)).toMatchObject({ code: 0, err: "" })
  expect((await cliHere(directory, "export", id)).out).toBe(out)
  expect((await cliHere(directory, "import", file)).out).toContain("added 0, replaced 0, kept 0")
})
