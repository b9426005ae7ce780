import type { styleText } from "node:util"
import type { Pager } from "./pager.ts"
import { oneLine, printable, safeJson } from "./text.ts"

type Style = Parameters<typeof styleText>[0]
/** A process's stream, or one that takes its place. */
type Stream = NodeJS.WritableStream & { readonly isTTY?: boolean }

/** Where a command prints: results on standard output, everything else on standard error. */
export class Output {
  #out: Stream
  readonly #err: Stream
  readonly #isTerminal: boolean
  #colours = true
  #pager: Pager | undefined

  constructor(out: Stream, err: Stream) {
    this.#out = out
    this.#err = err
    this.#isTerminal = Boolean(out.isTTY)
    // A reader that has seen enough, as `head` does, is no failure of ours.
    out.on("error", (error) => {
      if ("code" in error && error.code === "EPIPE") process.exit(0)
      throw error
    })
  }

  /** Whether standard error is a terminal, where a progress bar can be drawn. */
  get interactive(): boolean {
    return Boolean(this.#err.isTTY)
  }

  /** Whether standard output is a terminal, which obeys what is written to it. */
  get isTerminal(): boolean {
    return this.#isTerminal
  }

  /** Whether a person can be asked: both ends of the talk are terminals. */
  get canAsk(): boolean {
    return this.interactive && Boolean(process.stdin.isTTY)
  }

  noColours(): void {
    this.#colours = false
  }

  /** Shows what is printed from now on in the person's pager, where standard output is this process's own terminal. */
  page(): void {
    if (!this.#isTerminal || this.#out !== process.stdout) return
    const { startPager }: typeof import("./pager.ts") = require("./pager.ts")
    this.#pager = startPager(process.env, () => process.exit(0))
    if (this.#pager) this.#out = this.#pager.input
  }

  /** Waits for the person to leave the pager, if there is one; then everything is printed as before. */
  async endPage(): Promise<void> {
    const pager = this.#pager
    if (!pager) return
    this.#pager = undefined
    await pager.end()
    this.#out = process.stdout
  }

  /** Prints one line; resolves when there is room for the next. */
  line(text = ""): Promise<void> {
    return this.text(`${text}\n`)
  }

  /** Prints text as it is; resolves when there is room for more. */
  async text(text: string): Promise<void> {
    if (!this.#out.write(text)) await new Promise<void>((resolve) => this.#out.once("drain", resolve))
  }

  /** Prints one JSON object as a line. */
  json(value: unknown): Promise<void> {
    return this.line(safeJson(value))
  }

  /** Asks a person on the terminal; everything but yes is no, Ctrl-C and the end of input too. */
  async confirm(question: string): Promise<boolean> {
    const { createInterface } = await import("node:readline/promises")
    const asking = createInterface({ input: process.stdin, output: this.#err })
    try {
      return /^\s*y(?:es)?\s*$/i.test(await asking.question(`${question} [y/N] `))
    } catch (error) {
      if (!(error instanceof Error) || error.name !== "AbortError") throw error
      this.note("")
      return false
    } finally {
      asking.close()
    }
  }

  /** Tells something that is not a result, in one line, whatever stands in a path that it names. */
  note(text: string): void {
    this.#err.write(`${oneLine(text)}\n`)
  }

  /** Tells a person at a terminal that there is nothing to show. A script sees that by itself. */
  nothing(text: string): void {
    if (this.#isTerminal) this.note(text)
  }

  /** Tells in one line what went wrong. */
  error(text: string): void {
    this.note(`sessiondex: ${text}`)
  }

  /** Tells of an error that nobody thought of, with where it came from. */
  crash(error: unknown): void {
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error)
    this.#err.write(`sessiondex: ${printable(text)}\n`)
  }

  /** Styles text where standard output is a terminal that shows colours. */
  style(style: Style, text: string): string {
    if (!this.#colours || !this.#isTerminal || process.env.NO_COLOR) return text
    const { styleText }: typeof import("node:util") = require("node:util")
    return styleText(style, text, { validateStream: false })
  }
}
