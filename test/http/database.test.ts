import { afterEach, expect, test } from "bun:test"
import { copyFileSync, readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { cliHere } from "../cli/in-process.ts"
import { tempFolder, treePath } from "../support/temp.ts"
import { serving, stopServers } from "./support.ts"

afterEach(stopServers)

const FIXTURE = treePath("opencode-1.18.34")

test("over HTTP and the command line, a database's sessions are what the release's own server and export answer", async () => {
  const data = tempFolder()
  copyFileSync(join(FIXTURE, "opencode.db"), join(data, "opencode.db"))
  const { json, get } = serving(data)
  let seen = 0
  for (const name of readdirSync(join(FIXTURE, "answers"))) {
    const text = readFileSync(join(FIXTURE, "answers", name), "utf8")
    const [, kind, id = ""] = /^(children|export|messages|sessions|todo)-(.*)\.json$/.exec(name) ?? []
    seen++
    if (kind === "export") {
      expect((await cliHere(data, "export", id)).out).toBe(text)
      continue
    }
    const wanted = JSON.parse(text)
    if (kind === "messages") expect(await json(`/session/${id}/message`)).toEqual(wanted)
    else if (kind === "sessions")
      expect(await json(`/session?project=${wanted[0].projectID}`)).toEqual(wanted)
    else expect(await json(`/session/${id}/${kind}`)).toEqual(wanted)
  }
  expect(seen).toBe(38)
  expect((await get("/session/ses_nobody")).status).toBe(404)
  expect(readdirSync(data)).toEqual(["opencode.db"])
})
