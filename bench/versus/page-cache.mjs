/** Takes a file out of the system's page cache, so that a run has to read it from the disk. */
import { spawnSync } from "node:child_process"
import { closeSync, fsyncSync, openSync } from "node:fs"

/** Gives whether it could: GNU's dd asks the system to, on Linux, without being root. */
export function evict(path) {
  // What is not on the disk yet stays.
  const file = openSync(path, "r+")
  fsyncSync(file)
  closeSync(file)
  const { status } = spawnSync("dd", [`if=${path}`, "iflag=nocache", "count=0", "status=none"], { stdio: "ignore" })
  return status === 0
}
