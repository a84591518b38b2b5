/**
 * Every symbol that a door publishes has a doc comment that says what it is, and an `@example` with a `ts` fence
 * (`fences.mjs` compiles it). `node scripts/public-docs.mjs` prints those that lack one.
 */
import { existsSync } from "node:fs"
import { dirname, join, relative } from "node:path"
import { fileURLToPath } from "node:url"
import ts from "typescript"
import { doors } from "../layers.mjs"

/** A sentence for each published symbol without its comment or example. */
export function undocumentedSymbols(root) {
  const files = doors.map((door) => join(root, "src", door)).filter((file) => existsSync(file))
  const { config } = ts.readConfigFile(join(root, "tsconfig.json"), ts.sys.readFile)
  const { options } = ts.parseJsonConfigFileContent({ ...config, files: [], include: [] }, ts.sys, root)
  const program = ts.createProgram(files, options)
  const checker = program.getTypeChecker()
  const findings = new Set()
  for (const file of files) {
    const module = checker.getSymbolAtLocation(program.getSourceFile(file))
    if (module === undefined) continue
    for (const exported of checker.getExportsOfModule(module)) {
      const symbol = exported.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(exported) : exported
      const problem = problemOf(symbol, checker)
      if (problem !== undefined) findings.add(`${place(root, symbol)}: ${exported.name} ${problem}.`)
    }
  }
  return [...findings]
}

function problemOf(symbol, checker) {
  if (symbol.getDocumentationComment(checker).length === 0) return "is published and has no doc comment"
  const examples = symbol.getJsDocTags(checker).filter((tag) => tag.name === "example")
  const hasFence = examples.some((tag) => ts.displayPartsToString(tag.text).includes("```ts"))
  return hasFence ? undefined : "is published and has no @example with a ts fence"
}

function place(root, symbol) {
  const declaration = symbol.declarations?.[0]
  if (declaration === undefined) return "src"
  const file = declaration.getSourceFile()
  const { line } = file.getLineAndCharacterOfPosition(declaration.getStart())
  return `${relative(root, file.fileName)}:${line + 1}`
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const findings = undocumentedSymbols(dirname(dirname(fileURLToPath(import.meta.url))))
  for (const finding of findings) console.error(finding)
  process.exitCode = findings.length === 0 ? 0 : 1
}
