import { isFiller, isMask, isPlaceholderWord, isReference, looksSecret } from '../filler.ts'
import { isMarker } from '../marker.ts'
import type { AnchoredRule } from '../rule.ts'
import { percentView } from '../views.ts'
import { isMixed } from './code.ts'

/** Not a marker, a reference or a placeholder: a value a person or program could log in with. */
export function isCredential(value: string): boolean {
  return (
    value !== '' &&
    !isMarker(value) &&
    !isReference(value) &&
    !isMask(value) &&
    !isPlaceholderWord(value) &&
    !/^\$/.test(value)
  )
}

const secret = 'secret' as const

/** Formats that are found by something in their middle or around them. Every quantifier here is bounded or ends its pattern. */
export const anchoredRules: readonly AnchoredRule[] = [
  { id: 'jwe', class: secret, needs: ['eyJ'], pattern: /(?<![\w-])eyJ[\w-]{12,}\.[\w-]{0,1024}\.[\w-]{12,64}\.[\w-]{12,}\.[\w-]{16,32}(?![\w-])/g },
  {
    id: 'url-credential',
    class: secret,
    needs: ['://'],
    pattern: /:\/\/[^\s:@/?#"'<>\\[\]]{0,256}:(?<v>[^\s@/?#"'<>\\]{1,256})@(?=[\w.[-])/g,
    accept: isCredential,
    plain: decodedPercent,
  },
  {
    id: 'url-credential',
    class: secret,
    needs: ['://'],
    pattern: /:\/\/(?<v>[^\s:@/?#"'<>\\]{16,256})(?::(?:x-oauth-basic|)?)?@(?=[\w.[-])/g,
    accept: looksSecret,
  },
  {
    id: 'bearer-token',
    class: secret,
    needs: ['earer', 'EARER'],
    pattern: /(?<![A-Za-z])bearer[ \t]{1,4}(?<v>[\w.~+/:-]{8,4096}={0,3})/gi,
    accept: looksSecret,
  },
  {
    id: 'basic-credential',
    class: secret,
    needs: ['asic '],
    pattern: /(?<![A-Za-z])basic[ \t]{1,4}(?<v>[A-Za-z0-9+/]{8,4096}={0,2})(?![\w.+/])/gi,
    accept: isBasicCredential,
    plain: (value) => passwordOfBasic(value) ?? value,
  },
  {
    id: 'azure-client-secret',
    class: secret,
    needs: ['Q~'],
    pattern: /(?<![\w~.-])(?<v>[\w~.-]{3}\dQ~[\w~.-]{31,34})(?![\w~-])/g,
    accept: (value) => !isFiller(value.slice(6)) && !/x{8}/i.test(value),
  },
  { id: 'azure-storage-key', class: secret, needs: ['AccountKey=', 'SharedAccessKey='], pattern: /(?:AccountKey|SharedAccessKey)=(?<v>[A-Za-z0-9+/]{40,90}={0,2})/g },
  { id: 'azure-storage-key', class: secret, needs: ['+ASt', 'AzCa', 'ACDb', 'AzSe', 'AzFu', 'APIM', '+ABa', '+AMC', '+ARm', 'AIoT'], pattern: /(?<![A-Za-z0-9+/])[A-Za-z0-9+/]{33,76}(?:\+ASt|AzCa|ACDb|AzSe|AzFu|APIM|\+ABa|\+AMC|\+ARm|\+AEh|AIoT)[A-Za-z0-9+/]{5,6}={0,2}(?![A-Za-z0-9+/=])/g, accept: isMixed },
  { id: 'azure-sas-signature', class: secret, needs: ['sig='], pattern: /[?&;]sig=(?<v>[A-Za-z0-9%+/]{40,128}={0,2})/g },
  { id: 'azure-devops-token', class: secret, needs: ['AZDO'], pattern: /(?<![A-Za-z0-9])[A-Za-z0-9]{75,80}AZDO[A-Za-z0-9]{4}(?![A-Za-z0-9])/g },
  { id: 'aws-presigned-signature', class: secret, needs: ['X-Amz-Signature='], pattern: /X-Amz-Signature=(?<v>[0-9a-f]{64})/g },
  { id: 'aws-session-token', class: secret, needs: ['X-Amz-Security-Token='], pattern: /X-Amz-Security-Token=(?<v>[\w%+/=-]{50,4096})/g },
  { id: 'aws-session-token', class: secret, needs: ['IQoJb3JpZ2lu', 'FwoGZXIvYXdz'], pattern: /(?:IQoJb3JpZ2lu|FwoGZXIvYXdz)[A-Za-z0-9+/%]{80,}={0,2}/g },
  { id: 'openai-key', class: secret, needs: ['T3BlbkFJ'], pattern: /(?<![\w-])sk-[\w-]{16,120}?T3BlbkFJ[\w-]{16,120}/g },
  { id: 'terraform-token', class: secret, needs: ['.atlasv1.'], pattern: /(?<![A-Za-z0-9])[A-Za-z0-9]{14}\.atlasv1\.[\w=-]{60,}/gi },
  { id: 'mailchimp-key', class: secret, needs: ['-us'], pattern: /(?<![A-Za-z0-9])[a-f0-9]{32}-us\d{1,2}(?!\w)/g, accept: (value) => !isFiller(value) },
  { id: 'maxmind-key', class: secret, needs: ['_mmk'], pattern: /(?<!\w)[A-Za-z0-9]{6}_[A-Za-z0-9]{29}_mmk/g },
  { id: 'telegram-bot-token', class: secret, needs: [':A'], pattern: /(?<!\d)\d{5,16}:A[A-Za-z0-9_-]{34}(?![A-Za-z0-9_-])/g, accept: (value) => !isFiller(value.slice(14)) },
  { id: 'slack-webhook', class: secret, needs: ['hooks.slack.com'], pattern: /hooks\.slack\.com\/(?:services|workflows|triggers)\/(?<v>[A-Za-z0-9+/]{30,120})/g },
  { id: 'discord-webhook', class: secret, needs: ['/api/webhooks/'], pattern: /discord(?:app)?\.com\/api\/webhooks\/\d{15,22}\/(?<v>[\w-]{40,100})/g },
  { id: 'teams-webhook', class: secret, needs: ['webhook.office.com', 'logic.azure.com'], pattern: /webhook\.office\.com\/webhookb2\/(?<v>[a-z0-9-]{36}@[a-z0-9-]{36}\/IncomingWebhook\/[a-z0-9]{32}\/[a-z0-9-]{36}[\w/-]{0,120})/gi },
  { id: 'google-chat-webhook', class: secret, needs: ['chat.googleapis.com'], pattern: /chat\.googleapis\.com\/v1\/spaces\/[\w-]{1,40}\/messages\?key=(?<v>[\w%=&-]{60,240})/g },
  { id: 'zapier-webhook', class: secret, needs: ['hooks.zapier.com'], pattern: /hooks\.zapier\.com\/hooks\/catch\/(?<v>\d{3,12}\/[a-z0-9]{5,12})/g },
  { id: 'sql-password', class: secret, needs: ['IDENTIFIED', 'identified', 'PASSWORD', 'password', 'Password'], pattern: /\b(?:identified[ \t]{1,4}by|password)[ \t]{1,4}(?:password[ \t]{1,4})?\\?(?<q>['"])(?<v>(?:(?!\k<q>)[^\\\n]){3,256})\\?\k<q>/gi, accept: isCredential },
  { id: 'command-password', class: secret, needs: ['sshpass'], pattern: /\bsshpass[ \t]{1,4}-p[ \t]{0,4}["']?(?<v>[^\s"']{1,256})/g, accept: isCredential },
  { id: 'command-password', class: secret, needs: ['mysql', 'mariadb'], pattern: /\b(?:mysql(?:dump|admin|import)?|mariadb(?:-dump)?)[ \t][^\n|;]{0,200}?(?<![\w-])-p(?<v>[^\s"'-][^\s"']{2,127})/g, accept: isCredential },
  {
    id: 'command-password',
    class: secret,
    needs: ['login', 'redis-cli', 'ldap'],
    pattern: /\b(?:login\b[^\n|;]{0,160}?[ \t]-p|redis-cli\b[^\n|;]{0,160}?[ \t]-a|ldap[a-z]{3,12}\b[^\n|;]{0,160}?[ \t]-w)[ \t]{1,4}["']?(?<v>[^\s"']{4,256})/g,
    accept: (value) => isCredential(value) && /[^\d]/.test(value) && !value.startsWith('-'),
  },
  {
    id: 'curl-header',
    class: secret,
    needs: ['-H ', '--header'],
    pattern: /(?:-H|--header)[ =]{1,4}\\?["']?(?:X-(?:[a-z]{1,20}-){0,2})?(?:Api-?|Auth-?|Access-?|Private-)?(?:Key|Token):[ ]{0,5}(?<v>[\w=~@.+/-]{8,4096})/gi,
    accept: (value) => isCredential(value) && !isFiller(value) && /\d/.test(value),
  },
] // biome-ignore format: one rule, one line

function isBasicCredential(value: string): boolean {
  const password = passwordOfBasic(value)
  return password !== undefined && isCredential(password)
}

/** Password of a Basic credential (RFC 7617), or its user where that is all there is; undefined where it is none. */
export function passwordOfBasic(value: string): string | undefined {
  const decoded = Buffer.from(value, 'base64').toString('utf8')
  const colon = decoded.indexOf(':')
  if (colon < 0 || !/^[\x20-\x7e\u00a0-\ufffc]+$/.test(decoded)) return undefined
  return decoded.slice(colon + 1) || decoded.slice(0, colon)
}

function decodedPercent(value: string): string {
  return percentView(value)?.text ?? value
}
