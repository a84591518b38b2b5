/**
 * Type-checks every `ts` fence of the docs and of the doc comments in `src/`, each as a module of its own, against the
 * built package: `tidemark` resolves as it does for a user, through `exports` of package.json. A fence that names a file,
 * as "```ts orders.ts" does, can be imported as that by the other fences of its page.
 *
 * `node scripts/fences.mjs` prints what does not compile, with the line in the page or comment.
 */
import { existsSync, readFileSync, readdirSync } from "node:fs"
import { dirname, join, relative } from "node:path"
import { fileURLToPath } from "node:url"
import ts from "typescript"

const PAGES = ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md", "docs", "examples"]
const FENCE = /^([ \t]*)(?:```|~~~)(?:ts|typescript|mts)\b([^\n]*)\n([\s\S]*?)^[ \t]*(?:```|~~~)[ \t]*$/gm
const DOC_COMMENT = /\/\*\*[\s\S]*?\*\//g

/**
 * @typedef {{ file: string, line: number, name?: string, code: string }} Fence `line` is that of the first line of code,
 *   from 1; `name` the file that the fence says it is.
 */

/** All fences below `root`. */
export function findFences(root) {
  const pages = PAGES.flatMap((name) => filesBelow(join(root, name), /\.md$/))
  const sources = filesBelow(join(root, "src"), /(?<!\.(?:test|fuzz|bench)|\.d)\.ts$/)
  return [
    ...pages.flatMap((file) => fencesOf(file, readFileSync(file, "utf8"))),
    ...sources.flatMap((file) => fencesOfComments(file, readFileSync(file, "utf8"))),
  ]
}

/** Each fence that does not compile, as `file:line: message`. */
export function checkFences(root, fences) {
  const { program, modules, twice } = fenceProgram(root, fences)
  if (twice !== undefined) return [`${relative(root, twice.file)}:${twice.line}: two fences are ${twice.name}.`]
  return ts
    .getPreEmitDiagnostics(program)
    .filter((diagnostic) => !diagnostic.file?.fileName.includes("/node_modules/"))
    .map((diagnostic) => sentence(root, modules, diagnostic))
}

/**
 * A program of all fences, and of other files. `modules` has the fences by the files that they stand for; `twice` is one that has
 * the name of another.
 */
export function fenceProgram(root, fences, others = []) {
  const folderOf = (fence) => `${fence.file}.fences`
  const folders = new Set(fences.map(folderOf))
  const modules = new Map()
  let twice
  for (const fence of fences) {
    const module = `${folderOf(fence)}/${fence.name ?? `${fence.line}.ts`}`
    if (modules.has(module)) twice ??= fence
    modules.set(module, fence)
  }
  const options = fenceOptions(root)
  const host = ts.createCompilerHost(options)
  const { directoryExists, fileExists, readFile, getSourceFile } = host
  host.directoryExists = (directory) => folders.has(directory) || directoryExists(directory)
  host.fileExists = (file) => modules.has(file) || fileExists(file)
  host.readFile = (file) => modules.get(file)?.code ?? readFile(file)
  host.getSourceFile = (file, ...rest) => {
    const fence = modules.get(file)
    return fence ? ts.createSourceFile(file, fence.code, rest[0], true) : getSourceFile(file, ...rest)
  }
  host.getCurrentDirectory = () => root
  return { program: ts.createProgram([...modules.keys(), ...others], options, host), modules, twice }
}

function fenceOptions(root) {
  const file = join(root, "tsconfig.json")
  const { config } = ts.readConfigFile(file, ts.sys.readFile)
  const { options } = ts.parseJsonConfigFileContent({ ...config, files: [], include: [] }, ts.sys, root)
  return {
    ...options,
    noEmit: true,
    // A user's compiler may look into our declarations, too.
    skipLibCheck: false,
    moduleDetection: ts.ModuleDetectionKind.Force,
    // What an example shows need not be used in it, and a reader may write `import` where we write `import type`.
    noUnusedLocals: false,
    noUnusedParameters: false,
    verbatimModuleSyntax: false,
  }
}

function fencesOf(file, text) {
  return [...text.matchAll(FENCE)].map((match) => {
    const before = text.slice(0, match.index)
    const line = before.split("\n").length + 1
    const name = /^ +([\w-]+(?:\.[\w-]+)*\.ts)$/.exec(match[2])?.[1]
    return { file, line, name, code: match[3] }
  })
}

function fencesOfComments(file, text) {
  return [...text.matchAll(DOC_COMMENT)].flatMap((match) => {
    const firstLine = text.slice(0, match.index).split("\n").length
    const comment = match[0].replaceAll(/^[ \t]*(?:\/\*\*|\*\/|\*) ?/gm, "")
    return fencesOf(file, comment).map((fence) => ({ ...fence, line: fence.line + firstLine - 1 }))
  })
}

function sentence(root, modules, diagnostic) {
  const message = ts.flattenDiagnosticMessageText(diagnostic.messageText, "\n  ")
  const fence = diagnostic.file && modules.get(diagnostic.file.fileName)
  if (!fence) return `${diagnostic.file ? relative(root, diagnostic.file.fileName) : "tsconfig.json"}: ${message}`
  const { line } = diagnostic.file.getLineAndCharacterOfPosition(diagnostic.start)
  return `${relative(root, fence.file)}:${fence.line + line}: ${message}`
}

function filesBelow(path, pattern) {
  if (!existsSync(path)) return []
  if (pattern.test(path)) return [path]
  return readdirSync(path, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && pattern.test(entry.name))
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name))
    .filter((file) => !file.includes("/node_modules/"))
    .sort()
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const root = dirname(dirname(fileURLToPath(import.meta.url)))
  const fences = findFences(root)
  const findings = checkFences(root, fences)
  for (const finding of findings) console.error(finding)
  console.log(`${fences.length} fences, ${findings.length} findings`)
  process.exitCode = findings.length === 0 ? 0 : 1
}
