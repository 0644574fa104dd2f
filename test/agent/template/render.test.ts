import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import {
  keyPairsValue,
  nomadServiceValue,
  secretValue,
  serviceNamesValue,
  serviceValue,
  variablesValue,
  variableValue,
} from '../../../src/agent/template/data-values.js'
import {
  describeQuery,
  type Found,
  FUNCTION_NAMES,
  fromText,
  type Query,
  type Rendering,
  renderTemplate,
  type TemplateLimits,
  toText,
} from '../../../src/agent/template/index.js'
import { stringsValue, stringValue, type Value } from '../../../src/agent/template/values.js'
import type { TemplateCases } from '../../vectors/kinds/template.js'

type Answers = (query: Query) => Found<Value>

const NOTHING: Answers = () => ({ kind: 'absent' })

function render(
  text: string,
  find: Answers = NOTHING,
  more: { readonly limits?: TemplateLimits; readonly failsOnMissingKey?: boolean } = {},
): Rendering {
  const world = { environment: () => undefined, find, nowMs: 0, random: (size: number) => new Uint8Array(size).fill(1) }
  const source = { text: fromText(text), failsOnMissingKey: more.failsOnMissingKey ?? false }
  return more.limits === undefined ? renderTemplate(source, world) : renderTemplate(source, world, more.limits)
}

function textOf(rendering: Rendering): string {
  return rendering.kind === 'text' ? toText(rendering.text) : JSON.stringify(rendering)
}

const found = (value: Value): Found<Value> => ({ kind: 'value', value })

