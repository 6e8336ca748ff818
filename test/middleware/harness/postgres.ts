import { spawn, spawnSync } from 'node:child_process'
import { chownSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'

const versions = '/usr/lib/postgresql'
const bin = existsSync(versions)
  ? readdirSync(versions)
      .map((version) => join(versions, version, 'bin'))
      .find((dir) => existsSync(join(dir, 'postgres')))
  : undefined

export const hasPostgres = bin !== undefined

/** Postgres refuses to run as root. */
const asPostgres = (command: string[]) =>
  userInfo().uid === 0 ? ['runuser', '-u', 'postgres', '--', ...command] : command

export interface Postgres {
  /** For clients, as libpq reads it. */
  env: { PGHOST: string; PGUSER: string; PGDATABASE: string }
  sql(statement: string): string
  /** The server's own log, as CSV. */
  log(): string
}

/** A real server on a socket of its own, which logs every statement; ended with the test. */
export async function startPostgres(): Promise<Postgres> {
  if (bin === undefined) throw new Error('there is no PostgreSQL on this machine')
  const folder = mkdtempSync(join(tmpdir(), 'afd-pg-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  giveToPostgres(folder)
  const dataDir = join(folder, 'pgdata')
  run([join(bin, 'initdb'), '-D', dataDir, '-U', 'postgres', '--auth=trust', '--no-sync'])
  const settings = {
    listen_addresses: '', unix_socket_directories: folder, log_statement: 'all', log_destination: 'csvlog',
    logging_collector: 'on', log_directory: 'log', log_filename: 'statements.log', fsync: 'off',
  } // biome-ignore format: one list
  const args = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])
  const [program = '', ...rest] = asPostgres([join(bin, 'postgres'), '-D', dataDir, ...args])
  const server = spawn(program, rest, { stdio: 'ignore' })
  const ended = new Promise((resolve) => server.once('exit', resolve))
  onTestFinished(async () => {
    run([join(bin ?? '', 'pg_ctl'), 'stop', '-D', dataDir, '-m', 'immediate'])
    await ended
  })
  const env = { PGHOST: folder, PGUSER: 'postgres', PGDATABASE: 'postgres' }
  await untilReady(() => spawnSync(join(bin ?? '', 'pg_isready'), { env: { ...process.env, ...env } }).status === 0)
  return {
    env,
    sql: (statement) => run([join(bin ?? '', 'psql'), '-qAt', '-h', folder, '-U', 'postgres', '-c', statement]),
    log: () => readFileSync(join(dataDir, 'log/statements.csv'), 'utf8'),
  }
}

function giveToPostgres(folder: string): void {
  mkdirSync(folder, { recursive: true })
  if (userInfo().uid !== 0) return
  const id = (flag: string) => Number(spawnSync('id', [flag, 'postgres'], { encoding: 'utf8' }).stdout)
  chownSync(folder, id('-u'), id('-g'))
}

function run(command: string[]): string {
  const [program = '', ...args] = asPostgres(command)
  const { status, stdout, stderr, error } = spawnSync(program, args, { encoding: 'utf8', timeout: 60_000 })
  if (status !== 0) throw new Error(`${command[0]} failed: ${error ?? stderr}`)
  return stdout
}

async function untilReady(isReady: () => boolean): Promise<void> {
  for (let tries = 0; !isReady(); tries++) {
    if (tries > 100) throw new Error('PostgreSQL did not start')
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}
