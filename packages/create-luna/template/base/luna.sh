#!/bin/sh
# The luna command of this home, under the Node that the home brings: ./luna.sh start, ./luna.sh status, …
home=$(CDPATH= cd -- "$(dirname -- "$0")" && pwd) || exit 1
if [ ! -x "$home/node_modules/.bin/luna" ]; then
  echo "Run \"npm install\" in $home first." >&2
  exit 1
fi
PATH="$home/node_modules/.bin:$PATH" LUNA_HOME="${LUNA_HOME:-$home}" exec "$home/node_modules/.bin/luna" "$@"
