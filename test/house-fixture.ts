/**
 * A checkout in a temporary directory: this repository's own settings and scripts, and sources that are planted.
 * `house.test.ts` runs the steps of `npm run check` on it.
 */
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { stripVTControlCharacters } from "node:util"
import { checkSteps, runCheckStep } from "../scripts/check-steps.mjs"

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)))
const SETTINGS = [
  "package.json",
  "tsconfig.json",
  "tsconfig.build.json",
  "tsconfig.pure.json",
  "tsconfig.scripts.json",
  "eslint.config.mjs",
  ".dependency-cruiser.mjs",
  ".prettierrc.json",
  ".prettierignore",
  ".gitignore",
  "knip.json",
  "vitest.config.ts",
  "layers.mjs",
  "scripts",
  "src/deterministic-globals.d.ts",
]

/** A temporary checkout. */
export class HouseFixture {
  readonly root: string
  readonly #outputs = new Map<string, string>()

  constructor() {
    this.root = mkdtempSync(join(tmpdir(), "tidemark-house-"))
    for (const path of SETTINGS) cpSync(join(ROOT, path), join(this.root, path), { recursive: true })
    symlinkSync(join(ROOT, "node_modules"), join(this.root, "node_modules"))
  }

  /** Writes a file. */
  plant(path: string, text: string): void {
    mkdirSync(dirname(join(this.root, path)), { recursive: true })
    writeFileSync(join(this.root, path), text)
  }

  /** Runs steps of `npm run check`, two at a time; each must fail. */
  async runToRed(names: readonly string[]): Promise<void> {
    const waiting = [...names]
    const work = async (): Promise<void> => {
      for (let name = waiting.shift(); name !== undefined; name = waiting.shift()) {
        const step = checkSteps(this.root).find((candidate) => candidate.name === name)
        if (step === undefined) throw new Error(`there is no step ${name}`)
        const { passed, output } = await runCheckStep(this.root, step)
        if (passed) throw new Error(`the step ${name} passed in spite of what is planted:\n${output}`)
        this.#outputs.set(name, stripVTControlCharacters(output))
      }
    }
    await Promise.all([work(), work()])
  }

  /** What a step printed. */
  output(step: string): string {
    const output = this.#outputs.get(step)
    if (output === undefined) throw new Error(`the step ${step} did not run`)
    return output
  }

  /** ESLint's findings in one file: the lines below its path. */
  lintFindings(path: string): string {
    const blocks = this.output("lint").split(/\n(?=\/)/)
    return blocks.find((block) => block.startsWith(join(this.root, path))) ?? ""
  }

  remove(): void {
    rmSync(this.root, { recursive: true, force: true })
  }
}
