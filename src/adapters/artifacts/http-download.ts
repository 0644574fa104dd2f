import { createWriteStream } from 'node:fs'
import { request as httpRequest, type IncomingMessage } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { pipeline } from 'node:stream/promises'
import { guardedLookup, guardLiteral } from './addresses.js'
import { DownloadFailure, type DownloadRequest } from './request.js'
import { SizeLimit } from './size-limit.js'

const REDIRECTS_MAX = 10
/** What a server of another name must not be told. */
const PRIVATE_HEADERS = new Set(['authorization', 'cookie', 'proxy-authorization'])

/** Fetches one file. Each redirect is looked at anew. @throws DownloadFailure */
export async function downloadHttp(first: URL, file: string, request: DownloadRequest): Promise<void> {
  let url = first
  for (let redirects = 0; redirects <= REDIRECTS_MAX; redirects++) {
    const response = await ask(url, first, request)
    const { statusCode = 0, headers } = response
    if (statusCode >= 300 && statusCode < 400 && headers.location !== undefined) {
      response.resume()
      url = redirected(url, headers.location)
      continue
    }
    if (statusCode !== 200) {
      response.resume()
      throw new DownloadFailure(`bad response code: ${statusCode}`)
    }
    const { downloadBytesMax } = request.limits
    const limit = new SizeLimit({ bytes: downloadBytesMax }, `the download has more than ${downloadBytesMax} bytes`)
    return pipeline(response, limit, createWriteStream(file, { flags: 'wx' }))
  }
  throw new DownloadFailure(`redirected more than ${REDIRECTS_MAX} times`)
}

function redirected(from: URL, location: string): URL {
  if (!URL.canParse(location, from)) throw new DownloadFailure(`redirected to ${JSON.stringify(location)}, which is no address`)
  const to = new URL(location, from)
  if (to.protocol !== 'http:' && to.protocol !== 'https:') throw new DownloadFailure(`redirected to scheme '${to.protocol.slice(0, -1)}'`)
  if (from.protocol === 'https:' && to.protocol === 'http:') throw new DownloadFailure('redirected from https to http')
  return to
}

function ask(url: URL, first: URL, { headers, isInsecure, limits }: DownloadRequest): Promise<IncomingMessage> {
  guardLiteral(url.hostname, limits.allowsPrivateAddresses)
  const isSameHost = url.host === first.host
  const kept = Object.entries(headers).filter(([name]) => isSameHost || !PRIVATE_HEADERS.has(name.toLowerCase()))
  const begin = url.protocol === 'https:' ? httpsRequest : httpRequest
  return new Promise((resolve, reject) => {
    const options = {
      headers: Object.fromEntries(kept),
      lookup: guardedLookup(limits.allowsPrivateAddresses),
      rejectUnauthorized: !isInsecure,
      timeout: limits.timeoutMs,
    }
    const asked = begin(url, options, resolve)
    asked.on('timeout', () => asked.destroy(new DownloadFailure('the server does not answer')))
    asked.on('error', reject)
    asked.end()
  })
}
