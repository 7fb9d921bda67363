# A second bundle on an admin host that serves the first one: what nodes ask for is there before and after, however often it
# changes, whatever is killed, and after the power was cut. Sourced by run; the first bundle is set up.

# shellcheck shell=bash disable=SC2154 # what is defined in run

second=$work/second # with the folder outputs, as on a stick
second_version=2.31.90

make_second_bundle() { "$node_tests/other-bundle" "$bundle" "$second/outputs" "$second_version"; }

second_bundle() {
  local count=1 round
  [[ $extent != full ]] || count=11 # the last one is the second bundle
  first_release
  start_client
  for ((round = 1; round <= count; round++)); do
    change_bundle "$((round % 2))" "change of bundle $round"
  done
  stop_client
  both_releases
  [[ $extent != full ]] || kills
  power_cut admin
  check "after a power cut the admin host boots without a stick" boot admin
  check "and serves both releases again" wait_until serves_both
  shut_down admin
  check "it boots with the sticks" start_admin_with_sticks
  undone
}
# start_admin_with_sticks: the first bundle, the second one, and one that takes the place of the first.
start_admin_with_sticks() {
  start_admin --network-bridge=nodes --bind-ro="$second:/media/second" --bind-ro="$replacement:/media/replacement"
}
# change_bundle WHICH NAME: sets up the second bundle (1) or the first one (0).
change_bundle() {
  local folder=/media/usb/outputs
  [[ $1 == 0 ]] || folder=/media/second/outputs
  run on_admin sh "$folder/target-setup" all --skip-verify --allow-older
  check "$2: target-setup all succeeds" exits 0
  check "$2: files and images of both releases are served" serves_both
}
serves_both() {
  local url
  for url in $(release_urls "$bundle") $(release_urls "$second/outputs"); do
    [[ $(status_of "$url") == 200 ]] || { echo "$url: $(status_of "$url")"; return 1; }
  done
}
# release_urls BUNDLE: what a node of that release asks for.
release_urls() {
  local version
  version=$(python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))["kubespray"])' "$1/bundle.json")
  (cd "$1" && find files -name kubelet -o -name 'kubespray-*.tar.gz') | sed 's,^,http://127.0.0.1/,'
  echo http://127.0.0.1/debs/local/Packages.gz
  echo "http://127.0.0.1/releases/$version/debs/local/InRelease"
  echo "http://127.0.0.1/releases/$version/pypi/ansible-core/"
  echo http://127.0.0.1:35000/v2/calico/node/tags/list
}

# start_client: somebody who asks all the time for what the first bundle has. stop_client: says how much was not answered.
start_client() {
  (
    while true; do
      for url in $(release_urls "$bundle" | sort -R | head -n 3); do echo "$(date +%s.%N) $(status_of "$url" || true) $url"; done
      sleep 0.1
    done >"$work/client.log"
  ) &
  client=$!
}
stop_client() {
  kill "$client" && wait "$client" 2>/dev/null || true
  echo "     a client beside it: $(wc -l <"$work/client.log") requests, $(grep -c ' 000 ' "$work/client.log" || true) while a server was down," \
    "$(grep -vcE ' (200|000) ' "$work/client.log" || true) refused"
  check "no request was answered with anything but the file" test "$(grep -vcE ' (200|000) ' "$work/client.log")" == 0
}

# kills: the program, containerd, what watches a container, and the servers themselves, at random moments of a change.
kills() {
  local round victim background
  for round in {1..12}; do
    victim=$(printf '%s\n' target-setup containerd containerd-shim nginx registry | sort -R | head -n 1)
    inside admin sh "/media/$([[ $((round % 2)) == 0 ]] && echo usb || echo second)/outputs/target-setup" all --skip-verify --allow-older \
      >"$work/killed-$round.log" 2>&1 &
    background=$!
    # Any moment will do: each is another state that the next run finds.
    sleep "$((RANDOM % 6)).$((RANDOM % 10))"
    on_admin sh -c "for process in /proc/[0-9]*; do
      case \$(cat \"\$process/comm\" 2>/dev/null) in $victim*) kill -KILL \"\${process#/proc/}\" ;; esac
    done" 2>/dev/null || true
    wait "$background" || true
    change_bundle "$((round % 2))" "after a kill of $victim ($round)"
  done
}
