# The host that `npm run dev` runs on. Without a public_key it is bound to the agent that dev starts.
class      = "laptop"
datacenter = "dc1"

meta {
  purpose = "development"
}
