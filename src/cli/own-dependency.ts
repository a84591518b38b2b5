/**
 * From where a new project gets Tidemark: from where the one that makes it has come (NP3).
 *
 * | the one that makes it | the project depends on |
 * |---|---|
 * | a checkout | the checkout |
 * | installed from a file or an address, as the package.json above `node_modules` says | that file or address |
 * | installed by its version, as that says | its version |
 * | installed, and nothing says from where | its version, and `init` says so |
 */
import { existsSync, readFileSync } from "node:fs"
import { join, relative, resolve, sep } from "node:path"
import { VERSION } from "../runtime/version.ts"

/** What stands behind `tidemark` in a project's dependencies. */
export interface OwnDependency {
  readonly spec: string
  /** Whether it is known that this is from where it came. */
  readonly isKnown: boolean
}

const MODULES = "node_modules"
const FILE = "file:"

/**
 * What a project depends on.
 *
 * @param own the package's directory, links resolved.
 * @param root that of the project.
 */
export function dependencyOn(own: string, root: string): OwnDependency {
  const names = own.split(sep)
  // The first one: pnpm has others below it.
  const at = names.indexOf(MODULES)
  if (at === -1) return { spec: fileSpec(own, root), isKnown: true }
  const above = names.slice(0, at).join(sep) || sep
  const said = specIn(join(above, "package.json"))
  const version = { spec: `^${VERSION}`, isKnown: said !== undefined }
  if (said === undefined || !said.includes(":")) return version
  if (/^(?:https?|git\+\w+|git|github):/.test(said)) return { spec: said, isKnown: true }
  if (!said.startsWith(FILE)) return version
  const path = resolve(above, said.slice(FILE.length))
  return existsSync(path) ? { spec: fileSpec(path, root), isKnown: true } : { ...version, isKnown: false }
}

function fileSpec(path: string, root: string): string {
  return `${FILE}${relative(root, path).split(sep).join("/")}`
}

/** What a package.json says of Tidemark; nothing where there is none that can be read. */
function specIn(path: string): string | undefined {
  let manifest: unknown
  try {
    manifest = JSON.parse(readFileSync(path, "utf8"))
  } catch {
    return undefined
  }
  for (const kind of ["dependencies", "devDependencies", "optionalDependencies"]) {
    const spec = memberOf(memberOf(manifest, kind), "tidemark")
    if (typeof spec === "string") return spec
  }
  return undefined
}

function memberOf(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>)[name] : undefined
}
