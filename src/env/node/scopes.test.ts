import { execFileSync } from "node:child_process"
import { writeFileSync, mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { pathToFileURL } from "node:url"
import vm from "node:vm"
import { Worker } from "node:worker_threads"
import { buildSync } from "esbuild"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { isDebuggerAttached, nodeScopes } from "./scopes.ts"

type AnyFunction = (...args: never[]) => unknown

const NAMES = [
  ...["undefined", "NaN", "Infinity", "Boolean", "Date", "Math", "Number", "RegExp", "String"],
  ...["isFinite", "isNaN", "parseFloat", "parseInt"],
]

const prover = nodeScopes()!
let scriptCount = 0
/** Where programs of the tests lie, and `scopes.ts` as a module for them. */
let directory = ""
let scopesModule = ""

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), "tidemark-scopes-"))
  const outfile = join(directory, "scopes.mjs")
  buildSync({
    entryPoints: [join(import.meta.dirname, "scopes.ts")],
    outfile,
    bundle: true,
    platform: "node",
    format: "esm",
  })
  scopesModule = pathToFileURL(outfile).href
})
afterAll(() => rmSync(directory, { recursive: true }))

/** What a program prints that runs in a process of its own. */
function inProcess(flags: readonly string[], program: readonly string[]): string {
  const path = join(directory, "program.mjs")
  writeFileSync(
    path,
    [`import { nodeScopes, isDebuggerAttached } from ${JSON.stringify(scopesModule)}`, ...program].join("\n"),
  )
  return execFileSync(process.execPath, [...flags, path], {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "ignore"],
  }).trim()
}

/** What a script of its own gives, as a file would. */
function scripted(text: string): AnyFunction {
  return vm.runInThisContext(text, { filename: `/job/script-${scriptCount++}.js` }) as AnyFunction
}

function proves(fn: unknown, names: readonly string[] = ["Math"]): boolean {
  return prover.areGenuineGlobals(fn as AnyFunction, names)
}

/** Written apart, so that this file itself has no function expression of such a name. */
const FUNCTION = ["func", "tion"].join("")

