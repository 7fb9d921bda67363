# What tests in shell are made of: a namespace of their own, a folder of their own, checks that are counted. Sourced.

# shellcheck shell=bash

passed=0
failed=0

# enter_namespace KIND... -- ARGUMENT...: goes on in new namespaces, for which the script is started again with these
# arguments. KIND is --mount or --net, as of unshare. Needs root, or sudo without a password.
enter_namespace() {
  local kinds=()
  while [[ $1 != -- ]]; do
    kinds+=("$1")
    shift
  done
  shift
  if in_namespace; then return; fi
  local enter=(unshare "${kinds[@]}" --propagation private)
  [[ $(id -u) == 0 ]] || enter=(sudo -n -E "${enter[@]}")
  if ! "${enter[@]}" true; then
    echo "FAIL no mount namespace: $0 needs root, or sudo without a password, and unshare" >&2
    echo "0 passed, 1 failed"
    exit 1
  fi
  exec "${enter[@]}" env IN_NAMESPACE_OF="$0" "$0" "$@"
}
# A script that another one starts in its namespace enters one of its own.
in_namespace() { [[ ${IN_NAMESPACE_OF-} == "$0" ]]; }

# make_work: the folder $work, which goes when the script ends; KEEP_WORK=1 leaves it.
make_work() {
  work=$(mktemp -d)
  trap clean_up EXIT
}
clean_up() {
  stop_everything
  if [[ -n ${KEEP_WORK-} ]]; then echo "kept: $work" >&2; else remove_work || true; fi
}
# What is removed through a mount is gone where it came from, so nothing is removed as long as anything is mounted there.
remove_work() {
  # The fifth field is where something is mounted.
  if awk -v work="$(realpath "$work")/" 'index($5, work) == 1 { found = 1 } END { exit !found }' /proc/self/mountinfo; then
    echo "error: $work is kept, because something is still mounted below it (grep $work /proc/self/mountinfo)" >&2
    return 1
  fi
  rm -rf "$work"
}
# stop_everything: a script that starts anything defines how it is stopped.
stop_everything() { :; }

# check NAME COMMAND...: counts whether the command succeeds; what it said is shown if not.
check() {
  local name=$1 start=$SECONDS
  shift
  if "$@" >"$work/check.log" 2>&1; then
    echo "ok   $name$(duration "$start")"
    passed=$((passed + 1))
  else
    echo "FAIL $name$(duration "$start")"
    sed 's/^/     | /' "$work/check.log" | tail -n 60
    failed=$((failed + 1))
  fi
}
# Reported only where it is long enough to matter.
duration() { ((SECONDS - $1 < 3)) || echo " ($((SECONDS - $1)) s)"; }

# summary: the closing line; false when a check has failed.
summary() {
  echo "$passed passed, $failed failed"
  [[ $failed == 0 ]]
}

# wait_until COMMAND...: false when it still fails after some minutes, with what it said last; machines that run tests
# may be busy.
wait_until() {
  local deadline=$((SECONDS + 120))
  until "$@" >"$work/waited.log" 2>&1; do
    ((SECONDS < deadline)) || { cat "$work/waited.log"; return 1; }
    sleep 0.1
  done
}

# run COMMAND...: output in $work/out and $work/err, status in $status; always succeeds.
run() {
  status=0
  "$@" >"$work/out" 2>"$work/err" </dev/null || status=$?
}
exits() { [[ $status == "$1" ]] || { echo "exit status $status instead of $1"; cat "$work/out" "$work/err"; return 1; }; }
says() { grep -qE -- "$1" "$work/out" "$work/err" || { echo "nobody said: $1"; cat "$work/out" "$work/err"; return 1; }; }
fails() { ! "$@"; }
