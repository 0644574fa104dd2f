import { describe, expect, test } from 'vitest'
import { highestTag, parseFollowedRef } from '../../src/adapters/git/followed-ref.js'
import { CurlTrace } from '../../src/adapters/git/remote/curl-trace.js'
import { hideSecrets, parseRepositoryAddress } from '../../src/adapters/git/remote/remote-address.js'
import { parseRetryAfter } from '../../src/adapters/retry-after.js'

describe('an address', () => {
  test.each([
    ['/srv/jobs', 'folder'],
    ['../jobs', 'folder'],
    ['jobs:today', 'folder of a scheme that is none'],
    ['https://git.example.org/ops/cluster.git', 'https'],
    ['http://127.0.0.1:3000/ops', 'http'],
    ['http://localhost/ops', 'http'],
    ['ssh://git@git.example.org:2222/ops/cluster.git', 'ssh'],
    ['git@github.com:ops/cluster.git', 'ssh'],
    ['file:///srv/jobs.git', 'file'],
  ])('%s is a %s', (text, kind) => {
    if (kind.startsWith('folder of')) return expect(() => parseRepositoryAddress(text)).toThrow(/is fetched by jobs/)
    const address = parseRepositoryAddress(text)
    expect(address.kind === 'folder' ? 'folder' : address.protocol).toBe(kind)
  })

  test.each([
    ['', /names no repository/],
    ['--upload-pack=x', /names no repository/],
    ['https://host/a\nb', /names no repository/],
    ['http://git.example.org/ops', /is not encrypted; write https/],
    ['git://git.example.org/ops', /fetched by git; Drover fetches by https, ssh and file/],
    ['ext::sh -c x', /fetched by ext/],
    ['ssh://-oProxyCommand=x/ops', /is no address/],
    ['file://other/srv', /three slashes/],
    ['https://', /is no address/],
  ])('%s is refused', (text, message) => {
    expect(() => parseRepositoryAddress(text)).toThrow(message)
  })

  test.each(['https://ann:canary@git.example.org/x', 'https://canary@git.example.org/x', 'git+https://canary@git.example.org/x'])(
    'what may be a secret in %s is refused and not repeated',
    (text) => {
      let message = ''
      try {
        parseRepositoryAddress(text)
      } catch (error) {
        message = (error as Error).message
      }
      expect(message).toContain('***@git.example.org')
      expect(message).not.toContain('canary')
    },
  )

  test('secrets in what git says are hidden', () => {
    expect(hideSecrets("unable to access 'https://ann:canary@host/x'")).toBe("unable to access 'https://***@host/x'")
  })
})

describe('what is followed', () => {
  test('a branch, a tag, a commit and a range of versions', () => {
    expect(parseFollowedRef('HEAD')).toEqual({ kind: 'ref', name: 'HEAD' })
    expect(parseFollowedRef('refs/heads/feature/x')).toEqual({ kind: 'ref', name: 'refs/heads/feature/x' })
    expect(parseFollowedRef('a'.repeat(40))).toEqual({ kind: 'commit', id: 'a'.repeat(40) })
    expect(parseFollowedRef('refs/tags/app/v*', '>=1.2 <2')).toEqual({ kind: 'tags', prefix: 'refs/tags/app/v', range: '>=1.2 <2' })
  })

  test.each([
    ['refs/tags/v*', undefined, /say which versions are wanted/],
    ['refs/tags/v*', 'newest please', /takes a range of versions/],
    ['refs/heads/main', '^1', /is one ref/],
    ['refs/heads/*', undefined, /is no name of a ref/],
    ['refs/heads/a..b', undefined, /is no name of a ref/],
    ['refs/heads/x:refs/heads/y', undefined, /is no name of a ref/],
    ['refs/heads/x.lock', undefined, /is no name of a ref/],
    ['-x', undefined, /is no name of a ref/],
  ])('%s with versions %s is refused', (ref, versions, message) => {
    expect(() => parseFollowedRef(ref, versions)).toThrow(message)
  })

  test('the highest version counts by number, and what is no version not at all', () => {
    const names = ['v1.9.0', 'v1.10.0', 'v1.10', 'vnext', 'v1.11.0-rc.1', 'v2.0.0', 'w1.99.0'].map((name) => `refs/tags/${name}`)
    expect(highestTag(names, 'refs/tags/v', '^1')).toBe('refs/tags/v1.10.0')
    expect(highestTag(names, 'refs/tags/v', '>=1.11.0-rc.0 <2')).toBe('refs/tags/v1.11.0-rc.1')
    expect(highestTag(names, 'refs/tags/v', '^3')).toBeUndefined()
    expect(highestTag(['refs/tags/v1.0.0+a', 'refs/tags/v1.0.0+b'], 'refs/tags/v', '*')).toBe('refs/tags/v1.0.0+b')
  })
})

test('how long to wait is a number of seconds or a date, and an hour at most', () => {
  const nowMs = Date.parse('2026-01-01T00:00:00Z')
  expect(parseRetryAfter('30', nowMs)).toBe(30_000)
  expect(parseRetryAfter('Thu, 01 Jan 2026 00:01:00 GMT', nowMs)).toBe(60_000)
  expect(parseRetryAfter('Thu, 01 Jan 2025 00:01:00 GMT', nowMs)).toBe(0)
  expect(parseRetryAfter('999999999', nowMs)).toBe(3_600_000)
  expect(parseRetryAfter('soon', nowMs)).toBeNull()
})

test('of several answers the last one counts, however the trace is cut into pieces', () => {
  const trace = new CurlTrace()
  const text =
    '06:30 http.c:684 <= Recv header: HTTP/1.1 429 Too Many Requests\n06:30 http.c:684 <= Recv header: Retry-After: 9\n06:30 http.c:684 <= Recv header: HTTP/2 200\n'
  for (const letter of text.slice(0, text.indexOf('06:30 http.c:684 <= Recv header: HTTP/2'))) trace.add(letter)
  expect([trace.status, trace.retryAfterMs]).toEqual([429, 9_000])
  trace.add(text.slice(text.indexOf('06:30 http.c:684 <= Recv header: HTTP/2')))
  expect([trace.status, trace.retryAfterMs]).toEqual([200, null])
})
