/**
 * Every rule of the house can go red: one violation of each is planted in a temporary checkout, the steps of
 * `npm run check` run on it, and each violation must be named in what they print. That the same steps pass on the real
 * sources is what `npm run check` shows.
 */
import { execFileSync, spawnSync } from "node:child_process"
import { rmSync } from "node:fs"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { layers, pureLayers } from "../layers.mjs"
import { asynchrony, banMessage, inTests, nodeModulesInstead, world } from "../scripts/purity.mjs"
import { HouseFixture } from "./house-fixture.ts"

/** The opening comment that the tidy rules ask for. */
const OPENING = "/** A file that is planted to break one rule of the house. */\n"

const folders = Object.entries(layers) as [string, string[]][]

/** A folder that `folder` may not import: the first that is neither itself, nor allowed, nor part of a longer name. */
function forbiddenFor(folder: string, allowed: readonly string[]): string | undefined {
  return Object.keys(layers).find((other) => other !== folder && !allowed.includes(other))
}

const lintPlants: readonly { rule: string; path: string; text: string; says: string }[] = [
  ...world.map((ban, index) => ({
    rule: `world: ${banMessage(ban)}`,
    path: `src/log/world-${index}.ts`,
    text: ban.example,
    says: ban.instead,
  })),
  ...asynchrony.map((ban, index) => ({
    rule: `asynchrony: ${banMessage(ban)}`,
    path: `src/base/asynchrony-${index}.ts`,
    text: ban.example,
    says: ban.instead,
  })),
  ...inTests.map((ban, index) => ({
    rule: `tests: ${banMessage(ban)}`,
    path: `src/log/in-tests-${index}.test.ts`,
    text: ban.example,
    says: ban.instead,
  })),
  ...["node:fs", "fs", "fs/promises"].map((name) => ({
    rule: `no ${name} outside the doors`,
    path: `src/log/imports-${name.replaceAll(/\W/g, "-")}.ts`,
    text: `import * as fs from "${name}"\nexport const files: unknown = fs`,
    says: nodeModulesInstead,
  })),
  {
    rule: "no default export",
    path: "src/log/default-export.ts",
    text: "export default 1",
    says: "Export by name",
  },
  { rule: "no barrel", path: "src/log/barrel.ts", text: 'export * from "./barrel-2.ts"', says: "No barrels" },
  {
    rule: "no re-export but in doors",
    path: "src/log/barrel-2.ts",
    text: 'export { answer } from "../base/answer.ts"',
    says: "No barrels: only the doors",
  },
  {
    rule: "imports name the file that is there",
    path: "src/log/js-ending.ts",
    text: 'import { answer } from "../base/answer.js"\nexport const twice = answer * 2',
    says: "with its `.ts` ending",
  },
  {
    rule: "no any",
    path: "src/log/any.ts",
    text: "export const x = (y: any): unknown => y",
    says: "no-explicit-any",
  },
  {
    rule: "no promise left alone",
    path: "src/log/floating.ts",
    text: "export function f(g: () => Promise<void>): void {\n  g()\n}",
    says: "no-floating-promises",
  },
  {
    rule: "type imports say so",
    path: "src/log/type-import.ts",
    text: 'import { Answer } from "../base/answer.ts"\nexport const x: Answer = 42',
    says: "consistent-type-imports",
  },
  {
    rule: "no @ts-expect-error without a reason",
    path: "src/log/silenced.ts",
    text: '// @ts-expect-error\nexport const x: number = "1"',
    says: "ban-ts-comment",
  },
  {
    rule: "no exemption that exempts nothing",
    path: "src/log/needless.ts",
    text: "// eslint-disable-next-line eqeqeq -- it was needed once\nexport const x = 1",
    says: "Unused eslint-disable",
  },
  {
    rule: "a switch is exhaustive",
    path: "src/log/switch.ts",
    text: 'export function f(x: "a" | "b"): number {\n  switch (x) {\n    case "a":\n      return 1\n  }\n  return 2\n}',
    says: "switch-exhaustiveness-check",
  },
  {
    rule: "files end before 600 lines",
    path: "src/log/long-file.ts",
    text: Array.from({ length: 600 }, (_, line) => `export const line${line} = ${line}`).join("\n"),
    says: "max-lines",
  },
  {
    rule: "functions end before 70 lines",
    path: "src/log/long-function.ts",
    text: `export function long(x: number): number {\n${"  x += 1\n".repeat(70)}  return x\n}`,
    says: "max-lines-per-function",
  },
]

