# The program in roots that have nothing or something else; and a second node, which takes its packages and images from
# the first. Sourced by run.

# shellcheck shell=bash disable=SC2154 # what is defined in run

# empty_roots: the travelling program where there is no library, another libc, an older or a newer Debian.
empty_roots() {
  local root=$work/empty loader applet release
  mkdir -p "$root"/{proc,outputs}
  cp -R "$usb/outputs/." "$root/outputs/"
  loader=$(cd "$root" && find outputs/lib -name 'ld-linux*' | head -n 1)
  chmod 755 "$root/$loader"
  check "the program runs in an empty root" in_root "$root" "/$loader" --library-path /outputs/lib /outputs/lib/target-setup --version
  chmod 644 "$root/$loader"
  # Only busybox: no glibc, as on Alpine.
  mkdir -p "$root"/{bin,dev,etc,tmp,run}
  printf 'ID=alpine\nVERSION_ID=3.22.0\nPRETTY_NAME="Alpine Linux v3.22"\n' >"$root/etc/os-release"
  mknod -m 666 "$root/dev/null" c 1 3
  cp "$(command -v busybox)" "$root/bin/busybox"
  for applet in $("$root/bin/busybox" --list); do [[ -e $root/bin/$applet ]] || ln -s busybox "$root/bin/$applet"; done
  check "the launcher runs where there is only busybox" in_root "$root" /bin/sh /outputs/target-setup --version
  check "verify finds the bundle whole there" in_root "$root" /bin/sh /outputs/target-setup verify
  rm -rf "$root/outputs"
  [[ $extent == full ]] || return 0
  for release in bullseye trixie; do
    check "a root of $release" make_root "$release" minimal-$release
    create_node "$release" "minimal-$release"
    mkdir "$nodes/$release/root/outputs"
    cp -R "$usb/outputs/." "$nodes/$release/root/outputs/"
    check "the program runs on $release" in_root "$nodes/$release/root" /bin/sh /outputs/target-setup --version
    check "verify finds the bundle whole on $release" in_root "$nodes/$release/root" /bin/sh /outputs/target-setup verify
    rm -rf "${nodes:?}/$release"
  done
}
# in_root ROOT COMMAND...: with nothing of this system but /proc.
in_root() { unshare --mount --pid --fork --mount-proc --root "$@"; }

admin_address=10.77.0.1
worker_address=10.77.0.2

# join NAME ADDRESS: the node's interface on the bridge; there is no route to anywhere else.
join() { inside "$1" ip address add "$2/24" dev host0 && inside "$1" ip link set host0 up; }
on_worker() { inside worker "$@"; }

other_nodes() {
  check "the operator's node on a bridge with a second node" start_both
  check "a router and name server that leads nowhere" led_nowhere
  recorder_records worker
  run on_admin sh -c "cd $stick && TARGET_ADDRESS=$admin_address sh ./setup-all.sh"
  check "setup-all.sh ends with status 0 there" exits 0
  run target_setup ansible
  check "target-setup makes the environment with Ansible" exits 0
  check "ansible: it leaves nothing in root's home" test ! -e "$nodes/admin/root/root/.ansible"
  check "one node logs in to the other" make_login
  write_inventory
  run playbook
  check "the playbook takes the second node to the bundle" exits 0
  check "apt-get update on the second node asks only the first" worker_apt_is_ours
  check "the second node installs a package" on_worker apt-get install -y tree curl
  check "the second node runs the bundle's containerd" start_worker_containerd
  check "the second node pulls an image and runs it" worker_pulls
  run playbook
  check "the playbook changes nothing the second time" says 'changed=0 '
  time_and_names
  run playbook -e offline_repo_state=absent
  check "the playbook gives back what was there" exits 0
  check "the second node's sources are as before" diff -r "$work/worker-apt" "$nodes/worker/root/etc/apt"
  check "its time and its names are as before" no_time_no_names
  secured
  ansible_in_container
  recorder_records worker
  check "nobody asked for anything outside" none_outside
  shut_down worker
  shut_down admin
}

