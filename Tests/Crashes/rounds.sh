# A step that is killed again and again. Sourced by the scripts that do so, which define what it is made of:
#
#   apply STEP [exec], take_back STEP [exec]   run to the end; with "exec" in the place of a shell in the background
#   kill_it PROCESS                            kills that one; false when it had ended
#   snapshot, complete                         what is on the host; what of it counts when a step has ended

# shellcheck shell=bash disable=SC2154 # what is defined in the script

rows=()

# killed MILLISECONDS COMMAND...: starts it and kills it; true when it was still running.
killed() {
  local pid pause hit=1
  pause=$(printf '%d.%03d' "$(($1 / 1000))" "$(($1 % 1000))")
  "${@:2}" >"$work/killed.log" 2>&1 &
  pid=$!
  sleep "$pause"
  if kill -0 "$pid" 2>/dev/null && kill_it "$pid"; then hit=0; fi
  wait "$pid" 2>/dev/null || true
  return "$hit"
}
# duration_of COMMAND...: in milliseconds.
duration_of() {
  local start=${EPOCHREALTIME/./}
  "$@" >"$work/run.log" 2>&1 || { cat "$work/run.log" >&2; return 1; }
  echo $(((${EPOCHREALTIME/./} - start) / 1000))
}

crash_step() {
  local step=$1 round span undo_span hits=0 restored=0 reruns=0 complete=0 undo_hits=0
  snapshot >"$work/before"
  span=$(duration_of apply "$step") || { check "$step runs" false; return 0; }
  complete >"$work/complete"
  check "$step changes something" fails cmp -s "$work/before" "$work/complete"
  undo_span=$(duration_of take_back "$step") || { check "undo of $step runs" false; return 0; }
  snapshot >"$work/after"
  check "undo of $step gives back what was there" diff "$work/before" "$work/after"
  for ((round = 1; round <= kills; round++)); do
    if killed $((RANDOM % (span + 10))) apply "$step" exec; then hits=$((hits + 1)); fi
    if ((round % 2 == 0)); then
      reruns=$((reruns + 1))
      if apply "$step" >"$work/rerun.log" 2>&1 && complete | cmp -s - "$work/complete"; then
        complete=$((complete + 1))
      else
        echo "round $round: the rerun of $step:"
        tail -n 5 "$work/rerun.log"
        complete | diff "$work/complete" - | head -n 10 || true
      fi
    fi
    if ((round % 4 > 1)) && killed $((RANDOM % (undo_span + 10))) take_back "$step" exec; then
      undo_hits=$((undo_hits + 1))
    fi
    take_back "$step" >"$work/undo.log" 2>&1 || cat "$work/undo.log"
    snapshot >"$work/after"
    if cmp -s "$work/before" "$work/after"; then
      restored=$((restored + 1))
    else
      echo "round $round: undo of $step:"
      tail -n 5 "$work/undo.log"
      diff "$work/before" "$work/after" | head -n 10 || true
      break
    fi
  done >"$work/crashes.log" 2>&1
  rows+=("| $step | $kills | $hits | $undo_hits | $restored | $complete of $reruns |")
  echo "${rows[-1]}"
  check "$step: killed $kills times, the host is as it was before" is_all "$restored" "$kills"
  check "$step: run again, it is complete" is_all "$complete" "$reruns"
}
is_all() { [[ $1 == "$2" ]] || { cat "$work/crashes.log"; return 1; }; }

print_rows() {
  echo "| step | kills | hits | undo hit, too | restored | rerun complete |"
  echo "|---|---|---|---|---|---|"
  printf '%s\n' "${rows[@]}"
  echo
}
