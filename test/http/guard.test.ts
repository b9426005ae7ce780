import { afterEach, expect, test } from "bun:test"
import { networkInterfaces } from "node:os"
import { serve } from "../../src/http/index.ts"
import { openStore } from "../../src/index.ts"
import { session } from "../support/records.ts"
import { copyOfTree, put, snapshot, tempFolder } from "../support/temp.ts"
import { raw, serving, stopServers } from "./support.ts"

afterEach(stopServers)

const TOKEN = "a-token-of-some-length"
const ID = "ses_1"

function directoryWithOne(): string {
  const directory = tempFolder()
  put(directory, `session/p/${ID}.json`, session(ID))
  return directory
}

function status(answer: string): number {
  return Number(/^HTTP\/1\.1 (\d{3})/.exec(answer)?.[1])
}

test.each([
  ["localhost", 200],
  ["LOCALHOST:80", 200],
  ["127.0.0.1:4680", 200],
  ["[::1]:1", 200],
  ["history.example", 200],
  ["evil.example", 403],
  ["localhost.evil.example", 403],
  ["evil.example#localhost", 403],
  ["evil@localhost", 403],
  ["192.168.0.1", 403],
  ["0.0.0.0", 403],
  ["", 403],
])("Host %s is answered with %d", async (host, code) => {
  const { port } = serving(directoryWithOne(), { hosts: ["History.example"] })
  expect(status(await raw(port, `GET /session HTTP/1.1\nHost: ${host}\nConnection: close\n\n`))).toBe(code)
})

const ODD_HOSTS = [
  "localhost:99999",
  "localhost:65536",
  "localhost:",
  "localhost:-1",
  "localhost:0x50",
  "localhost:1:2",
  "127.0.0.1:99999",
  "127.1",
  "[::1]:99999",
  "[::1",
  "[::1%25lo]",
  "[:::]",
  "localhost%00",
  "localhost%",
  "localhost\\",
  "local host",
  "localhost/x",
  "localhost?x",
  ".",
  "\u00e9",
  "a".repeat(9_000),
]
const ODD_TARGETS = [
  "/session/%E0%A4%A",
  "/session/%",
  "/session/%00",
  "/session/..%2f..%2fetc",
  "//evil.example/session",
  "///",
  "/\\evil.example",
  "http://evil.example/session",
  "http://localhost:99999/session",
  "http://[/session",
  "http:/session",
  "javascript:alert(1)",
  "*",
  "session",
  "?limit=1",
  "/session?limit=1&limit=%",
  "/session?cursor=%E0%A4%A&limit=1",
  "/session?%=%&&&==",
  "/session?limit=1#x",
  "/search?q=%ff",
  "/search?q=x&after=%ff",
]

test("no Host and no address, however odd, is an error of the server's own", async () => {
  const errors: unknown[] = []
  const { port, json } = serving(directoryWithOne(), { onError: (error) => errors.push(error) })
  const requests = [
    ...ODD_HOSTS.flatMap((host) =>
      ["/session", "/session?limit=1", "/"].map((target) => [host, target] as const),
    ),
    ...ODD_TARGETS.map((target) => ["localhost", target] as const),
    ...ODD_TARGETS.map((target) => ["localhost:99999", target] as const),
  ]
  for (const [host, target] of requests) {
    const answer = await raw(port, `GET ${target} HTTP/1.1\nHost: ${host}\nConnection: close\n\n`)
    expect([host, target, status(answer) < 500, /\n\s+at /.test(answer)]).toEqual([host, target, true, false])
  }
  expect(errors).toEqual([])
  expect(status(await raw(port, "GET /session HTTP/1.1\nHost: localhost:99999\nConnection: close\n\n"))).toBe(
    403,
  )
  expect(await json("/session")).toBeArrayOfSize(1)
})

test("every address of this machine alone answers to its own number", async () => {
  await using store = await openStore({ directory: directoryWithOne(), backgroundIndex: false })
  for (const hostname of ["127.0.0.1", "127.0.0.2"]) {
    const server = serve(store, { hostname, port: 0 })
    try {
      expect([hostname, (await fetch(`${server.url}session`)).status]).toEqual([hostname, 200])
    } finally {
      await server.stop()
    }
  }
})

test("a request that names no host at all is refused and breaks nothing", async () => {
  const errors: unknown[] = []
  const { port } = serving(directoryWithOne(), { onError: (error) => errors.push(error) })
  expect(status(await raw(port, "GET /session HTTP/1.1\nConnection: close\n\n"))).toBe(400)
  expect(status(await raw(port, "GET /session HTTP/1.0\n\n"))).toBe(403)
  expect(errors).toEqual([])
})

