/**
 * The names that a lambda itself declares, and what each stands for at the point that lowering has reached.
 *
 * Invariants:
 * - C1 All names that the function declares anywhere are known from the start, so that none is taken for a free name.
 *   A name declared twice is refused, so blocks need no scopes of their own.
 * - C2 A name stands for a value only where every way to this point has given it that value.
 */
import type { Ir } from "./ir.ts"
import { NotCompilable } from "./not-compilable.ts"

/** What a name stands for. */
export type Meaning =
  | { readonly kind: "row" }
  | { readonly kind: "params" }
  | { readonly kind: "value"; readonly ir: Ir }
  /** No value yet, or not the same one on every way. */
  | { readonly kind: "unset" }

interface Declared {
  readonly meaning: Meaning
  readonly isAssignable: boolean
}

/** The names of a lambda. */
export class Scope {
  #names = new Map<string, Declared>()

  /** Makes a name known, without a value. */
  declare(name: string, isAssignable: boolean): void {
    if (this.#names.has(name)) throw new NotCompilable(`It declares "${name}" twice.`)
    this.#names.set(name, { meaning: { kind: "unset" }, isAssignable })
  }

  /** What the name stands for, or `undefined` for a free name. */
  lookUp(name: string): Meaning | undefined {
    return this.#names.get(name)?.meaning
  }

  /** Gives a declared name its first value. */
  bind(name: string, meaning: Meaning): void {
    this.#names.set(name, { ...this.#declared(name), meaning })
  }

  /** Gives a name another value, as the operator `=` does. */
  assign(name: string, ir: Ir): void {
    const declared = this.#names.get(name)
    if (declared === undefined || !declared.isAssignable) throw new NotCompilable(`It assigns to "${name}".`)
    this.#names.set(name, { ...declared, meaning: { kind: "value", ir } })
  }

  /**
   * Lowers something that may not be evaluated. Names to which it assigns have no certain value afterwards (C2).
   * With several, each starts from what was known before, and only one of them is evaluated.
   */
  branch<T>(...branches: readonly (() => T)[]): T[] {
    const before = this.#names
    const ends: Map<string, Declared>[] = []
    const results = branches.map((lower) => {
      this.#names = new Map(before)
      const result = lower()
      ends.push(this.#names)
      return result
    })
    this.#names = new Map(before)
    for (const [name, declared] of before) {
      const isSame = ends.every((end) => end.get(name) === declared)
      if (!isSame) this.#names.set(name, { ...declared, meaning: { kind: "unset" } })
    }
    return results
  }

  #declared(name: string): Declared {
    const declared = this.#names.get(name)
    if (declared === undefined) throw new NotCompilable(`It declares "${name}" where it is not expected.`)
    return declared
  }
}
