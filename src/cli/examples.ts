/** What `help <command>` shows a command used for; a test checks that each is a command with options that it has. */
export const EXAMPLES: Readonly<Record<string, readonly string[]>> = {
  sessions: ["sessions --limit 20", "sessions --from codex --roots", "sessions --json"],
  messages: ["messages <session> --limit 10", "messages <session> --json"],
  search: [
    "search parseConfig",
    `search '"parse error"' -test`,
    "search migration --tool bash --since 2026-11-01",
  ],
  export: ["export <session> -o session.json", "export <session> --markdown", "export --all /backup/history"],
  import: [
    "import session.json",
    "import --from claude-code --since 30d",
    "import --from codex=/backup/.codex --dry-run",
  ],
  push: [
    "push postgres://me@db.example/history --dry-run",
    "push postgres://me@db.example/history --project . --exclude ./secret",
    "push postgres://me@db.example/history --watch",
  ],
  prune: ["prune --older-than 90d --dry-run", "prune --keep 200 --children", "prune --max-size 2GB --yes"],
  restore: ["restore <session>", "restore --all"],
  trash: ["trash", "trash empty --older-than 30d"],
  serve: ["serve", "serve --port 0 --writable", "serve --host 0.0.0.0 --allow-host history.example"],
  projects: ["projects", "projects --from codex --json"],
  usage: ["usage --by month", "usage --by model --since 30d", "usage --project . --from claude-code"],
  completion: ["completion bash", "completion fish"],
  verify: ["verify", "verify --repair"],
}
