/**
 * The linter's rules: typed rules for all TypeScript, and the purity rules that the layers of `layers.mjs` ask for.
 * What is banned, and what each finding says to use instead, stands in `scripts/purity.mjs`.
 */
import { builtinModules } from "node:module"
import tseslint from "typescript-eslint"
import { doors, nodeDoors, pureLayers } from "./layers.mjs"
import { asynchrony, banMessage, inTests, nodeModulesInstead, world, worldDoors } from "./scripts/purity.mjs"

const TESTS = ["**/*.{test,fuzz,bench,conformance,fixture}.ts", "test/**", "bench/**"]
const OUTSIDE = ["scripts/**", "examples/**", "templates/**", "bench/**", "*.mjs", "*.ts"]

/** What is almost always a slip, whatever the language's version; the compiler sees the rest. */
const SLIPS = [
  ...["for-direction", "no-async-promise-executor", "no-case-declarations", "no-compare-neg-zero", "no-cond-assign"],
  ...["no-constant-binary-expression", "no-control-regex", "no-debugger", "no-dupe-else-if", "no-duplicate-case"],
  ...["no-empty", "no-empty-character-class", "no-empty-pattern", "no-extra-boolean-cast", "no-fallthrough"],
  ...["no-invalid-regexp", "no-irregular-whitespace", "no-loss-of-precision", "no-misleading-character-class"],
  ...["no-prototype-builtins", "no-regex-spaces", "no-self-assign", "no-sparse-arrays", "no-unexpected-multiline"],
  ...[
    "no-unsafe-finally",
    "no-unsafe-optional-chaining",
    "no-unused-private-class-members",
    "no-useless-backreference",
  ],
  ...["no-useless-catch", "no-useless-escape", "no-var", "preserve-caught-error", "prefer-const", "object-shorthand"],
]
const slipRules = Object.fromEntries(["eqeqeq", ...SLIPS].map((name) => [name, "error"]))

const noDefaultExport = {
  selector: "ExportDefaultDeclaration",
  message: "Export by name: a default export is named anew by each file that imports it.",
}
const noBarrel = [
  {
    selector: "ExportAllDeclaration",
    message: "No barrels: import from the file that has it. Doors re-export by name.",
  },
  {
    selector: "ExportNamedDeclaration[source]",
    message: "No barrels: only the doors of layers.mjs re-export. Import from the file that has it.",
  },
]
const tsEndings = {
  regex: "^\\.{1,2}/.*(\\.js|/[^.]*)$",
  message: "Name the file that is there, with its `.ts` ending.",
}
const nodeImports = {
  regex: `^(node:|(${builtinModules.filter((name) => !name.startsWith("_")).join("|")})(/|$))`,
  message: nodeModulesInstead,
}

/**
 * ESLint replaces a rule's options by those of a later entry, so each entry lists all that holds for its files; and it
 * keeps the earlier options where the later entry has none, so an empty list is said as "off".
 */
function restrictions({ bans = [], mayNameNode = false, mayReExport = false }) {
  const globals = bans.filter((ban) => ban.global).map((ban) => ({ name: ban.global, message: banMessage(ban) }))
  const properties = bans.flatMap((ban) => {
    if (ban.property) return [{ object: ban.property[0], property: ban.property[1], message: banMessage(ban) }]
    return ban.method ? [{ property: ban.method, message: banMessage(ban) }] : []
  })
  return {
    "no-restricted-globals": globals.length === 0 ? "off" : ["error", ...globals],
    "no-restricted-properties": properties.length === 0 ? "off" : ["error", ...properties],
    "no-restricted-syntax": [
      "error",
      noDefaultExport,
      ...(mayReExport ? [noBarrel[0]] : noBarrel),
      ...bans.filter((ban) => ban.syntax).map((ban) => ({ selector: ban.syntax, message: banMessage(ban) })),
    ],
    "no-restricted-imports": ["error", { patterns: mayNameNode ? [tsEndings] : [tsEndings, nodeImports] }],
  }
}

