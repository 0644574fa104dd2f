/**
 * What is installed: each program as few files, since finding and loading a thousand modules takes longer than all that a command does after it.
 * All of them lie in one folder, so that what stands beside a module in `src` stands beside it here.
 */
import { chmodSync, rmSync } from 'node:fs'
import { build } from 'esbuild'

const PROGRAMS = [
  'main/cli',
  'main/supervisor',
  'main/artifact-download',
  'main/past-reader',
  'adapters/workers/worker',
  'adapters/lmdb/read-store',
  'adapters/local-store/read-local-store',
]

/** They bring compiled code or look for files of their own; or few commands need them, and they are large. */
const LEFT_OUT = ['lmdb', 'msgpackr', 'koffi', '@cdktf/hcl2json', 'pino', 'dockerode', '@opentelemetry/*']

rmSync('dist', { recursive: true, force: true })
await build({
  entryPoints: PROGRAMS.map((program) => ({ in: `src/${program}.ts`, out: program.split('/').at(-1) })),
  outdir: 'dist/main',
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node20',
  external: LEFT_OUT,
  sourcemap: true,
  sourcesContent: false,
  // An engine keeps the text of what it runs in its memory, with everything that is said in it for people.
  minifyWhitespace: true,
  lineLimit: 160,
  legalComments: 'external',
  // Some packages ask for parts of Node in the old way.
  banner: { js: "import { createRequire as bundleRequire } from 'node:module'; const require = bundleRequire(import.meta.url);" },
  logLevel: 'warning',
})
// Executable right after a build.
chmodSync('dist/main/cli.js', 0o755)
