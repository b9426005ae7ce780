import { useState } from "preact/hooks"
import type { JsonObject } from "../src/record/extract.ts"
import { safePicture } from "./address.ts"
import { bytes, textOf } from "./format.ts"
import { Icon } from "./icons.tsx"

/** A file given to a message: pictures are shown, all else is named. */
export function FilePart({ part }: { part: JsonObject }) {
  const [large, setLarge] = useState(false)
  const [broken, setBroken] = useState(false)
  const name = textOf(part.filename) || textOf(part.mime) || "File"
  const picture = safePicture(part.url)
  if (picture === undefined || broken)
    return (
      <p class="file">
        <Icon name="file" /> <span class="path">{name}</span>{" "}
        <span class="faint">
          {textOf(part.mime)}
          {broken ? ", cannot be shown" : ""}
        </span>
      </p>
    )
  return (
    <figure class={`picture ${large ? "large" : ""}`}>
      <button
        type="button"
        aria-pressed={large}
        aria-label={`${name}, ${large ? "make smaller" : "make larger"}`}
        onClick={() => setLarge(!large)}
      >
        <img src={picture} alt={name} onError={() => setBroken(true)} />
      </button>
      <figcaption>
        {name} <span class="faint">{bytes(Math.round((picture.length * 3) / 4))}</span>
      </figcaption>
    </figure>
  )
}
