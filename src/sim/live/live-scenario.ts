/**
 * A live scenario: a job whose records are sent to it by HTTP, or pushed by its own program, or come from a log that is written meanwhile, and whose rows go into
 * files, into tables of a database and to a service. As plain data drawn from a seed: each seed switches features and faults on and off.
 */
import { Prng } from "../../base/prng.ts"

/** A record, as senders have it. */
export interface LiveRecord {
  /** Unique in the scenario. */
  readonly id: number
  readonly key: string
  readonly value: number
  /** Microseconds since 1970. */
  readonly at: number
}

/** Records that are sent together. */
export interface LiveRequest {
  /** Whether it bears a key, by which it is known when it is repeated. */
  readonly hasKey: boolean
  readonly records: readonly LiveRecord[]
}

/** Where rows of an output go. */
export type OutputPlace = "files" | "append" | "upsert" | "webhook"

/** The outputs of the job that may lie in tables or be sent; late rows and dead letters lie in files. */
export const PLACED_OUTPUTS = ["kept", "runs", "windows"] as const

/** One of them. */
export type PlacedOutput = (typeof PLACED_OUTPUTS)[number]

/** What the network between senders and the job does. */
export interface NetworkShape {
  readonly delayMicrosMax: number
  readonly lossChance: number
  readonly repeatChance: number
  /** So many times nothing passes for a while. */
  readonly partitions: number
}

/** What the receiver of webhooks does, and in which order it is to get rows. */
export interface HookShape {
  readonly isOrdered: boolean
  /** How often a request is answered by a failure, or not at all, though it may have been taken. */
  readonly failChance: number
  /** How often it is answered as if the address or the token were wrong. */
  readonly strayChance: number
  readonly restarts: number
}

/** A job, what it is sent, and how it is run. */
export interface LiveScenario {
  readonly seed: number
  readonly input: "http" | "log" | "pushed"
  readonly requests: readonly LiveRequest[]
  readonly senders: number
  /** Senders that do not know any more what was acknowledged send it again. */
  readonly forgetChance: number
  readonly network: NetworkShape
  readonly places: Readonly<Record<PlacedOutput, OutputPlace>>
  readonly hooks: HookShape
  /** Whether tables and receivers refuse some rows, which are dead letters then. */
  readonly refusesRows: boolean
  /** A call of the database loses its connection this often, and whoever sent it does not know what became of it. */
  readonly connectionLoss: number
  readonly serverRestarts: number
  readonly clockSteps: number
  readonly batchRows: number
  readonly epochRows: readonly number[]
  readonly snapshotMinBytes: number
  readonly rollBytes: number
  /** The log of requests is let go when so many bytes more were read. */
  readonly trimBytes: number
  readonly backlogBytes: number
  /** Whether what is pushed is kept behind the operators that make of each record what they make of it alone. */
  readonly runsPrefix: boolean
  /** When so many values that are pushed have become columns, others come first. */
  readonly valuesAtOnce: number
  /** Run number `i` is stopped after so many commits; 0 where it is not. */
  readonly stopAfterCommits: readonly number[]
  /** From this process on the program keeps its state in wider types; `undefined` where it never does. */
  readonly widensAt: number | undefined
  /** After so many commits a savepoint is made, from which another job begins in the end; `undefined` where none is. */
  readonly savepointAfter: number | undefined
  /** How many bytes of keys may be in memory; `Infinity` where all may. */
  readonly stateMemoryBytes: number
  /** Whether a bit of the job's state is changed when all is done, and the job run once more. */
  readonly rots: boolean
}

/** Rows with such an id are refused, where any are. */
export const REFUSED_ID_MODULUS = 13

const START_MICROS = 1_704_067_200_000_000
const SECOND = 1_000_000
const CALM_HOOKS: HookShape = { isOrdered: true, failChance: 0, strayChance: 0, restarts: 0 }
const CALM_NETWORK: NetworkShape = { delayMicrosMax: 1000, lossChance: 0, repeatChance: 0, partitions: 0 }