# ansible_in_container: what a bundle that was made with this setting does; here it is set afterwards.
ansible_in_container() {
  local image=localhost/kubespray-offline/ansible:$kubespray_version tree=/opt/kubespray-$kubespray_version
  printf 'python:\n  ansible_in_container: true\n  ansible_image: %s\n' "$image" >"$nodes/admin/root/root/container.yml"
  run target_setup python --config /root/container.yml
  check "with Ansible in a container no Python is needed" says 'python +not needed'
  run target_setup ansible --config /root/container.yml
  check "target-setup brings the image with Ansible into containerd" exits 0
  run on_admin "$tree/ansible-container.sh" --mount /root/inventory ansible -i /root/inventory/inventory.ini worker -m ping
  check "Ansible in a container reaches the second node with the mounted key" says '"ping": "pong"'
  run on_admin sh "$stick/ansible-container.sh" --image "$image" sh -c "test -w $tree/requirements.txt && exit 7"
  check "the script works from the stick, and its exit status is the command's" exits 7
  run target_setup ansible --config /root/container.yml
  check "a second run of the step does nothing and says so" says "nothing to do"
  run target_setup undo ansible --config /root/container.yml
  check "undo ansible" exits 0
  check "then neither image nor script is left" no_ansible_left "$image" "$tree"
}
no_ansible_left() {
  ! on_admin ctr images list -q | grep -F "$1" && test ! -e "$nodes/admin/root$2/ansible-container.sh"
}

# time_and_names: the admin host as time server of the second node, which has no chrony, and by a name of its own. The
# clock is that of the machine below both, so chrony may look at it and not set it.
time_and_names() {
  local node
  for node in admin worker; do
    mkdir -p "$nodes/$node/root/etc/systemd/system/chrony.service.d"
    printf '[Service]\nExecStart=\nExecStart=!/usr/sbin/chronyd -x\n' >"$nodes/$node/root/etc/systemd/system/chrony.service.d/test.conf"
    inside "$node" systemctl daemon-reload
  done
  check "chrony on the admin host serves time" serves_time
  cp "$nodes/worker/root/etc/hosts" "$work/worker-hosts"
  printf '{"offline_repo_time_servers": ["%s"], "offline_repo_names": {"admin.closed.example": "%s"}}' \
    "$admin_address" "$admin_address" >"$nodes/admin/root/root/closed.json"
  run playbook -e @/root/closed.json
  check "the playbook gives the second node time and names of the closed network" exits 0
  check "the second node takes its time from the admin host, and asks nobody else" wait_until takes_time
  check "it knows the admin host by its name" on_worker getent ahosts admin.closed.example
  run playbook -e @/root/closed.json
  check "time and names: the playbook changes nothing the second time" says 'changed=0 '
}
serves_time() {
  # Its usual servers are outside, and would be asked for.
  mkdir -p "$nodes/admin/root/etc/chrony"
  printf 'driftfile /var/lib/chrony/chrony.drift\nallow\nlocal stratum 10\n' >"$nodes/admin/root/etc/chrony/chrony.conf"
  on_admin env DEBIAN_FRONTEND=noninteractive UCF_FORCE_CONFFOLD=1 apt-get install -y --no-install-recommends chrony
}
takes_time() {
  on_worker chronyc -n sources >"$work/sources" && cat "$work/sources" && grep -qF "^* $admin_address " "$work/sources" &&
    [[ $(grep -c '^\^' "$work/sources") == 1 ]]
}
no_time_no_names() {
  diff "$work/worker-hosts" "$nodes/worker/root/etc/hosts" && [[ ! -e $nodes/worker/root/usr/sbin/chronyd ]] &&
    [[ ! -e $nodes/worker/root/etc/chrony && ! -e $nodes/worker/root/var/lib/kubespray-offline ]]
}

