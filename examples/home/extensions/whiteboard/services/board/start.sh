#!/bin/sh
# Gets its port as $1. Luna leads /api/whiteboard/ here.
exec node server.mjs "$1"
