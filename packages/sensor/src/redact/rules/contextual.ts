import { isFiller, looksSecret } from '../filler.ts'
import type { ContextRule } from '../rule.ts'

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i
const hex32 = /^[0-9a-f]{32}$/i
const hex40 = /^[0-9a-f]{40}$/i
const hex64 = /^[0-9a-f]{64}$/i
const lower32 = /^[a-z0-9]{32}$/i
const letters40 = /^[a-z0-9_=-]{40}$/i

const bare: readonly (readonly [string, RegExp, RegExp])[] = [
  ['adafruit-key', /adafruit/, /^[\w-]{32}$/i],
  ['adobe-client-id', /adobe/, hex32],
  ['airtable-key', /airtable/, /^[a-z0-9]{17}$/i],
  ['algolia-key', /algolia/, lower32],
  ['alibaba-secret-key', /alibaba|aliyun/, /^[a-z0-9]{30}$/i],
  ['asana-secret', /asana/, /^(?:\d{16}|[a-z0-9]{32}|[012]\/[\d/]{16,40}:[a-f0-9]{32})$/i],
  ['atlassian-token', /atlassian|confluence|jira/, /^[a-z0-9]{24}$/i],
  ['aws-secret-key', /aws/, /^[A-Za-z0-9+/]{40}$/],
  ['bitbucket-secret', /bitbucket/, /^(?:[a-z0-9]{32}|[a-z0-9=_-]{64})$/i],
  ['bittrex-key', /bittrex/, lower32],
  ['cisco-meraki-key', /meraki/, hex40],
  ['cloudflare-key', /cloudflare/, /^(?:[\w-]{40}|[a-f0-9]{37})$/i],
  ['codecov-token', /codecov/, lower32],
  ['cohere-key', /cohere|coapikey/, /^[a-z0-9]{40}$/i],
  ['coinbase-token', /coinbase/, /^[\w-]{64}$/i],
  ['confluent-key', /confluent/, /^(?:[a-z0-9]{16}|[a-z0-9]{64})$/i],
  ['contentful-token', /contentful/, /^[a-z0-9=_-]{43}$/i],
  ['contribsys-credential', /contribsys/, /^[a-f0-9]{8}:[a-f0-9]{8}$/],
  ['datadog-key', /datadog|ddapi|ddapp/, /^(?:[a-z0-9]{40}|[a-f0-9]{32})$/i],
  ['discord-secret', /discord/, /^(?:[a-f0-9]{64}|[\w=-]{32}|\d{18,19})$/i],
  ['droneci-token', /droneci/, lower32],
  ['dropbox-secret', /dropbox/, /^(?:[a-z0-9]{15}|[a-z0-9]{11}AAAAAAAAAA[a-z0-9_=-]{43})$/i],
  ['etsy-key', /etsy/, /^[a-z0-9]{24}$/i],
  ['facebook-secret', /facebook/, hex32],
  ['facebook-token', /facebook/, /^\d{15,16}(?:\||%)[\w-]{27,40}$/],
  ['fastly-token', /fastly/, /^[\w=-]{32}$/i],
  ['finicity-secret', /finicity/, /^(?:[a-z0-9]{20}|[a-f0-9]{32})$/i],
  ['finnhub-token', /finnhub/, /^[a-z0-9]{20}$/i],
  ['flickr-token', /flickr/, lower32],
  ['freshbooks-token', /freshbooks/, /^[a-z0-9]{64}$/i],
  ['gitter-token', /gitter/, letters40],
  ['grafana-token', /grafana/, /^[\w=-]{40,}$/],
  ['heroku-key', /heroku/, uuid],
  ['hubspot-key', /hubspot|hapikey/, uuid],
  ['intercom-key', /intercom/, /^[a-z0-9=_-]{60}$/i],
  ['jfrog-key', /jfrog|artifactory|bintray|xray/, /^(?:[a-z0-9]{73}|[a-z0-9]{64})$/i],
  ['kraken-key', /kraken/, /^[a-z0-9/=_+-]{80,90}$/i],
  ['kucoin-key', /kucoin/, /^(?:[a-f0-9]{24}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$/i],
  ['launchdarkly-token', /launchdarkly/, letters40],
  ['linear-secret', /linear/, hex32],
  ['linkedin-secret', /linkedin/, /^(?:[a-z0-9]{14}|[a-z0-9]{16})$/i],
  ['lob-key', /lob/, /^(?:live|test)_[a-f0-9]{35}$/i],
  ['looker-secret', /looker/, /^(?:[a-z0-9]{20}|[a-z0-9]{24})$/i],
  ['mailchimp-key', /mailchimp/, /^[a-f0-9]{32}-us\d{1,2}$/i],
  ['mailgun-key', /mailgun/, /^(?:(?:pub)?key-[a-f0-9]{32}|[a-h0-9]{32}-[a-h0-9]{8}-[a-h0-9]{8})$/i],
  ['mattermost-token', /mattermost/, /^[a-z0-9]{26}$/i],
  ['messagebird-token', /messagebird/, /^(?:[a-z0-9]{25}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$/i],
  ['netlify-token', /netlify/, /^[a-z0-9=_-]{40,46}$/i],
  ['new-relic-key', /newrelic/, /^(?:[a-z0-9]{64}|NRAK-[a-z0-9]{27}|[a-f0-9]{36}NRAL)$/i],
  ['nytimes-token', /nytimes|newyorktimes/, /^[a-z0-9=_-]{32}$/i],
  ['okta-token', /okta/, /^00[\w=-]{40}$/],
  ['plaid-secret', /plaid/, /^(?:[a-z0-9]{24}|[a-z0-9]{30})$/i],
  ['privateai-token', /privateai/, lower32],
  ['rapidapi-key', /rapidapi/, /^[\w-]{50}$/],
  ['sendbird-token', /sendbird/, /^(?:[a-f0-9]{40}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$/i],
  ['sentry-token', /sentry/, hex64],
  ['snyk-token', /snyk/, uuid],
  ['sonar-token', /sonar/, /^(?:sq[upa]_)?[a-z0-9=_-]{40}$/i],
  ['sourcegraph-token', /sourcegraph/, hex40],
  ['squarespace-token', /squarespace/, uuid],
  ['stripe-key', /stripe/, /^(?:sk|rk)_[a-z]{4}_[A-Za-z0-9]{10,}$/],
  ['sumologic-access-id', /sumo/, /^su[A-Za-z0-9]{12}$/],
  ['sumologic-access-key', /sumo/, /^[a-z0-9]{64}$/i],
  ['travis-token', /travis/, /^[a-z0-9]{22}$/i],
  ['trello-token', /trello/, /^(?:[a-f0-9]{32}|[a-z0-9-]{32}|[a-f0-9]{64})$/i],
  ['twilio-secret', /twilio/, hex32],
  ['twitch-token', /twitch/, /^[a-z0-9]{30}$/i],
  ['twitter-secret', /twitter/, /^(?:[a-z0-9]{25}|[a-z0-9]{45}|[a-z0-9]{50}|A{22}[a-z0-9%]{80,100}|\d{15,25}-[a-z0-9]{20,40})$/i],
  ['yandex-key', /yandex/, /^(?:t1\.[A-Z0-9a-z_-]{1,400}=*\.[A-Z0-9a-z_-]{86}={0,2}|AQVN[A-Za-z0-9_-]{35,38}|YC[a-zA-Z0-9_-]{38})$/],
  ['zendesk-key', /zendesk/, /^[a-z0-9]{40}$/i],
  ['postmark-token', /postmark/, uuid],
  ['pagerduty-key', /pagerduty|pdkey/, /^[\w+-]{20}$/],
  ['azure-key', /azure|cognitive|ocpapim/, /^(?:[a-f0-9]{32}|[A-Za-z0-9]{84}|[A-Za-z0-9+/]{86}==)$/],
  ['vault-token', /vault/, /^(?:s\.[A-Za-z0-9]{24}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$/],
  ['infura-key', /infura|alchemy|etherscan/, /^(?:[a-f0-9]{32}|[\w-]{32,34})$/i],
  ['mapbox-token', /mapbox/, /^[spt]k\.[\w.-]{60,}$/],
  ['octopus-api-key', /octopus/, /^API-[A-Z0-9]{26,32}$/i],
] // biome-ignore format: a table

/** Shapes so narrow, beside such a name, that the value may look like an example. */
const shapeAlone = new Set([
  'contribsys-credential',
  'heroku-key',
  'hubspot-key',
  'snyk-token',
  'sonar-token',
  'squarespace-token',
  'postmark-token',
])

/** Formats that only their provider's name gives away: `SNYK_TOKEN = <uuid>`, `sourcegraph: <40 hex>`. */
export const contextRules: readonly ContextRule[] = bare.map(([id, keyword, value]) => ({
  id,
  keyword,
  value,
  accept: shapeAlone.has(id) ? (found) => !isFiller(found) : looksSecret,
}))

/** One look decides for most names that no provider is meant. */
const anyKeyword = new RegExp(contextRules.map(({ keyword }) => keyword.source).join('|'))

/** Rules whose keyword the name's words hold: at the beginning of a word, or over whole words (`new_relic`, not `sum_obj`). */
export function contextRulesFor(words: readonly string[]): readonly ContextRule[] {
  if (!anyKeyword.test(words.join(''))) return []
  return contextRules.filter(({ keyword }) => words.some((_, from) => startsAt(words, from, keyword)))
}

function startsAt(words: readonly string[], from: number, keyword: RegExp): boolean {
  const flat = words.slice(from).join('')
  const found = keyword.exec(flat)
  if (found?.index !== 0) return false
  let boundary = 0
  for (const word of words.slice(from)) {
    boundary += word.length
    if (boundary === found[0].length) return true
    if (boundary > found[0].length) return boundary === word.length
  }
  return false
}
