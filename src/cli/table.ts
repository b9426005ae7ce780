import type { Output } from "./output.ts"

/** Prints aligned columns with a head; the first ones hold texts, the others figures, which stand right. */
export async function table(
  output: Output,
  head: readonly string[],
  rows: readonly (readonly string[])[],
  texts = 1,
): Promise<void> {
  const widths = head.map((title, column) =>
    Math.max(...[title, ...rows.map((row) => row[column] ?? "")].map((cell) => Bun.stringWidth(cell))),
  )
  const layout = (row: readonly string[]): string =>
    row
      .map((cell, column) => {
        const space = " ".repeat(Math.max(0, (widths[column] ?? 0) - Bun.stringWidth(cell)))
        return column < texts ? cell + space : space + cell
      })
      .join("  ")
      .trimEnd()
  await output.line(output.style("bold", layout(head)))
  for (const row of rows) await output.line(layout(row))
}