const tidyPlants: readonly { rule: string; path: string; text: string; says: string }[] = [
  { rule: "opening", path: "src/log/unopened.ts", text: "export const x = 1\n", says: "open the file with a comment" },
  { rule: "opening", path: "src/log/of-nothing.test.ts", text: "export {}\n", says: "open the file with a comment" },
  { rule: "kebabCase", path: "src/log/camelCase.ts", text: OPENING, says: "in kebab-case" },
  { rule: "bannedNames", path: "src/log/log-utils.ts", text: OPENING, says: "say nothing" },
  { rule: "bannedNames", path: "src/log/helpers/sort.ts", text: OPENING, says: "say nothing" },
  { rule: "openEnds", path: "src/log/open-end.ts", text: `${OPENING}// ${"TO" + "DO"}: later\n`, says: "finish it" },
  {
    rule: "reasons",
    path: "src/log/no-reason.ts",
    text: `${OPENING}// ${"eslint-" + "disable-next-line"} eqeqeq\nexport const x = 1 == 1\n`,
    says: "write the reason",
  },
  {
    rule: "allTestsRun",
    path: "src/log/alone.test.ts",
    text: `${OPENING}${"test." + "only"}("x", () => {})\n`,
    says: "run all tests",
  },
  {
    rule: "allTestsRun",
    path: "src/log/left-out.test.ts",
    text: `${OPENING}${"describe." + "skip"}("x", () => {})\n`,
    says: "run all tests",
  },
  { rule: "sourceFolders", path: "src/stray.ts", text: OPENING, says: "it is in no folder of layers.mjs" },
  { rule: "errorPages", path: "docs/errors/no-such-code.md", text: "# no-such-code\n", says: "no code of" },
  { rule: "guideRules", path: "docs/guide/planted.md", text: "A rule (ZZ2) that is none.\n", says: "no rule ZZ2" },
  { rule: "specRules", path: "docs/spec/planted.md", text: "- **ZZ1** A rule.\n", says: "no test has ZZ1" },
  { rule: "decisionNumbers", path: "docs/decisions/9999-second.md", text: "# 9999 x\n", says: "the next one" },
  { rule: "decisionNumbers", path: "docs/decisions/9999-planted.md", text: "# 9998 x\n", says: "its title begins" },
  { rule: "links", path: "docs/planted.md", text: "[gone](gone.md)\n", says: "the link to gone.md leads nowhere" },
]

const layerPlants = folders.flatMap(([folder, allowed]) => {
  const other = forbiddenFor(folder, allowed)
  return other === undefined ? [] : [{ folder, other }]
})

const house = new HouseFixture()

function plantImports(): void {
  for (const [folder] of folders) {
    house.plant(`src/${folder}/noun.ts`, `${OPENING}export interface Noun {\n  readonly word: string\n}\n`)
  }
  for (const { folder, other } of layerPlants) {
    const up = "../".repeat(folder.split("/").length)
    const text = `import type { Noun } from "${up}${other}/noun.ts"\nexport type Upward = Noun\n`
    house.plant(`src/${folder}/upward.ts`, OPENING + text)
  }
  const cycle = (other: string): string =>
    `${OPENING}import type { Side } from "./${other}.ts"\nexport type Side = Side | 1\n`
  house.plant("src/log/left.ts", cycle("right").replace("type Side =", "type Left ="))
  house.plant("src/log/right.ts", 'import type { Left } from "./left.ts"\nexport type Side = Left | 2\n')
  house.plant("src/unknown/noun.ts", `${OPENING}export const noun = 1\n`)
  house.plant("src/unknown/verb.ts", `${OPENING}import { noun } from "./noun.ts"\nexport const verb = noun\n`)
  house.plant("src/runtime/door.ts", `${OPENING}import { answer } from "../index.ts"\nexport const twice = answer\n`)
  house.plant("src/log/tested.ts", `${OPENING}import { x } from "./planted.test.ts"\nexport const twice = x\n`)
  house.plant("src/log/planted.test.ts", `${OPENING}export const x = 1\n`)
  house.plant("src/log/dev.ts", `${OPENING}import { of } from "rxjs"\nexport const one: unknown = of(1)\n`)
  house.plant("src/log/core.ts", `${OPENING}import { sep } from "node:path"\nexport const line = sep\n`)
  house.plant("src/log/lost.ts", `${OPENING}import { x } from "./nowhere.ts"\nexport const y: unknown = x\n`)
}

