/**
 * What code may not name, and what to use instead: the data behind the purity rules of `eslint.config.mjs`.
 *
 * - `world` is banned wherever results are decided: everywhere in `src/` but in the doors to the world (`worldDoors`).
 *   What decides reaches the world through `env`, so that one seed replays a whole job.
 * - `asynchrony` is banned in the pure layers on top of that: they are steps from values to values.
 * - Each ban carries an `example` that breaks it; `test/house.test.ts` sees every one of them go red.
 */

const CLOCK = "Take the time from `env.clock`, or as a value from the caller; calendar arithmetic is in src/time."
const TIMER = "Wait with `env.timers.sleep`, or return an effect that says when to be called again."
const CHANCE = "Draw from a seeded `Prng` (src/base/prng.ts), or take `env.randomUint32` where a token is wanted."
const PROCESS = "Take what you need as an argument; only src/cli and src/env/node see the process."
const TELL = "Return the text, or report an event through `trace`; only src/cli writes to the terminal."
const NETWORK = "Reach other machines in a connector, through `env`."
const BYTES = "Use `Uint8Array` and `ByteWriter`/`ByteReader` (src/base/bytes.ts): Buffer is Node's alone."
const STEP = "A pure layer is a step from values to values: return what is to be done, and let `runtime` await it."
const LOCALE = "The answer depends on the machine's language: compare by code unit (`<`), format by hand."

/** What tests may not do: each run draws the same cases, so that what is red is red again. @type {Ban[]} */
export const inTests = [
  {
    syntax:
      "CallExpression[callee.object.name='fc'][callee.property.name='assert']:not([arguments.1.callee.name='propertyCases'])",
    name: "`fc.assert` without a seed",
    instead: "Give it `propertyCases()` of test/seeds.ts.",
    example: 'import fc from "fast-check"\nfc.assert(fc.property(fc.nat(), () => true))',
  },
]

/** Folders and files of `src/` that stand between Tidemark and the world. */
export const worldDoors = ["env/node", "cli"]

/**
 * What is banned (one of `global`, `property`, `method`, `syntax`), what to do instead, and a line that breaks the ban.
 *
 * @typedef {object} Ban
 * @property {string} [global]
 * @property {string[]} [property] A global and its property.
 * @property {string} [method] A method of whatever object.
 * @property {string} [syntax] A selector of ESLint's; it comes with a `name` for it.
 * @property {string} [name]
 * @property {string} instead
 * @property {string} example
 */

/** @type {Ban[]} */
export const world = [
  { global: "Date", instead: CLOCK, example: "export const now = (): unknown => Date.now()" },
  { global: "performance", instead: CLOCK, example: "export const now = (): unknown => performance.now()" },
  {
    global: "setTimeout",
    instead: TIMER,
    example: "export const later = (f: () => void): unknown => setTimeout(f, 1)",
  },
  {
    global: "setInterval",
    instead: TIMER,
    example: "export const often = (f: () => void): unknown => setInterval(f, 1)",
  },
  {
    global: "setImmediate",
    instead: TIMER,
    example: "export const soon = (f: () => void): unknown => setImmediate(f)",
  },
  { property: ["Math", "random"], instead: CHANCE, example: "export const chance = (): number => Math.random()" },
  { global: "crypto", instead: CHANCE, example: "export const token = (): string => crypto.randomUUID()" },
  { global: "process", instead: PROCESS, example: "export const directory = (): string => process.cwd()" },
  { global: "globalThis", instead: PROCESS, example: "export const world = (): unknown => globalThis" },
  { global: "console", instead: TELL, example: "export const tell = (): void => console.log(1)" },
  { global: "fetch", instead: NETWORK, example: "export const get = (): unknown => fetch(`http://localhost`)" },
  { global: "Buffer", instead: BYTES, example: "export const bytes = (): Uint8Array => Buffer.alloc(1)" },
  {
    method: "localeCompare",
    instead: LOCALE,
    example: "export const order = (a: string): number => a.localeCompare(`b`)",
  },
  {
    method: "toLocaleString",
    instead: LOCALE,
    example: "export const text = (a: number): string => a.toLocaleString()",
  },
]

/** @type {Ban[]} */
export const asynchrony = [
  { global: "Promise", instead: STEP, example: "export const done = (): unknown => Promise.resolve()" },
  {
    global: "queueMicrotask",
    instead: STEP,
    example: "export const soon = (f: () => void): void => queueMicrotask(f)",
  },
  {
    syntax: "TSTypeReference[typeName.name=/^(Promise|PromiseLike|AsyncIterable|AsyncGenerator)$/]",
    name: "A promise's type",
    instead: STEP,
    example: "export type Later = Promise<number>",
  },
  {
    syntax: ":function[async=true]",
    name: "`async`",
    instead: STEP,
    example: "export async function step(): Promise<void> {}",
  },
  { syntax: "AwaitExpression", name: "`await`", instead: STEP, example: "await (1 as unknown as Promise<void>)" },
  {
    syntax: "ForOfStatement[await=true]",
    name: "`for await`",
    instead: STEP,
    example: "for await (const x of []) void x",
  },
  {
    syntax: "ImportExpression",
    name: "A dynamic import",
    instead: STEP,
    example: "export const load = (): unknown => import(`./x.ts`)",
  },
]

/** For the modules of Node, outside the doors of `layers.mjs`. */
export const nodeModulesInstead =
  "Only the folders in `nodeDoors` of layers.mjs may name Node's modules. Take an `Env` (src/env/env.ts) as an argument instead."

/**
 * The sentence that a ban's finding says.
 *
 * @param {Ban} ban
 * @returns {string}
 */
export function banMessage(ban) {
  const name = ban.name ?? `\`${ban.global ?? (ban.property ?? [ban.method]).join(".")}\``
  return `${name} has no place here. ${ban.instead}`
}
