/** Code that copies and fills stretches of memory, sixteen bytes at a time. What lies behind a stretch is not touched. */
import { i32, i64, i64x2, v128, when, whileLoop, type Code, type Local } from "../../../base/wasm-code.ts"
import type { FunctionScope } from "../../../base/wasm-module.ts"
import { increment } from "./code-places.ts"

/** Copies `count` items of so many bytes from one address to another. The stretches must not overlap. */
export function copyItems(
  scope: FunctionScope,
  from: Code<"i32">,
  to: Code<"i32">,
  count: Local<"i32">,
  bytes: 4 | 8,
): Code<"none">[] {
  const source = scope.local("i32")
  const target = scope.local("i32")
  const end = scope.local("i32")
  const step = (width: number) => [increment(source, width), increment(target, width)]
  return [
    source.set(from),
    target.set(to),
    end.set(i32.add(target.get, i32.shl(count.get, i32.const(bytes === 4 ? 2 : 3)))),
    whileLoop(i32.leU(i32.add(target.get, i32.const(64)), end.get), [
      ...[0, 16, 32, 48].map((at) => v128.store(target.get, v128.load(source.get, at), at)),
      ...step(64),
    ]),
    whileLoop(i32.leU(i32.add(target.get, i32.const(16)), end.get), [
      v128.store(target.get, v128.load(source.get)),
      ...step(16),
    ]),
    whileLoop(i32.ltU(target.get, end.get), [
      bytes === 4 ? i32.store(target.get, i32.load(source.get)) : i64.store(target.get, i64.load(source.get)),
      ...step(bytes),
    ]),
  ]
}

/** Stores the same value in `count` items of eight bytes from an address on. */
export function fillItems(
  scope: FunctionScope,
  to: Code<"i32">,
  count: Local<"i32">,
  value: Code<"i64">,
): Code<"none">[] {
  const target = scope.local("i32")
  const end = scope.local("i32")
  const item = scope.local("i64")
  const two = scope.local("v128")
  return [
    target.set(to),
    item.set(value),
    two.set(i64x2.splat(item.get)),
    end.set(i32.add(target.get, i32.shl(count.get, i32.const(3)))),
    whileLoop(i32.leU(i32.add(target.get, i32.const(64)), end.get), [
      ...[0, 16, 32, 48].map((at) => v128.store(target.get, two.get, at)),
      increment(target, 64),
    ]),
    whileLoop(i32.leU(i32.add(target.get, i32.const(16)), end.get), [
      v128.store(target.get, two.get),
      increment(target, 16),
    ]),
    when(i32.ltU(target.get, end.get), [i64.store(target.get, item.get)]),
  ]
}