async function plantDoors(): Promise<void> {
  const answer = "export type Answer = number\n/** What it is. */\nexport const answer = 42\n"
  house.plant("src/base/answer.ts", `${OPENING}${answer}export const unused = 1\n`)
  const noExample = "/** Without an example. */\nexport function noExample(): void {}\n"
  house.plant("src/base/published.ts", `${OPENING}${noExample}export function noComment(): void {}\n`)
  house.plant(
    "src/index.ts",
    `${OPENING}export { answer } from "./base/answer.ts"\nexport { noComment, noExample } from "./base/published.ts"\n`,
  )
  for (const door of ["index", "files", "http", "log", "machine", "nexmark", "postgres", "testing"]) {
    house.plant(`dist/${door}.js`, "export const answer = 42\n")
    house.plant(`dist/${door}.d.ts`, "/** What it is. */\nexport declare const answer: number\n")
  }
  execFileSync(process.execPath, ["scripts/api-report.mjs", "--update"], { cwd: house.root })
  house.plant("dist/files.d.ts", "/** What it is. */\nexport declare const answer: string\n")
  await house.runToRed(["api"])
  rmSync(join(house.root, "dist/testing.d.ts"))
  rmSync(join(house.root, "dist/testing.js"))
  house.plant("src/log/answers.ts", `${OPENING}import { answer } from "../base/answer.ts"\nexport const two = answer\n`)
}

function plantFences(): void {
  const options = "/** Options. */\nexport interface Options {\n  readonly shown: 1\n  readonly unshown?: 1\n}\n"
  house.plant("dist/index.d.ts", `/** What it is. */\nexport declare const answer: number\n${options}`)
  const shown = 'import type { Options } from "tidemark"\nexport const options: Options = { shown: 1 }'
  house.plant("docs/shown.md", `\`\`\`ts\n${shown}\n\`\`\`\n`)
  const fence = (code: string): string => `\`\`\`ts\nimport { answer } from "tidemark"\n${code}\n\`\`\`\n`
  house.plant("README.md", `# Planted\n\n${fence("const text: string = answer")}`)
  house.plant("docs/good.md", fence("const number: number = answer"))
  house.plant(
    "docs/named.md",
    '```ts one.ts\nexport const one = 1\n```\n```ts\nimport { one } from "./one.ts"\none()\n```\n',
  )
  const comment = fence("answer.nothing()").trimEnd().replaceAll(/^/gm, " * ")
  house.plant(
    "src/base/fenced.ts",
    `/**\n * A planted comment with an example.\n *\n${comment}\n */\nexport const fenced = 1\n`,
  )
}

beforeAll(async () => {
  await plantDoors()
  plantFences()
  plantImports()
  for (const { path, text } of lintPlants) house.plant(path, `${OPENING}${text}\n`)
  for (const { path, text } of tidyPlants) house.plant(path, text)
  for (const { example } of world) house.plant("src/env/node/real-world.ts", `${OPENING}${example}\n`)
  house.plant(
    "src/log/of-node.test.ts",
    `${OPENING}import { sep } from "node:path"\nexport const now = Date.now() + sep\n`,
  )
  house.plant("src/base/of-node.ts", `${OPENING}export const directory: unknown = process.cwd()\n`)
  house.plant("src/log/wrong-type.ts", `${OPENING}export const x: number = "1"\n`)
  house.plant("src/log/ugly.ts", `${OPENING}export   const x = 'a';\n`)
  house.plant("scripts/wrong-type.mjs", `${OPENING}export const x = Math.max("1")\n`)
  await house.runToRed(["lint", "layers", "types", "fences", "pure-types", "script-types", "dead-code"])
  await house.runToRed(["attw", "public-docs", "publint", "format", "tidy"])
}, 300_000)

afterAll(() => house.remove())

/** Says no more than the line that is missing: the output is long. */
function expectLine(step: string, says: string): void {
  expect(house.output(step).replaceAll(/ +/g, " ").includes(says), `${step} says: ${says}`).toBe(true)
}

describe("lint goes red", () => {
  test.each(lintPlants)("$rule", ({ path, says }) => {
    expect(house.lintFindings(path).replaceAll(/\s+/g, " ")).toContain(says.replace(/\.$/, ""))
  })

  test("but not at the doors to the world, nor in tests", () => {
    expect(house.lintFindings("src/env/node/real-world.ts")).toBe("")
    expect(house.lintFindings("src/log/of-node.test.ts")).toBe("")
    expect(house.lintFindings("src/index.ts")).toBe("")
  })
})

