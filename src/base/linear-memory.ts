/** A `WebAssembly.Memory`, said so that users' compilers need no types of WebAssembly's for our declarations. */
export interface LinearMemory {
  readonly buffer: ArrayBuffer | SharedArrayBuffer
}
