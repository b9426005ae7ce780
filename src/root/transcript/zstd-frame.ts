const MAGIC = 0xfd2fb528
/** How many bytes hold the window size and the dictionary id, by bits of the descriptor (RFC 8878, 3.1.1.1). */
const DICTIONARY_BYTES = [0, 1, 2, 4] as const

/** The content size that a frame tells, in bytes; `undefined` if it tells none, or is not a frame. */
export function contentSize(head: Buffer): number | undefined {
  if (head.length < 6 || head.readUInt32LE(0) !== MAGIC) return undefined
  const descriptor = head.readUInt8(4)
  const isSingle = (descriptor & 0x20) !== 0
  const flag = descriptor >> 6
  const start = 5 + (isSingle ? 0 : 1) + (DICTIONARY_BYTES[descriptor & 3] ?? 0)
  const bytes = flag === 0 ? (isSingle ? 1 : 0) : 1 << flag
  if (bytes === 0 || head.length < start + bytes) return undefined
  if (bytes === 1) return head.readUInt8(start)
  if (bytes === 2) return head.readUInt16LE(start) + 256
  if (bytes === 4) return head.readUInt32LE(start)
  return Number(head.readBigUInt64LE(start))
}
