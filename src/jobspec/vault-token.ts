/** Whether a task with a `vault` block needs a token of Vault itself, or only templates that read secrets, which variables answer. */
import { type ApiObject, type ApiValue, isApiObject, objectsIn, textIn } from './decode/api-job.js'

/** What only somebody who talks to Vault by itself names. */
const TOKEN_NAMES = /\bVAULT_(?:TOKEN|ADDR)\b|\bvault_token\b/

/** True for a task that names the token or the address of Vault, or reads no secret in a template: its token is for the program. */
export function wantsVaultToken(task: ApiObject): boolean {
  if (task['Vault'] === null || task['Vault'] === undefined) return false
  return [task['Env'], task['Config'], task['Templates']].some(namesToken) || !objectsIn(task, 'Templates').some(mayReadSecrets)
}

function namesToken(value: ApiValue): boolean {
  if (typeof value === 'string') return TOKEN_NAMES.test(value)
  if (Array.isArray(value)) return (value as readonly ApiValue[]).some(namesToken)
  return isApiObject(value) && Object.entries(value).some(([name, inner]) => TOKEN_NAMES.test(name) || namesToken(inner))
}

/** What a template from a file reads is not known here. */
function mayReadSecrets(template: ApiObject): boolean {
  const text = textIn(template, 'EmbeddedTmpl')
  return text === '' ? textIn(template, 'SourcePath') !== '' : /\bsecrets?\s+["`($]/.test(text)
}
