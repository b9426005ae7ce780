/** Does what `src/cli/main.ts` does, whose `await` at its top level bytecode cannot hold. */
import { run } from "../../src/cli/program.ts"

void run(process.argv.slice(2)).then((code) => {
  process.exitCode = code
})
