/**
 * `machine`: the machine that the job runs on as inputs. This is what the door `tidemark/machine` publishes.
 */
import { checkDuration, type Duration } from "../../base/duration.ts"
import { TidemarkError } from "../../base/errors.ts"
import { checkOptions } from "../../base/known-options.ts"
import type { RowOf } from "../../batch/schema.ts"
import type { Source, SourceContext, SourceGuarantee, TypedSource } from "../../connect/source.ts"
import { growth, type Counters } from "./counters.ts"
import { MachineSource, type SampledRow, type TakeSample } from "./machine-source.ts"
import { thisMachine, type Probe } from "./probe.ts"
import type { CoreSample, DiskSample, MemorySample, NetworkSample } from "./schemas.ts"

/**
 * Options of `machine`.
 *
 * @example
 * ```ts
 * import { machine, type MachineOptions } from "tidemark/machine"
 *
 * const often: MachineOptions = { every: "100ms" }
 * const { cores } = machine(often)
 * ```
 */
export interface MachineOptions {
  /** How often a sample is taken. `"1s"` unless given, at least `"10ms"`. */
  readonly every?: Duration
}

/**
 * What a machine tells of itself, as inputs.
 *
 * @example
 * ```ts
 * import type { MachineInputs } from "tidemark/machine"
 *
 * const shown = ({ cores, memory }: MachineInputs): string[] => [cores.describe(), memory.describe()]
 * ```
 */
export interface MachineInputs {
  /** A row for each core and sample. */
  readonly cores: TypedSource<RowOf<typeof CoreSample>>
  /** A row for each sample. */
  readonly memory: TypedSource<RowOf<typeof MemorySample>>
  /** A row for each disk and sample. Linux only: elsewhere the job does not start. */
  readonly disks: TypedSource<RowOf<typeof DiskSample>>
  /** A row for each network interface and sample. Linux only: elsewhere the job does not start. */
  readonly networks: TypedSource<RowOf<typeof NetworkSample>>
}

const MICROS_MIN = 10_000

/**
 * The machine that the job runs on: its cores, memory, disks and networks, sampled as time passes.
 *
 * Guarantee: at most once across restarts. A sample that was read and not committed when the process ends is lost, and there
 * is none of the time in which no process runs.
 *
 * @throws TidemarkError `invalid-options` or `invalid-duration` where an option has no meaning.
 *
 * @example
 * ```ts
 * import { job, max, mean, stdout, tumbling } from "tidemark"
 * import { CoreSample, machine } from "tidemark/machine"
 *
 * const load = job({
 *   name: "load",
 *   inputs: { cores: CoreSample },
 *   flow: ({ cores }) => ({
 *     load: cores
 *       .eventTime("at", { outOfOrder: "0s" })
 *       .keyBy("core")
 *       .window(tumbling("10s"))
 *       .aggregate({ mean: mean("busy"), worst: max("busy") }, { id: "load" }),
 *   }),
 * })
 * const { cores } = machine({ every: "500ms" })
 * export default load.with({ inputs: { cores }, outputs: { load: stdout({ format: "table" }) } })
 * ```
 */
export function machine(options: MachineOptions = {}): MachineInputs {
  const { every = "1s" } = checkOptions("machine(...)", options, ["every"])
  const everyMicros = checkDuration("machine(...): every", every)
  if (everyMicros < MICROS_MIN) {
    throw new TidemarkError("invalid-options", `machine(...): every is ${String(every)}, which is too often.`, {
      hint: "Take a sample every 10 ms at most.",
    })
  }
  return machineInputs(
    thisMachine,
    everyMicros,
    options.every === undefined ? "machine()" : `machine({ every: "${every as string}" })`,
  )
}

/** The inputs of a machine that answers a probe. */
export function machineInputs(probe: Probe, everyMicros: number, described: string): MachineInputs {
  const bind = <Row>(what: string, makeSampler: () => TakeSample): TypedSource<Row> =>
    new MachineBinding<Row>(`${described}.${what}`, what, makeSampler, everyMicros)
  return {
    cores: bind("cores", () => differences(async () => probe.cores(), coreRow)),
    memory: bind("memory", () => async () => {
      const { totalBytes, freeBytes, load } = probe.memory()
      return [{ totalBytes, freeBytes, load1: load[0], load5: load[1], load15: load[2] }]
    }),
    disks: bind("disks", () =>
      differences(
        () => probe.disks(),
        ([disk, { read, written }]) => ({ disk, readBytes: read, writtenBytes: written }),
      ),
    ),
    networks: bind("networks", () =>
      differences(
        () => probe.networks(),
        ([network, { received, sent }]) => ({ network, receivedBytes: received, sentBytes: sent }),
      ),
    ),
  }
}

/** Rows of how counters have grown since the last sample. */
function differences(
  count: () => Promise<ReadonlyMap<string, Counters> | undefined>,
  rowOf: (grown: readonly [string, Counters]) => SampledRow | undefined,
): TakeSample {
  let before: ReadonlyMap<string, Counters> = new Map()
  return async () => {
    const now = await count()
    if (now === undefined) return undefined
    const rows = growth(before, now).map(rowOf)
    before = now
    return rows.filter((row) => row !== undefined)
  }
}

/** A core's shares; none where its clock has not moved. */
function coreRow([core, { idle = 0, user = 0, system = 0 }]: readonly [string, Counters]): SampledRow | undefined {
  const all = idle + user + system
  return all === 0
    ? undefined
    : { core: Number(core), busy: (user + system) / all, user: user / all, system: system / all }
}

class MachineBinding<Row> implements TypedSource<Row> {
  declare readonly rowType?: Row
  readonly readGuarantee: SourceGuarantee = "at-most-once"
  readonly #described: string
  readonly #what: string
  readonly #makeSampler: () => TakeSample
  readonly #everyMicros: number

  constructor(described: string, what: string, makeSampler: () => TakeSample, everyMicros: number) {
    this.#described = described
    this.#what = what
    this.#makeSampler = makeSampler
    this.#everyMicros = everyMicros
  }

  describe(): string {
    return this.#described
  }

  async openSource(context: SourceContext): Promise<Source> {
    return new MachineSource(context, this.#what, this.#makeSampler(), this.#everyMicros)
  }
}
