import { randomBytes } from "node:crypto"
import { lookup } from "node:dns/promises"
import { Command, InvalidArgumentError, Option } from "commander"
import { DEFAULT_PORT, isLoopback, type RunningServer, type ServeOptions, serve } from "../../http/index.ts"
import type { Context } from "../context.ts"
import { withStore } from "../session-store.ts"

const LOCAL = "127.0.0.1"

function port(text: string): number {
  const value = Number(text)
  if (!/^\d{1,5}$/.test(text) || value > 65535)
    throw new InvalidArgumentError("It must be a whole number from 0 to 65535.")
  return value
}

function token(text: string): string {
  if (!/^[\w.~+/=-]{8,}$/.test(text))
    throw new InvalidArgumentError("It must be at least 8 letters, digits or any of . _ ~ + / = -")
  return text
}

interface ServeFlags {
  host: string
  port: number
  token?: string
  allowHost?: string[]
  writable?: boolean
}

/** `serve`: the page and the routes, until it is told to stop. */
export function serveCommand(context: Context): Command {
  return new Command("serve")
    .description("serve a page to browse and search the history, and its HTTP routes")
    .option(
      "--host <address>",
      "where to listen; another address than this machine's own needs a token",
      LOCAL,
    )
    .option("--port <number>", "0 takes any that is free", port, DEFAULT_PORT)
    .addOption(
      new Option("--token <text>", "what every request must send; generated if one is needed")
        .env("SESSIONDEX_TOKEN")
        .argParser(token),
    )
    .option("--allow-host <name...>", "other names by which this server may be asked for")
    .option("--writable", "allow removing sessions; otherwise nothing can be changed")
    .action(async (flags: ServeFlags, command: Command) => {
      await withStore(
        context,
        command,
        async (store, { json }) => {
          const { output } = context
          const secret =
            flags.token ?? (isLoopback(flags.host) ? undefined : randomBytes(24).toString("base64url"))
          const server = await start(context, flags, (onError) =>
            serve(store, {
              hostname: flags.host,
              port: flags.port,
              token: secret,
              hosts: flags.allowHost,
              writable: flags.writable,
              onError,
            }),
          )
          if (!server) return
          const url = new URL(server.url)
          if (secret !== undefined) url.searchParams.set("token", secret)
          if (json)
            await output.json({ url: server.url.href, ...(secret !== undefined && { token: secret }) })
          else await output.line(url.href)
          await interrupted()
          await server.stop()
        },
        { backgroundIndex: true, watch: true },
      )
    })
}

/** Starts the server; where its port cannot be had that is told plainly. */
async function start(
  { output, fail }: Context,
  { host, port: wanted }: ServeFlags,
  begin: (onError: NonNullable<ServeOptions["onError"]>) => RunningServer,
): Promise<RunningServer | undefined> {
  try {
    return begin((error) => output.crash(error))
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : undefined
    if (typeof code !== "string") throw error
    // Bun says of a name that nobody knows that its port is taken.
    if (!(await isKnown(host))) output.error(`There is no address ${host} to listen at`)
    else if (code === "EADDRINUSE") output.error(`Port ${wanted} is taken; choose another with --port`)
    else output.error(`The server cannot listen there (${code})`)
    fail()
    return undefined
  }
}

/** Whether a name or number is that of any machine. */
async function isKnown(host: string): Promise<boolean> {
  return await lookup(host.replace(/^\[(.*)\]$/, "$1")).then(
    () => true,
    () => false,
  )
}

/** Resolves when the process is asked to end. */
function interrupted(): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      process.off("SIGINT", done)
      process.off("SIGTERM", done)
      resolve()
    }
    process.on("SIGINT", done)
    process.on("SIGTERM", done)
  })
}
