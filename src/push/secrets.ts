/** How often each kind of secret was met, by the kind's name. */
export type SecretCounts = Map<string, number>

/** A kind of secret, and how it is found in a text. */
interface SecretKind {
  readonly name: string
  /** One of these is in every text that has such a secret: to look for them is much faster than to match. */
  readonly marks: readonly string[]
  /**
   * Matches it. What a group `keep` matches stays in front of the mask. Each takes time in proportion to the text: a match begins at a mark
   * or at the beginning of a run of letters, and what may be repeated without a bound is one run of letters that is followed by none of its own.
   */
  readonly pattern: RegExp
}

/** Where a run of letters begins; an escape that stands for white space, as in JSON within a text, is no part of it. */
const BEGIN = String.raw`(?:(?<![A-Za-z0-9_-])|(?<=\\[nrtbf]))`
/** Anything that a value in an assignment ends at. */
const VALUE = String.raw`[^\s"'\x60\\$(){}<>[\],;]`

function kind(name: string, marks: readonly string[], ...patterns: readonly string[]): SecretKind {
  return { name, marks, pattern: new RegExp(patterns.join("|"), "g") }
}

/** Those that are known by their beginning come first, so that they are told by their own name wherever they stand. */
const KINDS: readonly SecretKind[] = [
  kind("anthropic-key", ["sk-ant-"], "sk-ant-[A-Za-z0-9_-]{20,}"),
  kind("openrouter-key", ["sk-or-"], "sk-or-[A-Za-z0-9_-]{20,}"),
  kind(
    "openai-key",
    ["sk-"],
    "sk-(?:proj|svcacct|admin|None)-[A-Za-z0-9_-]{20,}",
    `${BEGIN}sk-[A-Za-z0-9]{32,}`,
  ),
  kind(
    "github-token",
    ["ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_"],
    "gh[pousr]_[A-Za-z0-9]{30,}",
    "github_pat_[A-Za-z0-9_]{22,}",
  ),
  kind("gitlab-token", ["glpat-"], "glpat-[A-Za-z0-9_-]{20,}"),
  kind(
    "aws-key",
    ["AKIA", "ASIA", "aws", "AWS"],
    `${BEGIN}(?:AKIA|ASIA)[A-Z0-9]{16}(?![A-Za-z0-9])`,
    String.raw`(?<keep>(?:aws|AWS)_?(?:secret|SECRET|session|SESSION)_?(?:access_?key|ACCESS_?KEY|token|TOKEN)["']?\s{0,9}[:=]\s{0,9}["']?)[A-Za-z0-9/+=]{30,}`,
  ),
  kind(
    "google-key",
    ["AIza", "ya29.", "GOCSPX-"],
    "AIza[A-Za-z0-9_-]{35}",
    String.raw`ya29\.[A-Za-z0-9_-]{20,}`,
    "GOCSPX-[A-Za-z0-9_-]{20,}",
  ),
  kind(
    "slack-token",
    ["xox", "xapp-", "hooks.slack.com"],
    "xox[abeoprs]-[A-Za-z0-9-]{10,}",
    "xapp-[A-Za-z0-9-]{10,}",
    String.raw`(?<keep>hooks\.slack\.com/services/)[A-Za-z0-9/]{20,}`,
  ),
  kind(
    "stripe-key",
    ["sk_live_", "sk_test_", "rk_live_", "rk_test_", "whsec_"],
    "[sr]k_(?:live|test)_[A-Za-z0-9]{16,}",
    "whsec_[A-Za-z0-9+/]{20,}",
  ),
  kind(
    "registry-token",
    ["npm_", "pypi-", "dckr_pat_"],
    "npm_[A-Za-z0-9]{30,}",
    "pypi-[A-Za-z0-9_-]{40,}",
    "dckr_pat_[A-Za-z0-9_-]{20,}",
  ),
  kind(
    "other-token",
    ["hf_", "SG.", "gsk_", "xai-", "dop_v1_"],
    `${BEGIN}hf_[A-Za-z0-9]{30,}`,
    String.raw`${BEGIN}SG\.[A-Za-z0-9_-]{16,64}\.[A-Za-z0-9_-]{16,}`,
    `${BEGIN}gsk_[A-Za-z0-9]{40,}`,
    `${BEGIN}xai-[A-Za-z0-9]{60,}`,
    "dop_v1_[a-f0-9]{40,}",
  ),
  kind("jwt", ["eyJ"], String.raw`${BEGIN}eyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*`),
  kind(
    "authorization",
    ["earer", "EARER", "asic", "BASIC", "x-api-key", "X-Api-Key", "X-API-Key", "X-API-KEY", "api-key"],
    String.raw`(?<keep>${BEGIN}(?:[Bb]earer|BEARER)(?:\s|%20){1,4})[A-Za-z0-9._~+/-]{16,}={0,2}`,
    String.raw`(?<keep>${BEGIN}[Aa]uthorization["']?\s{0,4}[:=]\s{0,4}["']?[Bb]asic\s{1,4})[A-Za-z0-9+/]{8,}={0,2}`,
    String.raw`(?<keep>${BEGIN}(?:[Xx]-)?[Aa][Pp][Ii]-[Kk][Ee][Yy]["']?\s{0,4}[:=]\s{0,4}["']?)[A-Za-z0-9._~+/-]{16,}={0,2}`,
  ),
  kind(
    "url-password",
    ["://"],
    // What is masked already, and what stands for a password in a script, is left.
    String.raw`(?<keep>[A-Za-z0-9]:\/\/[^\s:@/"'\\<>\x60]{0,200}:)(?!\[masked:|[$<{%])[^\s@/"'\\<>\x60]{1,200}(?=@[A-Za-z0-9[_-])`,
  ),
  kind(
    "assigned-secret",
    ["KEY", "TOKEN", "SECRET", "PASSW"],
    String.raw`(?<keep>${BEGIN}(?:[A-Z0-9]+_){0,12}(?:API_?KEY|ACCESS_?KEY|PRIVATE_?KEY|AUTH_?KEY|TOKEN|SECRET|SECRET_?KEY|PASSWORD|PASSWD)=["']?)(?!\[masked:|process\.|os\.)${VALUE}{8,}`,
  ),
]

