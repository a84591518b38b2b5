/** `tidemark init [DIR]`: makes a project that runs, with a job, its test and data. */
import { TidemarkError } from "../../base/errors.ts"
import { EXIT } from "../exit-codes.ts"
import { newProject } from "../new-project.ts"
import type { OwnDependency } from "../own-dependency.ts"
import { printable } from "../printable.ts"
import { errorText } from "../report.ts"

/** Runs the command; gives the exit code. */
export async function initCommand(directory: string): Promise<number> {
  try {
    const { files, tidemark } = await newProject(directory)
    const enter = directory === "." ? "" : `cd ${shellWord(directory)} && `
    const made = `Made a job, its test and data to run it on in ${printable(directory === "." ? "this directory" : directory)}:`
    const next = ["Next:", `  ${enter}npm install`, "  npm start"]
    const lines = [
      made,
      ...files.map((file) => `  ${file}`),
      "",
      ...(tidemark.isKnown ? [] : origin(tidemark)),
      ...next,
    ]
    process.stdout.write(`${lines.join("\n")}\n`)
    return EXIT.finished
  } catch (error) {
    process.stderr.write(errorText(error))
    return error instanceof TidemarkError && error.code === "project-occupied" ? EXIT.usage : EXIT.failed
  }
}

/** What is to be known where nothing tells from where this Tidemark has come. */
function origin({ spec }: OwnDependency): string[] {
  return [
    `Nothing says from where this tidemark was installed, so the project asks npm's registry for tidemark ${spec}.`,
    "If it came from a file, name that instead in the next step: npm install FILE",
    "",
  ]
}

/** A path as one word of a shell. */
function shellWord(path: string): string {
  const isPlain = /^[\w./@:%+,][\w./@:%+,-]*$/.test(path)
  const safe = path.startsWith("-") ? `./${path}` : path
  return isPlain ? path : `'${safe.replaceAll("'", `'\\''`)}'`
}
