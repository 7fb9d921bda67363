# The node of the operator: set up from the stick, rebooted, set up again, undone. Sourced by run.

# shellcheck shell=bash disable=SC2154 # what is defined in run

steps=(containerd nginx offline-repo python registry load-push extract)

# from_admin COMMAND...: a program of this machine in the node's network.
from_admin() { nsenter --target "$(leader admin)" --net "$@"; }
get() { from_admin curl -q --noproxy '*' -sS --fail -o "$work/got" "$@"; }
status_of() { from_admin curl -q --noproxy '*' -s -o /dev/null -w '%{http_code}' "$1"; }

setup() {
  check "a node is there: Debian, systemd, nothing else" create_node admin base
  check "it boots" start_admin
  check "it reaches nothing" alone
  files_of admin >"$work/before"
  packages_of admin >"$work/packages-before"
  not_as_somebody
  first_setup
  served
  used
  second_setup
  reboot
  undo
  shut_down admin
}
alone() { [[ $(on_admin ip -brief link | awk '{ print $1 }') == lo ]]; }

not_as_somebody() {
  run on_admin setpriv --reuid 65534 --regid 65534 --clear-groups sh -c "cd $stick && sh ./setup-all.sh"
  check "without root: exit status 1" exits 1
  check "without root: it says so" says "root"
}

first_setup() {
  local start=$SECONDS
  run on_admin sh -c "cd $stick && sh ./setup-all.sh"
  cp "$work/err" "$work/first-setup.log"
  check "setup-all.sh ends with status 0" exits 0
  echo "     first setup: $((SECONDS - start)) s"
}

# served: what the node offers, as seen over its network.
served() {
  check "containerd runs, and is the bundle's" containerd_is_ours
  check "nginx is a container that systemd watches" container_runs nginx
  check "the registry is a container that systemd watches" container_runs registry
  check "the registry takes nothing from the network and has few rights" registry_is_closed
  check "nginx serves files" serves_files
  check "nginx serves packages" get http://127.0.0.1/debs/local/Packages.gz
  check "nginx serves wheels" get http://127.0.0.1/pypi/ansible-core/
  check "nginx serves nothing else" serves_nothing_else
  check "the registry has every image, with the upstream digest" from_admin "$here/check-registry" 127.0.0.1:35000 "$images_made"
}
# The network reads from the registry, and its container has no capability, no writable root and a filter of system calls.
registry_is_closed() {
  local request method place process
  for request in "POST blobs/uploads/" "PUT manifests/1" "DELETE manifests/sha256:$(printf '0%.0s' {1..64})"; do
    read -r method place <<<"$request"
    [[ $(from_admin curl -q --noproxy '*' -s -o /dev/null -w '%{http_code}' -X "$method" \
      "http://127.0.0.1:35000/v2/calico/node/$place") == 405 ]] || { echo "$method $place is not refused"; return 1; }
  done
  process=$(on_admin ctr tasks list | awk '$1 == "registry" { print $2 }')
  on_admin cat "/proc/$process/status" >"$work/registry-status" && on_admin cat "/proc/$process/mounts" >"$work/registry-mounts" &&
    grep -qE '^CapEff:[[:space:]]0+$' "$work/registry-status" && grep -qE '^Seccomp:[[:space:]]2' "$work/registry-status" &&
    grep -qE '^[^ ]+ / [^ ]+ ro,' "$work/registry-mounts" && grep -qE ' /var/lib/registry [^ ]+ ro,' "$work/registry-mounts"
}
containerd_is_ours() {
  local process
  on_admin systemctl is-active containerd && process=$(on_admin systemctl show --value --property MainPID containerd) &&
    [[ $(on_admin readlink "/proc/$process/exe") == /usr/local/bin/containerd ]] &&
    cmp <(tar -xzOf "$bundle/$(place_of "containerd-*-linux-$(dpkg --print-architecture).tar.gz")" bin/containerd) "$nodes/admin/root/usr/local/bin/containerd" &&
    on_admin /usr/local/bin/runc --version && on_admin test -x /opt/cni/bin/loopback
}
container_runs() {
  on_admin systemctl is-active "kubespray-offline-$1" && on_admin systemctl is-enabled "kubespray-offline-$1" &&
    on_admin nerdctl ps | grep -x "$1"
}
# place_of NAME: where a file lies in the bundle, whatever the layout.
place_of() { (cd "$bundle" && find files -name "$1" | head -n 1); }
serves_files() {
  local file
  get http://127.0.0.1/files/files.list && cmp "$bundle/files/files.list" "$work/got" || return 1
  file=$(place_of kubelet)
  get "http://127.0.0.1/$file" && cmp "$bundle/$file" "$work/got"
}
serves_nothing_else() {
  local path
  for path in config.yml bundle.json images/ images/images.list setup-all.sh playbook/offline-repo.yml lib/target-setup; do
    [[ $(status_of "http://127.0.0.1/$path") == 40[34] ]] || { echo "$path is served"; return 1; }
  done
}

