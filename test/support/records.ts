import type { Message, Part, Session } from "../../src/index.ts"

/** Bodies as the agent writes them, with what a test cares about put over. */
export function session(id: string, over: Partial<Session> = {}): Session {
  return {
    id,
    version: "1.1.65",
    projectID: "proj",
    directory: "/home/dev/app",
    title: `Session ${id}`,
    time: { created: 1000, updated: 1000 },
    ...over,
  }
}

export function message(
  id: string,
  sessionID: string,
  created: number,
  over: Partial<Message> = {},
): Message {
  return { id, sessionID, role: "user", time: { created }, ...over } as Message
}

export function part(id: string, messageID: string, text = `text of ${id}`): Part {
  return { id, sessionID: "ses_1", messageID, type: "text", text }
}

export async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  return Array.fromAsync(items)
}

/** The error that a promise is rejected with. */
export async function failure(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise
  } catch (error) {
    return error
  }
  throw new Error("It was expected to fail")
}
