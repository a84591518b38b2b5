/**
 * The steps of `npm run check` as data: what each looks at and the Node program that does it.
 * `test/house.test.ts` plants a violation of every rule and sees these same steps fail.
 */
import { spawn } from "node:child_process"
import { join } from "node:path"

/**
 * @typedef {object} CheckStep
 * @property {string} name
 * @property {string} what What holds where the step passes, in words.
 * @property {string[]} run The program's file and its arguments.
 * @property {boolean} [isAlone] Whether the step takes the whole machine.
 */

/**
 * The steps for a checkout, the slowest first and the tests at the end.
 *
 * @param {string} root
 * @returns {CheckStep[]}
 */
export function checkSteps(root) {
  const tool = (/** @type {string[]} */ ...path) => join(root, "node_modules", ...path)
  const own = (/** @type {string} */ name) => join(root, "scripts", name)
  const compiler = tool("typescript", "bin", "tsc")
  const cruiser = tool("dependency-cruiser", "bin", "dependency-cruise.mjs")
  const prettier = tool("prettier", "bin", "prettier.cjs")
  const attw = tool("@arethetypeswrong", "cli", "dist", "index.js")
  return [
    { name: "lint", what: "ESLint's rules, purity among them", run: [tool("eslint", "bin", "eslint.js"), "."] },
    { name: "types", what: "all TypeScript compiles", run: [compiler, "-p", "tsconfig.json"] },
    {
      name: "pure-types",
      what: "pure layers compile without Node's types",
      run: [compiler, "-p", "tsconfig.pure.json"],
    },
    { name: "script-types", what: "the scripts type-check", run: [compiler, "-p", "tsconfig.scripts.json"] },
    { name: "fences", what: "every ts fence of docs and comments compiles", run: [own("fences.mjs")] },
    { name: "api", what: "the public surface is the one committed in api/", run: [own("api-report.mjs")] },
    {
      name: "public-docs",
      what: "every published symbol has a comment and an example, every member is in one",
      run: [own("public-docs.mjs")],
    },
    {
      name: "layers",
      what: "imports follow layers.mjs",
      run: [cruiser, "--config", ".dependency-cruiser.mjs", "--output-type", "err-long", "src"],
    },
    { name: "dead-code", what: "no file, export or dependency is unused", run: [tool("knip", "bin", "knip.js")] },
    { name: "format", what: "prettier's format", run: [prettier, "--check", "--log-level", "warn", "."] },
    { name: "tidy", what: "names, openings, error pages, spec rules, links", run: [own("tidy.mjs")] },
    { name: "publint", what: "package.json fits what is packed", run: [tool("publint", "src", "cli.js"), "--strict"] },
    { name: "attw", what: "users' compilers find the types", run: [attw, "--pack", ".", "--profile", "esm-only"] },
    { name: "tests", what: "all tests", run: [tool("vitest", "vitest.mjs"), "run"], isAlone: true },
  ]
}

/**
 * Runs one step, quietly.
 *
 * @param {string} root
 * @param {CheckStep} step
 * @returns {Promise<{ passed: boolean, output: string }>}
 */
export async function runCheckStep(root, step) {
  const environment = { ...process.env, NODE_ENV: "test", NO_COLOR: "1", FORCE_COLOR: undefined }
  const child = spawn(process.execPath, step.run, { cwd: root, env: environment, stdio: ["ignore", "pipe", "pipe"] })
  const output = []
  child.stdout.on("data", (chunk) => output.push(chunk))
  child.stderr.on("data", (chunk) => output.push(chunk))
  const code = await new Promise((resolve, reject) => child.on("error", reject).on("close", resolve))
  return { passed: code === 0, output: Buffer.concat(output).toString() }
}
