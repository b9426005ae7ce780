/** Secrets made up in the shape of real ones: a text with one of them, and what must not be left of it. Joined here, so that no scanner takes them for real. */
export const planted: Readonly<
  Record<string, { readonly text: string; readonly secret: readonly string[] }>
> = (() => {
  const run = (length: number, letters = "aB3dE6gH9jK2mN5pQ8rS1tU4vW7xY0z"): string =>
    letters.repeat(Math.ceil(length / letters.length)).slice(0, length)
  const whole = (...pieces: readonly string[]) => ({ text: pieces.join(""), secret: [pieces.join("")] })
  const within = (before: string, secret: string, after = "") => ({
    text: `${before}${secret}${after}`,
    secret: [secret],
  })
  const lines = Array.from({ length: 4 }, (_, at) => `MIIEvQIBADANBgkqhkiG9w0BAQEFAASC${run(30)}${at}`)
  return {
    "anthropic-key": whole("sk-", "ant-", "api03-", run(60)),
    "openrouter-key": whole("sk-", "or-v1-", run(64, "0123456789abcdef")),
    "openai-key": whole("sk-", "proj-", run(48), "_", run(20)),
    "github-token": whole("ghp", "_", run(36)),
    "gitlab-token": whole("glpat", "-", run(20)),
    "aws-key": whole("AKIA", run(16, "ABCDEFGHIJ234567")),
    "google-key": whole("AIza", run(35)),
    "slack-token": whole("xoxb", "-1234567890-", run(24)),
    "stripe-key": whole("sk_", "live_", run(24)),
    "registry-token": whole("npm", "_", run(36)),
    "other-token": whole("hf", "_", run(34)),
    jwt: whole("eyJ", run(30), ".eyJ", run(40), ".", run(43)),
    authorization: within("Authorization: Bearer ", run(40)),
    "url-password": within("postgres://someone:", "hunter2-very-secret", "@db.example.org/name"),
    "assigned-secret": within("DEPLOY_PASSWORD=", "correct-horse-battery"),
    "private-key": {
      text: `-----BEGIN PRIVATE KEY-----\n${lines.join("\n")}\n-----END PRIVATE KEY-----`,
      secret: lines,
    },
  }
})()
