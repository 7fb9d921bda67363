# The same two nodes with TLS and a login: who is refused, who is let in, and what outlives undo. Sourced by run.

# shellcheck shell=bash disable=SC2154 # what is defined in run

# Where the admin host keeps its authority and its login.
store=etc/kubespray-offline/access
image=$admin_address:35000/calico/node:v3.30.5

secured() {
  run on_admin sh -c "cd $stick && TARGET_ADDRESS=$admin_address sh ./setup-all.sh --tls --login"
  cp "$work/out" "$work/secured.out"
  cp "$work/err" "$work/secured.err"
  check "with TLS and a login, setup-all.sh ends with status 0" exits 0
  password=$(target_setup login --json 2>/dev/null | python3 -c 'import json, sys; print(json.load(sys.stdin)["password"])')
  check "only root reads the keys and the login, and nothing printed the password" secrets_are_kept
  strangers
  secured_playbook
  secured_clients
  outlives_undo
  renewed
  run playbook -e offline_repo_state=absent
  check "the playbook takes certificate and login from the second node again" exits 0
  check "nothing of them is left there" no_access_left
}

secrets_are_kept() {
  local name root=$nodes/admin/root
  [[ ${#password} == 32 ]] || return 1
  for name in ca.key server.key login; do
    [[ $(stat -c '%a %u' "$root/$store/$name") == "600 0" ]] || { echo "$name: $(stat -c '%a %u' "$root/$store/$name")"; return 1; }
  done
  # Where other users can read, below folders that they can enter, nothing has the password.
  ! on_admin setpriv --reuid 65534 --regid 65534 --clear-groups grep -rsl "$password" /etc /opt /var/lib /run /root &&
    ! grep -rl "$password" "$work"/secured.out "$work"/secured.err
}

# worker_curl ARGUMENT...: exit status and answer of curl on the second node, as "STATUS CODE".
worker_curl() {
  local code
  code=$(on_worker curl -q --noproxy '*' -s -o /dev/null -w '%{http_code}' "$@") || { echo "$? $code"; return 0; }
  echo "0 $code"
}
# answers WANTED ARGUMENT...
answers() {
  local wanted=$1 found
  shift
  found=$(worker_curl "$@")
  [[ $found == "$wanted" ]] || { echo "$found instead of $wanted: curl $*"; return 1; }
}

# strangers: the second node before it knows anything.
strangers() {
  local place
  openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj "/CN=another authority" -keyout "$work/wrong.key" \
    -out "$nodes/worker/root/root/wrong.crt" 2>"$work/openssl.log"
  cp "$nodes/admin/root/$store/ca.crt" "$nodes/worker/root/root/ca.crt"
  check "nothing listens on the port of plain HTTP" answers "7 000" "http://$admin_address/files/files.list"
  check "the web server does not speak plain HTTP" answers "0 400" "http://$admin_address:443/files/files.list"
  check "the registry does not speak plain HTTP" answers "0 400" "http://$admin_address:35000/v2/"
  for place in "$admin_address/files/files.list" "$admin_address:35000/v2/"; do
    check "$place: without the authority curl refuses" answers "60 000" "https://$place"
    check "$place: with another authority curl refuses" answers "60 000" --cacert wrong.crt "https://$place"
    check "$place: without a login it refuses" answers "0 401" --cacert ca.crt "https://$place"
    check "$place: with a wrong login it refuses" answers "0 401" --cacert ca.crt -u kubespray:wrong "https://$place"
    check "$place: with both it answers" answers "0 200" --cacert ca.crt -u "kubespray:$password" "https://$place"
  done
  echo "deb [trusted=yes] https://$admin_address/debs/local ./" >"$nodes/worker/root/root/secured.list"
  check "apt on the second node refuses" fails on_worker apt-get -o Acquire::Retries=0 -o Dir::Etc::SourceParts=/dev/null \
    -o Dir::Etc::SourceList=/root/secured.list -o APT::Update::Error-Mode=any update
  check "containerd on the second node refuses" fails on_worker ctr images pull "$image"
  rm "$nodes/worker/root/root/"{wrong.crt,ca.crt,secured.list}
}

secured_playbook() {
  write_inventory
  cp "$here/secured.yml" "$here/hosts.toml.j2" "$nodes/admin/root/root/inventory/"
  # The plain part of these tests has left it.
  on_worker ctr images rm "$image" >"$work/images-rm.log" 2>&1 || true
  run playbook
  check "the playbook brings certificate and login to the second node" exits 0
  run playbook
  check "it changes nothing the second time" says 'changed=0 '
  check "apt-get update on the second node asks only the first, over TLS" worker_apt_is_secured
  check "the second node installs a package over TLS" on_worker apt-get install -y --reinstall tree python3-venv
  check "pip on the second node installs a package over TLS" on_worker sh -c \
    "python3 -m venv /root/venv && /root/venv/bin/pip download --no-cache-dir --no-deps --dest /root/wheels ansible-core"
  on_worker rm -rf /root/venv /root/wheels
  run ansible_program ansible-playbook -i /root/inventory/inventory.ini --become /root/inventory/secured.yml
  check "Ansible downloads as kubespray does, and writes what containerd is to know" exits 0
  check "the second node pulls an image over TLS and runs it" worker_pulls_secured
  check "what the bundle lacks is asked of nobody else" worker_asks_nobody_else
}
ansible_program() {
  local program=$1 place
  shift
  place=$(cd "$nodes/admin/root" && find opt var/lib/kubespray-offline -name "$program" -path '*/bin/*' | head -n 1)
  on_admin "/$place" "$@"
}
worker_apt_is_secured() {
  on_worker apt-get update | tee "$work/update.log" && grep -q '^\(Get\|Hit\|Ign\):' "$work/update.log" &&
    ! grep -E '^(Get|Hit|Ign|Err):' "$work/update.log" | grep -v "https://$admin_address"
}
worker_pulls_secured() {
  on_worker ctr images pull --hosts-dir /etc/containerd/certs.d "$image" &&
    [[ $(on_worker ctr run --rm --net-host "$image" hello-tls | tee /dev/stderr) == "hello from calico/node" ]]
}

worker_asks_nobody_else() {
  local name
  for name in docker.io/library/absent:1 registry.k8s.io/absent:1 mcr.microsoft.com/absent/image:1; do
    on_worker ctr images pull --hosts-dir /etc/containerd/certs.d "$name" && return 1
  done
  none_outside
}

# secured_clients: the admin host's own, and programs of this machine in its network.
secured_clients() {
  local folder=$work/certificates
  mkdir -p "$folder" "$work/no-certificates"
  cp "$nodes/admin/root/$store/ca.crt" "$folder/ca.crt"
  check "apt-get update on the admin host works over TLS" on_admin apt-get update
  check "pip on the admin host works over TLS" on_admin sh -c \
    "python3 -m venv /tmp/venv && /tmp/venv/bin/pip download --no-cache-dir --no-deps --dest /tmp/wheels ansible-core"
  on_admin rm -rf /tmp/venv /tmp/wheels
  check "the registry has every image, with the upstream digest, over TLS" from_admin "$here/check-registry" \
    "$admin_address:35000" "$images_made" "$folder/ca.crt" "kubespray:$password"
  check "skopeo with authority and login is let in" inspect --cert-dir "$folder" --creds "kubespray:$password"
  check "skopeo without a login is refused" fails inspect --cert-dir "$folder" --no-creds
  check "skopeo without the authority is refused" fails inspect --creds "kubespray:$password"
  run target_setup registry-client
  check "registry-client succeeds" exits 0
  check "ctr on the admin host pulls with what registry-client wrote" on_admin ctr images pull --hosts-dir \
    /etc/containerd/certs.d "$image"
  on_admin ctr images rm "$image" >"$work/images-rm.log" 2>&1
  check "status knows all of it, and the certificate" secured_status
}
inspect() {
  from_admin env -u HTTPS_PROXY -u https_proxy SSL_CERT_FILE=/dev/null SSL_CERT_DIR="$work/no-certificates" \
    skopeo inspect --raw "$@" "docker://$image"
}
secured_status() {
  run target_setup status
  exits 0 && says 'servers +20[0-9-]+T' && says "$admin_address" && says "https://$admin_address" && fails says "$password" &&
    target_setup status --json 2>/dev/null | python3 -c '
import json, sys
services = json.load(sys.stdin)["services"]
print(services)
sys.exit(not all(service["answers"] for service in services))'
}

# outlives_undo: what nodes were told stays true when the admin host is set up again.
outlives_undo() {
  (cd "$nodes/admin/root/$store" && sha256sum ./*) >"$work/store-before"
  run target_setup undo ansible registry-client load-push registry python offline-repo nginx
  check "undo of all that is served" exits 0
  check "then nothing of it answers" answers "7 000" -k "https://$admin_address:35000/v2/"
  check "no certificate and no login is left but in the store" undone_access
  run on_admin sh -c "cd $stick && sh ./setup-all.sh --skip-verify"
  check "a set-up without options serves over TLS again" exits 0
  run target_setup ansible
  check "and installs Ansible over TLS" exits 0
  (cd "$nodes/admin/root/$store" && sha256sum ./*) >"$work/store-after"
  check "authority, certificate and login are those of before" diff "$work/store-before" "$work/store-after"
  check "the second node, which heard of nothing, is let in" worker_apt_is_secured
}
undone_access() {
  local root=$nodes/admin/root left
  left=$(find "$root/root/.netrc" "$root/etc/apt" "$root/etc/ssl/certs" "$root/usr/local/share/ca-certificates" \
    "$root/etc/kubespray-offline" -path "$root/$store" -prune -o \( -iname '*kubespray*' -o -name .netrc -o -name ca.crt \) -print \
    2>/dev/null | grep -vx "$root/etc/kubespray-offline")
  [[ -z $left ]] && left=$(on_admin grep -rsl "$password" /var/lib/kubespray-offline)
  echo "$left"
  [[ -z $left ]]
}

renewed() {
  run target_setup certificate --renew
  check "certificate --renew succeeds" exits 0
  (cd "$nodes/admin/root/$store" && sha256sum ./*) >"$work/store-renewed"
  check "it makes a new certificate and keeps authority and login" is_renewed
  check "the second node is let in as before" worker_apt_is_secured
  on_worker ctr images rm "$image" >"$work/images-rm.log" 2>&1
  check "and pulls as before" on_worker ctr images pull --hosts-dir /etc/containerd/certs.d "$image"
}
is_renewed() {
  [[ $(diff "$work/store-before" "$work/store-renewed" | grep -oE '[a-z]+\.[a-z]+$|login' | sort -u | tr '\n' ' ') == "server.crt server.key " ]]
}

no_access_left() {
  local root=$nodes/worker/root
  [[ ! -e $root/etc/kubespray-offline && ! -e $root/root/.netrc && ! -e $root/usr/local/share/ca-certificates/kubespray-offline.crt ]] &&
    [[ -z $(find "$root/etc/ssl/certs" -iname '*kubespray*') ]] && diff -r "$work/worker-apt" "$root/etc/apt"
}