describe("the proof of global names", () => {
  it("SP1 holds for lambdas of scripts, modules and this file", () => {
    const limit = 1
    expect(proves((row: { x: number }) => Math.abs(row.x) > limit, NAMES)).toBe(true)
    expect(proves(scripted("(r) => Math.abs(r.x)"), NAMES)).toBe(true)
    expect(proves(scripted("(() => { const outer = 1; return (r) => Math.abs(r.x) + outer })()"), NAMES)).toBe(true)
    expect(proves(scripted("(class { static f = (r) => Math.abs(r.x) }).f"))).toBe(true)
  })

  it.each([
    ["a constant", "(() => { const Math = {}; return (r) => Math.abs(r.x) })()"],
    ["a parameter", "((Math) => (r) => Math.abs(r.x))()"],
    ["a caught error", "(() => { try { throw {} } catch (Math) { return (r) => Math.abs(r.x) } })()"],
    ["a loop's variable", "(() => { for (const Math of [{}]) return (r) => Math.abs(r.x) })()"],
    ["a destructured name", "(() => { const { abs: Math } = {}; return (r) => Math.abs(r.x) })()"],
    ["a class", "(class Math { static f = (r) => Math.abs(r.x) }).f"],
    ["a function declaration", `(() => { ${FUNCTION} Math() {} return (r) => Math.abs(r.x) })()`],
    ["a function expression", `(${FUNCTION} Math() { return (r) => Math.abs(r.x) })()`],
    [
      "a function expression that shows no scope",
      `(${FUNCTION} /* Number */ // x\n Math() { return (r) => Math.abs(r.x) })()`,
    ],
    ["a generator expression", `(${FUNCTION}* Math() { yield (r) => Math.abs(r.x) })().next().value`],
    ["an escaped name", `(${FUNCTION} M\\u0061th() { return (r) => Math.abs(r.x) })()`],
    ["a variable made by eval", `(${FUNCTION} () { eval('var Math = {}'); return (r) => Math.abs(r.x) })()`],
    ["with", "with ({}) { (r) => Math.abs(r.x) }"],
    ["with by inheritance", "with (Object.create({ Math: {} })) { (r) => Math.abs(r.x) }"],
  ])("SP1 fails where the name is shadowed by %s", (_, text) => {
    expect(proves(scripted(text))).toBe(false)
  })

  it("SP1 fails while the name is not yet initialised", () => {
    const tested = { value: true }
    const test = (fn: AnyFunction): boolean => (tested.value = proves(fn))
    ;(globalThis as { __test?: unknown }).__test = test
    scripted("(() => { const f = (r) => Math.abs(r.x); __test(f); const Math = {}; return f })()")
    delete (globalThis as { __test?: unknown }).__test
    expect(tested.value).toBe(false)
  })

  it("SP2 fails for what has no script of its own", () => {
    const functions: readonly unknown[] = [
      // eslint-disable-next-line @typescript-eslint/no-implied-eval -- that is the point
      new Function("r", "return Math.abs(r.x)"),
      (0, eval)("(r) => Math.abs(r.x)"),
      (0, eval)("(r) => Math.abs(r.x)\n//# sourceURL=/job/looks-like-a-file.js"),
      scripted(`(${FUNCTION} () { return eval('(r) => Math.abs(r.x)') })()`),
      ((row: { x: number }) => Math.abs(row.x)).bind(null),
      new Proxy((row: { x: number }) => Math.abs(row.x), {}),
      parseInt,
      vm.compileFunction("return (r) => Math.abs(r.x)", [], { contextExtensions: [{}] })(),
      undefined,
      {},
    ]
    expect(functions.map((fn) => proves(fn))).toEqual(functions.map(() => false))
  })

  it("SP2 fails for a function of another realm", () => {
    const context = vm.createContext({})
    expect(proves(vm.runInContext("(r) => Math.abs(r.x)", context, { filename: "/job/realm.js" }))).toBe(false)
    const own = vm.createContext({ Math, outer: (f: AnyFunction) => f })
    expect(proves(vm.runInContext("(r) => Math.abs(r.x)", own, { filename: "/job/realm-2.js" }))).toBe(false)
  })

  it("SP2 fails for other names", () => {
    expect(proves((row: unknown) => row, ["Map"])).toBe(false)
    expect(proves((row: unknown) => row, ["Math", "Object"])).toBe(false)
  })

  it("SP3 leaves nothing behind", () => {
    const before = Reflect.ownKeys(globalThis)
    proves((row: { x: number }) => Math.abs(row.x))
    proves(undefined)
    expect(Reflect.ownKeys(globalThis)).toEqual(before)
  })

  it("SP2 fails where the global object takes no property", () => {
    // In a process of its own, as this cannot be taken back.
    const program = [
      "Object.preventExtensions(globalThis)",
      'console.log(nodeScopes().areGenuineGlobals((r) => Math.abs(r.x), ["Math"]))',
    ]
    expect(inProcess([], program)).toBe("false")
  })

  it("SP2 fails where a debugger may attach", () => {
    const program = [
      'console.log(nodeScopes().areGenuineGlobals((r) => Math.abs(r.x), ["Math"]), isDebuggerAttached())',
    ]
    expect(inProcess([], program)).toBe("true false")
    expect(inProcess(["--inspect=127.0.0.1:0"], program)).toBe("false true")
    expect(isDebuggerAttached()).toBe(false)
  })

  it("SP1 fails where a built-in is replaced", () => {
    const steps = [
      ["", "true"],
      ["Math.abs = () => 1", "false"],
      ["Math.abs = abs", "true"],
      ['Object.defineProperty(Math, "abs", { get: () => abs, configurable: true })', "false"],
      ['Object.defineProperty(Math, "abs", { value: abs, configurable: true, writable: true })', "true"],
      ["globalThis.Math = { ...math }", "false"],
      ["globalThis.Math = math", "true"],
      ['Object.defineProperty(globalThis, "Math", { get: () => math, configurable: true })', "false"],
      ['Object.defineProperty(globalThis, "Math", { value: math, configurable: true, writable: true })', "true"],
      ['vm.runInThisContext("let Math = { abs: () => 3 }")', "false"],
    ] as const
    const program = [
      'import vm from "node:vm"',
      "const math = Math, abs = Math.abs, prover = nodeScopes()",
      "const proves = () => console.log(prover.areGenuineGlobals((r) => Math.abs(r.x), ['Math']))",
      ...steps.map(([step]) => `${step}; proves()`),
    ]
    expect(inProcess([], program).split("\n")).toEqual(steps.map(([, expected]) => expected))
  })

  it("GG1 fails where what is behind regular expressions or dates is replaced", () => {
    const steps = [
      ["", "true true"],
      ["RegExp.prototype.exec = () => null", "false true"],
      ["RegExp.prototype.exec = exec", "true true"],
      ['Object.defineProperty(RegExp.prototype, "flags", { get: () => "g", configurable: true })', "false true"],
      ['Object.defineProperty(RegExp.prototype, "flags", flags)', "true true"],
      ["Date.prototype.getUTCHours = () => 1", "true false"],
      ["Date.prototype.getUTCHours = hours", "true true"],
      ["globalThis.Date = class extends Date {}", "true false"],
    ] as const
    const program = [
      "const { exec } = RegExp.prototype, hours = Date.prototype.getUTCHours, prover = nodeScopes(), f = (r) => r.x",
      "const flags = Object.getOwnPropertyDescriptor(RegExp.prototype, 'flags')",
      "const proves = () => console.log(...['RegExp', 'Date'].map((name) => prover.areGenuineGlobals(f, [name])))",
      ...steps.map(([step]) => `${step}; proves()`),
    ]
    expect(inProcess([], program).split("\n")).toEqual(steps.map(([, expected]) => expected))
  })

  it("GG1 fails for what was replaced before", () => {
    const patches = join(directory, "patches.cjs")
    writeFileSync(patches, "Math.abs = Math.abs.bind(Math); String.prototype.trim = function () { return 'x' }")
    const program = [
      "const prover = nodeScopes(), f = (r) => r.x",
      "console.log(['Math', 'String', 'Number'].map((name) => prover.areGenuineGlobals(f, [name])).join())",
    ]
    expect(inProcess(["--require", patches], program)).toBe("false,false,true")
  })

  it("holds in a worker, too", async () => {
    const path = join(directory, "worker.mjs")
    const lines = [
      `import { nodeScopes } from ${JSON.stringify(scopesModule)}`,
      'import { parentPort } from "node:worker_threads"',
      'parentPort.postMessage(nodeScopes().areGenuineGlobals((r) => Math.abs(r.x), ["Math"]))',
    ]
    writeFileSync(path, lines.join("\n"))
    const worker = new Worker(path)
    const answer = await new Promise((resolve, reject) => worker.once("message", resolve).once("error", reject))
    await worker.terminate()
    expect(answer).toBe(true)
  })
})
