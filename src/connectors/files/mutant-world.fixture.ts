/** Worlds in which a call of the disk does what it should not: what a suite must notice. */
import { InterceptedDisk, withDisk } from "../../sim/intercepted-disk.ts"
import { Mutation, type Mutant } from "../../sim/mutation.ts"
import { SimWorld, type SimEnv } from "../../sim/sim-env.ts"

/** A world whose processes leave out a step of the protocol. */
export class MutantWorld extends SimWorld {
  readonly #mutant: Mutant

  constructor(seed: number, mutant: Mutant) {
    super({ seed })
    this.#mutant = mutant
  }

  override boot(): SimEnv {
    const env = super.boot()
    return withDisk(env, new InterceptedDisk(env.disk, new Mutation(this.#mutant))) as SimEnv
  }
}
