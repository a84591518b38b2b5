/**
 * Compiles small programs in memory, as a user's compiler would, and gives what it says of each.
 *
 * All programs of a test file are compiled at once: most of the time goes into reading what they have in common.
 */
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import ts from "typescript"

const ROOT = dirname(dirname(dirname(fileURLToPath(import.meta.url))))

/** What `tidemark` is to the programs. */
const PATHS = {
  tidemark: [join(ROOT, "src/index.ts")],
  "tidemark/files": [join(ROOT, "src/files.ts")],
  "tidemark/machine": [join(ROOT, "src/machine.ts")],
  "tidemark/http": [join(ROOT, "src/http.ts")],
  "tidemark/nexmark": [join(ROOT, "src/nexmark.ts")],
  "tidemark/postgres": [join(ROOT, "src/postgres.ts")],
  "tidemark/testing": [join(ROOT, "src/testing.ts")],
}

/** The compiler's options for programs of users. */
function userOptions(): ts.CompilerOptions {
  const { config } = ts.readConfigFile(join(ROOT, "tsconfig.json"), (path) => ts.sys.readFile(path)) as {
    config: Record<string, unknown>
  }
  const { options } = ts.parseJsonConfigFileContent({ ...config, files: [], include: [] }, ts.sys, ROOT)
  return { ...options, paths: PATHS, noUnusedLocals: false, noUnusedParameters: false }
}

/** Files that exist are parsed once for all programs of a process. */
const parsed = new Map<string, ts.SourceFile | undefined>()

/** A program with the given files, which need not exist. */
export function programOf(files: ReadonlyMap<string, string>, options = userOptions()): ts.Program {
  const host = ts.createCompilerHost(options)
  const { fileExists, readFile, getSourceFile } = host
  host.fileExists = (path) => files.has(path) || fileExists(path)
  host.readFile = (path) => files.get(path) ?? readFile(path)
  host.getSourceFile = (path, target, ...rest) => {
    const text = files.get(path)
    if (text !== undefined) return ts.createSourceFile(path, text, target, true)
    if (!parsed.has(path)) parsed.set(path, getSourceFile(path, target, ...rest))
    return parsed.get(path)
  }
  host.getCurrentDirectory = () => ROOT
  return ts.createProgram([...files.keys()], options, host)
}

/** Where a program that is not there would lie. */
export function virtualPath(name: string): string {
  return join(ROOT, "test/types", `${name}.virtual.ts`)
}

/** What the compiler says of each program, by its name. */
export function compileSnippets(snippets: Readonly<Record<string, string>>): Map<string, string> {
  const files = new Map(
    Object.entries(snippets).map(([name, text], index) => [virtualPath(`snippet-${index}`), { name, text }]),
  )
  const program = programOf(new Map([...files].map(([path, { text }]) => [path, text])))
  return new Map(
    [...files].map(([path, { name }]) => {
      const file = program.getSourceFile(path)!
      const diagnostics = [...program.getSyntacticDiagnostics(file), ...program.getSemanticDiagnostics(file)]
      return [name, diagnostics.map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, "\n")).join("\n")]
    }),
  )
}
