/** How the tests run. A test without an assertion fails: it would be one that cannot. */
import { defineConfig } from "vitest/config"

export default defineConfig({
  test: {
    include: ["src/**/*.{test,fuzz}.ts", "test/**/*.{test,fuzz}.ts"],
    expect: { requireAssertions: true },
    testTimeout: 60_000,
    hookTimeout: 60_000,
    maxWorkers: 2,
  },
})
