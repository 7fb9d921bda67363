# What checks are made of. Sourced by run and by scripts/demo.

# shellcheck shell=bash disable=SC2154 # $work comes from run

passed=0
failed=0

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
    return 0
  fi
}
# Told only where it is long enough to matter.
duration() { ((SECONDS - $1 < 3)) || echo " ($((SECONDS - $1)) s)"; }

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
