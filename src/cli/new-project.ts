/**
 * Makes a new project: files from `templates/project/` of this package, and those that depend on where and by which
 * Tidemark they are made.
 *
 * Invariants:
 * - NP1 Where one of the files is there, none is written.
 * - NP2 Where one cannot be written, those that were are removed again. No file that was there is ever touched.
 * - NP3 The project depends on the Tidemark that makes it, from where that has come (`own-dependency.ts`).
 */
import { lstatSync, statSync } from "node:fs"
import { mkdir, readFile, rm, rmdir, writeFile } from "node:fs/promises"
import { createRequire } from "node:module"
import { basename, dirname, join, resolve } from "node:path"
import { TidemarkError } from "../base/errors.ts"
import { dependencyOn, type OwnDependency } from "./own-dependency.ts"
import { systemFailure } from "./system-failure.ts"

/** Files that are as they are in the templates, but for the project's name. */
const TEMPLATES = ["README.md", "tsconfig.json", "src/requests.ts", "src/requests.test.ts", "data/requests.csv"]

const TOOLS = { typescript: "~5.9.0", vitest: "^4.1.0" }

const GITIGNORE = `node_modules/
# What jobs write, and what they remember.
out/
.tidemark/
`

/** What was made. */
export interface NewProject {
  /** Relative to the project's directory. */
  readonly files: readonly string[]
  readonly tidemark: OwnDependency
}

/**
 * Makes the project.
 *
 * @throws TidemarkError `project-occupied` where a file is there; `disk-failed` or `disk-full`.
 */
export async function newProject(directory: string): Promise<NewProject> {
  const root = resolve(directory)
  const own = dirname(createRequire(import.meta.url).resolve("tidemark/package.json"))
  const tidemark = dependencyOn(own, root)
  const files = await projectFiles(root, own, tidemark.spec)
  checkFree(directory, root, Object.keys(files))
  await writeAll(root, files)
  return { files: Object.keys(files), tidemark }
}

async function projectFiles(root: string, own: string, tidemark: string): Promise<Record<string, string>> {
  const name = packageName(root)
  const texts = await Promise.all(
    TEMPLATES.map(async (file) => {
      const text = await readFile(join(own, "templates", "project", file), "utf8")
      return [file, text.replaceAll("PROJECT_NAME", name)] as const
    }),
  )
  return {
    "package.json": `${JSON.stringify(manifest(name, tidemark), null, 2)}\n`,
    ".gitignore": GITIGNORE,
    ...Object.fromEntries(texts),
  }
}

function manifest(name: string, tidemark: string): object {
  return {
    name,
    private: true,
    type: "module",
    scripts: {
      start: "tidemark run src/requests.ts",
      explain: "tidemark explain src/requests.ts",
      test: "tsc && vitest run",
    },
    dependencies: { tidemark },
    devDependencies: TOOLS,
    engines: { node: ">=20.19" },
  }
}

/** The directory's name, as names of packages may be. */
function packageName(root: string): string {
  const name = basename(root)
    .toLowerCase()
    .replaceAll(/[^a-z0-9._-]+/g, "-")
    .replace(/^[._-]+/, "")
    .replace(/-+$/, "")
    .slice(0, 200)
  // npm installs no package into one of the same name.
  const isOwn = name === "" || name === "tidemark" || name in TOOLS
  return isOwn ? "tidemark-job" : name
}

/** Whether something is at the path of a file, or in the place of a directory that it lies in. */
function isTaken(root: string, file: string): boolean {
  const parts = file.split("/")
  for (const [index] of parts.entries()) {
    const path = join(root, ...parts.slice(0, index + 1))
    if (lstatSync(path, { throwIfNoEntry: false }) === undefined) return false
    const isDirectory = statSync(path, { throwIfNoEntry: false })?.isDirectory() === true
    if (!isDirectory) return true
  }
  return true
}

function checkFree(directory: string, root: string, files: readonly string[]): void {
  let there: string[]
  try {
    const obstacle = obstacleTo(root)
    if (obstacle === root) throw occupied(`${directory} is no directory.`)
    if (obstacle !== undefined) throw occupied(`${obstacle} is no directory, so ${directory} cannot be made.`)
    there = files.filter((file) => isTaken(root, file))
  } catch (error) {
    throw error instanceof TidemarkError ? error : systemFailure("look at", root, error)
  }
  if (there.length === 0) return
  const where = directory === "." ? "This directory" : `The directory ${directory}`
  throw occupied(`${where} has what a new project would write: ${there.join(", ")}.`)
}

/** What is in the way of a directory: itself, or one above it, that is something else. */
function obstacleTo(path: string): string | undefined {
  const above = dirname(path) === path ? undefined : obstacleTo(dirname(path))
  if (above !== undefined || lstatSync(path, { throwIfNoEntry: false }) === undefined) return above
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true ? undefined : path
}

function occupied(problem: string): TidemarkError {
  return new TidemarkError("project-occupied", problem, {
    hint: "Nothing was written. Name a directory that is new, or has none of these files: tidemark init my-project",
  })
}

async function writeAll(root: string, files: Readonly<Record<string, string>>): Promise<void> {
  const undo: (() => Promise<void>)[] = []
  let path = root
  try {
    undo.unshift(...(await makeDirectory(root)))
    for (const [file, text] of Object.entries(files)) {
      path = join(root, file)
      undo.unshift(...(await makeDirectory(dirname(path))))
      // With "x" a file that has come meanwhile is a failure, too.
      await writeFile(path, text, { flag: "wx" })
      const written = path
      undo.unshift(() => rm(written))
    }
  } catch (error) {
    for (const step of undo) await step().catch(() => undefined)
    throw systemFailure("write", path, error)
  }
}

/** Makes a directory and those above it that there are not; gives how each is removed, unless something else has come into it. */
async function makeDirectory(path: string): Promise<(() => Promise<void>)[]> {
  const first = await mkdir(path, { recursive: true })
  if (first === undefined) return []
  const made = [path]
  while (made.at(-1) !== first) made.push(dirname(made.at(-1)!))
  return made.map((each) => () => rmdir(each))
}
