# Nodes of two releases whose packages are signed with different keys: what was prepared from the first bundle goes on, and
# a new node can join in that release, after the second one was set up. Sourced by run; it follows other-nodes.sh and
# second-bundle.sh.

# shellcheck shell=bash disable=SC2154 # what is defined in run

replacement=$work/replacement # of the first bundle: the same release, another key
newcomer_address=10.77.0.3

make_replacement() { "$node_tests/other-bundle" "$bundle" "$replacement/outputs" "$kubespray_version"; }

# first_release: the admin host with an address, and a node that was prepared from the first bundle.
first_release() {
  check "a node of the first release starts" start_fellow worker "$worker_address"
  check "the admin host gets an address" join admin "$admin_address"
  run target_setup all --skip-verify
  check "the first bundle is set up with that address" exits 0
  run target_setup ansible
  check "and its Ansible" exits 0
  check "the node can be logged in to" make_login
  write_inventory
  run play "$kubespray_version"
  check "offline-repo.yml of the first release prepares it" exits 0
  check "its packages are those of that release" asks_for_release worker "$kubespray_version"
}

# both_releases: the second bundle is set up.
both_releases() {
  check "two bundles, two keys, each at its own address" serves_own_packages
  check "/debs, /pypi: those of the bundle that was set up last" serves_newest
  check "apt-get update on the node of the first release succeeds, from that release" asks_for_release worker "$kubespray_version"
  check "and the node installs a package" on_worker apt-get install -y tree
  check "pip on it asks its own release" on_worker grep -qx "index-url = http://$admin_address/releases/$kubespray_version/pypi/" /etc/pip.conf
  check "the admin host itself takes packages from the new release" asks_for_release admin "$second_version"
  check "a fresh node starts" start_fellow newcomer "$newcomer_address"
  check "it can be logged in to" log_in_to newcomer "$newcomer_address"
  printf 'newcomer ansible_host=%s ansible_user=root ansible_python_interpreter=/usr/bin/python3\n' "$newcomer_address" \
    >>"$nodes/admin/root/root/inventory/inventory.ini"
  run play "$kubespray_version"
  check "offline-repo.yml of the first release prepares it, and changes nothing on the other one" prepared_newcomer
  check "its packages are those of the first release" asks_for_release newcomer "$kubespray_version"
  check "and it installs a package" inside newcomer apt-get install -y tree curl
  run target_setup status
  check "status names both releases with their addresses" says "$kubespray_version +http://$admin_address/releases/$kubespray_version/ +files debs pypi"
  inside newcomer curl -q -s -o /dev/null "http://$admin_address/releases/$kubespray_version/debs/local/pkgs/absent.deb" || true
  run target_setup watch --once
  check "watch names the release whose package is missing" says "package repository of kubespray $kubespray_version has no debs/local/pkgs/absent.deb"
  run play "$second_version"
  check "offline-repo.yml of the second release takes both nodes there" exits 0
  check "then their packages are those of the second release" asks_for_release worker "$second_version"
  replaced_release
}

# replaced_release: another bundle of the first release takes the place of the first one.
replaced_release() {
  run play "$kubespray_version"
  check "the nodes go back to the first release" exits 0
  run on_admin sh /media/replacement/outputs/target-setup all --skip-verify --allow-older
  check "another bundle of the first release is set up" exits 0
  check "it says that the key is another one, and what to do" says "debs/local has another key.*offline-repo.yml"
  check "until then apt on its nodes refuses" fails on_worker apt-get -o APT::Update::Error-Mode=any update
  run play "$kubespray_version"
  check "offline-repo.yml brings the new key" exits 0
  check "and apt takes the packages again" asks_for_release worker "$kubespray_version"
  run on_admin sh /media/replacement/outputs/target-setup all --skip-verify --allow-older
  check "a second run has nothing to say of keys" fails says "has another key"
  shut_down newcomer
  shut_down worker
}

# undone: nothing is left of any of them.
undone() {
  run target_setup undo all
  check "undo after several bundles" exits 0
  check "undo after several bundles: nothing of them is left" test ! -e "$nodes/admin/root/var/lib/kubespray-offline"
}

# start_fellow NAME ADDRESS: a node with Python and sshd on the bridge.
start_fellow() {
  rm -rf "${nodes:?}/$1"
  create_node "$1" base && with_python_and_ssh "$1" && boot "$1" --network-bridge=nodes && join "$1" "$2"
}
# log_in_to NAME ADDRESS: the admin host has a key already.
log_in_to() {
  install -D -m 600 "$nodes/admin/root/root/.ssh/id_ed25519.pub" "$nodes/$1/root/root/.ssh/authorized_keys"
  wait_until on_admin ssh -o StrictHostKeyChecking=accept-new "root@$2" true
}
# play VERSION: that release's playbook, as target-setup tells it: the tree's own inventory comes last.
play() {
  local tree=/opt/kubespray-$1
  on_admin "/opt/kubespray-$kubespray_version-venv/bin/ansible-playbook" -i /root/inventory/inventory.ini \
    -i "$tree/inventory/offline/inventory.ini" --become "$tree/offline-repo.yml"
}
prepared_newcomer() { exits 0 && says '^newcomer .*changed=[1-9]' && says '^worker .*changed=0 '; }
# asks_for_release NAME VERSION: apt of that node reads the packages of that release, and no others.
asks_for_release() {
  inside "$1" apt-get -o APT::Update::Error-Mode=any update | tee "$work/update.log" && grep -q '^\(Get\|Hit\):' "$work/update.log" &&
    ! grep -E '^(Get|Hit|Ign|Err):' "$work/update.log" | grep -v "http://$admin_address/releases/$2/debs/local"
}
serves_own_packages() {
  local file
  ! cmp -s "$bundle/debs/local/kubespray-offline.asc" "$second/outputs/debs/local/kubespray-offline.asc" || return 1
  for file in debs/local/InRelease debs/local/kubespray-offline.asc pypi/ansible-core/index.html; do
    get "http://127.0.0.1/releases/$kubespray_version/$file" && cmp "$bundle/$file" "$work/got" &&
      get "http://127.0.0.1/releases/$second_version/$file" && cmp "$second/outputs/$file" "$work/got" || return 1
  done
  get "http://127.0.0.1/releases/$kubespray_version/pypi/ansible-core/" && cmp "$bundle/pypi/ansible-core/index.html" "$work/got" &&
    get "http://127.0.0.1/releases/$kubespray_version/debs/local/" && grep -q InRelease "$work/got"
}
serves_newest() {
  get http://127.0.0.1/debs/local/InRelease && cmp "$second/outputs/debs/local/InRelease" "$work/got" &&
    get http://127.0.0.1/pypi/ansible-core/
}
