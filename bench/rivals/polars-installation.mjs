/** Polars, which only benchmarks compare with: installed beside them when it is first wanted, in a package of its own. */
import { spawnSync } from "node:child_process"
import { existsSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"

const FOLDER = fileURLToPath(new URL(".", import.meta.url))

/**
 * Whether Polars is at hand. `npm install` and not `npm ci`: the lockfile need not list the binaries of all platforms.
 */
export function hasPolars() {
  if (!existsSync(join(FOLDER, "node_modules/nodejs-polars"))) {
    process.stderr.write("installing Polars, once …\n")
    const options = [
      "--no-save",
      "--ignore-scripts",
      "--include=optional",
      "--no-audit",
      "--no-fund",
      "--loglevel=error",
    ]
    spawnSync("npm", ["install", ...options], { cwd: FOLDER, stdio: ["ignore", "ignore", "inherit"] })
  }
  return spawnSync(process.execPath, ["-e", 'require("nodejs-polars")'], { cwd: FOLDER }).status === 0
}
