import { type ChildProcess, spawn } from 'node:child_process'

/**
 * What ends the server when we are killed with SIGKILL and cannot. A shell waits on a pipe that only we hold: a line on
 * it is good-bye, its end without a line means that we are gone. The server then has its stdin closed already; it gets
 * SIGTERM after half a second, and SIGKILL two seconds later. In a session of its own, so that whoever ends our process
 * group does not end it too.
 *
 * Cost: one sleeping /bin/sh (about 1 MB) per wrapped server. PR_SET_PDEATHSIG would be free, but Node cannot set it, and
 * it ends a child only, not its group.
 */
const script = `
read -r bye && exit 0
alive() { kill -0 "-$1" 2>/dev/null; }
wait_for() { n=$2; while [ "$n" -gt 0 ] && alive "$1"; do sleep 0.1; n=$((n-1)); done; alive "$1"; }
wait_for "$1" 5 || exit 0
kill -TERM "-$1" 2>/dev/null
wait_for "$1" 20 || exit 0
kill -KILL "-$1" 2>/dev/null
`

export interface Guardian {
  /** Ends the guard: the group is ours to end again, or is gone. */
  dismiss(): void
}

/** Undefined where there is no POSIX shell; then a killed wrapper leaves a server that only sees its stdin closed. */
export function startGuardian(groupId: number, onMissing: () => void): Guardian | undefined {
  if (process.platform === 'win32') return undefined
  const shell: ChildProcess = spawn('/bin/sh', ['-c', script, 'affidavit-guardian', String(groupId)], {
    stdio: ['pipe', 'ignore', 'ignore'],
    env: { PATH: '/usr/bin:/bin' },
    cwd: '/',
    detached: true,
  })
  shell.on('error', onMissing)
  shell.stdin?.on('error', onMissing)
  shell.unref()
  return { dismiss: () => shell.stdin?.end('bye\n') }
}