start_both() {
  create_node worker base && with_python_and_ssh worker || return 1
  cp -R "$nodes/worker/root/etc/apt" "$work/worker-apt"
  rm -rf "$nodes/admin" && create_node admin base &&
    start_admin --network-bridge=nodes && boot worker --network-bridge=nodes &&
    join admin "$admin_address" && join worker "$worker_address" && wait_until ping_worker
}
# with_python_and_ssh NAME [RELEASE]: what every node that Ansible manages has. It comes from the bundle's packages (for
# another release: of that folder), put in while the node is not running.
with_python_and_ssh() {
  local root=$nodes/$1/root
  mkdir -p "$root/run/outputs/debs"
  cp -R "$bundle/debs/${2:-local}" "$root/run/outputs/debs/local"
  mv "$root/etc/apt/sources.list" "$work/$1-sources.list"
  echo "deb [signed-by=/run/outputs/debs/local/kubespray-offline.asc] file:/run/outputs/debs/local ./" >"$root/etc/apt/sources.list"
  env -u TMPDIR DEBIAN_FRONTEND=noninteractive chroot "$root" sh -c \
    'apt-get -qq update && apt-get -qq install -y --no-install-recommends openssh-server python3' || return 1
  rm -rf "$root/run/outputs"
  mv "$work/$1-sources.list" "$root/etc/apt/sources.list"
  rm -rf "$root"/var/lib/apt/lists/*
}
led_nowhere() { start_recorder && lead_to_recorder admin && lead_to_recorder worker; }
ping_worker() { on_admin bash -c "exec 3<>/dev/tcp/$worker_address/22"; }

make_login() {
  on_admin apt-get install -y --no-install-recommends openssh-client &&
    on_admin ssh-keygen -q -t ed25519 -N '' -f /root/.ssh/id_ed25519 || return 1
  install -D -m 600 "$nodes/admin/root/root/.ssh/id_ed25519.pub" "$nodes/worker/root/root/.ssh/authorized_keys"
  on_admin ssh -o StrictHostKeyChecking=accept-new "root@$worker_address" true
}

# Where the documentation tells the operator to put things: group_vars/all of the inventory.
write_inventory() {
  local inventory=$nodes/admin/root/root/inventory offline
  offline=$(find "$nodes/admin/root/opt" -name offline.yml -path "*$kubespray_version*" -not -path '*sample*' | head -n 1)
  mkdir -p "$inventory/group_vars/all"
  printf '[kube_node]\nworker ansible_host=%s ansible_user=root ansible_python_interpreter=/usr/bin/python3\n' "$worker_address" \
    >"$inventory/inventory.ini"
  cp "$offline" "$inventory/group_vars/all/offline.yml"
  if [[ -e ${offline%.yml}-login.yml ]]; then cp "${offline%.yml}-login.yml" "$inventory/group_vars/all/"; fi
}
playbook() {
  local place ansible
  place=$(cd "$nodes/admin/root" && find opt -path '*playbook*' -name offline-repo.yml | head -n 1)
  [[ -n $place ]] || place=$(cd "$nodes/admin/root" && find opt -name offline-repo.yml | head -n 1)
  ansible=$(cd "$nodes/admin/root" && find opt var/lib/kubespray-offline -name ansible-playbook -path '*/bin/*' | head -n 1)
  on_admin "/$ansible" -i /root/inventory/inventory.ini "/$place" "$@"
}
worker_apt_is_ours() {
  on_worker apt-get update | tee "$work/update.log" && grep -q '^\(Get\|Hit\|Ign\):' "$work/update.log" &&
    ! grep -E '^(Get|Hit|Ign|Err):' "$work/update.log" | grep -v "http://$admin_address"
}

# As kubespray does it on every node, from the addresses that are in offline.yml.
start_worker_containerd() {
  local architecture
  architecture=$(dpkg --print-architecture)
  on_worker sh -ec "
    curl -sSf -o /tmp/containerd.tgz http://$admin_address/$(place_of "containerd-*-linux-$architecture.tar.gz")
    tar -C /usr/local -xzf /tmp/containerd.tgz
    curl -sSf -o /usr/local/bin/runc http://$admin_address/$(place_of "runc.$architecture")
    chmod 755 /usr/local/bin/runc
    touch /etc/resolv.conf
    systemd-run --unit containerd --property Delegate=yes --property KillMode=process /usr/local/bin/containerd" &&
    wait_until on_worker ctr version
}
worker_pulls() {
  local image=$admin_address:35000/calico/node:v3.30.5
  on_worker ctr images pull --plain-http "$image" &&
    [[ $(on_worker ctr run --rm --net-host "$image" hello | tee /dev/stderr) == "hello from calico/node" ]]
}