describe('data', () => {
  test('a key that is there is its value, one that is not is missing', () => {
    const answers: Answers = (query) => (query.kind === 'key' && query.path === 'app/port' ? found(stringValue('80')) : { kind: 'absent' })
    expect(textOf(render('{{ key "app/port" }}{{ key "/app/port?dc=x@dc1" }}', answers))).toBe('8080')
    expect(render('{{ key "app/port" }}{{ key "app/host" }}', answers)).toMatchObject({
      kind: 'missing',
      missing: [{ kind: 'key', path: 'app/host' }],
      asked: [{ path: 'app/port' }, { path: 'app/host' }],
    })
  })

  test('a fallback is used for what is absent, and waited with for what is not known yet', () => {
    const template = '{{ keyOrDefault "a" "d" }}{{ if keyExists "b" }}y{{ else }}n{{ end }}{{ if nomadVarExists "c" }}y{{ else }}n{{ end }}'
    expect(textOf(render(template))).toBe('dnn')
    expect(render(template, () => ({ kind: 'unknown' }))).toMatchObject({
      kind: 'missing',
      missing: [{ path: 'a' }, { path: 'b' }, { path: 'c' }],
    })
  })

  test('what fails over missing data is missing, not failed', () => {
    expect(render('{{ key "port" | parseInt | add 1 }}{{ index (split "," (key "list")) 3 }}').kind).toBe('missing')
  })

  test('services come from both catalogues, with tag and filter', () => {
    const web = {
      id: 'w1',
      name: 'web',
      node: 'n1',
      address: '10.0.0.1',
      port: 80,
      tags: ['a', 'b'],
      meta: { zone: 'x' },
      status: 'passing',
    }
    const asked: Query[] = []
    const answers: Answers = (query) => {
      asked.push(query)
      if (query.kind !== 'service') return { kind: 'absent' }
      return query.provider === 'nomad'
        ? found(nomadServiceValue([{ ...web, datacenter: 'dc1', jobId: 'j', allocationId: 'al' }]))
        : found(serviceValue([{ ...web, nodeAddress: '10.0.0.1' }]))
    }
    expect(
      textOf(render('{{ range service "a.web@dc1|any" }}{{ .Name }}={{ .Address }}:{{ .Port }} {{ .Tags | join "+" }}{{ end }}', answers)),
    ).toBe('web=10.0.0.1:80 a+b')
    expect(textOf(render('{{ range nomadService "web" }}{{ .JobID }}{{ .AllocID }}{{ .Tags | contains "b" }}{{ end }}', answers))).toBe(
      'jaltrue',
    )
    expect(textOf(render('{{ range nomadService 1 "key" "web" }}{{ .Port }}{{ end }}', answers))).toBe('80')
    expect(textOf(render('{{ range $tag, $all := service "web" | byTag }}{{ $tag }}{{ len $all }}{{ end }}', answers))).toBe('a1b1')
    expect(textOf(render('{{ range $port, $all := service "web" | byPort }}{{ $port }}{{ len $all }}{{ end }}', answers))).toBe('801')
    expect(textOf(render('{{ range $zone, $all := service "web" | byMeta "zone" }}{{ $zone }}{{ len $all }}{{ end }}', answers))).toBe('x1')
    expect(asked[0]).toEqual({ kind: 'service', provider: 'consul', name: 'web', tag: 'a', takesFailing: true })
    expect(asked[2]).toMatchObject({ choose: { count: 1, key: 'key' } })
  })

  test('no instance of a service is an empty list, not something missing', () => {
    expect(
      textOf(
        render('{{ range service "web" }}x{{ else }}none{{ end }}{{ len (nomadService "web") }}{{ len services }}{{ len nomadServices }}'),
      ),
    ).toBe('none000')
  })

  test('variables have their members, metadata and lists', () => {
    const variable = {
      namespace: 'default',
      path: 'nomad/jobs/web',
      items: { user: 'u', password: 'p' },
      createIndex: 1,
      modifyIndex: 2,
      createTimeMs: 0,
      modifyTimeMs: 0,
    }
    const answers: Answers = (query) =>
      query.kind === 'variable' && query.path === 'nomad/jobs/web' ? found(variableValue(variable)) : { kind: 'absent' }
    const template =
      '{{ with nomadVar "nomad/jobs/web" }}{{ .user }}:{{ .password }} {{ range .Tuples }}{{ .K }}={{ .V }};{{ end }}{{ .Metadata.Path }} {{ .Keys }} {{ range $k, $v := . }}{{ $k }}{{ $v }}{{ end }} {{ . | toJSON }}{{ end }}'
    expect(textOf(render(template, answers))).toBe(
      'u:p password=p;user=u;nomad/jobs/web [password user] passwordpuseru {"password":"p","user":"u"}',
    )
    expect(render('{{ with nomadVar "other" }}{{ .x }}{{ end }}', answers)).toMatchObject({
      kind: 'missing',
      missing: [{ kind: 'variable', path: 'other' }],
    })
  })

  test('lists of variables and of services are told by name', () => {
    const variable = { namespace: 'default', path: 'a/b', createIndex: 1, modifyIndex: 2, createTimeMs: 0, modifyTimeMs: 0 }
    const answers: Answers = (query) => {
      if (query.kind === 'variables') return found(variablesValue(query.prefix === 'a' ? [variable] : []))
      return query.kind === 'services' ? found(serviceNamesValue([{ name: 'web', tags: ['x'] }], query.provider)) : { kind: 'absent' }
    }
    expect(textOf(render('{{ range nomadVarList "a" }}{{ . }}{{ .ModifyIndex }}{{ end }}{{ len nomadVarList }}', answers))).toBe('a/b20')
    expect(
      textOf(render('{{ range services }}{{ .Name }}{{ .Tags }}{{ end }}{{ range nomadServices }}{{ .Name }}{{ end }}', answers)),
    ).toBe('web[x]web')
    expect(render('{{ nomadVarListSafe "z" }}', answers)).toMatchObject({ kind: 'missing' })
  })

  test('what is missing is told as consul-template names it', () => {
    const rendering = render(
      '{{ key "a" }}{{ nomadVar "b@ns" }}{{ secret "c" }}{{ ls "d" }}{{ file "e" }}{{ nomadVarList "f" }}{{ secrets "g" }}',
    )
    expect(
      rendering.kind === 'missing' && rendering.missing.map((query) => describeQuery(query, { namespace: 'default', region: 'global' })),
    ).toEqual([
      'kv.block(a)',
      'nomad.var.block(b@ns.global)',
      'vault.read(c)',
      'kv.list(d)',
      'file(e)',
      'nomad.var.list(f@default.global)',
      'vault.list(g)',
    ])
    const unknown = render('{{ service "t.w" }}{{ nomadService "w" }}{{ services }}{{ nomadServices }}{{ nodes }}', () => ({
      kind: 'unknown',
    }))
    expect(
      unknown.kind === 'missing' && unknown.missing.map((query) => describeQuery(query, { namespace: 'default', region: 'global' })),
    ).toEqual(['health.service(t.w|passing)', 'nomad.service(w)', 'catalog.services', 'nomad.services', 'catalog.nodes'])
  })

  test('folders of keys are lists of pairs, by key and as a tree', () => {
    const pairs = [
      { path: 'app/a/x', key: 'a/x', value: '1', createIndex: 1, modifyIndex: 1 },
      { path: 'app/b', key: 'b', value: '2', createIndex: 1, modifyIndex: 1 },
    ]
    const answers: Answers = (query) =>
      query.kind === 'keys' ? found(keyPairsValue(query.isDeep ? pairs : pairs.slice(1))) : { kind: 'absent' }
    expect(textOf(render('{{ range tree "app" }}{{ .Key }}={{ .Value }};{{ end }}{{ range ls "app" }}{{ .Key }}{{ end }}', answers))).toBe(
      'a/x=1;b=2;b',
    )
    expect(
      textOf(
        render(
          '{{ tree "app" | explode | toJSON }}{{ range $top, $below := tree "app" | byKey }}{{ $top }}{{ range $k, $p := $below }}{{ $k }}{{ $p.Value }}{{ end }}{{ end }}',
          answers,
        ),
      ),
    ).toBe('{"a":{"x":"1"},"b":"2"}ax1')
    expect(render('{{ range safeTree "none" }}{{ end }}', () => found(keyPairsValue([]))).kind).toBe('missing')
  })

  test('a secret shows its members as both versions of the store have them', () => {
    const answers: Answers = (query) =>
      query.kind === 'secret'
        ? found(secretValue({ user: 'u' }, query.path === 'kv/data/app'))
        : query.kind === 'secrets'
          ? found(stringsValue(['app']))
          : { kind: 'absent' }
    expect(
      textOf(
        render(
          '{{ with secret "kv/data/app" }}{{ .Data.data.user }}{{ end }}{{ with secret "kv/app" }}{{ .Data.user }}{{ .Data.data.user }}{{ end }}{{ secrets "kv" }}',
          answers,
        ),
      ),
    ).toBe('uuu[app]')
    expect(render('{{ secret "kv/app" "a=b" }}', answers)).toMatchObject({ kind: 'failure', message: expect.stringContaining('commit') })
  })
})