/** Draws a scenario. */
export function drawLiveScenario(seed: number): LiveScenario {
  const prng = new Prng(seed + 2 ** 28)
  const isSent = prng.chance(0.65)
  const ofPushed = new Prng(seed + 2 ** 27)
  const ofHooks = new Prng(seed + 2 ** 26)
  const input = ofPushed.chance(0.3) ? "pushed" : isSent ? "http" : "log"
  const isOn = (): boolean => prng.chance(0.5)
  const withoutKey = input === "pushed" ? 1 : input === "http" && prng.chance(0.3) ? 0.3 : 0
  const requests = drawRequests(prng, withoutKey)
  // What comes twice, as its sender gives it no key, would take the place of itself in an upsert.
  const place = (): OutputPlace => prng.pick(withoutKey > 0 ? ["files", "append"] : ["files", "append", "upsert"])
  const records = requests.reduce((sum, request) => sum + request.records.length, 0)
  return {
    seed,
    input,
    requests,
    senders: 1 + prng.below(4),
    forgetChance: isOn() ? 0.15 : 0,
    network: isOn() ? drawNetwork(prng) : CALM_NETWORK,
    places: somewhereSent(
      ofHooks,
      isOn() ? { kept: place(), runs: place(), windows: place() } : { kept: "files", runs: "files", windows: "files" },
    ),
    hooks: drawHooks(ofHooks),
    refusesRows: isOn(),
    connectionLoss: isOn() ? prng.pick([0.01, 0.05]) : 0,
    serverRestarts: isOn() ? 1 + prng.below(4) : 0,
    clockSteps: isOn() ? 1 + prng.below(4) : 0,
    batchRows: prng.pick([1, 3, 64]),
    epochRows: [2 + prng.below(Math.ceil(records / 3)), 2 + prng.below(Math.ceil(records / 3))],
    snapshotMinBytes: prng.pick([1, 600, 3000, 1_000_000]),
    rollBytes: prng.pick([1, 300, 1_000_000]),
    trimBytes: prng.pick([1, 300, 1_000_000]),
    backlogBytes: prng.pick([600, 1_000_000]),
    runsPrefix: ofPushed.chance(0.6),
    valuesAtOnce: ofPushed.pick([1, 20, 2 ** 17]),
    stopAfterCommits: Array.from({ length: 6 }, () => (prng.chance(0.3) ? 1 + prng.below(5) : 0)),
    widensAt: isOn() ? 1 + prng.below(4) : undefined,
    savepointAfter: input === "log" && isOn() ? 1 + prng.below(6) : undefined,
    rots: prng.chance(0.25),
    stateMemoryBytes: new Prng(seed + 2 ** 29).pick([0, 200, 1000, Infinity]),
  }
}

/** Some of the outputs are sent, in some of the scenarios. */
function somewhereSent(prng: Prng, places: LiveScenario["places"]): LiveScenario["places"] {
  if (!prng.chance(0.35)) return places
  const sent = PLACED_OUTPUTS.filter(() => prng.chance(0.6)).map((name) => [name, "webhook"] as const)
  return { ...places, ...Object.fromEntries(sent) }
}

function drawHooks(prng: Prng): HookShape {
  return {
    isOrdered: prng.chance(0.8),
    failChance: prng.pick([0, 0.1, 0.3]),
    strayChance: prng.pick([0, 0, 0.01]),
    restarts: prng.below(3),
  }
}

function drawNetwork(prng: Prng): NetworkShape {
  return {
    delayMicrosMax: prng.pick([1000, 50_000, 800_000]),
    lossChance: prng.pick([0, 0.05, 0.25]),
    repeatChance: prng.pick([0, 0.1, 0.3]),
    partitions: prng.below(4),
  }
}

function drawRequests(prng: Prng, withoutKey: number): LiveRequest[] {
  let [clock, id] = [START_MICROS, 0]
  const record = (): LiveRecord => {
    clock += prng.below(6 * SECOND)
    const at = prng.chance(0.1) ? clock - prng.below(120 * SECOND) : clock - prng.below(3 * SECOND)
    return { id: ++id, key: prng.pick(["k1", "k2", "a key"]), value: prng.below(2000) - 1000, at }
  }
  return Array.from({ length: 6 + prng.below(20) }, () => {
    const records = Array.from({ length: 1 + prng.below(5) }, record)
    return { hasKey: !prng.chance(withoutKey), records }
  })
}

/** Plainer variants of a scenario, for shrinking. */
export function* plainerLiveScenarios(scenario: LiveScenario): Generator<LiveScenario> {
  const { requests, places, stopAfterCommits } = scenario
  const plain: Partial<LiveScenario> = {
    ...{ savepointAfter: undefined, widensAt: undefined, rots: false, refusesRows: false, forgetChance: 0, senders: 1 },
    ...{
      connectionLoss: 0,
      serverRestarts: 0,
      clockSteps: 0,
      batchRows: 64,
      snapshotMinBytes: 1_000_000,
      rollBytes: 1_000_000,
      valuesAtOnce: 2 ** 17,
    },
    ...{ trimBytes: 1_000_000, backlogBytes: 1_000_000, network: CALM_NETWORK, hooks: CALM_HOOKS },
    stateMemoryBytes: Infinity,
  }
  for (const [name, value] of Object.entries(plain)) {
    if (scenario[name as keyof LiveScenario] !== value) yield { ...scenario, [name]: value }
  }
  for (const name of PLACED_OUTPUTS) {
    if (places[name] !== "files") yield { ...scenario, places: { ...places, [name]: "files" } }
  }
  for (const [index, stop] of stopAfterCommits.entries()) {
    if (stop > 0) yield { ...scenario, stopAfterCommits: stopAfterCommits.with(index, 0) }
  }
  for (let size = requests.length >> 1; size >= 1; size >>= 1) {
    for (let from = 0; from + size <= requests.length; from += size) {
      yield { ...scenario, requests: requests.toSpliced(from, size) }
    }
  }
}
