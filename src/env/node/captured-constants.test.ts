/** Constants that functions capture, as `scopes.ts` and `bindings.ts` prove them. */
import { execFileSync } from "node:child_process"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import vm from "node:vm"
import { buildSync } from "esbuild"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { nodeScopes } from "./scopes.ts"

type AnyFunction = (...args: never[]) => unknown

const prover = nodeScopes()!
let scriptCount = 0

/** What a script of its own gives, as a file would. */
function scripted(text: string, options: vm.RunningScriptOptions = {}): AnyFunction {
  return vm.runInThisContext(text, { filename: `/job/captured-${scriptCount++}.js`, ...options }) as AnyFunction
}

function constantIn(text: string, name = "x"): unknown {
  return prover.capturedConstant(scripted(text), name)
}

describe("captured constants", () => {
  it.each<readonly [text: string, value: unknown]>([
    ["(() => { const x = 5; return (r) => r > x })()", 5],
    ["(() => { const x = 5; return r => r > x })()", 5],
    ["(() => { const x = 5; return function (r) { return r > x } })()", 5],
    ["(() => { const x = 5; return function named(r) { return r > x } })()", 5],
    ["(() => { const x = 'a\\ud800\\u2028'; return () => x })()", "a\ud800\u2028"],
    ["(() => { const x = -0; return () => x })()", -0],
    ["(() => { const x = NaN; return () => x })()", NaN],
    ["(() => { const x = -(2n ** 70n); return () => x })()", -(2n ** 70n)],
    ["(() => { const x = null; return () => x })()", null],
    ["(() => { const x = false; return () => x })()", false],
    ["(() => { let x = 5; return () => x })()", 5],
    ["(() => { var x = 5; return () => x })()", 5],
    ["(() => { const { a: { b: [x = 7] } } = { a: { b: [] } }; return () => x })()", 7],
    ["((x) => () => x)(5)", 5],
    ["(({ x = 3 }, ...rest) => () => x)({})", 3],
    ["(function (x) { return () => x })(5)", 5],
    ["(() => { for (const x of [5]) return () => x })()", 5],
    ["(() => { for (let i = 0; i < 1; i++) { const x = 5; return () => x } })()", 5],
    ["(() => { for (let i = 0, x = 5; i < 1; i++) return () => x })()", 5],
    ["(() => { switch (1) { case 1: const x = 5; return () => x } })()", 5],
    // Another variable of that name is assigned.
    ["(() => { let x = 5; const f = (x) => { x = 6 }; f(1); return () => x })()", 5],
    ["(() => { let x = 5; { let x = 1; x++ } return () => x })()", 5],
    ["(() => { let x = 5; const f = function x() { x = 1 }; f(); return () => x })()", 5],
    ["(() => { let x = 5, o = {}; o.x = 1; [o[x]] = [2]; return () => x })()", 5],
    ["(() => { let y = 1; y = 2; const x = 5; return () => x })()", 5],
    ["const y\u2028= 1;\r\n(() => { const x = 5;\r return () => x })()", 5],
    ["(class { static f = (() => { const x = 5; return () => x })() }).f", 5],
  ])("SP4 are told of %s", (text, value) => {
    expect(constantIn(text)).toEqual([value])
  })

  it.each([
    ["what is assigned", "(() => { let x = 5; x = 6; return () => x })()"],
    ["what is assigned later", "(() => { let x = 5; const f = () => x; globalThis; x = 6; return f })()"],
    ["what a function assigns", "(() => { let x = 5; const set = () => { x = 6 }; return () => x })()"],
    ["what the function itself assigns", "(() => { let x = 5; return () => x++ })()"],
    ["what is counted", "(() => { let x = 5; --x; return () => x })()"],
    ["what `+=` changes", "(() => { let x = 5; x += 1; return () => x })()"],
    ["what a pattern assigns", "(() => { let x = 5; ({ a: [x = 1] } = { a: [] }); return () => x })()"],
    ["what the rest of a pattern assigns", "(() => { let x = 5; [, ...{ length: x }] = [1, 2]; return () => x })()"],
    ["what a loop assigns", "(() => { let x = 5; for (x of [6]); return () => x })()"],
    ["what a loop over names assigns", "(() => { let x = 5; for ([x] in { ab: 1 }); return () => x })()"],
    ["a loop's counter", "(() => { for (let x = 0; x < 1; x++) return () => x })()"],
    ["a variable that a loop declares anew", "(() => { for (const i of [1]) { var x = i } return () => x })()"],
    ["a loop's variable", "(() => { for (var x of [1]) return () => x })()"],
    ["what is declared twice", "(() => { var x = 5; var x = 6; return () => x })()"],
    ["a parameter that is declared again", "((x) => { var x = 6; return () => x })(5)"],
    ["a parameter that is assigned", "((x) => { x = 6; return () => x })(5)"],
    ["a default value that assigns", "((x, y = (x = 6)) => () => x)(5)"],
    [
      "a default value that assigns beside a variable",
      "(() => { let x = 5; (function (y = (x = 6)) { var x })(); return () => x })()",
    ],
    [
      "what is assigned beside a variable of a body that a default value does not see",
      "(() => { let x = 1; const g = (function (f = () => x) { var x = 2; return f })(); x = 3; return g })()",
    ],
    ["arguments", "(function (x) { arguments[0] = 6; return () => x })(5)"],
    ["eval", "(() => { let x = 5; eval('x = 6'); return () => x })()"],
    ["eval elsewhere", "(() => { let x = 5; const f = (code) => eval(code); return () => x })()"],
    ["eval in sloppy code", "(() => { const x = 5; return (() => { eval('var x = 6'); return () => x })() })()"],
    ["with", "(() => { const x = 5; with ({ x: 6 }) return () => x })()"],
    ["with elsewhere", "(() => { let x = 5; with ({}) x; return () => x })()"],
    ["undefined", "(() => { const x = undefined; return () => x })()"],
    ["an object", "(() => { const x = { y: 1 }; return () => x })()"],
    ["a function", "(() => { function x() {} return () => x })()"],
    ["a symbol", "(() => { const x = Symbol(); return () => x })()"],
    ["a function that sloppy code hoists", "(() => { var x = 5; if (1) { function x() {} } return () => x })()"],
    ["a caught value", "(() => { try { throw 5 } catch (x) { return () => x } })()"],
    ["a class", "(class x { static f = () => x }).f"],
    ["a global variable", "var captured_x = 5; () => captured_x"],
    ["a script's constant", "const captured_y = 5; () => captured_y"],
    ["nothing", "() => x"],
    ["what the function declares itself", "() => { const x = 5; return x }"],
  ])("SP4 are not %s", (_, text) => {
    expect(constantIn(text, /captured_\w/.exec(text)?.[0] ?? "x")).toBeUndefined()
  })

  it("SP4 are not told before they have their value", () => {
    const told: unknown[] = []
    ;(globalThis as { __tell?: unknown }).__tell = (fn: AnyFunction) => told.push(prover.capturedConstant(fn, "x"))
    scripted("(() => { const f = () => x; __tell(f); const x = 5; __tell(f); return f })()")
    delete (globalThis as { __tell?: unknown }).__tell
    expect(told).toEqual([undefined, [5]])
  })

  it("SP4 are those of the nearest scope", () => {
    const text = "(() => { const x = 1; return (() => { const x = 2; return [() => x] })().concat(() => x) })()"
    const functions = scripted(text) as unknown as AnyFunction[]
    expect(functions.map((fn) => prover.capturedConstant(fn, "x"))).toEqual([[2], [1]])
    const inDefault = "(() => { const x = 1; return (function (f = () => x) { var x = 2; return f })() })()"
    expect(constantIn(inDefault)).toEqual([1])
  })

  it("SP4 are found wherever lines and columns are counted from", () => {
    const first = "(() => { let x = 5; const f = () => x; x = 6; return f })()"
    const second = "(() => { let x = 5; return () => x })()"
    for (const options of [
      {},
      { lineOffset: 1 },
      { columnOffset: 9 },
      { columnOffset: -9 },
      { lineOffset: 3, columnOffset: 5 },
    ]) {
      for (const text of [`${first}; ${second}`, `\n${first}; ${second}`, `${first};\n${second}`]) {
        expect(prover.capturedConstant(scripted(text, options), "x"), text).toEqual([5])
      }
      expect(prover.capturedConstant(scripted(`${second}; ${first}`, options), "x")).toBeUndefined()
    }
  })

  it("SP2 are not told of what has no script of its own", () => {
    // eslint-disable-next-line @typescript-eslint/no-implied-eval -- that is the point
    const made = new Function("const x = 5; return () => x") as () => AnyFunction
    const bound = scripted("(() => { const x = 5; return () => x })()").bind(null)
    for (const fn of [made(), (0, eval)("(() => { const x = 5; return () => x })()"), bound, undefined, {}]) {
      expect(prover.capturedConstant(fn as AnyFunction, "x")).toBeUndefined()
    }
  })

  it("hold for variables of this file", () => {
    const limit = 5
    expect(prover.capturedConstant((row: number) => row > limit, "limit")).toEqual([5])
    expect(prover.capturedConstant((row: number) => row > scriptCount, "scriptCount")).toBeUndefined()
  })
})

