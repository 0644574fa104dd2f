#!/usr/bin/env bash
# prom-client 15.1.3: its types declare an enum `MetricType` and say that `type` of what `getMetricsAsJSON()` gives is one of it. The package
# has no such export, and `type` is a text such as "gauge". So a comparison with `MetricType.Gauge` compiles and throws, and one of `type`
# with "gauge", which is right, does not compile.
#
# Seen with prom-client 15.1.3, TypeScript 5.9.3, Node 20.20: "the enum compiles: yes, the text compiles: no, exported: no, type: gauge".
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null
npm install --silent --save-exact prom-client@15.1.3 typescript@5.9.3 >/dev/null
cat > enum.ts <<'TS'
import { MetricType, Registry } from 'prom-client'
export const gauges = async (registry: Registry) => (await registry.getMetricsAsJSON()).filter(({ type }) => type === MetricType.Gauge)
TS
cat > text.ts <<'TS'
import { Registry } from 'prom-client'
export const gauges = async (registry: Registry) => (await registry.getMetricsAsJSON()).filter(({ type }) => type === 'gauge')
TS
compiles() { npx tsc --noEmit --strict --skipLibCheck --module nodenext --target es2022 "$1" >/dev/null && echo yes || echo no; }
cat > run.cjs <<'JS'
const client = require('prom-client')
const registry = new client.Registry()
new client.Gauge({ name: 'rooms', help: 'Rooms', registers: [registry] }).set(3)
registry.getMetricsAsJSON().then(([metric]) => console.log(`exported: ${'MetricType' in client ? 'yes' : 'no'}, type: ${metric.type}`))
JS
seen="the enum compiles: $(compiles enum.ts), the text compiles: $(compiles text.ts), $(node run.cjs)"
echo "$seen"
[ "$seen" = 'the enum compiles: yes, the text compiles: no, exported: no, type: gauge' ]
