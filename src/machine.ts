/**
 * The door `tidemark/machine`: the machine that a job runs on as inputs, and what its commands write.
 */
export { exec, TextLine } from "./connectors/machine/exec/exec.ts"
export type { ExecOptions } from "./connectors/machine/exec/exec.ts"
export { machine } from "./connectors/machine/machine.ts"
export type { MachineInputs, MachineOptions } from "./connectors/machine/machine.ts"
export { CoreSample, DiskSample, MemorySample, NetworkSample } from "./connectors/machine/schemas.ts"
