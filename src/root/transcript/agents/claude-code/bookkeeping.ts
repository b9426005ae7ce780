/** Lines of a tool's progress up to so many bytes are looked at, since others may go on from them; larger ones are passed over. */
const SMALL_PROGRESS = 2_048
/** In how much of a line its type is looked for. */
const HEAD = 1_024

/** Kinds of lines that say nothing of a conversation, written with their type first. */
const KINDS = [
  "file-history-snapshot",
  "queue-operation",
  "mode",
  "permission-mode",
  "attribution-snapshot",
  "speculation-accept",
  "content-replacement",
  "worktree-state",
  "bridge-session",
  "atis-latch",
].map((kind) => Buffer.from(`{"type":"${kind}"`))

const TYPE = Buffer.from('"type":"')
/** Where in lines that begin with it a letter of it lies that those of a conversation have otherwise. */
const TYPE_AT = 2
const PROGRESS = Buffer.from('progress"')
/** How lines of a conversation begin in every release that writes bookkeeping beside them. */
const CONVERSATION = Buffer.from('{"parentUuid":')
const [OPENING, LIST, CLOSING] = Buffer.from("{[}")

/** Whether a progress line of so many bytes is looked at. */
export function isSmallProgress(bytes: number): boolean {
  return bytes <= SMALL_PROGRESS
}

/** Tells lines that need no parsing. Reports tell of files of 5 GB that are progress to 99.6 %. */
export function isBookkeeping(line: Uint8Array): boolean {
  if (line[0] !== OPENING || line[line.length - 1] !== CLOSING) return false
  // Most lines begin otherwise: to compare those ten times takes longer than to parse them.
  const mayBeKind = line[TYPE_AT] === TYPE[TYPE_AT - 1]
  if (!mayBeKind && isSmallProgress(line.length)) return false
  const bytes = Buffer.from(line.buffer, line.byteOffset, line.byteLength)
  const isKind = mayBeKind && KINDS.some((kind) => bytes.subarray(0, kind.length).equals(kind))
  if (!isKind && (isSmallProgress(bytes.length) || !isProgress(bytes.subarray(0, HEAD)))) return false
  // One that was cut off may have a line of the conversation behind it.
  return bytes.indexOf(CONVERSATION, 1) < 0
}

/** Whether the first type is a progress line's, and no object or list inside the line's own begins before it. */
function isProgress(head: Buffer): boolean {
  const at = head.indexOf(TYPE)
  const type = head.subarray(at + TYPE.length, at + TYPE.length + PROGRESS.length)
  if (at < 0 || !type.equals(PROGRESS)) return false
  const before = head.subarray(1, at)
  return !before.includes(OPENING ?? 0) && !before.includes(LIST ?? 0)
}
