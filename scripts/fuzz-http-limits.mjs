/** The bounds of the server that `fuzz-http.mjs` sends to: narrow, so that they are reached often. */
export const LIMITS = {
  maxRequestBytes: 16_384,
  maxRecords: 50,
  maxRecordBytes: 2000,
  maxBacklogBytes: 2 ** 25,
  maxInFlightBytes: 2 ** 20,
  maxConnections: 500,
  headersTimeout: "2s",
  requestTimeout: "4s",
  // So many are known that none is forgotten before it is repeated.
  idempotencyKeys: { maxKeys: 20_000 },
}

/** The variable that has the server's token, and the token. */
export const TOKEN_VARIABLE = "FUZZ_HTTP_TOKEN"
export const TOKEN = "the-token-of-the-fuzz"
