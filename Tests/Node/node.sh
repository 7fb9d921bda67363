# Throw-away machines: minimal Debian roots, booted with systemd as process 1 by systemd-nspawn. Sourced by run.
#
# A node has a network of its own: loopback alone, or one private bridge with the other nodes. Commands are run in it
# by entering its namespaces from outside, so nothing of the tests has to be installed in it.

# shellcheck shell=bash disable=SC2154 # $work comes from run

roots=$work/roots # a tarball for each base
nodes=$work/nodes # a folder for each node: root, console, pid

# What a fresh minimal server has; beyond debootstrap's minbase, systemd and what an installer always adds.
# shellcheck disable=SC2034 # read in journey.sh
base_packages=(systemd-sysv dbus iproute2 iptables kmod procps ca-certificates sudo)

# archive_of CODENAME: the mirror from which this machine itself takes Debian's packages.
archive_of() {
  apt-get indextargets --format '$(CREATED_BY) $(CODENAME) $(COMPONENT) $(REPO_URI)' 2>/dev/null |
    awk -v codename="$1" '$1 == "Packages" && $3 == "main" {
      if ($2 == codename) { print $4; found = 1; exit }
      if ($2 !~ /[-\/]/ && !any) any = $4
    } END { if (!found && any) print any }'
}

# make_root CODENAME NAME PACKAGE...: a tarball of a minimal system of that release. A folder ROOT_CACHE keeps it for the
# next run.
make_root() {
  local codename=$1 name=$2 root=$roots/$2 kept
  shift 2
  kept=${ROOT_CACHE-}/$codename-$name-$(echo "$*" | cksum | cut -d ' ' -f 1).tar
  if [[ -e $kept ]]; then
    mkdir -p "$roots"
    cp "$kept" "$root.tar"
    return
  fi
  mkdir -p "$roots"
  local IFS=,
  env -u TMPDIR debootstrap --variant=minbase ${1+--include="$*"} "$codename" "$root" "$(archive_of "$codename")" >"$root.log" 2>&1 || {
    tail -n 5 "$root.log"
    return 1
  }
  # What only slows the tests down goes. The folders stay: dpkg counts who uses them.
  rm -rf "$root"/var/cache/apt/* "$root"/var/lib/apt/lists/*
  find "$root"/usr/share/{doc,man,locale,info} ! -type d -delete
  rm -f "$root/etc/resolv.conf" "$root/etc/machine-id"
  tar -C "$root" -cf "$root.tar" . && rm -rf "$root"
  # Another run may look for it at the same time.
  if [[ -n ${ROOT_CACHE-} ]]; then
    mkdir -p "$ROOT_CACHE"
    cp "$root.tar" "$kept.$$" && mv "$kept.$$" "$kept"
  fi
}

# create_node NAME BASE: a fresh root for the node of that name.
create_node() {
  local name=$1 root=$nodes/$1/root
  mkdir -p "$root"
  tar -C "$root" -xf "$roots/$2.tar" || return 1
  echo "$name" >"$root/etc/hostname"
  printf '127.0.0.1 localhost\n127.0.1.1 %s\n' "$name" >"$root/etc/hosts"
  head -c 16 /dev/urandom | od -An -tx1 | tr -d ' \n' >"$root/etc/machine-id"
  # Containers need control groups that can be written to, as on a real machine; nspawn mounts some read-only.
  cat >"$root/etc/systemd/system/test-cgroups.service" <<'END'
[Unit]
Description=Control groups as on a real machine
DefaultDependencies=no
Before=sysinit.target
[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/bin/sh -c 'for group in /sys/fs/cgroup /sys/fs/cgroup/*/; do mount -o remount,bind,rw "$group" || true; done'
[Install]
WantedBy=sysinit.target
END
  mkdir -p "$root/etc/systemd/system/sysinit.target.wants"
  ln -s ../test-cgroups.service "$root/etc/systemd/system/sysinit.target.wants/"
  # Nobody logs in on the console.
  ln -sf /dev/null "$root/etc/systemd/system/console-getty.service"
}

