import { afterEach, expect, test } from "bun:test"
import { copyOfTree } from "../support/temp.ts"
import { cliHere, cliOnTerminal } from "./in-process.ts"

const SESSION = "ses_dfbe6a4e1ffeIeM8GwmO4ELkWY"
const before = process.env.NO_COLOR

afterEach(() => {
  if (before === undefined) delete process.env.NO_COLOR
  else process.env.NO_COLOR = before
})

test("colours are for a terminal alone, and NO_COLOR or --no-color turns them off", async () => {
  const directory = copyOfTree("opencode-1.1.65/storage")
  delete process.env.NO_COLOR
  expect((await cliOnTerminal(directory, "show", SESSION)).out).toContain("\u001b[")
  expect((await cliHere(directory, "show", SESSION)).out).not.toContain("\u001b[")
  expect((await cliOnTerminal(directory, "--no-color", "show", SESSION)).out).not.toContain("\u001b[")
  process.env.NO_COLOR = "1"
  expect((await cliOnTerminal(directory, "show", SESSION)).out).not.toContain("\u001b[")
  // By the convention an empty one says nothing.
  process.env.NO_COLOR = ""
  expect((await cliOnTerminal(directory, "show", SESSION)).out).toContain("\u001b[")
})