test.each<[Record<string, string>, string, number]>([
  [{}, "GET", 200],
  [{ origin: "http://127.0.0.1:PORT" }, "GET", 200],
  [{ origin: "https://friend.example" }, "GET", 200],
  [{ origin: "http://127.0.0.1:1" }, "GET", 403],
  [{ origin: "http://localhost:PORT" }, "GET", 403],
  [{ origin: "https://evil.example" }, "GET", 403],
  [{ origin: "null" }, "GET", 403],
  [{ origin: "https://evil.example" }, "DELETE", 403],
  [{ "sec-fetch-site": "same-origin", "sec-fetch-mode": "cors" }, "GET", 200],
  [{ "sec-fetch-site": "none", "sec-fetch-mode": "navigate" }, "GET", 200],
  [{ "sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate" }, "GET", 200],
  [{ "sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors" }, "GET", 403],
  [{ "sec-fetch-site": "same-site", "sec-fetch-mode": "no-cors" }, "GET", 403],
  [{ "sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate" }, "DELETE", 403],
])("a page's request with %j by %s is answered with %d", async (headers, method, code) => {
  const directory = directoryWithOne()
  const { get, port } = serving(directory, { writable: true, origins: ["https://friend.example/"] })
  const before = snapshot(directory)
  const sent = Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, value.replace("PORT", String(port))]),
  )
  const response = await get(`/session/${ID}`, { method, headers: sent })
  expect(response.status).toBe(code)
  expect(response.headers.get("access-control-allow-origin")).toBeNull()
  if (code === 403) expect(snapshot(directory)).toMatchObject(before)
})

test("with a token nothing is answered without it, in any of the ways it can be brought", async () => {
  const { get } = serving(directoryWithOne(), { token: TOKEN })
  const asked = async (path: string, headers: Record<string, string> = {}): Promise<number> =>
    (await get(path, { headers, redirect: "manual" })).status
  for (const path of ["/", "/session", "/health", "/event", "/nowhere", "/assets/app.js"]) {
    expect([path, await asked(path)]).toEqual([path, 401])
    expect([path, await asked(`${path}?token=wrong-token`)]).toEqual([path, 401])
  }
  for (const wrong of ["", "Bearer", "Bearer x", `Basic ${TOKEN}`, `Bearer ${TOKEN}x`])
    expect([wrong, await asked("/session", { authorization: wrong })]).toEqual([wrong, 401])
  expect(await asked("/session", { cookie: `sessiondex=${TOKEN}` })).toBe(401)
  expect(await asked("/session", { authorization: `Bearer ${TOKEN}` })).toBe(200)
  const refused = await get("/session")
  expect(refused.headers.get("www-authenticate")).toStartWith("Bearer")
  expect(await refused.json()).toMatchObject({ status: 401, code: "TOKEN_REQUIRED" })
})

test("a token in the address becomes a cookie that no script reads, and leaves the address", async () => {
  const { get } = serving(directoryWithOne(), { token: TOKEN })
  const response = await get(`/?token=${TOKEN}&x=1`, { redirect: "manual" })
  expect(response.status).toBe(303)
  expect(response.headers.get("location")).toBe("?x=1")
  const cookie = response.headers.get("set-cookie") ?? ""
  expect(cookie).toContain("HttpOnly")
  expect(cookie).toContain("SameSite=Strict")
  expect(cookie).not.toContain(TOKEN)
  const [pair = ""] = cookie.split(";")
  expect((await get("/session", { headers: { cookie: `other=1; ${pair}` } })).status).toBe(200)
  for (const [path, location] of [
    ["/", "./"],
    ["/history/", "./"],
    ["/history", "./history"],
    // What follows must not be taken for an address of its own.
    ["/https:evil.example", "./https:evil.example"],
    ["//evil.example", "./evil.example"],
  ] as const) {
    const { headers } = await get(`${path}?token=${TOKEN}`, { redirect: "manual" })
    expect(headers.get("location")).toBe(location)
  }
})