/** Programs in files of their own, as Node and bundlers make of them. */
describe("captured constants of modules", () => {
  let directory = ""

  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), "tidemark-captured-"))
    const entryPoints = [join(import.meta.dirname, "scopes.ts")]
    buildSync({ entryPoints, outfile: join(directory, "scopes.mjs"), bundle: true, platform: "node", format: "esm" })
    writeFileSync(
      join(directory, "config.mjs"),
      "export const LIMIT = 5\nexport let level = 1\nexport const raise = () => level++",
    )
    writeFileSync(join(directory, "program.mjs"), PROGRAM.join("\n"))
  })
  afterAll(() => rmSync(directory, { recursive: true }))

  const PROGRAM = [
    'import { nodeScopes } from "./scopes.mjs"',
    'import { LIMIT, level } from "./config.mjs"',
    "export const own = 7",
    "let counted = 0",
    "counted++",
    "const f = (r) => r > LIMIT + level + own + counted + later",
    'const names = ["LIMIT", "level", "own", "counted", "later"]',
    "const proof = nodeScopes()",
    "console.log(JSON.stringify(names.map((name) => proof.capturedConstant(f, name) ?? null)))",
    "const later = 1",
  ]

  function output(file: string): unknown {
    return JSON.parse(execFileSync(process.execPath, [join(directory, file)], { encoding: "utf8" }))
  }

  it("SP1 an import under a built-in's name is not the built-in", () => {
    writeFileSync(join(directory, "look-alike.mjs"), "export const isFinite = () => true\nexport { isFinite as isNaN }")
    const program = [
      'import { nodeScopes } from "./scopes.mjs"',
      'import { isFinite, isNaN as parseInt } from "./look-alike.mjs"',
      "const f = (r) => isFinite(r) || parseInt(r) || isNaN(r)",
      'const names = ["isFinite", "parseInt", "isNaN"]',
      "const proof = nodeScopes()",
      "console.log(JSON.stringify(names.map((name) => proof.areGenuineGlobals(f, [name]))))",
    ]
    writeFileSync(join(directory, "shadowed.mjs"), program.join("\n"))
    expect(output("shadowed.mjs")).toEqual([false, false, true])
  })

  it("SP4 are told of a module, but not of imports", () => {
    expect(output("program.mjs")).toEqual([null, null, [7], null, null])
  })

  it.each([
    ["a bundle", { format: "esm" }, [[5], null, [7], null, null]],
    ["a CommonJS bundle", { format: "cjs" }, [[5], null, [7], null, null]],
  ] as const)("SP4 are told of %s", (_, options, expected) => {
    // What changes in the other module is assigned in the same text here.
    const entry = join(directory, "entry.mjs")
    writeFileSync(entry, [...PROGRAM, 'import { raise } from "./config.mjs"', "raise()"].join("\n"))
    const file = `bundle.${options.format === "cjs" ? "cjs" : "mjs"}`
    const outfile = join(directory, file)
    const external = ["./scopes.mjs"]
    buildSync({ entryPoints: [entry], outfile, bundle: true, platform: "node", external, ...options })
    expect(output(file)).toEqual(expected)
  })
})
