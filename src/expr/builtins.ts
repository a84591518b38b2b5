/**
 * The built-ins on which a lambda relies: functions that it calls by their names and the globals that it finds them or
 * constants in (`globals.ts`), and intrinsics.
 */
import { isIntact, isReplaceable } from "./globals.ts"
import { dateIntrinsic, isIntrinsic, isIntrinsicIntact, REGEX_INTRINSIC } from "./intrinsics.ts"
import { walk, type LambdaIr } from "./ir.ts"

/** Names of the built-ins that a lambda uses: functions, intrinsics, and globals such as `Math`, for `Math.PI`. */
export function builtinsOf({ result, lets, globals }: LambdaIr): readonly string[] {
  const names = new Set(globals.filter(isReplaceable))
  const roots = [...(result.op === "object" ? result.entries.values() : [result]), ...lets.map(({ value }) => value)]
  for (const root of roots) {
    walk(root, (node) => {
      if (node.op === "call") names.add(node.name)
      if (node.op === "stringMember" && node.arguments !== undefined) names.add(`String.prototype.${node.name}`)
      if (node.op === "numberMethod") names.add(`Number.prototype.${node.name}`)
      if (node.op === "datePart") names.add(dateIntrinsic(node.part))
      if (node.op === "regex") names.add(REGEX_INTRINSIC)
    })
  }
  return [...names]
}

/** Whether a built-in of `builtinsOf` still is the engine's own. */
export function isBuiltinIntact(name: string): boolean {
  return isIntrinsic(name) ? isIntrinsicIntact(name) : isIntact(name)
}
