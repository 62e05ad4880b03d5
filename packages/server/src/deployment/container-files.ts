export interface ContainerFilesOptions {
  /** The version of @luna/server that is installed. */
  readonly version: string;
}

/** Luna's port within the container. */
const port = 8766;

/** What a container of Luna is made from: the packages from npm, and a home that is mounted. */
export function dockerfile({ version }: ContainerFilesOptions): string {
  return `# A container with Luna; the home is a volume. Written by "luna install --docker".
FROM node:24-bookworm-slim

# git for extensions, python3 for tools in Python, tini to reap what children leave behind.
RUN apt-get update \\
 && apt-get install -y --no-install-recommends ca-certificates git python3 python3-venv tini \\
 && rm -rf /var/lib/apt/lists/*

RUN npm install --global --no-audit --no-fund @luna/server@${version} \\
 && npm cache clean --force

# The user "node" has id 1000. What is mounted at /home/luna must belong to it.
RUN mkdir -p /home/luna && chown node:node /home/luna
USER node
WORKDIR /home/luna
VOLUME /home/luna

# Within the container every address is its own; which ones lead to it is compose.yaml's business.
ENV NODE_ENV=production LUNA_HOME=/home/luna LUNA_HOST=0.0.0.0 LUNA_ALLOW_EXTERNAL=true LUNA_PORT=${port}
EXPOSE ${port}

HEALTHCHECK --interval=30s --timeout=5s --start-period=60s --retries=3 \\
  CMD ["node", "-e", "fetch('http://127.0.0.1:${port}/readyz').then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]

STOPSIGNAL SIGTERM
ENTRYPOINT ["tini", "--", "luna"]
CMD ["start"]
`;
}

export function composeFile(): string {
  return `# docker compose up -d. Written by "luna install --docker".
name: luna

services:
  luna:
    build: .
    restart: unless-stopped
    # Only this machine reaches it. "luna caddyfile" writes what puts it on the web.
    ports:
      - "127.0.0.1:${port}:${port}"
    volumes:
      - ./home:/home/luna
    # Luna ends within 10 seconds.
    stop_grace_period: 20s
    security_opt:
      - no-new-privileges:true
    cap_drop:
      - ALL
    # What Luna logs lies in home/logs; this is what it prints.
    logging:
      driver: json-file
      options:
        max-size: 10m
        max-file: "3"
`;
}

/** What has no business in an image. */
export const dockerIgnore = `home
.env
.luna
logs
node_modules
`;