describe('failures', () => {
  test('tell line and column', () => {
    expect(render('a\n  {{ index 1 2 }}')).toMatchObject({
      kind: 'failure',
      line: 2,
      column: 5,
      message: expect.stringContaining("can't index"),
    })
    expect(render('a\n{{ if }}')).toMatchObject({ kind: 'failure', line: 2, message: 'missing value for if' })
  })

  test('a key that a map lacks fails only where that is asked for', () => {
    const template = '{{ (parseJSON "{}").none }}'
    expect(textOf(render(template))).toBe('<no value>')
    expect(render(template, NOTHING, { failsOnMissingKey: true })).toMatchObject({
      kind: 'failure',
      message: 'map has no entry for key "none"',
    })
  })

  test('programs, other files and what has no meaning here are refused with a sentence', () => {
    for (const call of [
      'plugin "x"',
      'writeToFile "a" "" "" "0644" "x"',
      'caRoots',
      'connect "x"',
      'sprig_genPrivateKey "rsa"',
      'sockaddr "GetPrivateIP"',
    ]) {
      expect(render(`{{ ${call} }}`)).toMatchObject({
        kind: 'failure',
        line: 1,
        message: expect.stringMatching(/^error calling \w+: .{10}/),
      })
    }
  })
})

describe('budgets', () => {
  test('what a host takes half a second for is refused, whatever it is made of', () => {
    for (const text of ['{{ range loop 600000 }}{{ end }}', '{{ range loop 10000 }}{{ range loop 10000 }}{{ end }}{{ end }}'])
      expect(render(text, NOTHING)).toMatchObject({
        kind: 'failure',
        message: expect.stringContaining('the values of the template take more than'),
      })
  })

  const limits = { steps: 1000, outputBytes: 1000, madeBytes: 10_000 }

  test('a template that goes on and on is stopped, and so is one that grows', () => {
    expect(render('{{ range loop 900 }}{{ len "x" }}{{ end }}', NOTHING, { limits: { ...limits, madeBytes: 1 << 20 } })).toMatchObject({
      kind: 'failure',
      message: expect.stringContaining('1000 steps'),
    })
    expect(render('{{ range loop 100 }}0123456789abcdef{{ end }}', NOTHING, { limits: { ...limits, madeBytes: 1 << 20 } })).toMatchObject({
      kind: 'failure',
      message: expect.stringContaining('1000 bytes'),
    })
    for (const call of [
      'sprig_repeat 20000 "x"',
      'loop 200',
      'sprig_untilStep 0 200 1',
      'printf "%20000d" 1',
      'indent 20000 "x"',
      'sprig_nindent 20000 "x"',
      'replaceAll "" "0123456789" (sprig_repeat 2000 "x")',
    ]) {
      expect(render(`{{ $x := ${call} }}`, NOTHING, { limits }), call).toMatchObject({
        kind: 'failure',
        message: expect.stringContaining('10000 bytes'),
      })
    }
  })

  test('templates that call themselves and parentheses without end have a depth', () => {
    expect(render('{{ define "a" }}{{ template "a" . }}{{ end }}{{ template "a" . }}')).toMatchObject({
      kind: 'failure',
      message: expect.stringContaining('maximum template depth'),
    })
    expect(render(`{{ ${'('.repeat(300)}1${')'.repeat(300)} }}`)).toMatchObject({
      kind: 'failure',
      message: expect.stringContaining('depth'),
    })
    expect(render(`${'{{ if 1 }}'.repeat(300)}${'{{ end }}'.repeat(300)}`)).toMatchObject({
      kind: 'failure',
      message: expect.stringContaining('deep'),
    })
  })

  test('aliases of YAML are charged each time they are used', () => {
    const levels = Array.from(
      { length: 6 },
      (_, at) => `l${at + 1}: &l${at + 1} [${Array.from({ length: 9 }, () => `*l${at}`).join(', ')}]`,
    )
    const text = `l0: &l0 x\n${levels.join('\n')}`
    expect(render(`{{ parseYAML ${JSON.stringify(text)} }}`, NOTHING, { limits })).toMatchObject({
      kind: 'failure',
      message: expect.stringContaining('10000 bytes'),
    })
  })
})

