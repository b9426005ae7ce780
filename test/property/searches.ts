import type { Store } from "../../src/index.ts"
import type { Searchable } from "../support/oracle.ts"
import type { Random } from "../support/random.ts"

/** A query by its terms, none of which holds a quote. */
export interface Terms {
  readonly wanted: readonly string[]
  readonly excluded: readonly string[]
}

/** What the store finds, or should. */
export interface Findings {
  /** `project/id` of each session with such a title, in the order of a list. */
  readonly sessions: readonly string[]
  readonly ofProject: readonly string[]
  readonly count: number
  /** `session/message` of each message with such texts, in the order of a search. */
  readonly texts: readonly string[]
  readonly titles: readonly string[]
}

/** More than there are. */
const ALL = 10_000
const ODD_TERMS = ["a", "parser", "zzz", "  ", "PARS", "🙂", "字 a"]

/** Substrings of what there is, cut anywhere, and some of what there is not. */
export function randomTerms(random: Random, { titles, texts }: Searchable): Terms {
  const all = [...titles.map(({ title }) => title), ...texts.flatMap((message) => message.texts)]
  const term = (): string => {
    const letters = [...(all.length > 0 && random.chance(0.9) ? random.pick(all) : random.pick(ODD_TERMS))]
    const from = random.below(letters.length)
    // A query holds no NULs, and one that a text holds parts nothing that can be found.
    const [cut = ""] = letters
      .slice(from, from + 1 + random.below(7))
      .join("")
      .split("\0")
    return cut === "" ? "par" : cut
  }
  return {
    wanted: Array.from({ length: random.chance(0.3) ? 2 : 1 }, term),
    excluded: random.chance(0.2) ? [term()] : [],
  }
}

function written({ wanted, excluded }: Terms): string {
  return [...wanted.map((term) => `"${term}"`), ...excluded.map((term) => `-"${term}"`)].join(" ")
}

/** What a store answers. */
export async function find(store: Store, terms: Terms, project: string, fresh: boolean): Promise<Findings> {
  const search = written(terms)
  const place = ({ id, projectID }: { id: string; projectID?: string }): string => `${projectID}/${id}`
  const texts = await Array.fromAsync(store.search(search, { in: "text", limit: ALL, fresh }))
  const titles = await Array.fromAsync(store.search(search, { in: "title", limit: ALL }))
  return {
    sessions: (await Array.fromAsync(store.sessions.list({ search }))).map(place),
    ofProject: await Array.fromAsync(store.sessions.ids({ search, projectID: project })),
    count: await store.sessions.count({ search }),
    texts: texts.map(({ sessionID, messageID }) => `${sessionID}/${messageID}`),
    titles: titles.map(({ sessionID }) => sessionID),
  }
}

function fold(text: string): string {
  return text.normalize("NFC").toLowerCase().normalize("NFC")
}

/** What a plain look at every title and text finds. */
export function scan({ titles, texts, all }: Searchable, terms: Terms, project: string): Findings {
  const wanted = terms.wanted.map(fold)
  const excluded = terms.excluded.map(fold)
  const isFound = (given: readonly string[]): boolean => {
    const folded = given.map(fold)
    const isIn = (term: string): boolean => folded.some((text) => text.includes(term))
    return wanted.every(isIn) && !excluded.some(isIn)
  }
  const found = titles.filter(({ title }) => isFound([title]))
  return {
    sessions: found.map((session) => `${session.project}/${session.id}`),
    ofProject: all
      .filter((session) => session.project === project && isFound([session.title]))
      .map(({ id }) => id),
    count: found.length,
    // Of a text NULs are no part, as `cleanText` has it.
    texts: texts
      .filter((message) => isFound(message.texts.map((text) => text.replaceAll("\0", ""))))
      .map(({ session, id }) => `${session}/${id}`),
    titles: found.map(({ id }) => id),
  }
}
