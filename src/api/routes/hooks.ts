/** `/drover/v1/hooks/:source`: a forge says that there is something new. It means "look now" and nothing else. */
import { tooMany, unauthorized } from '../errors.js'
import type { Webhooks } from '../ports.js'
import { type ApiResponse, emptyAnswer } from '../request.js'
import type { Call, Route } from '../router.js'

export interface HookDeps {
  readonly webhooks: Webhooks
}

export function hookRoutes({ webhooks }: HookDeps): readonly Route[] {
  return [{ pattern: '/drover/v1/hooks/:id', methods: { POST: (call) => receive(webhooks, call) }, isAct: true }]
}

function receive(webhooks: Webhooks, { id, request }: Call): ApiResponse {
  switch (webhooks.receive(id, request.headers, request.body)) {
    case 'accepted':
      return emptyAnswer(202)
    case 'too-many':
      throw tooMany('too many webhooks at once; the repository is looked at all the same')
    case 'refused':
      throw unauthorized('there is no webhook of this name and secret; compare both with source.webhook in the configuration of the server')
  }
}
