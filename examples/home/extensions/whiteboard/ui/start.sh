#!/bin/sh
# Gets its port as $1. Luna leads /ext/whiteboard/ here.
exec node server.mjs "$1"
