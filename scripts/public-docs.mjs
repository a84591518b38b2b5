/**
 * Every symbol that a door publishes has a doc comment that says what it is, and an `@example` with a `ts` fence
 * (`fences.mjs` compiles it); and every member of it (a method, an option, a field) stands in a fence, of a comment or of a
 * page. `node scripts/public-docs.mjs` prints those that lack one, and counts.
 *
 * A member stands in a fence where that names it: behind a dot, in an object that is given, or in a pattern that takes one apart.
 */
import { existsSync } from "node:fs"
import { dirname, join, relative } from "node:path"
import { fileURLToPath } from "node:url"
import ts from "typescript"
import { doors } from "../layers.mjs"
import { fenceProgram, findFences } from "./fences.mjs"

/** Types whose values Tidemark makes and takes: users pass them on, and have no use for what is in them. */
const OPAQUE = ["Schema", "ColumnType", "BoundJob", "ExecutableJob", "Trigger", "TimerDeclaration", "TypedSource"]
/** A member by which the compiler tells types apart. */
const MARK = "kind"

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

/** A sentence for each member of a published symbol that stands in no fence, and how many members there are. */
export function unshownMembers(root) {
  const files = doors
    .map((door) => join(root, "dist", door.replace(/\.ts$/, ".d.ts")))
    .filter((file) => existsSync(file))
  const { program, modules } = fenceProgram(root, findFences(root), files)
  const checker = program.getTypeChecker()
  const shown = new Set()
  for (const module of modules.keys()) addShown(program.getSourceFile(module), checker, shown)
  const members = new Map()
  for (const file of files) {
    const module = checker.getSymbolAtLocation(program.getSourceFile(file))
    for (const exported of module === undefined ? [] : checker.getExportsOfModule(module))
      for (const member of membersOf(exported, checker)) members.set(member, `${exported.name}.${member.name.text}`)
  }
  const isShown = (member) => checker.getSymbolAtLocation(member.name).declarations.some((each) => shown.has(each))
  const findings = [...members].filter(([member]) => !isShown(member)).map(([, name]) => `${name} is in no example.`)
  return { findings, members: members.size, fences: modules.size }
}

/** The members of an interface, class or object that is published, but for those that nobody can or need write. */
function membersOf(exported, checker) {
  const symbol = exported.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(exported) : exported
  if (OPAQUE.includes(exported.name)) return []
  const members = (symbol.declarations ?? []).flatMap(
    (declaration) => declaration.members ?? declaration.type?.members ?? [],
  )
  // What is typed as a problem is there to be refused.
  const isRefused = (member) => member.type !== undefined && /^Problem\b/.test(member.type.getText())
  const isNamed = ({ name }) => name !== undefined && ts.isIdentifier(name) && name.text !== MARK
  return members.filter((member) => isNamed(member) && !isRefused(member))
}

/** Adds the declarations of all members that are named in `node`. */
function addShown(node, checker, shown) {
  const add = (symbol) => symbol?.declarations?.forEach((declaration) => shown.add(declaration))
  const addOf = (type, name) => {
    if (type === undefined) return
    if (type.isUnionOrIntersection()) for (const part of type.types) addOf(part, name)
    add(checker.getPropertyOfType(checker.getApparentType(type), name))
  }
  if (ts.isPropertyAccessExpression(node)) add(checker.getSymbolAtLocation(node.name))
  else if (ts.isObjectLiteralExpression(node)) {
    const type = checker.getContextualType(node)
    for (const { name } of node.properties) if (name !== undefined && ts.isIdentifier(name)) addOf(type, name.text)
  } else if (ts.isBindingElement(node) && ts.isObjectBindingPattern(node.parent)) {
    const name = node.propertyName ?? node.name
    if (ts.isIdentifier(name)) addOf(checker.getTypeAtLocation(node.parent), name.text)
  }
  ts.forEachChild(node, (child) => addShown(child, checker, shown))
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const root = dirname(dirname(fileURLToPath(import.meta.url)))
  const { findings: unshown, members, fences } = unshownMembers(root)
  const findings = [...undocumentedSymbols(root), ...unshown]
  for (const finding of findings) console.error(finding)
  const percent = Math.floor(((members - unshown.length) / Math.max(members, 1)) * 100)
  console.log(
    `${members - unshown.length} of ${members} members (${percent} %) are in the examples of ${fences} fences`,
  )
  process.exitCode = findings.length === 0 ? 0 : 1
}
