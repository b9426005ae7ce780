import {
  elementScroll,
  observeElementOffset,
  observeElementRect,
  Virtualizer,
  type VirtualizerOptions,
} from "@tanstack/virtual-core"
import { useLayoutEffect, useState } from "preact/hooks"

type Options = Omit<
  VirtualizerOptions<HTMLElement, HTMLElement>,
  "observeElementRect" | "observeElementOffset" | "scrollToFn" | "onChange"
>

export type Rows = Virtualizer<HTMLElement, HTMLElement>

/** Shows a window of a long list: the rows in sight, and a few around them. */
export function useVirtual(options: Options): Rows {
  const [, again] = useState(0)
  const full: VirtualizerOptions<HTMLElement, HTMLElement> = {
    ...options,
    observeElementRect,
    observeElementOffset,
    scrollToFn: elementScroll,
    onChange: () => again((count) => count + 1),
  }
  const [rows] = useState(() => new Virtualizer(full))
  rows.setOptions(full)
  useLayoutEffect(() => rows._didMount(), [rows])
  useLayoutEffect(() => rows._willUpdate())
  return rows
}
