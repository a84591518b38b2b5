/** The version of this package, as `package.json` has it (the tidy test compares them). */
export const VERSION = "0.1.0"
