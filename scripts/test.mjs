/** `npm test`: installs what is missing, builds, and runs all tests; arguments are passed on to vitest. */
import { join } from "node:path"
import { ROOT, become, prepare, runMain } from "./bootstrap.mjs"

await runMain(async () => {
  await prepare()
  process.chdir(ROOT)
  // Left alone, NODE_ENV=production would make the test runner and the code under test behave as in production.
  process.env.NODE_ENV = "test"
  await become(join(ROOT, "node_modules", "vitest", "vitest.mjs"), ["run", ...process.argv.slice(2)])
})
