import { expect, test } from "vitest"
import { webhook } from "./webhook.ts"

const url = "https://api.example/orders"

test.each([
  [undefined, "webhook(...) takes an object of options, not undefined."],
  [{}, "webhook(...): url is undefined."],
  [{ url: "api.example" }, "webhook(...): url is no address."],
  [{ url: "ftp://api.example" }, "webhook(...): url is neither http nor https."],
  [{ url: "https://me:secret@api.example" }, "webhook(...): url has a user and a password in it."],
  [{ url: { env: "" } }, 'webhook(...): url.env is "".'],
  [{ url, conurrency: 2 }, 'webhook(...) has no option "conurrency".', "concurrency"],
  [{ url, method: "GET" }, 'webhook(...): method is "GET".'],
  [{ url, token: "secret" }, "webhook(...): token is not given as the variable that has it."],
  [{ url, headers: [] }, "webhook(...): headers is an array."],
  [{ url, headers: { "bad name": "x" } }, 'webhook(...): headers is "bad name".'],
  [{ url, headers: { "Idempotency-Key": "x" } }, 'webhook(...): headers is "Idempotency-Key".'],
  [{ url, token: { env: "T" }, headers: { Authorization: "x" } }, 'webhook(...): headers is "Authorization".'],
  [{ url, headers: { x: "a\nb" } }, "webhook(...): the header x has more than visible ASCII on one line."],
  [{ url, order: "keys" }, 'webhook(...): order is "keys".'],
  [{ url, order: { by: [] } }, "webhook(...): order.by is an array."],
  [{ url, order: { key: "a" } }, 'webhook(...): order has no option "key".'],
  [{ url, concurrency: 4 }, "webhook(...): concurrency is 4.", 'order: "none"'],
  [{ url, order: "none", concurrency: 0 }, "webhook(...): concurrency is 0."],
  [{ url, batch: { rows: 0 } }, "webhook(...): batch.rows is 0."],
  [{ url, batch: { format: "csv" } }, 'webhook(...): batch.format is "csv".'],
  [{ url, timeout: "0s" }, 'webhook(...): timeout is "0s".'],
  [{ url, retry: { first: "1s" } }, 'webhook(...): retry has no option "first".'],
  [{ url, breaker: { failures: 0.5 } }, "webhook(...): breaker.failures is 0.5."],
  [{ url, onRejected: "drop" }, 'webhook(...): onRejected is "drop".'],
  [{ url, maxUnsent: { rows: -1 } }, "webhook(...): maxUnsent.rows is -1."],
])("WH10 %j is refused", (options, message, hint = "") => {
  expect(() => webhook(options as never)).toThrow(
    expect.objectContaining({
      code: "invalid-options",
      message,
      hint: expect.stringContaining(hint) as string,
    }) as Error,
  )
})

test("WH5 a wait that is no duration is refused", () => {
  expect(() => webhook({ url, retry: { max: "soon" as never } })).toThrow(
    expect.objectContaining({ code: "invalid-duration" }) as Error,
  )
})

test("WH10 nothing of an address is shown behind its path", () => {
  expect(webhook({ url: `${url}?key=secret#part` }).describe()).toBe(`webhook({ url: "${url}" })`)
})
