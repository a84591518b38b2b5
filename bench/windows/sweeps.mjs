/**
 * What is varied, one thing at a time, and what stays: a stream of 1,000 records a second of event time, ten keys, windows
 * of ten seconds every second; ten result rows a second, however many windows overlap and however many queries there are.
 */

/** @typedef {{ overlap: number, queries: number, keys: number, delay: number, isOpen: boolean }} Setting */

/** @type {Setting} */
const USUAL = { overlap: 10, queries: 1, keys: 10, delay: 0, isOpen: false }

/**
 * @typedef {object} Sweep
 * @property {string} name The property of a setting that it varies.
 * @property {string} title
 * @property {string} axis
 * @property {readonly number[]} values
 * @property {readonly number[]} quickValues
 * @property {(value: number) => Setting} setting
 */

/** @type {readonly Sweep[]} */
export const SWEEPS = [
  {
    name: "overlap",
    title: "windows that overlap: each record is in so many (size of so many seconds, every second)",
    axis: "overlapping windows",
    values: [1, 3, 10, 30, 100, 300, 1000],
    quickValues: [1, 30, 1000],
    setting: (overlap) => ({ ...USUAL, overlap }),
  },
  {
    name: "queries",
    title: "queries over one stream: n of them, every n seconds, of n, n + 1, … seconds",
    axis: "queries",
    values: [1, 3, 10, 30, 100],
    quickValues: [1, 10, 100],
    setting: (queries) => ({ ...USUAL, queries }),
  },
  {
    name: "keys",
    title: "keys: records find and update them in a window that does not fire meanwhile",
    axis: "keys",
    values: [10, 100, 1000, 10_000, 100_000, 1_000_000, 10_000_000],
    quickValues: [10, 1000, 100_000],
    setting: (keys) => ({ ...USUAL, keys, isOpen: true }),
  },
  {
    name: "delay",
    title: "out of order: records are up to so many slides late (and waited for)",
    axis: "slides out of order",
    values: [0, 1, 3, 10, 30, 100],
    quickValues: [0, 3, 100],
    setting: (delay) => ({ ...USUAL, delay }),
  },
]

/** One that can be taken out of a sum again, and one that cannot. */
export const AGGREGATES = ["sum", "max"]

/** Seconds of event time after which windows are full, and records late enough have been seen. */
export function warmSeconds({ overlap, queries, delay }) {
  return (queries === 1 ? overlap : 2 * queries) + delay
}
