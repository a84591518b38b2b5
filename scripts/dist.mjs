/** A module as it was built, also one that no door publishes: `fromDist("sim/runner")`. Build before you ask. */
export function fromDist(name) {
  return import(new URL(`../dist/modules/${name}.js`, import.meta.url).href)
}
