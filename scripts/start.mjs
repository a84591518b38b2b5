/** `npm start`: installs what is missing, builds, and runs the example job on real data; arguments are passed on. */
import { join } from "node:path"
import { ROOT, become, prepare, runMain } from "./bootstrap.mjs"

await runMain(async () => {
  await prepare()
  await become(join(ROOT, "examples", "flights", "start.mjs"), process.argv.slice(2))
})
