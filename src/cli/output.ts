import { createInterface } from "node:readline/promises"
import { stripVTControlCharacters, styleText } from "node:util"
import { jsonLine } from "../record/json-text.ts"

type Style = Parameters<typeof styleText>[0]
/** A process's stream, or one that takes its place. */
type Stream = NodeJS.WritableStream & { readonly isTTY?: boolean }

// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not reach a terminal
const CONTROL = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g

/** Text from a record, made safe to print: escape codes and control characters could drive the terminal. */
export function printable(text: string): string {
  return stripVTControlCharacters(text.replaceAll("\r\n", "\n")).replace(CONTROL, "\u{fffd}")
}

/** Where a command prints: results on standard output, everything else on standard error. */
export class Output {
  readonly #out: Stream
  readonly #err: Stream
  #colours = true

  constructor(out: Stream, err: Stream) {
    this.#out = out
    this.#err = err
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

  /** Whether a person can be asked: both ends of the talk are terminals. */
  get canAsk(): boolean {
    return this.interactive && Boolean(process.stdin.isTTY)
  }

  noColours(): void {
    this.#colours = false
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
    return this.line(jsonLine(value))
  }

  /** Asks a person on the terminal; everything but yes is no, Ctrl-C and the end of input too. */
  async confirm(question: string): Promise<boolean> {
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

  /** Tells something that is not a result. */
  note(text: string): void {
    this.#err.write(`${text}\n`)
  }

  error(text: string): void {
    this.#err.write(`sessiondex: ${text}\n`)
  }

  /** Styles text where standard output is a terminal that shows colours. */
  style(style: Style, text: string): string {
    if (!this.#colours || !this.#out.isTTY || process.env.NO_COLOR) return text
    return styleText(style, text, { validateStream: false })
  }
}
