/** Which parts of a `Date` a lambda may ask for, and of what it may make the `Date`. */
import { UTC_PARTS } from "../time/utc-part.ts"
import type { DatePartName, Ir } from "./ir.ts"
import { NotCompilable } from "./not-compilable.ts"
import { BIGINT, isWithin, mayBe, NUMBER_LIKE, STRING } from "./value-type.ts"

const LOCAL = /^get(?=(?:Date|Day|FullYear|Hours|Milliseconds|Minutes|Month|Seconds)$)/

/** @throws NotCompilable where the method is none that is compiled. */
export function checkDatePart(name: string): asserts name is DatePartName {
  if (Object.hasOwn(UTC_PARTS, name)) return
  if (!LOCAL.test(name)) throw new NotCompilable(`It calls ${name} of a Date, which is not compiled.`)
  const hint = `Use ${name.replace(LOCAL, "getUTC")}.`
  throw new NotCompilable(`It calls ${name}, which depends on the time zone of the machine.`, hint)
}

/** @throws NotCompilable where a `Date` is not made of a number. */
export function checkMillis({ kinds }: Ir): void {
  if (isWithin(kinds, NUMBER_LIKE)) return
  if (mayBe(kinds, BIGINT)) throw new NotCompilable("It makes a Date of a bigint, which throws.", "Use Number(…).")
  const reason = mayBe(kinds, STRING) ? "text, which may depend on the time zone of the machine" : "an object"
  throw new NotCompilable(`It makes a Date of ${reason}.`, "Make it of milliseconds: new Date(row.at / 1000).")
}
