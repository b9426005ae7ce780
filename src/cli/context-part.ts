import type { JsonObject } from "../record/extract.ts"

/** Whether a text is what the agent said in the person's place: its instructions, the environment, files that were named. */
export function isContext({ synthetic, ignored }: JsonObject): boolean {
  return synthetic === true || ignored === true
}
