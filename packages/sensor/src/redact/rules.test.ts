import { describe, expect, test } from 'vitest'
import { prefixRules } from './prefixes.ts'
import { anchoredRules } from './rules/anchored.ts'
import { contextRules } from './rules/contextual.ts'
import { spansOf } from './spans.ts'

/** Letters and digits without a pattern; the same in every run. */
function noise(length: number, alphabet: string, seed = 7): string {
  let state = seed
  let text = ''
  for (let i = 0; i < length; i++) {
    state = (state * 1103515245 + 12345) % 2147483648
    text += alphabet[Math.floor((state / 2147483648) * alphabet.length)]
  }
  return text
}
const hex = '0123456789abcdef'
const upper = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789'
const mixed = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789'
const lower = 'abcdefghijklmnopqrstuvwxyz0123456789'
const uuid = [8, 4, 4, 4, 12].map((length, i) => noise(length, hex, i + 3)).join('-')
const bech32 = 'QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L'

/** One invented token per format, in the shape its provider documents. */
const samples: Record<string, string> = {
  'github-token': `ghp_${noise(36, mixed)}`,
  'github-fine-grained-token': `github_pat_${noise(22, mixed)}_${noise(59, mixed)}`,
  'gitlab-token': `glpat-${noise(20, mixed)}`,
  'gitlab-runner-token': `GR1348941${noise(20, mixed)}`,
  'bitbucket-token': `ATBB${noise(32, mixed)}`,
  'npm-token': `npm_${noise(36, mixed)}`,
  'pypi-token': `pypi-AgEIcHlwaS5vcmc${noise(70, mixed)}`,
  'rubygems-token': `rubygems_${noise(48, hex)}`,
  'nuget-token': `oy2${noise(43, lower)}`,
  'docker-token': `dckr_pat_${noise(27, mixed)}`,
  'artifactory-api-key': `AKCp${noise(69, mixed)}`,
  'terraform-token': `${noise(14, mixed)}.atlasv1.${noise(67, mixed)}`,
  'vault-token': `hvs.${noise(90, mixed)}`,
  'doppler-token': `dp.pt.${noise(43, mixed)}`,
  '1password-service-token': `ops_eyJ${noise(250, mixed)}`,
  '1password-secret-key': `A3-${noise(6, upper)}-${noise(11, upper)}-${noise(5, upper)}-${noise(5, upper)}-${noise(5, upper)}`,
  'age-secret-key': `AGE-SECRET-KEY-1${noise(58, bech32)}`,
  'tailscale-key': `tskey-auth-${noise(12, mixed)}-${noise(32, mixed)}`,
  'aws-access-key-id': `AKIA${noise(16, upper)}`,
  'aws-bedrock-key': `ABSK${noise(109, mixed)}`,
  'google-api-key': `AIzaSy${noise(33, mixed)}`,
  'google-oauth-token': `ya29.${noise(120, mixed)}`,
  'google-client-secret': `GOCSPX-${noise(28, mixed)}`,
  'alibaba-access-key': `LTAI${noise(20, mixed)}`,
  'digitalocean-token': `dop_v1_${noise(64, hex)}`,
  'heroku-api-key': `HRKU-AA${noise(58, mixed)}`,
  'databricks-token': `dapi${noise(32, hex)}`,
  'grafana-service-account-token': `glsa_${noise(32, mixed)}_${noise(8, hex)}`,
  'new-relic-key': `NRAK-${noise(27, upper)}`,
  'dynatrace-token': `dt0c01.${noise(24, upper)}.${noise(64, upper)}`,
  'supabase-token': `sbp_${noise(40, hex)}`,
  'planetscale-token': `pscale_tkn_${noise(43, mixed)}`,
  'anthropic-key': `sk-ant-api03-${noise(93, mixed)}AA`,
  'openai-key': `sk-proj-${noise(74, mixed)}T3BlbkFJ${noise(74, mixed)}`,
  'openrouter-key': `sk-or-v1-${noise(64, hex)}`,
  'huggingface-token': `hf_${noise(34, mixed)}`,
  'groq-key': `gsk_${noise(52, mixed)}`,
  'xai-key': `xai-${noise(80, mixed)}`,
  'perplexity-key': `pplx-${noise(48, mixed)}`,
  'replicate-token': `r8_${noise(37, mixed)}`,
  'slack-token': `xoxb-${noise(12, '123456789')}-${noise(13, '123456789')}-${noise(24, mixed)}`,
  'slack-app-token': `xapp-1-A${noise(10, upper)}-${noise(13, '123456789')}-${noise(64, hex)}`,
  'slack-webhook': `https://hooks.slack.com/services/T${noise(8, upper)}/B${noise(8, upper)}/${noise(24, mixed)}`,
  'sendgrid-key': `SG.${noise(22, mixed)}.${noise(43, mixed)}`,
  'brevo-key': `xkeysib-${noise(64, hex)}-${noise(16, mixed)}`,
  'mailgun-key': `key-${noise(32, hex)}`,
  'mailchimp-key': `${noise(32, hex)}-us12`,
  'twilio-key': `SK${noise(32, hex)}`,
  'stripe-key': `sk_live_${noise(24, mixed)}`,
  'stripe-webhook-secret': `whsec_${noise(32, mixed)}`,
  'square-token': `sq0atp-${noise(22, mixed)}`,
  'shopify-token': `shpat_${noise(32, hex)}`,
  'facebook-token': `EAAC${noise(120, mixed)}`,
  'telegram-bot-token': `${noise(10, '123456789')}:AA${noise(33, mixed)}`,
  'discord-bot-token': `M${noise(25, mixed)}.${noise(6, mixed)}.${noise(38, mixed)}`,
  'airtable-token': `pat${noise(14, mixed)}.${noise(64, hex)}`,
  'atlassian-token': `ATATT3xFfGF0${noise(180, mixed)}`,
  'linear-token': `lin_api_${noise(40, mixed)}`,
  'notion-token': `ntn_${noise(11, '0123456789')}${noise(35, mixed)}`,
  'postman-token': `PMAK-${noise(24, hex)}-${noise(34, hex)}`,
  'figma-token': `figd_${noise(40, mixed)}`,
  'typeform-token': `tfp_${noise(59, mixed)}`,
  'plaid-token': `access-production-${uuid}`,
  'duffel-token': `duffel_test_${noise(43, mixed)}`,
  'maxmind-key': `${noise(6, mixed)}_${noise(29, mixed)}_mmk`,
  'azure-client-secret': `${noise(3, mixed)}8Q~${noise(34, mixed)}`,
  'azure-storage-key': `AccountKey=${noise(86, mixed)}==`,
  'azure-sas-signature': `?sv=2024&sig=${noise(43, mixed)}%3D`,
  jwt: `eyJ${noise(30, mixed)}.eyJ${noise(60, mixed)}.${noise(43, mixed)}`,
  'bearer-token': `curl says bearer ${noise(30, mixed)}`,
  'basic-credential': `curl says basic ${Buffer.from('admin:tr0ub4dor').toString('base64')}`,
  'url-credential': 'postgres://app:tr0ub4dor@db.internal:5432/app',
  'private-key': `-----BEGIN EC PRIVATE KEY-----\n${noise(64, mixed)}\n${noise(64, mixed)}\n-----END EC PRIVATE KEY-----`,
  'sql-password': "ALTER USER app IDENTIFIED BY 'tr0ub4dor'",
  'command-password': 'mysqldump -h db -u root -ptr0ub4dor shop',
  'curl-credential': 'curl -s -u admin:tr0ub4dor https://h',
  'snyk-token': `SNYK_TOKEN=${uuid}`,
  'sourcegraph-token': `sourcegraph: ${noise(40, hex)}`,
  'cisco-meraki-key': `meraki_key = "${noise(40, hex)}"`,
  'okta-token': `oktaApiToken: "00${noise(40, mixed)}"`,
  'aws-secret-key': `aws_secret_access_key = ${noise(40, mixed)}`,
  'twilio-secret': `TWILIO_AUTH_TOKEN=${noise(32, hex)}`,
  'datadog-key': `datadog_api_key: ${noise(32, hex)}`,
}

