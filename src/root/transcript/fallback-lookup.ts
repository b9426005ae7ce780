import { IndexFailure } from "../../database/failure.ts"
import type { Problem } from "../problem-log.ts"
import type { Lookup } from "./lookup.ts"

/** Asks the index, and reads the transcripts themselves where it fails. */
export class FallbackLookup implements Lookup {
  readonly #index: Lookup
  readonly #files: Lookup

  constructor(index: Lookup, files: Lookup) {
    this.#index = index
    this.#files = files
  }

  folders: Lookup["folders"] = (...of) => this.#ask((lookup) => lookup.folders(...of))
  ids: Lookup["ids"] = (...of) => this.#ask((lookup) => lookup.ids(...of))
  foldersOf: Lookup["foldersOf"] = (...of) => this.#ask((lookup) => lookup.foldersOf(...of))
  sessions: Lookup["sessions"] = (...of) => this.#ask((lookup) => lookup.sessions(...of))
  messages: Lookup["messages"] = (...of) => this.#ask((lookup) => lookup.messages(...of))

  refused(): readonly Problem[] {
    return [...this.#index.refused(), ...this.#files.refused()]
  }

  async #ask<T>(question: (lookup: Lookup) => Promise<T>): Promise<T> {
    try {
      return await question(this.#index)
    } catch (error) {
      if (!(error instanceof IndexFailure)) throw error
      return question(this.#files)
    }
  }
}
