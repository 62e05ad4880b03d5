#!/bin/sh
# Runs Luna from this folder: "./luna.sh" starts it, "./luna.sh status" and so on ask it.
cd "$(dirname "$0")" || exit 1
if [ $# -eq 0 ] || [ "$1" = start ]; then
  [ $# -gt 0 ] && shift
  exec npm start --silent -- "$@"
fi
PATH="$PWD/node_modules/.bin:$PATH" exec node packages/server/bin/luna.mjs "$@"