# boot NAME [NSPAWN-OPTION...]: starts the node, without a network but loopback unless an option gives it one; returns
# when its system is up.
boot() {
  local attempt
  # On a machine under load systemd-nspawn can fail to set its network up; the node has not started then.
  for attempt in 1 2 3; do
    start_node "$@"
    if wait_until booted_or_gone "$1" && booted "$1"; then return 0; fi
    tail -n 20 "$nodes/$1/console"
    if kill -0 "$(cat "$nodes/$1/pid")" 2>/dev/null; then return 1; fi
    echo "$1 ended before it was up (attempt $attempt)"
  done
  return 1
}
start_node() {
  local name=$1 network=--private-network
  shift
  [[ "$*" != *--network-bridge* ]] || network=
  # shellcheck disable=SC2086 # no option is no word
  SYSTEMD_NSPAWN_API_VFS_WRITABLE=1 nsenter --target "$network_holder" --net \
    systemd-nspawn --quiet --boot --directory="$nodes/$name/root" --machine="$name-$network_holder" --hostname="$name" --register=no --keep-unit \
    --console=pipe --link-journal=no --capability=all --system-call-filter='@keyring bpf @mount' \
    $network "$@" </dev/null >>"$nodes/$name/console" 2>&1 &
  echo $! >"$nodes/$name/pid"
}
booted_or_gone() { booted "$1" || gone "$(cat "$nodes/$1/pid")"; }
booted() {
  kill -0 "$(cat "$nodes/$1/pid")" 2>/dev/null || return 1
  leader "$1" >/dev/null && [[ $(inside "$1" systemctl is-system-running 2>/dev/null) =~ ^(running|degraded)$ ]]
}

# leader NAME: the pid of the node's process 1, as seen from here.
leader() {
  local pid child
  pid=$(cat "$nodes/$1/pid" 2>/dev/null) || return 1
  # nsenter has become systemd-nspawn; its child that is process 1 in there is the node.
  # shellcheck disable=SC2013 # words are what is in there
  for child in $(cat /proc/"$pid"/task/*/children 2>/dev/null); do
    if grep -qE '^NSpid:.*[[:space:]]1$' "/proc/$child/status" 2>/dev/null; then
      echo "$child"
      return 0
    fi
  done
  return 1
}

# inside NAME COMMAND...: runs it in the node as root; output and status are the command's.
inside() {
  local name=$1 process
  shift
  process=$(leader "$name") || { echo "$name is not running"; return 125; }
  nsenter --target "$process" --mount --uts --ipc --net --pid --cgroup --root --wd=/ -- \
    env -i --chdir=/root PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 "$@"
}

# shut_down NAME: as an operator would; returns when nothing of it runs. power_cut NAME: as a cable would.
shut_down() {
  local pid
  pid=$(cat "$nodes/$1/pid" 2>/dev/null) || return 0
  inside "$1" systemctl poweroff >/dev/null 2>&1 || true
  wait_until gone "$pid" || power_cut "$1"
  rm -f "$nodes/$1/pid"
}
power_cut() {
  local pid process
  pid=$(cat "$nodes/$1/pid" 2>/dev/null) || return 0
  process=$(leader "$1") && kill -KILL "$process" 2>/dev/null
  wait_until gone "$pid" || kill -KILL "$pid" 2>/dev/null || true
  rm -f "$nodes/$1/pid"
}
gone() { ! kill -0 "$1" 2>/dev/null; }

# start_network: a network of our own, in which nothing is but the nodes' bridge.
start_network() {
  unshare --net sleep infinity &
  network_holder=$!
  wait_until own_network
  nsenter --target "$network_holder" --net sh -c 'ip link set lo up && ip link add nodes type bridge && ip link set nodes up'
}
own_network() { [[ $(readlink "/proc/$network_holder/ns/net") != $(readlink /proc/self/ns/net) ]]; }

stop_nodes() {
  local node
  for node in "$nodes"/*/pid; do
    [[ -e $node ]] && power_cut "$(basename "$(dirname "$node")")"
  done
  [[ -z ${network_holder-} ]] || kill "$network_holder" 2>/dev/null || true
}
