# One image for server and agent: `drover server --config …`, `drover agent --config …`.
FROM node:24-bookworm-slim AS build
WORKDIR /drover
COPY package.json package-lock.json .npmrc tsconfig.json ./
COPY scripts scripts
COPY src src
RUN npm ci && npm prune --omit=dev --ignore-scripts

FROM node:24-bookworm-slim
RUN apt-get update && apt-get install -y --no-install-recommends git && rm -rf /var/lib/apt/lists/*
WORKDIR /drover
COPY --from=build /drover/package.json ./
COPY --from=build /drover/node_modules node_modules
COPY --from=build /drover/dist dist
ENTRYPOINT ["node", "/drover/dist/main/cli.js"]
CMD ["--help"]
