/** Any JavaScript value in a message: short, in one line, and never the cause of another error. */

const MAX_SHOWN_LENGTH = 80

/** The value as a program would write it, or in words where that would be long: `"5s"`, `-0`, `3n`, `an object`. */
export function shownValue(value: unknown): string {
  switch (typeof value) {
    case "string": {
      const text = JSON.stringify(value)
      return text.length > MAX_SHOWN_LENGTH ? `${text.slice(0, MAX_SHOWN_LENGTH)}…` : text
    }
    case "number":
      return Object.is(value, -0) ? "-0" : String(value)
    case "bigint":
      return `${value}n`
    case "function":
      return "a function"
    case "symbol":
      return "a symbol"
    case "object":
      if (value === null) return "null"
      return Array.isArray(value) ? "an array" : "an object"
    default:
      return String(value)
  }
}
