/**
 * Closes everything, in order, also where closing one of them fails: what stays open keeps the process from ending.
 *
 * @throws the first failure, when all the others are closed.
 */
export async function closeAll(parts: Iterable<{ close(): Promise<void> } | undefined>): Promise<void> {
  const failures: unknown[] = []
  for (const part of parts) await part?.close().catch((error: unknown) => void failures.push(error))
  if (failures.length > 0) throw failures[0]
}
