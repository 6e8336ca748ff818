import type { PrefixRule } from '../rule.ts'

/** Source hosting, packages, build, infrastructure: formats as their providers document or issue them. */
export const codePrefixes: readonly PrefixRule[] = [
  {
    id: 'jwt',
    prefixes: ['ey'],
    tail: /[A-Za-z0-9_-]{12,}\.ey[\w-]{10,}\.(?:[\w-]{10,}={0,2}|(?![\w-]))/y,
    failsByRun: true,
  },
  { id: 'github-token', prefixes: ['ghp_', 'gho_', 'ghu_', 'ghs_', 'ghr_'], tail: /[A-Za-z0-9_.-]{36,}/y },
  { id: 'github-fine-grained-token', prefixes: ['github_pat_'], tail: /[A-Za-z0-9_]{22,}/y },
  {
    id: 'gitlab-token',
    prefixes: [
      'glpat-', 'glcbt-', 'gldt-', 'glffct-', 'glft-', 'glimt-', 'glagent-', 'gloas-', 'glptt-', 'glrt-', 'glsoat-', 'glrtr-', 'glwt-',
    ], // biome-ignore format: one list
    tail: /[\w.=-]{20,}/y,
  },
  { id: 'gitlab-runner-token', prefixes: ['GR1348941'], tail: /[\w-]{20,}/y },
  { id: 'gitlab-session', prefixes: ['_gitlab_session='], tail: /[0-9a-f]{32,}/y },
  { id: 'bitbucket-token', prefixes: ['ATBB', 'ATCTT3', 'BBDC-'], tail: /[A-Za-z0-9_=+/-]{28,}/y },
  { id: 'npm-token', prefixes: ['npm_'], tail: /[A-Za-z0-9]{36,}/y },
  { id: 'pypi-token', prefixes: ['pypi-AgEIcHlwaS5vcmc', 'pypi-AgENdGVzdC5weXBpLm9yZ'], tail: /[\w-]{50,}/y },
  { id: 'rubygems-token', prefixes: ['rubygems_'], tail: /[0-9a-f]{48,}/y },
  { id: 'nuget-token', prefixes: ['oy2'], tail: /[a-z0-9]{43}(?![A-Za-z0-9])/y },
  { id: 'clojars-token', prefixes: ['CLOJARS_', 'clojars_'], tail: /[A-Za-z0-9]{60,}/y },
  { id: 'crates-token', prefixes: ['cio'], tail: /[A-Za-z0-9]{32}(?![A-Za-z0-9])/y },
  { id: 'artifactory-api-key', prefixes: ['AKCp'], tail: /[A-Za-z0-9]{69,}/y },
  { id: 'artifactory-reference-token', prefixes: ['cmVmd'], tail: /[A-Za-z0-9]{59,}/y },
  { id: 'docker-token', prefixes: ['dckr_pat_', 'dckr_oat_'], tail: /[\w-]{24,}/y },
  { id: 'circleci-token', prefixes: ['CCIPAT_', 'CCIPRJ_'], tail: /[A-Za-z0-9_]{40,}/y },
  { id: 'buildkite-token', prefixes: ['bkua_', 'bkaj_', 'bkct_'], tail: /[0-9a-zA-Z]{40,}/y },
  { id: 'harness-token', prefixes: ['pat.', 'sat.'], tail: /[A-Za-z0-9_-]{22}\.[0-9A-Za-z]{24}\.[A-Za-z0-9]{20}/y },
  {
    id: 'octopus-api-key',
    prefixes: ['API-'],
    tail: /[A-Z0-9]{26}(?![A-Za-z0-9])/y,
    accept: (value) => /\d/.test(value),
  },
  { id: 'terraform-token', prefixes: ['atlasv1.'], tail: /[\w=-]{60,}/y },
  { id: 'pulumi-token', prefixes: ['pul-'], tail: /[0-9a-f]{40}/y },
  { id: 'infracost-token', prefixes: ['ico-'], tail: /[A-Za-z0-9]{32}(?![A-Za-z0-9.])/y },
  { id: 'sourcegraph-token', prefixes: ['sgp_'], tail: /(?:(?:[a-fA-F0-9]{16}|local)_)?[a-fA-F0-9]{40}/y },
  { id: 'sourcegraph-license', prefixes: ['slk_'], tail: /[a-f0-9]{64}/y },
  { id: 'sonar-token', prefixes: ['squ_', 'sqp_', 'sqa_'], tail: /[a-zA-Z0-9]{40}/y },
  { id: 'snyk-token', prefixes: ['snyk_uat.', 'snyk_sat.'], tail: /[\w.-]{32,}/y },
  { id: 'sentry-token', prefixes: ['sntrys_'], tail: /eyJ[A-Za-z0-9+/=]{40,}_[A-Za-z0-9+/_-]{30,}/y },
  { id: 'sentry-token', prefixes: ['sntryu_', 'sntrya_', 'sntryi_'], tail: /[a-f0-9]{64}/y },
  { id: 'prefect-token', prefixes: ['pnu_', 'pnb_'], tail: /[A-Za-z0-9]{36}/y },
  { id: 'postman-token', prefixes: ['PMAK-'], tail: /[a-f0-9]{24}-[a-f0-9]{34}/y },
  { id: 'readme-token', prefixes: ['rdme_'], tail: /[a-z0-9]{70}/y },
  {
    id: 'launchdarkly-key',
    prefixes: ['sdk-', 'api-', 'mob-'],
    tail: /[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}/y,
  },
  { id: 'vault-token', prefixes: ['hvs.', 'hvb.', 'hvr.'], tail: /[\w-]{24,}/y },
  { id: 'vault-token', prefixes: ['s.'], tail: /[A-Za-z0-9]{24}(?![A-Za-z0-9_])/y, accept: isMixed },
  {
    id: 'doppler-token',
    prefixes: ['dp.pt.', 'dp.st.', 'dp.ct.', 'dp.sa.', 'dp.scim.', 'dp.audit.'],
    tail: /(?:[a-z0-9_-]{1,40}\.)?[A-Za-z0-9]{40,44}/y,
  },
  { id: '1password-service-token', prefixes: ['ops_eyJ'], tail: /[A-Za-z0-9+/_-]{100,}={0,3}/y },
  {
    id: '1password-secret-key',
    prefixes: ['A3-'],
    tail: /[A-Z0-9]{6}-(?:[A-Z0-9]{11}|[A-Z0-9]{6}-[A-Z0-9]{5})-[A-Z0-9]{5}-[A-Z0-9]{5}-[A-Z0-9]{5}/y,
    accept: isCoded,
  },
  { id: 'age-secret-key', prefixes: ['AGE-SECRET-KEY-1'], tail: /[QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L]{58}/y },
  {
    id: 'age-secret-key',
    prefixes: ['AGE-PLUGIN-'],
    tail: /[A-Z0-9-]{1,40}-1[QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L]{20,}/y,
  },
  { id: 'openshift-token', prefixes: ['sha256~'], tail: /[\w-]{43}/y },
  { id: 'jfrog-token', prefixes: ['eyJ2ZXIiOiIyIiwidHlwIjoiSldUIi'], tail: /[\w.-]{60,}/y },
  { id: 'scalingo-token', prefixes: ['tk-us-'], tail: /[\w-]{48}/y },
  { id: 'settlemint-token', prefixes: ['sm_aat_', 'sm_pat_', 'sm_sat_'], tail: /[A-Za-z0-9]{16}/y },
  { id: 'tailscale-key', prefixes: ['tskey-'], tail: /[a-z]{2,10}-[A-Za-z0-9]{8,}(?:-[A-Za-z0-9]{8,})?/y },
  { id: 'defined-networking-token', prefixes: ['dnkey-'], tail: /[a-z0-9=_-]{26}-[a-z0-9=_-]{52}/y },
]

/** Upper, lower and digit: what a random run of 24 letters and digits practically always has, and a word never. */
export function isMixed(value: string): boolean {
  return /[A-Z]/.test(value) && /[a-z]/.test(value) && /\d/.test(value)
}

/** Digits and letters, not a template such as `A3-` and one letter repeated. */
function isCoded(value: string): boolean {
  return /\d[^\d-]|[^\d-]\d/.test(value.slice(3)) && !/X{5}/.test(value)
}
