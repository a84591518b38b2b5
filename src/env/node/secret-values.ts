/**
 * Values of secrets, by the names of variables: of `API_TOKEN`, what it is, or what is in the file that `API_TOKEN_FILE` names, as containers are
 * given secrets. Nothing that is said of a failure has anything of a value in it.
 */
import { readFileSync } from "node:fs"

/** A secret is a line, or a key of some lines: what is longer is another file. */
const FILE_BYTES_MAX = 65_536

/** A value, or why there is none, as a clause. */
type SecretValue = { readonly value: string } | { readonly problem: string }

/** The value; `undefined` where neither variable is set. */
export function readSecret(variable: string): SecretValue | undefined {
  const value = process.env[variable]
  const path = process.env[`${variable}_FILE`]
  if (path === undefined) {
    if (value === undefined) return undefined
    return value === "" ? { problem: `${variable} is empty` } : { value }
  }
  if (value !== undefined) return { problem: `both ${variable} and ${variable}_FILE are set` }
  return secretOf(path, `the file ${JSON.stringify(path)} that ${variable}_FILE names`)
}

function secretOf(path: string, named: string): SecretValue {
  let bytes: Buffer
  try {
    bytes = readFileSync(path)
  } catch (error) {
    return { problem: `${named} cannot be read (${(error as NodeJS.ErrnoException).code ?? "unknown"})` }
  }
  if (bytes.length > FILE_BYTES_MAX) return { problem: `${named} has more than ${FILE_BYTES_MAX} bytes` }
  try {
    // Editors and echo end a line; what stands before that is the secret.
    const value = new TextDecoder("utf-8", { fatal: true }).decode(bytes).replace(/\r?\n$/, "")
    return value === "" ? { problem: `${named} is empty` } : { value }
  } catch {
    return { problem: `${named} is not UTF-8` }
  }
}
