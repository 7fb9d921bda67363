# Several runs at once that share one cache, each for a bundle of its own. Sourced by run.

# shellcheck shell=bash disable=SC2154 # what is defined in run

runs_at_once=12

# one_of_many NUMBER ARGUMENTS...: a run for a bundle of its own, over the cache of all; its status in many/NUMBER.status.
one_of_many() {
  local number=$1 result=0
  shift
  (cd "$site" && exec "$program" "$@" --cache "$work/many/cache" --outputs "$work/many/outputs-$number" \
    --kubespray-source "$work/tree" --quiet) >"$work/many/$number.log" 2>&1 || result=$?
  echo "$result" >"$work/many/$number.status"
}

# many ARGUMENTS...: all of them at once; fails when one of them fails.
many() {
  local number
  local -a pids=()
  for number in $(seq "$runs_at_once"); do
    one_of_many "$number" "$@" &
    pids+=($!)
  done
  wait "${pids[@]}"
  for number in $(seq "$runs_at_once"); do
    [[ $(<"$work/many/$number.status") == 0 ]] || {
      echo "run $number of $runs_at_once: exit status $(<"$work/many/$number.status")"
      cat "$work/many/$number.log"
      return 1
    }
  done
}

shared_cache() {
  mkdir -p "$work/many"
  check "shared cache: $runs_at_once runs at once make what they need, from nothing" many py kubespray scripts
  check "shared cache: and once more, over what is there" many py kubespray scripts
  check "shared cache: it is made once for all" one_entry travelling trees catalogs
  check "shared cache: nothing half made stays" nothing_half_made
  if command -v apt-get >/dev/null; then
    check "shared cache: package lists are read one after another" many plan repo
  fi
  run clean --cache "$work/many/cache" --shelves
  check "clean: --shelves names what the cache holds" says "^environments +[1-9]"
  run clean --cache "$work/many/cache" --shelf travelling --yes
  check "clean: --shelf removes that one" no_entry travelling
  check "clean: --shelf leaves the others" one_entry trees
  rm -rf "$work/many"
}

entries() { find "$work/many/cache/$1-v"* -mindepth 1 -maxdepth 1 ! -name '.*'; }
one_entry() {
  local shelf
  for shelf in "$@"; do [[ $(entries "$shelf" | wc -l) == 1 ]] || { entries "$shelf"; return 1; }; done
}
no_entry() { [[ -z $(entries "$1") ]] || { entries "$1"; return 1; }; }
nothing_half_made() { ! find "$work/many/cache" -path '*/.making/*' | grep .; }
