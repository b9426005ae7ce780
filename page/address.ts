/** The address that a link may lead to; nothing for any but web pages and mail. */
export function safeAddress(href: string): string | undefined {
  try {
    const url = new URL(href)
    return ["http:", "https:", "mailto:"].includes(url.protocol) ? url.href : undefined
  } catch {
    return undefined
  }
}

/** Pictures that are in the record itself; nothing is ever loaded from elsewhere, and SVG can hold more than a picture. */
const PICTURE = /^data:image\/(?:png|jpeg|gif|webp);base64,[A-Za-z0-9+/=\s]+$/

/** The address of a picture that may be shown. */
export function safePicture(url: unknown): string | undefined {
  return typeof url === "string" && PICTURE.test(url) ? url : undefined
}
