import { fieldsOf, type JsonObject } from "../../../../record/extract.ts"
import { present } from "../../../../record/present.ts"
import { textOf } from "./content.ts"

/** An `image` or `document` block as a file part; `undefined` for other blocks, and where there is nothing to show. */
export function filePart({ type, source, title }: JsonObject): JsonObject | undefined {
  if (type !== "image" && type !== "document") return undefined
  const { type: kind, media_type, data, url } = fieldsOf(source)
  const mime = textOf(media_type) ?? (type === "image" ? "image/png" : "application/pdf")
  const text = textOf(data)
  const base64 = kind === "text" && text ? Buffer.from(text).toString("base64") : text
  const place = base64 ? `data:${mime};base64,${base64}` : textOf(url)
  if (place === undefined) return undefined
  return present({ type: "file", mime, url: place, filename: textOf(title) })
}