const KEY_BEGIN = /-----BEGIN (?:[A-Z0-9]{1,20} ){0,4}PRIVATE KEY(?: BLOCK)?-----/g
const KEY_END = /-----END (?:[A-Z0-9]{1,20} ){0,4}PRIVATE KEY(?: BLOCK)?-----/g
/** No key is longer. */
const LONGEST_KEY = 64 * 1024
/** Lines of a key whose end was cut off. */
const KEY_LINES = /(?:\s|\\+[nrt]|[A-Za-z0-9+/=]{16,})*/y

/** What stands for a secret that was taken out. */
function maskOf(name: string): string {
  return `[masked:${name}]`
}

/**
 * A text without the keys, tokens and passwords that are known by their shape: each is replaced by its kind's name in brackets and counted.
 * The same text gives the same, and one that has none is given back as it is. Takes time in proportion to the text.
 */
export function maskText(text: string, counts: SecretCounts): string {
  let masked = text
  const count = (name: string): string => {
    counts.set(name, (counts.get(name) ?? 0) + 1)
    return maskOf(name)
  }
  if (masked.includes("PRIVATE KEY")) masked = maskPrivateKeys(masked, () => count("private-key"))
  for (const { name, marks, pattern } of KINDS)
    if (marks.some((mark) => masked.includes(mark)))
      masked = masked.replace(pattern, (...found: unknown[]) => {
        const groups = found.at(-1)
        const keep = typeof groups === "object" && groups !== null && "keep" in groups ? groups.keep : ""
        return `${typeof keep === "string" ? keep : ""}${count(name)}`
      })
  return masked
}

/** Each begin is held against the next end, which is looked for once; so many begins without an end cost no more than one. */
function maskPrivateKeys(text: string, mask: () => string): string {
  let result = ""
  let done = 0
  let end = nextEnd(text, 0)
  for (const { 0: begin, index } of text.matchAll(KEY_BEGIN)) {
    if (index < done) continue
    const inner = index + begin.length
    if (end && end.index < inner) end = nextEnd(text, inner)
    let upTo: number
    if (end && end.index - inner <= LONGEST_KEY) upTo = end.index + end.length
    else {
      KEY_LINES.lastIndex = inner
      upTo = inner + (KEY_LINES.exec(text)?.[0].length ?? 0)
      // A mere mention of such a line is none.
      if (!/[A-Za-z0-9+/=]{16}/.test(text.slice(inner, upTo))) continue
    }
    result += text.slice(done, index) + mask()
    done = upTo
  }
  return done === 0 ? text : result + text.slice(done)
}

function nextEnd(text: string, from: number): { index: number; length: number } | undefined {
  KEY_END.lastIndex = from
  const found = KEY_END.exec(text)
  return found ? { index: found.index, length: found[0].length } : undefined
}

/**
 * A JSON text without secrets, still JSON: every string in it, names of fields too, is masked as `maskText` does, so that no mask can reach
 * over a string's end. Takes time in proportion to the text.
 */
export function maskJson(json: string, counts: SecretCounts): string {
  if (!mayHaveSecrets(json)) return json
  let result = ""
  let done = 0
  for (let open = json.indexOf('"'); open >= 0; ) {
    const close = endOfString(json, open)
    const spelled = json.slice(open, close)
    const isWorth = spelled.length > 12 && mayHaveSecrets(spelled)
    const value: unknown = isWorth ? JSON.parse(spelled) : undefined
    if (typeof value === "string") {
      const masked = maskText(value, counts)
      if (masked !== value) {
        result += json.slice(done, open) + JSON.stringify(masked)
        done = close
      }
    }
    open = json.indexOf('"', close)
  }
  return done === 0 ? json : result + json.slice(done)
}

/** What a mark looks like in JSON: none of them has a sign that JSON escapes. */
const ALL_MARKS = ["PRIVATE KEY", ...new Set(KINDS.flatMap(({ marks }) => marks))]

function mayHaveSecrets(text: string): boolean {
  return ALL_MARKS.some((mark) => text.includes(mark))
}

/** Where the string that begins at a quote ends, behind its closing quote. */
function endOfString(json: string, open: number): number {
  for (let close = json.indexOf('"', open + 1); close >= 0; close = json.indexOf('"', close + 1)) {
    let slashes = 0
    while (json[close - 1 - slashes] === "\\") slashes++
    if (slashes % 2 === 0) return close + 1
  }
  return json.length
}
