# The only router and name server of the nodes' network: it leads nowhere and writes down what anything asks for outside.
# Sourced by scripts that boot nodes, after machine.sh.

# shellcheck shell=bash disable=SC2154 # what is defined in the scripts that source this

router=10.77.0.254
attempts=$work/outside.tsv

start_recorder() {
  : >"$attempts"
  in_network ip address add "$router/24" dev nodes &&
    in_network sh -c 'echo 1 >/proc/sys/net/ipv4/ip_forward && ip route add unreachable default' || return 1
  # nsenter becomes the recorder, so the number is that of the recorder.
  nsenter --target "$network_holder" --net "$node_tests/recorder" "$router/24" nodes "$attempts" 2>"$work/recorder.log" &
  recorder_pid=$!
  wait_until in_network sh -c "ss -lun | grep -q '$router:53 '"
}
stop_recorder() { [[ -z ${recorder_pid-} ]] || kill "$recorder_pid" 2>/dev/null || true; }
in_network() { nsenter --target "$network_holder" --net "$@"; }

# lead_to_recorder NAME: it becomes the node's router and name server.
lead_to_recorder() {
  inside "$1" ip route add default via "$router" &&
    inside "$1" sh -c "printf 'nameserver $router\noptions timeout:2 attempts:1\n' >/etc/resolv.conf"
}

# recorder_records NAME: what that node asks outside is written down, by name and by address.
recorder_records() {
  check "the recorder writes down a name and a connection" probes_are_recorded "$1"
}
probes_are_recorded() {
  local before
  before=$(wc -l <"$attempts")
  inside "$1" bash -c 'getent hosts recorder-check.example.com; timeout 2 bash -c "exec 3<>/dev/tcp/192.0.2.1/443"' || true
  wait_until new_probes "$before"
}
new_probes() {
  tail -n "+$(($1 + 1))" "$attempts" >"$work/probes" && grep -q 'A recorder-check\.example\.com\.' "$work/probes" &&
    grep -q 'tcp 192\.0\.2\.1 443' "$work/probes"
}
# outside_attempts: all but those of the checks.
outside_attempts() { grep -vE 'recorder-check\.example\.com\.|tcp 192\.0\.2\.1 443' "$attempts" || true; }
none_outside() { outside_attempts && [[ -z $(outside_attempts) ]]; }
