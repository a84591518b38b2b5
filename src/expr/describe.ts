/** How a lambda runs, in words: what `explain` shows. */
import type { LambdaForm } from "./lambda.ts"

/** One line: `compiled: (row.fare:float64 > 0)`, or why the closure runs and what to write instead. */
export function describeForm(form: LambdaForm): string {
  switch (form.kind) {
    case "compiled":
      return `compiled: ${form.ir.split("\n").join("; ")}`
    case "closure":
      return form.hint === undefined ? `closure: ${form.reason}` : `closure: ${form.reason} ${form.hint}`
  }
}
