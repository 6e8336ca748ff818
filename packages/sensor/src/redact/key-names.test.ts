import { expect, test } from 'vitest'
import { judgeKey } from './key-names.ts'

test.each([
  [
    'password',
    'password passwd pwd db_password DB-PASSWORD userPassword PGPASSWORD password2 new_password passwordHash passphrase Kennwort contraseña 密码 пароль SPRING_DATASOURCE_PASSWORD',
  ],
  [
    'secret',
    'secret clientSecret client-secret CLIENT_SECRET apiKey api_key APIKEY X-Api-Key x-functions-key token accessToken auth_token GITHUB_TOKEN authorization Proxy-Authorization Cookie set-cookie private_key privateKeyPem0 secretAccessKey AWS_SECRET_ACCESS_KEY jwt id_token code_verifier recovery_code webhookSecret mnemonic connect.sid signing_key subscription-key otp requestState',
  ],
  ['weak', 'auth credentials user_auth tokens app_key secrets'],
  ['pin', 'pin cvv card_cvc PIN'],
  ['card', 'card_number cardNumber cc_number'],
  ['ssn', 'ssn social_security_number SSN'],
  [
    undefined,
    'progressToken state csrf_token authenticity_token max_tokens maxTokens token_count total_tokens nextPageToken next_token page_token continuationToken tokenType expires_in password_policy passwordChangedAt has_password forgot_password secret_name secretArn key keyboard monkey primary_key public_key publicKey partition_key key_id kms_key_id access_key_id author authority authored tokenizer passenger compass bypass pinned spinner secretary session_id username email keyword hotkey cookie_consent credential_id auth_type token_url',
  ],
])('%s: %s [X-1]', (strength, names) => {
  for (const name of names.split(' ')) if (!name.endsWith('0')) expect(judgeKey(name)?.strength, name).toBe(strength)
})
