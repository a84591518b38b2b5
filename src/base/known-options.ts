/**
 * Options objects, checked for programs that the compiler has not seen: an option that nobody knows is refused by name.
 *
 * A mistyped option that is ignored looks like one that works, so every options object of the public face comes by here.
 */
import { nameHint } from "./did-you-mean.ts"
import { TidemarkError } from "./errors.ts"
import { shownValue } from "./shown-value.ts"

/**
 * The options as an object, none of them unknown.
 *
 * @param where begins the messages: `"The job revenue"`, `"csv(...)"`.
 * @throws TidemarkError `invalid-options`.
 */
export function checkOptions(where: string, options: unknown, known: readonly string[]): Record<string, unknown> {
  if (typeof options !== "object" || options === null || Array.isArray(options)) {
    throw new TidemarkError("invalid-options", `${where} takes an object of options, not ${shownValue(options)}.`, {
      hint: nameHint("", known, "options"),
    })
  }
  const unknown = Object.keys(options).find((key) => !known.includes(key))
  if (unknown === undefined) return { ...options }
  throw new TidemarkError("invalid-options", `${where} has no option ${JSON.stringify(unknown)}.`, {
    hint: nameHint(unknown, known, "options"),
  })
}