/** Told in the tests above, or by their refusal. */
const NOT_RECORDED =
  /^(sprig_(gen|buildCustomCert|randInt|shuffle|encryptAES|ago|mustTo|mustFromJson|must[A-Z])|ls|tree|safe|secret|service|nomad|node|datacenters|key|by|explode|file|connect|caRoots|caLeaf|pkiCert|exported|imported|partitions|peerings|sockaddr|plugin|writeToFile|timestamp)/

test('every function has a recorded case, or reads the world and is tested here', () => {
  const recorded = ['cases', 'functions'].flatMap((name) => {
    const content = JSON.parse(readFileSync(new URL(`../../vectors/data/template/${name}.json`, import.meta.url), 'utf8')) as TemplateCases
    return content.cases.map((one) => one.template)
  })
  const missing = FUNCTION_NAMES.filter(
    (name) => !NOT_RECORDED.test(name) && !recorded.some((text) => new RegExp(`\\b${name}\\b`).test(text)),
  )
  expect(missing).toEqual([])
})

test('random functions answer the same each time for the same template', () => {
  const template =
    '{{ sprig_randInt 0 1000 }}{{ sprig_shuffle "abcdef" }}{{ sprig_htpasswd "u" "p" }}{{ sprig_decryptAES "k" (sprig_encryptAES "k" "secret") }}'
  expect(textOf(render(template))).toBe(textOf(render(template)))
  expect(textOf(render(template))).toMatch(/u:\$2a\$10\$.{53}secret$/)
})

test('the moment is that of the rendering', () => {
  expect(
    textOf(
      render(
        '{{ timestamp }} {{ timestamp "unix" }} {{ timestamp "Mon Jan _2 2006" }} {{ sprig_ago (sprig_toDate "2006-01-02" "1969-12-31") }}',
      ),
    ),
  ).toBe('1970-01-01T00:00:00Z 0 Thu Jan  1 1970 24h0m0s')
})
