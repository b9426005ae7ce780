import type { Page } from "../index.ts"

/**
 * The `Link` header (RFC 8288) of a page: `next` is older, `prev` newer. The targets are relative, so that they hold wherever
 * the handler is mounted.
 */
export function pageLinks(
  url: string,
  { older, newer }: Pick<Page<unknown>, "older" | "newer">,
): string | undefined {
  const link = (cursor: string, rel: string): string => {
    const { searchParams } = new URL(url)
    for (const name of ["from", "token"]) searchParams.delete(name)
    searchParams.set("cursor", cursor)
    return `<?${searchParams}>; rel="${rel}"`
  }
  const links = [older && link(older, "next"), newer && link(newer, "prev")].filter(Boolean)
  return links.length > 0 ? links.join(", ") : undefined
}
