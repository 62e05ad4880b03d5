#!/bin/sh
# PostgreSQL with data of its own: `install` makes them, `run` serves them and stays in the foreground.
# Settings come as variables: LUNA_CONFIG_PORT, …_DATABASE, …_USER, and LUNA_SERVICE_DATA_DIR; for `install` …_PASSWORD too.
set -eu
umask 077
data=$LUNA_SERVICE_DATA_DIR

say() { echo "$*" >&2; }

# The programs of the server: those of the version that made the data, otherwise the newest of this machine.
programs() {
  made_by=$(cat "$data/PG_VERSION" 2>/dev/null || true)
  if [ -n "$made_by" ] && [ -x "/usr/lib/postgresql/$made_by/bin/postgres" ]; then
    echo "/usr/lib/postgresql/$made_by/bin"
    return
  fi
  newest=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -n 1)
  if [ -n "$newest" ]; then echo "$newest"; return; fi
  if command -v postgres >/dev/null; then dirname "$(command -v postgres)"; return; fi
  say 'The server of PostgreSQL is not there. Install it: apt-get install postgresql'
  exit 1
}

# PostgreSQL refuses to run as root: then it runs as the user that its package has made.
as_user() {
  if [ "$(id -u)" -ne 0 ]; then exec "$@"; fi
  exec setpriv --reuid postgres --regid postgres --init-groups -- "$@"
}

prepare_owner() {
  [ "$(id -u)" -eq 0 ] || return 0
  if ! id postgres >/dev/null 2>&1; then
    say 'Luna runs as root, and there is no user "postgres". Make one, or run Luna as another user.'
    exit 1
  fi
  [ "$(stat -c %U "$data")" = postgres ] || chown -R -h postgres:postgres "$data"
  if ! (as_user test -w "$data"); then
    say "The user \"postgres\" cannot get to $data: a folder above it is closed to others."
    say 'Open it (chmod o+x on each folder above), or run Luna as another user.'
    exit 1
  fi
}

# Runs SQL without a server: nobody can connect meanwhile.
alone() {
  (as_user "$bin/postgres" --single -D "$data" -c exit_on_error=true "$1") >/dev/null
}

quoted() { printf '%s' "$1" | sed "s/'/''/g"; }

bin=$(programs)
cd /

case $1 in
install)
  prepare_owner
  if [ ! -s "$data/PG_VERSION" ]; then
    say "Making the data with $("$bin/postgres" --version)."
    (as_user "$bin/initdb" --pgdata "$data" --username "$LUNA_CONFIG_USER" --encoding UTF8 --locale C \
      --auth-local reject --auth-host scram-sha-256 --no-instructions)
  else
    say 'There are data of an earlier install. They are kept, and get the password of this one.'
  fi
  user=$(quoted "$LUNA_CONFIG_USER")
  if ! echo "select 'there is ' || rolname from pg_roles where rolname = '$user'" |
    (as_user "$bin/postgres" --single -D "$data" template1) | grep -q "there is $user\""; then
    say "The data of the earlier install have no user \"$user\". Give the former name, or uninstall with the data first."
    exit 1
  fi
  printf "alter role \"%s\" password '%s'\n" "$LUNA_CONFIG_USER" "$(quoted "$LUNA_CONFIG_PASSWORD")" | alone template1
  if ! echo "select 'there is ' || datname from pg_database where datname = '$LUNA_CONFIG_DATABASE'" |
    (as_user "$bin/postgres" --single -D "$data" template1) | grep -q "there is $LUNA_CONFIG_DATABASE\""; then
    echo "create database \"$LUNA_CONFIG_DATABASE\"" | alone template1
  fi
  say 'The data are ready.'
  ;;
run)
  prepare_owner
  as_user "$bin/postgres" -D "$data" -p "$LUNA_CONFIG_PORT" \
    -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c logging_collector=off
  ;;
*)
  say "There is no command \"$1\"."
  exit 1
  ;;
esac
