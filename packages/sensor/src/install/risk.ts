import { isLoopback } from './remote.ts'

/** How much goes unrecorded with a server, judged by its name and command line alone: an order for a plan, not a finding. */

export interface Risk {
  /** Higher first. */
  score: number
  why: string
}

interface Kind extends Risk {
  words: RegExp
}

/** Parts of words, between anything that is neither letter nor digit. */
const kinds: readonly Kind[] = [
  {
    score: 5,
    why: 'it can run commands or change systems',
    words:
      /^(?:shell|bash|zsh|powershell|terminal|exec|commander|ssh|docker|kube\w*|k8s|helm|terraform|ansible|aws|gcloud|gcp|azure|cloudflare|proxmox|code)$/,
  },
  {
    score: 5,
    why: 'it can send messages or move money',
    words: /^(?:slack|g?mail|email|smtp|discord|telegram|twilio|whatsapp|teams|stripe|paypal|sendgrid|calendar)$/,
  },
  {
    score: 4,
    why: 'it can read and change data',
    words:
      /^(?:postgres\w*|pg|mysql|mariadb|sqlite|sql|mssql|mongo\w*|redis|supabase|snowflake|bigquery|neo4j|elastic\w*|clickhouse|db|database|airtable|sheets)$/,
  },
  {
    score: 4,
    why: 'it can write files or repositories',
    words: /^(?:filesystem|files?|fs|git|github|gitlab|bitbucket|gdrive|drive|dropbox|s3|obsidian)$/,
  },
  { score: 3, why: 'it acts in a browser', words: /^(?:puppeteer|playwright|browser\w*|selenium|chrome|chromium)$/ },
  {
    score: 3,
    why: 'it can change records that others share',
    words:
      /^(?:notion|jira|confluence|atlassian|linear|asana|trello|salesforce|hubspot|zendesk|sentry|pagerduty|figma)$/,
  },
]

const remote: Risk = { score: 2, why: 'it is elsewhere, and what it is sent leaves this machine' }
const unknown: Risk = { score: 1, why: 'its name does not tell what it can do' }

export function rankRisk(server: { name: string; words?: readonly string[]; url?: string }): Risk {
  const spoken = [server.name, ...(server.words ?? []), hostOf(server.url)].join(' ')
  const parts = spoken.toLowerCase().split(/[^a-z0-9]+/)
  const kind = kinds.find(({ words }) => parts.some((part) => words.test(part)))
  if (kind !== undefined) return { score: kind.score, why: kind.why }
  return server.url === undefined || isLocal(server.url) ? unknown : remote
}

function isLocal(url: string): boolean {
  return URL.canParse(url) && isLoopback(new URL(url))
}

function hostOf(url: string | undefined): string {
  return url !== undefined && URL.canParse(url) ? new URL(url).hostname : ''
}
