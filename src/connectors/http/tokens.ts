/** The tokens of a server: read by the names of variables, and compared in a time that tells nothing of them. */
import { createHash, timingSafeEqual } from "node:crypto"
import { TidemarkError } from "../../base/errors.ts"
import { readSecret } from "../../env/node/secret-values.ts"

/** See the head of this file. */
export class Tokens {
  /** Digests, so that all have one length. */
  readonly #digests: readonly Buffer[]

  private constructor(digests: readonly Buffer[]) {
    this.#digests = digests
  }

  /**
   * Those that the variables have.
   *
   * @throws TidemarkError `invalid-params` where one has none.
   */
  static read(variables: readonly string[]): Tokens {
    return new Tokens(variables.map((variable) => digestOf(tokenOf(variable))))
  }

  /** Which of the tokens a header `Authorization` has; -1 where none. */
  find(authorization: string | undefined): number {
    const given = /^Bearer +([^ ]+) *$/i.exec(authorization ?? "")?.[1]
    if (given === undefined) return -1
    const digest = digestOf(given)
    // All of them are looked at, whichever it is.
    return this.#digests.reduce((found, each, index) => (timingSafeEqual(each, digest) ? index : found), -1)
  }
}

function digestOf(token: string): Buffer {
  return createHash("sha256").update(token).digest()
}

function tokenOf(variable: string): string {
  const secret = readSecret(variable)
  if (secret !== undefined && "value" in secret) {
    if (/^[\x21-\x7e]+$/.test(secret.value)) return secret.value
    throw refusal(
      `The token of the HTTP server is wrong: ${variable} has more than printable ASCII without spaces.`,
      variable,
    )
  }
  throw refusal(`The HTTP server has no token: ${secret?.problem ?? `${variable} is not set`}.`, variable)
}

function refusal(message: string, variable: string): TidemarkError {
  return new TidemarkError("invalid-params", message, {
    hint: `Set ${variable} in the environment, or ${variable}_FILE to the path of a file that has it.`,
  })
}
