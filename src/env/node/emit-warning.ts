/** Warnings by Node's own way: on standard error, or wherever the program has asked for `process.on("warning", ...)`. */

/** Tells of something that is allowed and probably not meant. */
export function emitWarning(message: string, hint: string): void {
  process.emitWarning(message, { type: "TidemarkWarning", detail: hint })
}
