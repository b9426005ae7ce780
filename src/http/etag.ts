/** Tells whether the client's copy is the one of this tag, compared weakly (RFC 9110, 13.1.2). */
function isKnown(request: Request, tag: string): boolean {
  const known = request.headers.get("if-none-match")
  if (known === null) return false
  return known.trim() === "*" || (known.match(/"[^"]*"/g)?.includes(tag) ?? false)
}

/** Answers with 304 where the client has this version already, otherwise with what `answer` gives, tagged with it. */
export async function answerUnlessKnown(
  request: Request,
  version: string | undefined,
  answer: (tag: string | undefined) => Response | Promise<Response>,
): Promise<Response> {
  if (version === undefined) return answer(undefined)
  const tag = `"${version}"`
  if (!isKnown(request, tag)) return answer(tag)
  return new Response(null, {
    status: 304,
    headers: { ETag: tag, "Cache-Control": "no-cache", Vary: "Accept" },
  })
}
