/** What the machine is, in a line: numbers mean nothing without it. */
import { cpus, totalmem } from "node:os"

export function machineText() {
  const list = cpus()
  const gibibytes = (totalmem() / 2 ** 30).toFixed(0)
  return `${list.length} × ${list[0]?.model ?? "unknown"}, ${gibibytes} GiB; ${process.platform} ${process.arch}, Node ${process.versions.node}`
}
