import { parseArgs } from 'node:util'
import { isUuidV7 } from '@affidavit/evidence/record/id'
import type { ApprovalRequest, ApprovalStatement } from '@affidavit/evidence/wire/approval'
import { resolveHome } from '../durable/home.ts'
import { openGatewayPlace } from './approve-gateway.ts'
import { openHomePlace } from './approve-key.ts'
import { formatList, formatRequest } from './approve-text.ts'
import { toWordsError } from './refuse-words.ts'
import { readSigningKey } from './signing-key.ts'
import { UsageError } from './usage-error.ts'
import { exitCodes, runInWorld, type World } from './world.ts'
import { readText } from './yaml-config.ts'

/** Where requests lie and decisions go: a home folder, or a gateway. Everything of it throws ApprovalError. */
export interface ApprovalPlace {
  list(): Promise<ApprovalRequest[]>
  /** A request that may be decided on now. */
  find(id: string): Promise<ApprovalRequest>
  /** Durable when it resolves. */
  decide(request: ApprovalRequest, verdict: ApprovalStatement['verdict']): Promise<void>
}

const help = `Usage: affidavit approve
       affidavit approve ID --key FILE [--deny] [--yes]
       affidavit approve [ID] --gateway URL [--token-file FILE] [--deny] [--yes]

Decides on a call that was refused because policy asks for an approval by somebody else. Without ID it lists the calls that
wait. Shows what is asked, signs it with your key, or has your token verified by the gateway, and records it; the same call then
goes on, once.

Options:
  --key FILE     PEM file with your Ed25519 private key; its public half is in policy.approvals of the sensor
  --gateway URL  decides at a gateway, where your token proves who you are
  --token-file F where your token lies; else it is in AFFIDAVIT_APPROVAL_TOKEN
  --deny         says no, for as long as the request is open
  --yes          decides without asking
  --home DIR     home folder of the sensor; default: AFFIDAVIT_HOME, else the XDG data folder
  --json         the request, or the list, as JSON
  -h, --help     show this help

Examples:
  affidavit approve
      the calls that wait
  affidavit approve 019aa0f5-999b-7001-8a2b-3c4d5e6f7081 --key ~/approver.key
  affidavit approve 019aa0f5-999b-7001-8a2b-3c4d5e6f7081 --gateway https://gateway.example:7332 --token-file token
      exit 0 where it is decided, 1 where you said no to the question, 2 where it cannot be decided

docs/POLICY.md says who may approve, what an approval is bound to, and what each code means.
`
const tryHelp = "Try 'affidavit approve --help'."
const text = { type: 'string' } as const
const flag = { type: 'boolean' } as const
const known = {
  key: text,
  gateway: text,
  'token-file': text,
  deny: flag,
  yes: flag,
  home: text,
  json: flag,
  help: { ...flag, short: 'h' },
} as const

/** `affidavit approve`. Returns the exit code. */
export function approve(argv: readonly string[]): Promise<number> {
  return runInWorld((world) => decide(argv, world))
}

async function decide(argv: readonly string[], world: World): Promise<number> {
  const { values, positionals } = parse(argv)
  const [id, ...more] = positionals
  const say = async (code: number, said: string): Promise<number> => {
    await world.stdout.write(said)
    return code
  }
  if (values.help === true) return say(exitCodes.done, help)
  if (more.length > 0) throw new UsageError('AFD_USAGE', 'approve takes one id', tryHelp)
  const { place, maySign } = openPlace(values, world)
  if (id === undefined) {
    const waiting = await place.list()
    return say(exitCodes.done, values.json === true ? `${JSON.stringify(waiting)}\n` : formatList(waiting))
  }
  if (!isUuidV7(id))
    throw new UsageError('AFD_USAGE', 'what approve was given is no id', `It has 36 characters. ${tryHelp}`)
  const request = await place.find(id)
  await world.stdout.write(values.json === true ? `${JSON.stringify(request)}\n` : formatRequest(request))
  if (!maySign) throw new UsageError('AFD_USAGE', 'nothing was decided', `Give --key FILE to decide. ${tryHelp}`)
  const verdict = values.deny === true ? 'denied' : 'approved'
  if (values.yes !== true && !(await isMeant(world, verdict))) return say(exitCodes.negative, 'Nothing was decided.\n')
  await place.decide(request, verdict)
  return say(exitCodes.done, `${verdict === 'approved' ? 'Approved' : 'Denied'} and recorded.\n`)
}

function openPlace(
  values: ReturnType<typeof parse>['values'],
  world: World,
): { place: ApprovalPlace; maySign: boolean } {
  const { key: keyFile, gateway } = values
  if (keyFile !== undefined && gateway !== undefined)
    throw new UsageError('AFD_USAGE', 'approve takes --key or --gateway, not both', tryHelp)
  if (gateway !== undefined)
    return { place: openGatewayPlace(gateway, readToken(values['token-file'], world)), maySign: true }
  const key = keyFile === undefined ? undefined : readSigningKey(keyFile)
  const place = openHomePlace(resolveHome({ flag: values.home, env: world.env }), key)
  return { place, maySign: key !== undefined }
}

const variable = 'AFFIDAVIT_APPROVAL_TOKEN'

function readToken(file: string | undefined, { env }: World): string {
  const token = (file === undefined ? (env[variable] ?? '') : readText(file)).trim()
  if (token !== '') return token
  throw new UsageError('AFD_SECRET_UNREADABLE', 'there is no token', `Give --token-file FILE, or set ${variable}.`)
}

async function isMeant(world: World, verdict: ApprovalStatement['verdict']): Promise<boolean> {
  if (world.ask === undefined)
    throw new UsageError('AFD_NOT_CONFIRMED', 'nothing was decided, because there is nobody to ask', 'Give --yes.')
  const answer = await world.ask(`${verdict === 'approved' ? 'Approve' : 'Deny'} this call? [y/N] `)
  return /^y(es)?$/i.test(answer.trim())
}

function parse(argv: readonly string[]) {
  try {
    return parseArgs({ args: [...argv], options: known, strict: true, allowPositionals: true })
  } catch (error) {
    throw toWordsError(error, { verb: 'approve', argv, known })
  }
}