describe('secret formats', () => {
  test.each(Object.entries(samples))('%s is found in prose, in quotes and in brackets [X-16]', (rule, sample) => {
    for (const text of [
      sample,
      `use ${sample} today`,
      `["${sample}"]`,
      `(${sample})`,
      `x,${sample};`,
      `\\n${sample}\\n`,
    ]) {
      const spans = spansOf(text)
      expect(
        spans.map((span) => span.rule),
        text,
      ).toContain(rule)
      expect(spans.length, text).toBe(1)
    }
  })

  const oneRun = Object.entries(samples).filter(([, sample]) => /^[A-Za-z0-9_]*[_-]?[A-Za-z0-9]{14,}$/.test(sample))
  test.each(oneRun)('%s is not found inside a longer word, nor filled with x [X-16]', (_, sample) => {
    const filled = sample.replace(/[A-Za-z0-9]{14,}$/, (tail) => 'x'.repeat(tail.length))
    expect(spansOf(filled), filled).toEqual([])
    expect(spansOf(`Z9${sample}`), sample).toEqual([])
  })

  test('names and values are found as people and programs write them [X-1]', () => {
    const value = 'Zf3cd0b3x9Kq7Lm2Wp5Rt8Yv'
    const texts = [
      'api_token := "S"', 'apiToken="S"', "apiToken: 'S'", '<apiToken>S</apiToken>', '"api_token": "S"', 'var apiToken string = "S"', 'let apiToken: String = "S"',
      '$apiToken .= "S"', 'API_TOKEN ?= "S"', 'API_TOKEN :::= "S"', '"api_token" => "S"', 'api_token <- "S"', '("api_token", "S")', 'API_TOKEN=S', 'api.token=S',
      'this.apiToken = `S`', '#define API_TOKEN "S"', '<add key="ApiToken" value="S" />', '- name: API_TOKEN\n  value: S', 'setenv API_TOKEN S', 'ENV API_TOKEN S',
      'API_TOKEN || "S"', 'api token is S', '--api-token S', '-e API_TOKEN=S', 'https://h/?api_token=S&x=1', "os.environ['API_TOKEN'] = 'S'", 'withToken("S")',
      '\\"api_token\\": \\"S\\"', '&quot;api_token&quot;:&quot;S&quot;', 'api_token: |\n  S', 'api_token = SecretStr("S")', 'api_token%3DS%26x', '"api_token\\u0022: \\u0022S"',
    ] // biome-ignore format: one list
    for (const text of texts) {
      const whole = text.replace(/S(?=["'`<)&\\%\n ]|$)/, value)
      expect(
        spansOf(whole).map((span) => whole.slice(span.start, span.end)),
        whole,
      ).toEqual([value])
    }
  })

  test('credentials of many kinds are found [X-16]', () => {
    const texts = ['docker login -u me -p hunter2secret registry.io', 'redis-cli -h h -a hunter2secret ping', 'ldapsearch -x -D cn=a -w hunter2secret', 'administrator_login_password = "thisIsDog11"', '"credentials" : "0afae57f3ccfd9d7f5767067bc48b30f719e271ba470488056e37ab35d4b6506"', '"creds" : "0afae57f3ccfd9d7f5767067bc48b30f719e271ba470488056e37ab35d4b6506"', 'some_key: "6fe4476ee5a1832882e326b506d14126"', 'private-key: fa9df6c2b1d84e7a9c3b5d7f1a2c4e6f', 'passwd = 2fbe5a9c3d', 'API_KEY="qXz8Lk2Pv5Rt7Wn3"', 'curl -H "Authorization: Api-Token 9f8e7d6c5b4a" https://x', "curl -u'admin:s3cr3tP4ss' https://x", 'curl --user=admin:s3cr3tP4ss https://x', 'CLOUDINARY_URL=cloudinary://123456789012345:AbCdEfGhIjKlMnOpQrStUvWxYz1@cloud', 'mongodb+srv://app:Pa55word1@cluster0.mongodb.net', 'Server=db;User Id=sa;Password=Pa55word1;', 'jdbc:mysql://h/db?user=root&password=Pa55word1', 'redis://:Pa55word1@cache:6379', 'spring.datasource.password=Pa55word1', 'PGPASSWORD=Pa55word1 psql', 'echo Pa55word1 | sudo -S --password=Pa55word1', 'net user bob /p:x password: Pa55word1', 'xoxo-523423-234243-234233-e039d02840a0b9379c', '{"access_token":"911602140448729|AY-lRJZq9BoDLobvAiP25L7RcMg","token_type":"bearer"}', `FlyV1 fm2_${'lJPECAAAAAAAAxqZxBCaB3d9'.repeat(6)}`, '-----BEGIN ENCRYPTED PRIVATE KEY-----\nMIIFHDBOBgkqhkiG9w0BBQ0wQTApBgkqhkiG9w0BBQwwHAQI\n-----END ENCRYPTED PRIVATE KEY-----', 'aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYzzzzEXMPLKEY', 'telegram: 123456789:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw9', 'heroku: HRKU-AAlQ1aVoHDujJ9QsDHdHlHO0hbzhoERRSO45ZQusSYHg', 'dG9rZW49Z2hwX1p4ODFrUXBWMG1ONGJUN3lSdzJMc0Q5Y0hmM0pnQTZ1RWk1bw=='] // biome-ignore format: one list
    for (const text of texts) expect(spansOf(text).length, text).toBeGreaterThan(0)
  })

  test('what only looks like one stays [X-17]', () => {
    const texts = [
      'commit 43fc912ef59a83054ea7f6706df4d53a7dea4d80', `id ${uuid}`, 'sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08',
      'https://example.com/a/b?page=2#x', 'SELECT password FROM users WHERE id = $1', 'The password must have at least 12 characters',
      'password: string', 'password: str = None', 'const token = await getToken(user)', 'token_count=512 max_tokens=4096', 'key=PROJ-12',
      'Authorization: Bearer <token>', 'export TOKEN=$GITHUB_TOKEN', 'api_key={{ api_key }}', 'apiKey: process.env.API_KEY', 'PASSWORD=changeme',
      'git@github.com:org/repo.git', 'arn:aws:iam::123456789012:role/x', '2026-11-20T11:03:40.123Z', 'v1.2.3-beta.4', 'npm_config_registry=x',
      'sk-learn-contrib', 'Basic usage', 'bearer of news', 'secret: see the wiki', 'if (token === other) return', 'public_key = "9Cnzj4p4WGeKLs1Pt8QuKUpRKfFLfRYC"',
    ] // biome-ignore format: one list
    for (const text of texts)
      expect(spansOf(text, ['secret', 'card', 'iban', 'ssn', 'phone', 'email']), text).toEqual([])
  })
})

/** Quantifiers in a pattern's source as a tree: what stands under a quantifier without an upper bound. */
function nestedUnbounded(source: string): boolean {
  const open: { variable: boolean }[] = [{ variable: false }]
  let closed: { variable: boolean } | undefined
  for (let i = 0; i < source.length; i++) {
    const unit = source[i]
    if (unit === '\\') i++
    else if (unit === '[') while (source[++i] !== ']') if (source[i] === '\\') i++
    if (unit === '(') open.push({ variable: false })
    const group = unit === ')' ? open.pop() : undefined
    closed = group
    const quantifier = /^(?:[*+?]|\{\d+(?:,\d*)?\})/.exec(source.slice(i + 1))?.[0]
    const isOpener = unit === '(' || (unit === '?' && source[i - 1] === '(')
    const isUnbounded = quantifier !== undefined && !isOpener && /[*+]|,\}/.test(quantifier)
    if (isUnbounded && closed?.variable) return true
    const top = open.at(-1)
    if (
      top !== undefined &&
      (group?.variable ||
        (quantifier !== undefined && !isOpener && quantifier !== '?' && !/^\{\d+\}$/.test(quantifier)))
    )
      top.variable = true
  }
  return false
}

describe('linear time', () => {
  test('the check finds nested quantifiers [X-18]', () => {
    for (const source of ['(a+)+', '(?:a*b)*', '(?:[a)]{2,}x)+', '((a{1,3}))*'])
      expect(nestedUnbounded(source), source).toBe(true)
    for (const source of ['(?:ab)+', 'a+b+', '(?:a+){2}', '[(+*]+', '\\(a+\\)+', '(?:a{3}b)+'])
      expect(nestedUnbounded(source), source).toBe(false)
  })

  const patterns = [
    ...prefixRules.map(({ id, tail }) => [id, tail] as const),
    ...anchoredRules.map(({ id, pattern }) => [id, pattern] as const),
    ...contextRules.map(({ id, value }) => [id, value] as const),
  ]
  test('no pattern repeats a repetition [X-18]', () => {
    expect(patterns.filter(([, pattern]) => nestedUnbounded(pattern.source)).map(([id]) => id)).toEqual([])
  })

  /** Texts made to keep one format's pattern busy, of about the wanted length. */
  function adversarial(seed: string, length: number): string[] {
    const filler = ['a', 'A1', '-', '.', '=', ' ', '0', 'é', '"', '/', ':', '@', '\\', '%41', '<', '{', 'x_', '\n'].map(
      (unit) => unit.repeat(Math.ceil(length / unit.length)),
    )
    return [
      seed.repeat(Math.ceil(length / Math.max(1, seed.length))),
      ...filler.slice(0, 6).map((fill) => seed + fill.slice(0, length)),
      ...filler.map((fill) => fill.slice(0, length) + seed),
    ]
  }

  /** Milliseconds of CPU, so that other processes do not count; the best of some rounds. */
  function timeOf(work: () => void, rounds: number): number {
    let best = Number.POSITIVE_INFINITY
    for (let i = 0; i < rounds; i++) {
      const start = process.cpuUsage()
      work()
      best = Math.min(best, process.cpuUsage(start).user / 1000)
    }
    return best
  }

  const all = ['secret', 'card', 'iban', 'ssn', 'phone', 'email', 'ip', 'url', 'domain'] as const
  /** What takes 16 kB less than this is not measured further. */
  const quickMs = 8

  /** How much longer eight times the text takes: 8 where time is linear, 64 where it is quadratic. */
  function growthOf(work: (text: string) => void, textOf: (length: number) => string): number {
    const [short, long] = [textOf(16_000), textOf(128_000)]
    if (timeOf(() => work(short), 1) < quickMs || timeOf(() => work(short), 3) < quickMs) return 0
    return timeOf(() => work(long), 3) / timeOf(() => work(short), 5)
  }
  const growthMax = 28

  test('the measure notices a quadratic pattern [X-18]', () => {
    const quadratic = (text: string) => [1, 2, 3, 4].map(() => /a+b/.test(text.slice(0, text.length / 4)))
    expect(growthOf(quadratic, (length) => 'a'.repeat(length))).toBeGreaterThan(growthMax)
  })

  const seeds = new Set([
    ...prefixRules.flatMap(({ prefixes }) => prefixes),
    ...anchoredRules.flatMap(({ needs }) => needs),
    ...Object.values(samples).map((sample) => sample.slice(0, -1)),
    'password=', 'password: "', 'token>', '<password>', '--password ', 'curl -u a:', 'mysql -p', 'ey', 'eyJa.ey', '4111 ', '+1 ', 'DE89', '1.2.', '::', 'a@b.', 'http://', '-----BEGIN RSA PRIVATE KEY-----', 'kind: Secret\n a: ', '[[', '{"a":', '"', '123-45-',
  ]) // biome-ignore format: one list

  test('eight times the text takes about eight times as long, for every pattern on text made against it [X-18]', () => {
    const slow: string[] = []
    for (const seed of seeds)
      for (const i of adversarial(seed, 1).keys()) {
        const growth = growthOf(
          (text) => spansOf(text, all),
          (length) => adversarial(seed, length)[i] ?? '',
        )
        if (growth > growthMax) slow.push(`${JSON.stringify(seed)} ${i}: × ${growth.toFixed(1)}`)
      }
    expect(slow).toEqual([])
  }, 300_000)
})

describe('manifests', () => {
  const yaml =
    'apiVersion: v1\nkind: Secret\nmetadata:\n  name: shop-database\ntype: Opaque\ndata:\n  user: c2hvcA==\n  ca.crt: |\n    TFMwdExTMUNSVWRK\nstringData:\n  url: "hush-hush"\n  t: "{{ .Values.t }}"\n---\nkind: ConfigMap\ndata:\n  mode: c2hvcA==\n'
  test('values of Kubernetes secrets go, in YAML and JSON; those of other kinds stay [X-16]', () => {
    const found = spansOf(yaml).map((span) => yaml.slice(span.start, span.end))
    expect(found).toEqual(['c2hvcA==', 'TFMwdExTMUNSVWRK', 'hush-hush'])
    const json = JSON.stringify({ kind: 'Secret', metadata: { name: 'x' }, data: { user: 'c2hvcA==' } })
    expect(spansOf(json).map((span) => json.slice(span.start, span.end))).toEqual(['c2hvcA=='])
    expect(spansOf(json.replace('Secret', 'ConfigMap'))).toEqual([])
  })
})
