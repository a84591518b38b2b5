/** The protocol steps of pushed sources, beside those of the log behind them: the closed list of names under which the disk is called. */
export const PUSHED_STEPS = [
  "requests.keys.read",
  /** The keys of requests, before the log lets go the requests. */
  "requests.keys.create",
  "requests.keys.write",
  "requests.keys.sync",
  "requests.keys.rename",
  "requests.keys.sync-directory",
] as const

/** One of them. */
export type PushedStep = (typeof PUSHED_STEPS)[number]

/** Holds a step's name to the list. */
export function step(name: PushedStep): PushedStep {
  return name
}
