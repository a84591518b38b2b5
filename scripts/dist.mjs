/** A module of the built package that no door publishes: `fromDist("sim/runner")`. Build before you ask. */
export function fromDist(name) {
  return import(new URL(`../dist/${name}.js`, import.meta.url).href)
}
