import { isJsonObject } from "../record/extract.ts"

/** A session as it may leave the machine: early releases kept the secret of its share in it. */
export function withoutSecret(session: unknown): unknown {
  if (!isJsonObject(session) || !isJsonObject(session.share) || !("secret" in session.share)) return session
  const { secret: _, ...share } = session.share
  return { ...session, share }
}
