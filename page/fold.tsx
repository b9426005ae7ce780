import type { ComponentChildren } from "preact"
import { Icon } from "./icons.tsx"

/** Whether something is unfolded, kept by whoever shows it. */
export interface Folding {
  readonly open: boolean
  readonly onToggle: () => void
}

/** One line that unfolds. */
export function Fold({
  open,
  onToggle,
  name,
  detail,
  time = "",
  state,
  extra,
  className = "",
  children,
}: Folding & {
  name: ComponentChildren
  detail: string
  time?: string
  state?: string
  extra?: ComponentChildren
  className?: string
  children: ComponentChildren
}) {
  return (
    <div class={`fold ${className} ${open ? "open" : ""}`} data-state={state}>
      <button type="button" class="fold-head" aria-expanded={open} onClick={onToggle}>
        <Icon name="chevron" />
        {state !== undefined && <span class="dot" aria-hidden="true" />}
        <span class="fold-name">{name}</span>
        <span class="fold-detail">{detail}</span>
        {extra}
        {state !== undefined && state !== "completed" && <span class="state">{state}</span>}
        {time !== "" && <span class="time">{time}</span>}
      </button>
      {open && <div class="fold-body">{children}</div>}
    </div>
  )
}
