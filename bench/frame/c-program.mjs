/** Compiles a C file for this machine, where it has a compiler. */
import { spawnSync } from "node:child_process"
import { basename, join } from "node:path"

/** Some compilers know their own machine under another name. */
const FLAGS = [["-O3", "-march=native"], ["-O3", "-mcpu=native"], ["-O3"]]

/** The program's path and how it was compiled, or `undefined` where there is no compiler. */
export function compileC(file, directory) {
  const command = process.env.CC ?? "cc"
  const program = join(directory, basename(file, ".c"))
  if (spawnSync(command, ["--version"]).error !== undefined) return undefined
  let said = ""
  for (const flags of FLAGS) {
    const { status, stderr } = spawnSync(command, [...flags, "-Wno-psabi", "-o", program, file], { encoding: "utf8" })
    if (status === 0) return { program, label: `${command} ${flags.join(" ")}` }
    said = stderr
  }
  throw new Error(`${basename(file)} does not compile:\n${said}`)
}
