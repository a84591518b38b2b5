/**
 * Compiled WebAssembly modules, made once for what they were generated from.
 *
 * Operators with the same code are made again and again (a job restarts, a test makes thousands), and to write, encode
 * and compile a module takes a thousand times as long as to instantiate it. Code is a function of its key alone, so
 * sharing it changes no answer; the number of modules that are kept is bounded.
 */
import type { LinearMemory } from "../base/linear-memory.ts"
import type { WasmModule } from "../base/wasm-module.ts"

/** How many modules are kept. */
const KEPT = 256

/** By key, the longest unused first. */
const modules = new Map<string, CompiledModule>()

/** A compiled module. */
export class CompiledModule {
  readonly module: WebAssembly.Module

  constructor(module: WebAssembly.Module) {
    this.module = module
  }

  /** The module's functions, working on `memory`. */
  instantiate<F extends object>(memory: LinearMemory): F {
    const { exports } = new WebAssembly.Instance(this.module, { env: { memory } })
    // An instance's exports are a frozen object, whose properties are slow to read.
    return { ...exports } as F
  }
}

/** The modules that are kept, for other threads: those share what was compiled. */
export function keptModules(): ReadonlyMap<string, unknown> {
  return new Map([...modules].map(([key, { module }]) => [key, module]))
}

/** Takes modules that another thread has kept. */
export function keepModules(others: ReadonlyMap<string, unknown>): void {
  for (const [key, module] of others) modules.set(key, new CompiledModule(module as WebAssembly.Module))
}

/** The module of that key, which `write` writes where it is not kept. */
export function compiledModule(key: string, write: () => WasmModule): CompiledModule {
  const kept = modules.get(key)
  const module = kept ?? new CompiledModule(new WebAssembly.Module(write().encode()))
  modules.delete(key)
  modules.set(key, module)
  if (modules.size > KEPT) modules.delete(modules.keys().next().value!)
  return module
}
