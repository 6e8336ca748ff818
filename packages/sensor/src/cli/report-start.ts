import { diagnose } from './diagnostics.ts'
import { nameProgram } from './server-name.ts'

/** Of the command no more than its program: its folder and arguments may hold anything. `code` is the system's. */
export function reportStart(command: string, code: string, redact: (text: string) => string): void {
  const why = code === 'ENOENT' ? 'there is no such program' : `the system says ${code}`
  diagnose('AFD_SERVER_NOT_STARTED', `cannot start ${redact(nameProgram(command))}: ${why}. Check the command after --`)
}