# used: packages and wheels come from the node alone, and kubespray lies there.
used() {
  check "apt-get update asks only the bundle" apt_is_ours
  check "apt-get install works" on_admin apt-get install -y tree
  check "pip install works" on_admin sh -c \
    "python3 -m venv /tmp/venv && /tmp/venv/bin/pip install --no-cache-dir -r /opt/kubespray-$kubespray_version/requirements.txt"
  check "so does the Ansible that came" on_admin /tmp/venv/bin/ansible --version
  on_admin rm -rf /tmp/venv /root/.ansible
  on_admin apt-get purge -y tree >"$work/purge.log" 2>&1
  check "kubespray lies there" test -f "$nodes/admin/root/opt/kubespray-$kubespray_version/contrib/offline/generate_list.sh"
  check "offline.yml has the node's address" offline_inventory
  check "status knows all of it" status_is_done
  clients
}
# clients: containerd and nerdctl learn of the registry by a name that other machines have for it.
clients() {
  local hosts=/etc/containerd/certs.d/10.9.9.9:35000/hosts.toml
  run target_setup registry-client --address 10.9.9.9
  check "registry-client succeeds" exits 0
  check "containerd knows the registry" on_admin grep -qF '[host."http://10.9.9.9:35000"]' "$hosts"
  run target_setup registry-client --address 10.9.9.9
  check "registry-client: a second run does nothing" says "nothing to do"
  run target_setup undo registry-client
  check "registry-client: undo" exits 0
  check "registry-client: nothing is left" on_admin test ! -e /etc/containerd/certs.d
}
apt_is_ours() {
  on_admin apt-get update | tee "$work/update.log" && grep -q '^\(Get\|Hit\|Ign\):' "$work/update.log" &&
    ! grep -E '^(Get|Hit|Ign|Err):' "$work/update.log" | grep -vE 'http://(127.0.0.1|localhost)'
}
offline_inventory() {
  local file
  file=$(find "$nodes/admin/root/opt" -name offline.yml -path "*$kubespray_version*" -not -path '*sample*' | head -n 1)
  grep -E '^(http_server|registry_host|files_repo)' "$file" && ! grep -nE '^[^#]*YOUR_HOST' "$file"
}
status_is_done() {
  run target_setup ${status_options[@]+"${status_options[@]}"} status --json
  exits 0 && python3 - "$work/out" "${steps[@]}" <<'END'
import json, sys
text = open(sys.argv[1]).read()
found = json.loads(text)
found = found.get("steps", found) if isinstance(found, dict) else found
states = {step["step"]: step["state"] for step in found}
print(states)
sys.exit(any(states[name] != "done" for name in sys.argv[2:]))
END
}

second_setup() {
  local start=$SECONDS
  files_of admin >"$work/after"
  run on_admin sh -c "cd $stick && sh ./setup-all.sh"
  check "a second run succeeds" exits 0
  check "it does nothing and says so" says "nothing to do"
  check "it takes seconds ($((SECONDS - start)) s)" test $((SECONDS - start)) -lt 30
  files_of admin >"$work/after-second"
  check "it changes no file" diff "$work/after" "$work/after-second"
}

# After a reboot the stick is no longer there.
reboot() {
  shut_down admin
  check "the node boots again, without the stick" boot admin
  check "nginx answers after the reboot" wait_until get http://127.0.0.1/files/files.list
  check "the registry answers after the reboot" wait_until get http://127.0.0.1:35000/v2/
  served
  shut_down admin
  check "the node boots with the stick" start_admin
  check "nginx answers" wait_until get http://127.0.0.1/files/files.list
}

undo() {
  local index
  for ((index = ${#steps[@]} - 1; index >= 0; index--)); do
    run target_setup undo "${steps[index]}"
    check "undo ${steps[index]}" exits 0
  done
  files_of admin >"$work/undone"
  packages_of admin >"$work/packages-undone"
  check "all files are as they were before" diff "$work/before" "$work/undone"
  check "all packages are as they were before" diff "$work/packages-before" "$work/packages-undone"
  check "nothing of ours runs" nothing_runs
  run target_setup undo containerd
  check "undo of what is undone does nothing and says so" says "nothing to undo"
  [[ $extent != full ]] || undo_each
}
# undo_each: every step by itself is taken back to what was there before it.
undo_each() {
  local index
  for index in "${!steps[@]}"; do
    files_of admin var/lib/containerd >"$work/before-$index"
    run target_setup "${steps[index]}"
    check "${steps[index]} alone" exits 0
  done
  for ((index = ${#steps[@]} - 1; index >= 0; index--)); do
    run target_setup undo "${steps[index]}"
    files_of admin var/lib/containerd >"$work/after-$index"
    check "undo ${steps[index]}: all files are as they were before this step" diff "$work/before-$index" "$work/after-$index"
  done
  check "undo: nothing is left of containerd's data" test ! -e "$nodes/admin/root/var/lib/containerd"
}
nothing_runs() { ! on_admin ps ax | grep -E 'containerd|nginx|registry|[t]arget-setup'; }
