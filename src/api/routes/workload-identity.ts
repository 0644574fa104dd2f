/** Where others find the keys that check workload identities: `/.well-known/…` (OpenID Connect Discovery 1.0; RFC 7517). */
import { encodeJson } from '../encode.js'
import { ApiError } from '../errors.js'
import type { ApiSettings } from '../ports.js'
import { jsonAnswer } from '../request.js'
import type { Route } from '../router.js'

/** Keys seldom change, and a new one is not used before the server starts again. */
const CACHE_SECONDS = 3_600

export function workloadIdentityRoutes({ settings }: { readonly settings: ApiSettings }): readonly Route[] {
  const { identityKeys, oidcIssuer } = settings
  return [
    {
      pattern: '/.well-known/jwks.json',
      methods: { GET: async () => jsonAnswer(encodeJson({ keys: identityKeys }), { 'Cache-Control': `max-age=${CACHE_SECONDS}` }) },
    },
    {
      pattern: '/.well-known/openid-configuration',
      methods: {
        GET: async () => {
          if (oidcIssuer === undefined) throw new ApiError('NOT_FOUND', 'OIDC Discovery endpoint disabled')
          return jsonAnswer(encodeJson(discovery(oidcIssuer)))
        },
      },
    },
  ]
}

function discovery(issuer: string) {
  return {
    id_token_signing_alg_values_supported: ['RS256'],
    issuer,
    jwks_uri: `${issuer.replace(/\/+$/, '')}/.well-known/jwks.json`,
    response_types_supported: ['code'],
    subject_types_supported: ['public'],
  }
}