describe("layers go red", () => {
  test.each(layerPlants)("src/$folder may not import src/$other, not even a type", ({ folder, other }) => {
    const name = `layer-${folder.replace("/", "-")}`
    expectLine("layers", `${name}: src/${folder}/upward.ts → src/${other}/noun.ts`)
  })

  test.each([
    ["no-cycle", "src/log/left.ts"],
    ["no-unknown-folder", "src/unknown/verb.ts → src/unknown/noun.ts"],
    ["no-door-inside", "src/runtime/door.ts → src/index.ts"],
    ["no-test-in-product", "src/log/tested.ts → src/log/planted.test.ts"],
    ["no-unshipped-package", "src/log/dev.ts → "],
    ["no-node-outside-doors", "src/log/core.ts → "],
    ["no-unresolved", "src/log/lost.ts → ./nowhere.ts"],
  ])("%s", (rule, arrow) => {
    expectLine("layers", `${rule}: ${arrow}`)
  })
})

describe("tidy goes red", () => {
  test.each(tidyPlants)("$rule: $path", ({ rule, path, says }) => {
    const line = house
      .output("tidy")
      .split("\n")
      .find((finding) => finding.startsWith(`${rule}: ${path}`))
    expect(line).toContain(says)
  })

  test("errorPages: a code without a page", () => {
    const text = `${OPENING}export const ERROR_CODES = ["planted-code"]\n`
    house.plant("src/base/errors.ts", text)
    const planted = runTidy()
    expect(planted).toContain("errorPages: docs/errors/planted-code.md: write the page of this code.")
    expect(planted).toContain('errorPages: src/base/errors.ts: nothing gives the code "planted-code".')
    expect(planted).toContain("errorPages: docs/errors/no-such-code.md: its headings are ## What happened, ## Why,")
  })

  test("specRules: a rule that stands twice", () => {
    house.plant("docs/spec/twice.md", "- **ZZ1** Another rule.\n")
    expect(runTidy()).toContain("specRules: docs/spec/twice.md: ZZ1 is a rule of docs/spec/planted.md already.")
  })

  test.each(pureLayers)("pureLayers: %s is not compiled as pure", (layer) => {
    house.plant("tsconfig.pure.json", '{ "include": [] }\n')
    expect(runTidy()).toContain(`pureLayers: tsconfig.pure.json: it must include "src/${layer}"`)
  })

  function runTidy(): string {
    try {
      return execFileSync(process.execPath, ["scripts/tidy.mjs"], { cwd: house.root, stdio: "pipe", encoding: "utf8" })
    } catch (error) {
      return (error as { stderr: string }).stderr
    }
  }
})

describe("the other steps go red", () => {
  test.each([
    ["types", "src/log/wrong-type.ts(2,14): error TS2322"],
    ["pure-types", "src/base/of-node.ts(2,35): error"],
    ["script-types", "scripts/wrong-type.mjs(2,27): error TS2345"],
    ["fences", "README.md:5: Type 'number' is not assignable to type 'string'."],
    ["fences", "src/base/fenced.ts:6: Property 'nothing' does not exist"],
    ["fences", "docs/named.md:6: This expression is not callable."],
    ["api", "api/tidemark-files.api.md is not what is published"],
    ["public-docs", "noComment is published and has no doc comment"],
    ["public-docs", "noExample is published and has no @example"],
    ["public-docs", "Options.unshown is in no example."],
    ["public-docs", "1 of 2 members (50 %)"],
    ["dead-code", "src/log/unopened.ts"],
    ["dead-code", "unused src/base/answer.ts"],
    ["dead-code", "hyparquet"],
    ["format", "src/log/ugly.ts"],
    ["publint", "./dist/testing.js"],
    ["attw", "tidemark/testing"],
  ])("%s: %s", (step, says) => {
    expectLine(step, says)
  })

  test("tests: a test that asserts nothing", () => {
    house.plant("src/log/idle.test.ts", `${OPENING}import { test } from "vitest"\ntest("idle", () => {})\n`)
    const run = spawnSync(process.execPath, ["node_modules/vitest/vitest.mjs", "run", "src/log/idle"], {
      cwd: house.root,
      encoding: "utf8",
    })
    expect(run.status).toBe(1)
    expect(run.stderr).toContain("expected any number of assertion, but got none")
  })

  test("a fence that compiles is no finding", () => {
    expect(house.output("fences")).not.toContain("docs/good.md")
  })
})