test("another address than the loopback's needs a token, and answers to its number, not to any name", async () => {
  const directory = directoryWithOne()
  await using store = await openStore({ directory, backgroundIndex: false })
  expect(() => serve(store, { hostname: "0.0.0.0", port: 0 })).toThrow(TypeError)
  expect(() => serve(store, { token: "short", port: 0 })).toThrow(TypeError)
  expect(() => serve(store, { port: 70_000 })).toThrow(TypeError)
  const server = serve(store, { hostname: "0.0.0.0", port: 0, token: TOKEN })
  try {
    const addresses = Object.values(networkInterfaces()).flatMap((list) => list ?? [])
    const outer = addresses.find(({ internal, family }) => !internal && family === "IPv4")?.address
    for (const address of ["127.0.0.1", ...(outer === undefined ? [] : [outer])]) {
      const url = `http://${address}:${server.url.port}/session`
      expect((await fetch(url)).status).toBe(401)
      expect((await fetch(url, { headers: { authorization: `Bearer ${TOKEN}x` } })).status).toBe(401)
      expect((await fetch(url, { headers: { authorization: `Bearer ${TOKEN}` } })).status).toBe(200)
    }
    const named = `GET /session HTTP/1.1\nHost: evil.example\nAuthorization: Bearer ${TOKEN}\nConnection: close\n\n`
    expect(status(await raw(Number(server.url.port), named))).toBe(403)
  } finally {
    await server.stop()
  }
})

test.each([
  "/session/..%2f..%2f..%2fetc%2fpasswd",
  "/session/%2e%2e%2fx",
  "/session/.hidden",
  "/session/a%00b",
  "/session/a%5cb",
  `/session/${"x".repeat(300)}`,
  "/session/..%2f..%2fetc/message",
  "/session/..%2f..%2fetc/children",
  "/session/ses_1/message/..%2f..%2fsession_share%2fses_1",
  "/session/ses_1/message/msg_1/part/..%2f..%2f..%2fsession_share%2fses_1",
  "/session/..%2fsession_share%2fses_1/todo",
  "/session?project=..%2f..",
  "/session?parent=%2e%2e",
  "/session?limit=0",
  "/session?limit=1001",
  "/session?limit=-1",
  "/session?limit=1e9",
  "/session?limit=x",
  "/session?order=size",
  "/session?archived=maybe",
  "/session?direction=up",
  "/session?updatedSince=NaN",
  "/session?roots=maybe",
  "/session?cursor=abc&limit=3",
  "/session?cursor=abc",
  `/session?search=${"x".repeat(2_000)}`,
  `/search?q=${"x".repeat(2_000)}`,
  "/session/ses_1/message?cursor=WzEs",
  "/session/ses_1/message?cursor=a&from=b",
  "/usage?project=../x",
])("%s is refused with 400", async (path) => {
  const directory = directoryWithOne()
  put(directory, "session_share/ses_1.json", { secret: "hunter2", url: "https://x" })
  const { port } = serving(directory)
  const answer = await raw(port, `GET ${path} HTTP/1.1\nHost: localhost\nConnection: close\n\n`)
  expect(status(answer)).toBe(400)
  expect(answer).toContain("application/problem+json")
  expect(answer).not.toContain(directory)
  expect(answer).not.toContain("hunter2")
})

test("paths that climb out of the store find nothing", async () => {
  const { port } = serving(directoryWithOne())
  for (const path of [
    "/../../etc/passwd",
    "/assets/..%2f..%2fpackage.json",
    "/assets/%2e%2e/%2e%2e/package.json",
    "//etc/passwd",
  ])
    expect([
      path,
      status(await raw(port, `GET ${path} HTTP/1.1\nHost: localhost\nConnection: close\n\n`)),
    ]).toEqual([path, 404])
})

test("addresses, headers and bodies that are too large", async () => {
  const { get } = serving(directoryWithOne(), { writable: true })
  expect((await get(`/session?x=${"x".repeat(9_000)}`)).status).toBe(414)
  expect((await get(`/session/${ID}`, { method: "DELETE", body: "x".repeat(70_000) })).status).toBe(413)
  expect((await get(`/session/${ID}`)).status).toBe(200)
})

test("what changes something is not there unless it was asked for", async () => {
  const directory = directoryWithOne()
  const { get } = serving(directory)
  for (const method of ["DELETE", "PUT", "POST", "PATCH"]) {
    const response = await get(`/session/${ID}`, { method })
    expect(response.status).toBe(405)
    expect(response.headers.get("allow")).toBe("GET, HEAD")
    expect(await response.json()).toMatchObject({ status: 405, code: "METHOD_NOT_ALLOWED" })
  }
  const writable = serving(directory, { writable: true })
  expect((await writable.get(`/session/${ID}`, { method: "PUT" })).headers.get("allow")).toBe(
    "GET, HEAD, DELETE",
  )
})

