import type { JsonObject } from "../../record/extract.ts"
import type { CollectionKind } from "../../record/kind.ts"
import { partsInOrder } from "../../record/part-order.ts"
import { documentOf, wholeDocument } from "../document.ts"
import type { MessageDocument } from "../text-source.ts"
import type { OpencodeReader } from "./reader.ts"

/** How many bytes of parts are read together. */
const GROUP_BYTES = 1024 * 1024

/** Asks the database; it decides what happens if the database cannot be read. */
type Asking = <T>(otherwise: T, ask: () => Promise<T>) => Promise<T>

const strictly: Asking = (_, ask) => ask()

/**
 * A message as it is now. A small one is read from one snapshot, the parts of a larger one in groups of bounded size. `undefined` if it
 * does not exist or cannot be read.
 * @param asking by default an unreadable database throws, also while the document's texts are read
 * @throws StoreError if the database cannot be read
 */
export function groupedDocument(
  reader: OpencodeReader,
  session: string,
  id: string,
  asking = strictly,
): Promise<MessageDocument | undefined> {
  return asking(undefined, async () => {
    const [whole] = await asking([], () => reader.messageRun([{ session, id }], GROUP_BYTES))
    if (whole) return whole.info && wholeDocument(whole.info, whole.parts)
    const [message] = await reader.bodies("message", session, [id])
    return message && documentOf(new GroupedParts(reader, asking), message, id)
  })
}

class GroupedParts {
  readonly #reader: OpencodeReader
  readonly #asking: Asking
  #sizes = new Map<string, number>()
  #group = new Map<string, JsonObject | undefined>()

  constructor(reader: OpencodeReader, asking: Asking) {
    this.#reader = reader
    this.#asking = asking
  }

  async ids(_: CollectionKind, message: string): Promise<string[]> {
    const sizes = await this.#asking([], () => this.#reader.partSizes(message))
    this.#sizes = new Map(sizes.map(({ id, bytes }) => [id, bytes]))
    return partsInOrder([...this.#sizes.keys()])
  }

  async read(
    kind: CollectionKind,
    message: string,
    [id = ""]: readonly string[],
  ): Promise<(JsonObject | undefined)[]> {
    if (!this.#group.has(id)) {
      const ids = this.#from(id)
      const bodies = await this.#asking([], () => this.#reader.bodies(kind, message, ids))
      this.#group = new Map(ids.map((part, at) => [part, bodies[at]]))
    }
    return [this.#group.get(id)]
  }

  /** A part and those after it that are read with it. */
  #from(id: string): string[] {
    const ids = partsInOrder([...this.#sizes.keys()])
    const rest = ids.slice(ids.indexOf(id))
    let bytes = 0
    const end = rest.findIndex((part, at) => {
      bytes += this.#sizes.get(part) ?? 0
      return at > 0 && bytes > GROUP_BYTES
    })
    return end < 0 ? rest : rest.slice(0, end)
  }
}
