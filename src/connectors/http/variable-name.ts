/** Options that name the variable which has a secret: what is given instead may be the secret, so no error shows it. */
import { TidemarkError } from "../../base/errors.ts"
import { checkOptions } from "../../base/known-options.ts"
import { shownValue } from "../../base/shown-value.ts"

/** The name of the variable in `{ env: "NAME" }`. @param where the option, as in `httpServer(...): token`. */
export function variableNameOf(where: string, given: unknown): string {
  if (typeof given !== "object" || given === null) {
    throw new TidemarkError("invalid-options", `${where} is not given as the variable that has it.`, {
      hint: 'Give { env: "NAME" }: the name of a variable of the environment.',
    })
  }
  const { env } = checkOptions(where, given, ["env"])
  if (typeof env === "string" && env !== "") return env
  throw new TidemarkError("invalid-options", `${where}.env is ${shownValue(env)}.`, {
    hint: "Give the name of a variable.",
  })
}
