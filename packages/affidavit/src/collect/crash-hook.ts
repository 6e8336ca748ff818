/** Points between the steps of the crash order, in order. Fault tests end the process at each. */
export const crashPoints = ['admitted', 'tilesWritten', 'committed', 'signed', 'published'] as const
export type CrashPoint = (typeof crashPoints)[number]

/** Called at every point; what it throws or does to the process happens exactly there. Absent in production. */
export type CrashHook = (point: CrashPoint) => void | Promise<void>

export async function atStep(hook: CrashHook | undefined, point: CrashPoint): Promise<void> {
  if (hook !== undefined) await hook(point)
}
