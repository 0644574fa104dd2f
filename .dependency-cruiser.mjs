/** The layer picture of docs/architecture.md as rules: a layer imports only what stands to its left, through its index. */
const PURE = '^src/(domain|jobspec|state|scheduler)/'

/** What each layer may import besides itself. */
const MAY_IMPORT = {
  domain: [],
  jobspec: ['domain'],
  state: ['domain'],
  scheduler: ['domain', 'state'],
  agent: ['domain'],
  api: ['domain', 'state', 'jobspec', 'agent'],
  controller: ['domain', 'state', 'jobspec', 'scheduler', 'agent'],
  adapters: ['domain', 'state', 'jobspec', 'scheduler', 'agent', 'api', 'controller'],
  cli: [],
  main: ['domain', 'state', 'jobspec', 'scheduler', 'agent', 'api', 'controller', 'adapters', 'cli'],
}

const layerRules = Object.entries(MAY_IMPORT).map(([layer, others]) => ({
  name: `${layer}-imports-leftwards`,
  comment: `${layer} may import ${others.join(', ') || 'nothing'} besides itself`,
  severity: 'error',
  from: { path: `^src/${layer}/` },
  to: { path: '^src/', pathNot: `^src/(${[layer, ...others].join('|')})/` },
}))

export default {
  forbidden: [
    ...layerRules,
    // Objects refer to each other as types, and an evaluator and its functions by nature; everywhere else a cycle is a mistake.
    {
      name: 'no-cycles',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/(domain|jobspec/(hcl|decode))/' },
      to: { circular: true, viaOnly: { pathNot: '^src/domain/' } },
    },
    { name: 'pure-layers-know-no-node', severity: 'error', from: { path: PURE }, to: { dependencyTypes: ['core'] } },
    {
      name: 'agent-and-api-know-no-node',
      severity: 'error',
      from: { path: '^src/(agent|api)/', pathNot: '^src/agent/supervisor/' },
      to: { dependencyTypes: ['core'] },
    },
    {
      name: 'controller-only-hashes',
      severity: 'error',
      from: { path: '^src/controller/' },
      to: { dependencyTypes: ['core'], pathNot: '^(node:)?crypto$' },
    },
    {
      name: 'through-the-door',
      comment: 'another layer is used through its index.ts; main/ wires adapters by their files',
      severity: 'error',
      from: { path: '^src/([^/]+)/' },
      to: {
        path: '^src/(domain|jobspec|state|scheduler|agent|api|controller)/',
        pathNot: ['^src/$1/', '^src/[^/]+/index\\.ts$', '^src/(agent|api)/ports\\.ts$'],
      },
    },
    {
      name: 'commands-load-late',
      comment: 'what a command does is loaded by import() once it is asked for: looking at a job must not wait for a database and a broker',
      severity: 'error',
      from: { path: '^src/main/(cli|commands|programs|state-commands|nats-config|exec-console)\\.ts$' },
      to: {
        path: '^src/(state|jobspec|scheduler|agent|api|controller|adapters|main/(server|agent|config|run-server|run-agent|server-config|agent-config|job-files))[/.]|node_modules',
        pathNot: '^src/adapters/http-request\\.ts$',
        dynamic: false,
      },
    },
    { name: 'no-unresolvable', severity: 'error', from: {}, to: { couldNotResolve: true } },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    parser: 'swc',
    exclude: { path: '^(node_modules|dist)' },
    enhancedResolveOptions: {
      extensions: ['.ts', '.js', '.mjs', '.json'],
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default'],
    },
  },
}