test("problems are told by their code; of unknown errors nothing is told, but to the server's own log", async () => {
  const directory = directoryWithOne()
  put(directory, "session/p/ses_torn.json", "{ torn")
  const errors: unknown[] = []
  const served = serving(
    directory,
    { onError: (error) => errors.push(error) },
    {
      onProblem: () => {
        throw new Error(`the inside, at ${directory}`)
      },
    },
  )
  const { get } = serving(directory, { onError: (error) => errors.push(error) })
  const torn = await get("/session/ses_torn")
  expect(torn.headers.get("content-type")).toBe("application/problem+json")
  const problem = await torn.json()
  expect(problem).toMatchObject({ type: "about:blank", status: 500, code: "CORRUPT" })
  expect(JSON.stringify(problem)).not.toContain(directory)
  const unknown = await served.get("/session?limit=5")
  expect(await unknown.json()).toEqual({
    type: "about:blank",
    title: "Internal Server Error",
    status: 500,
    code: "INTERNAL",
    detail: expect.not.stringContaining("inside"),
  })
  expect(errors).toEqual([expect.objectContaining({ code: "CORRUPT" }), expect.any(Error)])
})

test("no answer tells where the store lies, or another that is read beside it", async () => {
  const [directory, other] = [directoryWithOne(), tempFolder()]
  put(directory, "todo/ses_1.json", "{ torn")
  put(other, "session/q/ses_1.json", session(ID, { time: { created: 1, updated: 1 } }))
  put(other, "session/q/ses_torn.json", "{ torn")
  put(other, "message/ses_2/msg_1.json", "{ torn")
  const { get } = serving(directory, { writable: true }, { alsoRead: [other] })
  const told: unknown[] = []
  for (const [path, method = "GET"] of [
    ["/session/ses_1/todo"],
    ["/session/ses_torn"],
    ["/session/ses_2/message/msg_1"],
    ["/session/ses_1", "DELETE"],
  ]) {
    const response = await get(path ?? "", { method })
    const text = await response.text()
    for (const folder of [directory, other]) expect(text).not.toContain(folder)
    const { status, left, detail } = JSON.parse(text) as Record<string, unknown>
    told.push(left ?? [status, detail])
  }
  expect(told).toEqual([
    [500, "The file is not whole JSON (6 bytes): todo/ses_1.json"],
    [500, "The file is not whole JSON (6 bytes): session/q/ses_torn.json"],
    [500, "The file is not whole JSON (6 bytes): message/ses_2/msg_1.json"],
    expect.arrayContaining([expect.objectContaining({ path: "session/q/ses_1.json", code: "READ_ONLY" })]),
  ])
})

test("every answer forbids what a hostile record could try, and none carries a share's secret", async () => {
  const directory = copyOfTree("opencode-1.1.65/storage")
  const id = "ses_dfbe6a4e1ffeIeM8GwmO4ELkWY"
  put(directory, `session_share/${id}.json`, { id, secret: "hunter2", url: "https://share.example/x" })
  put(
    directory,
    "session/p/ses_old.json",
    session("ses_old", { share: { url: "https://u", secret: "hunter2" } as never }),
  )
  put(directory, "message/ses_old/msg_1.json", { role: "user", time: { created: 1 } })
  const { get } = serving(directory)
  for (const path of [
    "/",
    "/assets/app.js",
    "/session",
    "/session?limit=50",
    `/session/${id}`,
    "/session/ses_old",
    `/session/${id}/message`,
    "/session/ses_old/message",
    "/search?q=hunter2",
    "/project",
    "/stats",
    "/health",
    "/nowhere",
  ]) {
    const response = await get(path)
    expect(response.headers.get("x-content-type-options")).toBe("nosniff")
    expect(response.headers.get("content-security-policy")).toStartWith(
      "default-src 'none'; script-src 'self';",
    )
    expect(response.headers.get("content-security-policy")).not.toContain("unsafe")
    expect(response.headers.get("cross-origin-resource-policy")).toBe("same-origin")
    expect(response.headers.get("x-frame-options")).toBe("DENY")
    expect([path, (await response.text()).includes("hunter2")]).toEqual([path, false])
  }
  expect(await (await get("/session/ses_old")).json()).toMatchObject({ share: { url: "https://u" } })
})
