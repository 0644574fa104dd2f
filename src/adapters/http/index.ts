/** Starts and stops the HTTP server around the API. */
import type { ApiDeps, ApiSettings } from '../../api/index.js'
import type { HttpDeps } from './server.js'
import { createHttp } from './server.js'

export { createHostCheck } from './allowed-hosts.js'

export interface HttpOptions extends Omit<HttpDeps, 'settings'> {
  /** `host:port`; port 0 is one that is free. */
  readonly address: string
  readonly settings: Omit<ApiSettings, 'address'>
}

export interface RunningHttp {
  readonly url: string
  stop(): Promise<void>
}

/** @throws the system's error with code EADDRINUSE and the like */
export async function startHttp({ address, settings, ...deps }: HttpOptions): Promise<RunningHttp> {
  const colon = address.lastIndexOf(':')
  const host = address.slice(0, colon).replace(/^\[(.*)\]$/, '$1') || '127.0.0.1'
  // The port is known only when it listens, and the API tells it.
  const own: ApiDeps['settings'] & { address: string } = { ...settings, address }
  const app = createHttp({ ...deps, settings: own })
  const url = await app.listen({ host, port: Number(address.slice(colon + 1)) })
  own.address = url.replace(/^https?:\/\//, '')
  return { url, stop: () => app.close() }
}
