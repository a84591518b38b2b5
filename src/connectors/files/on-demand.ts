/**
 * Code that few jobs need: it is loaded when a job does, since each start would pay for it with time and memory. The
 * bundler makes a file of its own of each `import()`.
 *
 * What is loaded is at hand at once from then on: to load takes real time, which a simulated world does not have, so tests
 * load before one begins.
 */

/** Some code, and whether it is there. */
class OnDemand<Code extends object> {
  readonly #load: () => Promise<Code>
  #code: Code | undefined

  constructor(load: () => Promise<Code>) {
    this.#load = load
  }

  /** The code, or a promise of it where it is not there yet. */
  get(): Code | Promise<Code> {
    return this.#code ?? this.#loaded()
  }

  async #loaded(): Promise<Code> {
    return (this.#code = await this.#load())
  }
}

export const parquetCode = new OnDemand(() => import("./parquet-format.ts"))
export const arrowCode = new OnDemand(() => import("./arrow-format.ts"))
export const followCode = new OnDemand(() => import("./follow/follow-source.ts"))
export const partitionedCode = new OnDemand(() => import("./open-partitioned-sink.ts"))
export const begunPartsCode = new OnDemand(() => import("./begun-parts.ts"))
export const gzipCode = new OnDemand(() => import("./gzip.ts"))

export const zstdCode = new OnDemand(async () => {
  const { loadZstd, ZstdDecompressor } = await import("./zstd-stream.ts")
  await loadZstd()
  return { ZstdDecompressor }
})
