# syntax=docker/dockerfile:1
# A first image: the command line, its interpreters, and nothing that builds. Widened later.
FROM node:24-bookworm-slim AS build
WORKDIR /src
COPY package.json package-lock.json ./
RUN npm ci --ignore-scripts
COPY scripts/build.ts scripts/
COPY src src
RUN node scripts/build.ts && npm prune --omit=dev --ignore-scripts

FROM node:24-bookworm-slim
RUN apt-get update \
 && apt-get install -y --no-install-recommends bash ca-certificates curl git python3-minimal zsh \
 && rm -rf /var/lib/apt/lists/*
WORKDIR /opt/runbook
COPY --from=build /src/package.json ./
COPY --from=build /src/node_modules/better-sqlite3 node_modules/better-sqlite3
COPY --from=build /src/dist dist
COPY libexec libexec
COPY bin bin
RUN ln -s /opt/runbook/bin/runbook.js /usr/local/bin/runbook \
 && mkdir -p /runbooks /var/lib/runbook /etc/runbook \
 && echo 'runbooks_dir: /runbooks' > /etc/runbook/config.yaml
# What a compose file sets comes first. `RUNBOOK_…` would be stronger than a name that Stage0 had (RUNBOOKS_DIR), so those
# settings have their defaults in the file above, which is the weakest place; this one had no such name.
ENV RUNBOOK_STATE_DIR=/var/lib/runbook
WORKDIR /runbooks
ENTRYPOINT ["runbook"]
CMD ["--help"]