const filesOf = (folders) => folders.flatMap((folder) => [`src/${folder}/**/*.ts`, `src/${folder}.ts`])

export default tseslint.config(
  { ignores: ["dist/", "dist.next/", "dist.last/", "temp/", "coverage/", "**/out/", "**/.tidemark/", "**/*.d.ts"] },
  { linterOptions: { reportUnusedDisableDirectives: "error" } },
  {
    files: ["**/*.ts"],
    extends: [tseslint.configs.recommendedTypeChecked],
    languageOptions: { parserOptions: { project: "./tsconfig.json", tsconfigRootDir: import.meta.dirname } },
    rules: {
      ...slipRules,
      "max-lines": ["error", { max: 600 }],
      "max-lines-per-function": ["error", { max: 70, IIFEs: true }],
      "@typescript-eslint/ban-ts-comment": ["error", { minimumDescriptionLength: 10 }],
      "@typescript-eslint/consistent-type-imports": [
        "error",
        { fixStyle: "separate-type-imports", disallowTypeAnnotations: false },
      ],
      "@typescript-eslint/consistent-type-exports": "error",
      "@typescript-eslint/explicit-module-boundary-types": "error",
      "@typescript-eslint/no-import-type-side-effects": "error",
      "@typescript-eslint/no-unused-vars": "off", // The compiler says it (noUnusedLocals, noUnusedParameters).
      "@typescript-eslint/no-unnecessary-boolean-literal-compare": "error",
      "@typescript-eslint/prefer-readonly": "error",
      "@typescript-eslint/require-await": "off", // An implementation of an asynchronous contract may have nothing to wait for.
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true, allowBoolean: true }],
      "@typescript-eslint/return-await": ["error", "error-handling-correctness-only"],
      "@typescript-eslint/only-throw-error": ["error", { allowThrowingUnknown: true }],
      "@typescript-eslint/no-unnecessary-type-assertion": "off", // It knows nothing of `!` on an index.
      "@typescript-eslint/switch-exhaustiveness-check": ["error", { considerDefaultExhaustiveForUnions: true }],
      ...restrictions({ bans: world }),
    },
  },
  { files: filesOf(pureLayers), rules: restrictions({ bans: [...world, ...asynchrony] }) },
  { files: filesOf(nodeDoors), rules: restrictions({ bans: world, mayNameNode: true }) },
  { files: filesOf(worldDoors), rules: restrictions({ mayNameNode: true }) },
  { files: doors.map((door) => `src/${door}`), rules: restrictions({ bans: world, mayReExport: true }) },
  {
    files: TESTS,
    rules: {
      ...restrictions({ bans: inTests, mayNameNode: true }),
      "max-lines-per-function": "off",
      "no-loss-of-precision": "off", // What happens to such numbers is what tests look at.
      // Tests read what programs print and call what they generate; an assertion says what it is.
      "@typescript-eslint/no-unsafe-argument": "off",
      "@typescript-eslint/no-unsafe-assignment": "off",
      "@typescript-eslint/no-unsafe-call": "off",
      "@typescript-eslint/no-unsafe-member-access": "off",
      "@typescript-eslint/no-unsafe-return": "off",
      "@typescript-eslint/unbound-method": "off",
    },
  },
  {
    files: OUTSIDE,
    rules: { ...restrictions({ mayNameNode: true, mayReExport: true }), "no-restricted-syntax": "off" },
  },
  {
    files: ["**/*.mjs"],
    languageOptions: { parserOptions: { ecmaVersion: 2024, sourceType: "module" } },
    rules: {
      ...slipRules,
      "max-lines": ["error", { max: 600 }],
      "max-lines-per-function": ["error", { max: 70, IIFEs: true }],
      "no-restricted-imports": "off",
    },
  },
)
