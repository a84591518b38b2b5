/**
 * The rules of dependencies, made from the policy in `layers.mjs`: which folder may import which, type imports
 * included; no cycles; nobody inside imports a door; shipped code imports only what is shipped with it.
 */
import { builtinModules } from "node:module"
import { doors, layers, nodeDoors } from "./layers.mjs"

const TEST_KIT = "\\.(test|fuzz|bench|conformance|fixture)\\.ts$"
const NOT_SHIPPED = "\\.(test|fuzz|bench|conformance|fixture|reference)\\.ts$"
const DOOR = `^src/(${doors.map(escaped).join("|")})$`

function escaped(text) {
  return text.replace(/[.*+?^${}()|[\]\\/]/g, "\\$&")
}

function oneOf(folders) {
  return `^src/(${folders.map(escaped).join("|")})/`
}

/** Tests may import what they need to set a stage; what is tested may not. */
const layerRules = Object.entries(layers).map(([folder, allowed]) => ({
  name: `layer-${folder.replace("/", "-")}`,
  comment:
    `layers.mjs: src/${folder} may import ${allowed.length === 0 ? "no other layer" : allowed.join(", ")}. ` +
    "It is policy: move the code, or take what you need as an argument.",
  severity: "error",
  from: { path: `^src/${escaped(folder)}/`, pathNot: TEST_KIT },
  to: { path: "^src/", pathNot: [oneOf([folder, ...allowed]), DOOR] },
}))

export default {
  forbidden: [
    ...layerRules,
    {
      name: "no-unknown-folder",
      comment: "Every folder of src/ stands in layers.mjs with what it may import.",
      severity: "error",
      from: { path: "^src/[^/]+/", pathNot: oneOf(Object.keys(layers)) },
      to: {},
    },
    {
      name: "no-cycle",
      comment: "Files on a cycle can only be understood, tested and moved together: put what they share into a third.",
      severity: "error",
      from: {},
      to: { circular: true },
    },
    {
      name: "no-door-inside",
      comment: "Doors are for users: inside, import from the file that has it.",
      severity: "error",
      from: { path: "^src/", pathNot: TEST_KIT },
      to: { path: DOOR },
    },
    {
      name: "no-test-in-product",
      comment: "What is shipped imports no tests, fixtures, suites or slow twins.",
      severity: "error",
      from: { path: "^src/", pathNot: NOT_SHIPPED },
      to: { path: NOT_SHIPPED },
    },
    {
      name: "no-unshipped-package",
      comment: "Shipped code imports only what stands in `dependencies` or `peerDependencies` of package.json.",
      severity: "error",
      from: { path: "^src/", pathNot: TEST_KIT },
      to: {
        dependencyTypes: ["npm-dev", "npm-no-pkg", "npm-unknown"],
        // Optional peers stand among what the tests install, too.
        dependencyTypesNot: ["npm-peer"],
        pathNot: "^node_modules/@types/node/",
      },
    },
    {
      name: "no-node-outside-doors",
      comment: "Only the folders in `nodeDoors` of layers.mjs may name Node's modules: take an `Env` instead.",
      severity: "error",
      from: { path: "^src/", pathNot: [TEST_KIT, `^src/(${nodeDoors.map(escaped).join("|")})(/|\\.ts$)`] },
      to: { dependencyTypes: ["core"] },
    },
    {
      name: "no-unresolved",
      comment: "The file or package is not there.",
      severity: "error",
      from: {},
      to: { couldNotResolve: true },
    },
  ],
  options: {
    doNotFollow: { path: "node_modules" },
    builtInModules: { add: builtinModules.map((name) => `node:${name}`) },
    enhancedResolveOptions: { exportsFields: ["exports"], conditionNames: ["import", "node", "default", "types"] },
    exclude: { path: "^(dist|temp|out|coverage)/" },
    tsConfig: { fileName: "tsconfig.json" },
    tsPreCompilationDeps: true,
  },
}
