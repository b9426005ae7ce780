/** Runs the command line of the process. What is built of it is bytecode, which has no `await` outside functions. */
import { run } from "./program.ts"

void run(process.argv.slice(2)).then((code) => {
  process.exitCode = code
})
