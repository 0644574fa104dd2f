/** What the failures of a group lack all together, by task: cpu and memory, where nodes had too little of them. */
import { type AllocMetric, NO_RESOURCES, type Resources, type TaskGroup } from '../../domain/index.js'

/** The metric with one more failure of the group counted in. */
export function addExhausted(metric: AllocMetric, group: TaskGroup): AllocMetric {
  const { cpu = 0, memory = 0 } = metric.DimensionExhausted ?? {}
  if (cpu + memory === 0) return metric
  const ResourcesExhausted: Record<string, Partial<Resources>> = { ...metric.ResourcesExhausted }
  for (const { Name, Resources: asked } of group.Tasks) {
    const { CPU = 0, MemoryMB = 0 } = ResourcesExhausted[Name] ?? {}
    ResourcesExhausted[Name] = {
      ...NO_RESOURCES,
      CPU: cpu > 0 ? CPU + asked.CPU : CPU,
      MemoryMB: memory > 0 ? MemoryMB + asked.MemoryMB : MemoryMB,
    }
  }
  return { ...metric, ResourcesExhausted }
}
