/** What `run` is given, checked for programs that the compiler has not seen. */
import { TidemarkError } from "../base/errors.ts"
import { checkOptions } from "../base/known-options.ts"
import { shownValue } from "../base/shown-value.ts"
import type { RunOptions } from "./run-options.ts"

interface OptionRule {
  accepts(value: unknown): boolean
  /** What it may be, behind "Give". */
  readonly wanted: string
  /** Of a value that is not accepted, the part that is wrong, by its name in it; all of it where there is no such part. */
  wrongPart?(value: unknown): string | undefined
}

const PATH: OptionRule = {
  accepts: (value) => typeof value === "string" && value !== "" && !value.includes("\0"),
  wanted: "the path of a directory",
}
const FLAG: OptionRule = { accepts: (value) => typeof value === "boolean", wanted: "true or false" }

/** A chunk of each of some operators must fit. */
const STATE_MEMORY_BYTES_MIN = 1 << 20

const RULES: Readonly<Record<keyof RunOptions, OptionRule>> = {
  directory: PATH,
  baseDirectory: PATH,
  drain: oneOf("at-end", "always", "never"),
  reset: FLAG,
  fromSavepoint: { ...PATH, wanted: "the directory of a savepoint" },
  compile: oneOf("auto", "off"),
  batchRows: {
    accepts: (value) => Number.isInteger(value) && (value as number) >= 1 && (value as number) <= 65_536,
    wanted: "a whole number, 1 to 65,536",
  },
  parallelism: {
    accepts: (value) => Number.isInteger(value) && (value as number) >= 1 && (value as number) <= 64,
    wanted: "a whole number, 1 to 64",
  },
  stateMemoryBytes: {
    accepts: (value) => typeof value === "number" && value >= STATE_MEMORY_BYTES_MIN,
    wanted: "a number of bytes, at least 1,048,576",
  },
  priority: oneOf("latency", "batch"),
  metrics: {
    accepts: isAddress,
    wanted: "{ port } with a whole number, 0 to 65,535, and perhaps a host",
    wrongPart: (value) => {
      if (typeof value !== "object" || value === null) return undefined
      const others = Object.keys(value).filter((key) => key !== "host" && key !== "port")
      return others[0] ?? (isPort((value as Address).port) ? "host" : "port")
    },
  },
  onEvent: { accepts: (value) => typeof value === "function", wanted: "a function of an event" },
}

/**
 * Refuses what is no bound job.
 *
 * @throws TidemarkError `invalid-options`.
 */
export function checkJob(job: unknown): void {
  const parts = ["name", "plan", "inputs", "outputs", "params", "epoch"]
  if (typeof job === "object" && job !== null && parts.every((part) => part in job)) return
  const name = (job as { readonly name?: unknown } | null | undefined)?.name
  const isUnbound = typeof name === "string" && typeof (job as { readonly with?: unknown }).with === "function"
  const what = isUnbound ? `the job ${name}, which is not bound to connectors` : shownValue(job)
  throw new TidemarkError("invalid-options", `run(...) is given ${what}.`, {
    hint: "Bind the job first: run(myJob.with({ inputs: { ... }, outputs: { ... } })).",
  })
}

/**
 * Refuses options that are unknown, or have a value that they cannot have.
 *
 * @throws TidemarkError `invalid-options`.
 */
export function checkRunOptions(options: unknown): void {
  const given = checkOptions("run(...)", options, Object.keys(RULES))
  for (const [name, value] of Object.entries(given)) {
    const rule = RULES[name as keyof RunOptions]
    if (value === undefined || rule.accepts(value)) continue
    const part = rule.wrongPart?.(value)
    const what = part === undefined ? name : `${name}.${part}`
    const shown = part === undefined ? value : (value as Readonly<Record<string, unknown>>)[part]
    throw new TidemarkError("invalid-options", `run(...): ${what} is ${shownValue(shown)}.`, {
      hint: `Give ${rule.wanted}.`,
    })
  }
}

/** What is taken for an address, as somebody gave it. */
interface Address {
  readonly host?: unknown
  readonly port?: unknown
}

function isAddress(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false
  const { host, port, ...others } = value as Address
  const isHost = host === undefined || (typeof host === "string" && host !== "")
  return isHost && isPort(port) && Object.keys(others).length === 0
}

function isPort(port: unknown): boolean {
  return Number.isInteger(port) && Number(port) >= 0 && Number(port) <= 65_535
}

function oneOf(...texts: readonly string[]): OptionRule {
  const shown = texts.map((text) => JSON.stringify(text))
  return {
    accepts: (value) => texts.includes(value as string),
    wanted: `${shown.slice(0, -1).join(", ")} or ${shown.at(-1)}`,
  }
}
