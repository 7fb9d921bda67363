# Nodes of several releases of Debian in one cluster, and the time that they take from the admin host. Sourced by run.

# shellcheck shell=bash disable=SC2154,SC2034 # what is defined in the scripts that source this

# make_other_roots PACKAGE...: minimal systems of the other releases, which have systemd-timesyncd; that of this machine has nothing that
# keeps the time.
make_other_roots() {
  local system
  local -A codenames=([debian-11]=bullseye [debian-13]=trixie)
  for system in ${member_system[@]+"${member_system[@]}"}; do
    check "a minimal system of $system" make_root "${codenames[$system]}" "$system" "${base_packages[@]}" systemd-timesyncd "$@"
  done
}
# preload_libraries ROOT: what programs of a newer Debian find in its C library alone; see for-older-libc.
preload_libraries() { (cd "$1" && printf '/%s\n' lib/*-linux-gnu/{libpthread.so.0,libdl.so.2,libresolv.so.2}) >"$1/etc/ld.so.preload"; }

# keep_time: the admin host becomes the clock of the nodes, which ask it by chrony or by systemd-timesyncd.
keep_time() {
  local name
  for name in admin "${members[@]}"; do leave_clock "$name"; done
  check "$version: chrony on the admin host, as docs/guide/closed-network.md has it" serve_time
  printf '{"offline_repo_time_servers": ["%s"]}' "$admin_address" >"$nodes/admin/root/root/time.json"
  play offline-repo.yml -e @/root/time.json
  for name in "${members[@]}"; do check "$version: $name takes its time from the admin host, and asks nobody else" wait_until takes_time "$name"; done
  play offline-repo.yml -e @/root/time.json
  for name in "${members[@]}"; do check "$version: $name: a second time nothing is changed" says "^$name +: ok=[0-9]+ +changed=0 "; done
  time_is_kept=yes
}
# leave_clock NAME: the clock is that of the machine below all of them, so what keeps the time may look at it and not set it;
# in a container systemd-timesyncd would not even start.
leave_clock() {
  local folder=$nodes/$1/root/etc/systemd/system
  mkdir -p "$folder"/{chrony,systemd-timesyncd}.service.d
  printf '[Service]\nExecStart=\nExecStart=!/usr/sbin/chronyd -x\n' >"$folder/chrony.service.d/test.conf"
  printf '[Unit]\nConditionVirtualization=\nConditionCapability=\n[Service]\nAmbientCapabilities=\nCapabilityBoundingSet=~CAP_SYS_TIME\n' \
    >"$folder/systemd-timesyncd.service.d/test.conf"
  inside "$1" systemctl daemon-reload
}
serve_time() {
  # Its usual servers are outside, and would be asked for.
  mkdir -p "$nodes/admin/root/etc/chrony"
  printf 'driftfile /var/lib/chrony/chrony.drift\nallow 10.77.0.0/24\nlocal stratum 8\n' >"$nodes/admin/root/etc/chrony/chrony.conf"
  on_admin env DEBIAN_FRONTEND=noninteractive UCF_FORCE_CONFFOLD=1 apt-get install -y --no-install-recommends chrony
}
takes_time() {
  on_admin chronyc -n clients | tee "$work/clients" && grep -qE "^${member_address[$1]} +[1-9]" "$work/clients" || return 1
  if [[ -e $nodes/$1/root/usr/sbin/chronyd ]]; then
    inside "$1" chronyc -n sources | tee "$work/sources" && grep -qF "^* $admin_address " "$work/sources" &&
      [[ $(grep -c '^\^' "$work/sources") == 1 ]]
  else
    inside "$1" journalctl -u systemd-timesyncd -o cat | tee "$work/sources" &&
      grep -qE "(Contacted|Synchronized to|Initial (clock )?synchronization to) time server $admin_address:123" "$work/sources" &&
      ! grep -E 'time server' "$work/sources" | grep -v "$admin_address"
  fi
}
# no_time_any_more NAME: after the nodes were given back.
no_time_any_more() {
  [[ ! -e $nodes/$1/root/usr/sbin/chronyd && ! -e $nodes/$1/root/etc/chrony &&
    ! -e $nodes/$1/root/etc/systemd/timesyncd.conf.d/kubespray-offline.conf ]]
}
