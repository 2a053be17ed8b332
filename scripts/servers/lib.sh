# Sourced by the scripts beside it. A server is a folder of .cache/servers/run:
# `run` starts it in the foreground, `pid` is its process, `log` what it says.
# Everything is on 127.0.0.1; data is wiped when a server is set up.
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
cache=${CLAMOR_SERVERS_CACHE:-$root/.cache/servers}
run=${CLAMOR_SERVERS_RUN:-$cache/run}
envfile=$run/env

say() { echo "servers: $*" >&2; }
die() { say "$*"; exit 1; }

# ports N prints N free ports; each is free 10000 higher too (a Redis cluster's
# second port).
ports() {
  python3 - "$1" <<'PY'
import random, socket, sys
found, held = [], []
while len(found) < int(sys.argv[1]):
    p = random.randrange(20000, 40000)
    try:
        pair = []
        for q in (p, p + 10000):
            s = socket.socket()
            s.bind(("127.0.0.1", q))
            pair.append(s)
        held += pair
        found.append(p)
    except OSError:
        continue
print(*found)
PY
}

# setup NAME wipes a server's folder; its run script is read from stdin, with $dir
# set to the folder.
setup() {
  local dir=$run/$1
  stop "$1" KILL
  rm -rf "$dir"
  mkdir -p "$dir"
  { echo '#!/usr/bin/env bash'; printf 'dir=%q\ncd "$dir"\n' "$dir"; cat; } >"$dir/run"
  chmod +x "$dir/run"
}

# launch NAME starts a server that was set up; its data stays.
launch() {
  local dir=$run/$1
  [ -x "$dir/run" ] || die "no server $1; there are: $(names)"
  ! alive "$1" || die "$1 runs already"
  setsid nohup "$dir/run" >>"$dir/log" 2>&1 </dev/null &
  echo $! >"$dir/pid"
}

alive() { [ -s "$run/$1/pid" ] && kill -0 "$(cat "$run/$1/pid")" 2>/dev/null; }

# stop NAME [SIGNAL] ends one process, by its id, and waits for it.
stop() {
  local pid
  alive "$1" || return 0
  pid=$(cat "$run/$1/pid")
  kill "-${2:-TERM}" "$pid" 2>/dev/null || true
  for _ in $(seq 100); do
    kill -0 "$pid" 2>/dev/null || return 0
    sleep 0.1
  done
  say "$1 does not stop; killing it"
  kill -KILL "$pid" 2>/dev/null || true
}

names() { [ -d "$run" ] && find "$run" -mindepth 2 -maxdepth 2 -name run -printf '%h\n' | xargs -rn1 basename | sort | paste -sd' '; }

# await NAME SECONDS COMMAND… waits until the command succeeds.
await() {
  local name=$1 seconds=$2
  shift 2
  for _ in $(seq $((seconds * 5))); do
    if "$@" >/dev/null 2>&1; then return 0; fi
    if ! alive "$name"; then tail -n 20 "$run/$name/log" >&2; die "$name ended at its start"; fi
    sleep 0.2
  done
  tail -n 20 "$run/$name/log" >&2
  die "$name is not ready after $seconds s"
}

listening() { (exec 3<>"/dev/tcp/127.0.0.1/$1"); }

# publish NAME=VALUE adds a variable for the tests.
publish() {
  touch "$envfile"
  sed -i "/^export ${1%%=*}=/d" "$envfile"
  printf 'export %s=%q\n' "${1%%=*}" "${1#*=}" >>"$envfile"
}

# jars NAME fetches the class path of a pom.xml, once.
jars() {
  local lib=$cache/$1/lib stamp
  stamp=$(cksum <"$here/$1/pom.xml")
  [ "$(cat "$cache/$1/stamp" 2>/dev/null)" = "$stamp" ] && return
  command -v mvn >/dev/null || die "mvn and a JDK (17) are needed for $1"
  say "fetching $1"
  rm -rf "$lib"
  mkdir -p "$lib"
  nice mvn -q -B -f "$here/$1/pom.xml" dependency:copy-dependencies -DoutputDirectory="$lib" -DincludeScope=runtime >&2
  echo "$stamp" >"$cache/$1/stamp"
}
