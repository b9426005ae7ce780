import { Component, type ComponentChildren } from "preact"

interface Props {
  /** What is shown when the inside cannot be. */
  readonly fallback: (error: unknown) => ComponentChildren
  readonly children: ComponentChildren
}

/** Keeps a failure to draw one thing from taking the rest along. */
export class Boundary extends Component<Props, { error?: unknown }> {
  override state: { error?: unknown } = {}

  static override getDerivedStateFromError(error: unknown): { error: unknown } {
    return { error }
  }

  override render(): ComponentChildren {
    return "error" in this.state ? this.props.fallback(this.state.error) : this.props.children
  }
}
