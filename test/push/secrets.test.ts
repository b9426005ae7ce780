import { expect, test } from "bun:test"
import { maskJson, maskText, type SecretCounts } from "../../src/push/secrets.ts"
import { planted } from "./planted.ts"

/** Texts around a secret, as they are met. */
const AROUND: readonly ((secret: string) => string)[] = [
  (secret) => secret,
  (secret) => `export SOME_VALUE=${secret}`,
  (secret) => `{"key":"${secret}","other":1}`,
  (secret) => `first line\n${secret}\nlast line`,
  // JSON within a text: the escape's letter stands right before the secret.
  (secret) => JSON.stringify(`line\n${secret}\n`),
  (secret) => `(${secret})`,
]

test("each kind of secret is taken out wherever it stands, and what is around it stays", () => {
  expect(Object.keys(planted).length).toBeGreaterThanOrEqual(10)
  for (const [name, { text, secret }] of Object.entries(planted))
    for (const around of AROUND) {
      const counts: SecretCounts = new Map()
      const whole = around(text)
      const masked = maskText(whole, counts)
      for (const line of secret)
        expect({ name, whole, leaks: masked.includes(line) }).toMatchObject({ leaks: false })
      expect({ name, whole, counts: [...counts] }).toMatchObject({ counts: [[name, 1]] })
      expect(masked.startsWith(around("@@").split("@@")[0] ?? "")).toBe(true)
      expect(masked.endsWith(around("@@").split("@@")[1] ?? "")).toBe(true)
      // Masked once more it is the same, and nothing is counted again.
      const again: SecretCounts = new Map()
      expect(maskText(masked, again)).toBe(masked)
      expect(again.size).toBe(0)
    }
})

test("what only looks like a secret stays", () => {
  const harmless = [
    "a task-force, a risk-free disk-image, sk-loading-indicator-with-many-dots-in-it",
    "https://example.org/path:with@signs and git@github.com:owner/name.git",
    "postgres://localhost:5432/name and http://[::1]:8080/",
    "postgres://user:$PASSWORD@host/name",
    "AKIA is how they begin; npm_config_cache=/tmp; the bearer of this letter",
    "-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE\n-----END PUBLIC KEY-----",
    'if (line === "-----BEGIN PRIVATE KEY-----") return',
    "API_KEY=$OPENAI_KEY TOKEN=process.env.TOKEN KEY=short",
    "const token: string = readToken()",
    "4f0c1c59b1e8e0d1f2a3b4c5d6e7f8091a2b3c4d",
  ]
  for (const text of harmless) {
    const counts: SecretCounts = new Map()
    expect(maskText(text, counts)).toBe(text)
    expect([...counts]).toEqual([])
  }
})

test("a private key is taken out whole also where its end was cut off, and prose behind it stays", () => {
  const lines = Array.from({ length: 5 }, (_, at) => `MIIEpAIBAAKCAQEA${"abcDEF12".repeat(6)}${at}`)
  const masked = maskText(
    `before\n-----BEGIN RSA PRIVATE KEY-----\n${lines.join("\n")}\nand so on.`,
    new Map(),
  )
  expect(masked).toBe("before\n[masked:private-key]and so on.")
})

test("JSON stays JSON: no mask reaches over the end of a string", () => {
  const { text = "" } = planted["openai-key"] ?? {}
  const body = {
    [text]: "a name of a field",
    begin: "-----BEGIN PRIVATE KEY-----",
    nested: [{ end: "-----END PRIVATE KEY-----", quoted: `"\\${text}\\"`, number: 1 }, "\ud800", "\0"],
  }
  const counts: SecretCounts = new Map()
  const masked = maskJson(JSON.stringify(body), counts)
  expect(JSON.parse(masked)).toEqual({
    "[masked:openai-key]": "a name of a field",
    begin: body.begin,
    nested: [
      { end: "-----END PRIVATE KEY-----", quoted: '"\\[masked:openai-key]\\"', number: 1 },
      "\ud800",
      "\0",
    ],
  })
  expect([...counts]).toEqual([["openai-key", 2]])
  const harmless = JSON.stringify({ a: "sk-", b: [1, "eyJ", { c: null }] })
  expect(maskJson(harmless, counts)).toBe(harmless)
})

test("a long text takes time in proportion to its length, whatever is in it", () => {
  const seeds = [
    "sk-",
    "sk-ant-",
    "sk-proj-",
    "eyJ",
    "eyJaaaaaaaa.",
    "eyJaaaaaaaa.eyJaaaaaaaa",
    "AKIA",
    "xoxb-",
    "ghp_",
    "://",
    "a://b",
    "a://b:",
    "a://b:c",
    "Bearer ",
    "bearer%20",
    "A_",
    "A",
    "AB_TOKEN=",
    "KEY_",
    "API-KEY: ",
    "-----BEGIN PRIVATE KEY-----",
    "-----END PRIVATE KEY-----",
    "-----BEGIN PRIVATE KEY-----\nMIIEpAIBAAKCAQEAabcd\n",
    "\\",
    '\\"',
    '"',
    "SG.aaaaaaaaaaaaaaaaaaaa.",
    "aws_secret_access_key = ",
    "hf_",
  ]
  for (const seed of seeds) {
    // In proportion to its square this would take minutes.
    const text = seed.repeat(Math.ceil(2_000_000 / seed.length))
    const masked = maskJson(JSON.stringify(text), new Map())
    expect(typeof JSON.parse(masked)).toBe("string")
  }
}, 30_000)
