/**
 * What the process has to say beside the run itself, from wherever: by default as text on standard error. A run that logs
 * otherwise takes it over.
 */
import type { TidemarkError } from "../base/errors.ts"
import { errorText } from "./report.ts"

/** Who says it. */
export interface Notices {
  /** Something is lost, or ended, and the command goes on. */
  warn(event: string, message: string, hint?: string): void
  /** The command cannot go on. */
  fail(error: TidemarkError): void
}

const AS_TEXT: Notices = {
  warn: (_event, message, hint) => {
    process.stderr.write(`warning: ${message}\n${hint === undefined ? "" : `  ${hint}\n`}`)
  },
  fail: (error) => {
    process.stderr.write(errorText(error))
  },
}

let current = AS_TEXT

/** Those of now. */
export function notices(): Notices {
  return current
}

/** From here on `next` says it. */
export function takeNotices(next: Notices): void {
  current = next
}
