# What goes wrong on a node: a taken port, a full disk, a flipped byte, two runs at once, a cable that is pulled. Sourced
# by run.

# shellcheck shell=bash disable=SC2154 # what is defined in run

faults() {
  rm -rf "$nodes/admin"
  check "a fresh node for faults" create_node admin base
  check "the bundle of another release" make_second_bundle
  check "another bundle of the same release" make_replacement
  check "the fresh node boots" start_admin_with_sticks
  flipped_byte
  taken_port
  two_runs
  interruptions
  full_disk
  second_bundle
  shut_down admin
}

# A copy on the node's own disk, in which one byte of an image is another one.
flipped_byte() {
  local victim=images/quay.io_metallb_speaker-v0.14.9.tar.gz copy=$nodes/admin/root/root/outputs
  cp -R "$usb/outputs" "$copy"
  "$here/../Shell/change-byte" "$copy/$victim" 40000
  run on_admin sh /root/outputs/setup-all.sh
  check "a flipped byte: setup-all.sh is exit status 1" exits 1
  check "a flipped byte: the file is named" says "$victim"
  check "a flipped byte: nothing was installed" test ! -e "$nodes/admin/root/usr/local/bin/containerd"
  rm "$copy/bundle.json"
  run on_admin sh /root/outputs/setup-all.sh
  check "a bundle that is not finished is refused" exits 1
  check "the refusal says why" says "bundle.json"
  rm -rf "$copy"
}

# Something of the operator's own listens where nginx shall.
taken_port() {
  on_admin sh -c 'systemd-socket-activate --listen 80 /bin/cat >/dev/null 2>&1 & echo $! >/tmp/listener'
  wait_until on_admin sh -c 'ss -ltn | grep -q ":80 "'
  run target_setup containerd nginx
  check "a taken port: exit status 1" exits 1
  check "a taken port: its owner is named" says "systemd-socket"
  on_admin sh -c 'kill "$(cat /tmp/listener)"'
}

two_runs() {
  local first
  inside admin sh "$stick/target-setup" all >"$work/first.out" 2>&1 &
  first=$!
  wait_until lock_is_held
  run target_setup registry
  check "two runs at once: the second is exit status 1" exits 1
  check "two runs at once: it names the first" says "process [0-9]+"
  check "two runs at once: the first succeeds" wait "$first"
}
# Asked of the kernel: to try the lock would be to take it for a moment.
lock_is_held() {
  on_admin sh -c 'inode=$(stat -c %i /run/kubespray-offline-target-setup.lock) && grep -q "FLOCK.*:$inode " /proc/locks'
}

# interruptions: killed at random moments, in full by pulling the plug, and then run to the end.
interruptions() {
  local count=4 round background
  [[ $extent != full ]] || count=20
  for step in extract load-push registry python offline-repo nginx containerd; do
    run target_setup undo "$step"
    [[ $status == 0 ]] || { cat "$work/err"; break; }
  done
  check "after undo, a setup is interrupted $count times" test "$status" == 0
  for ((round = 1; round <= count; round++)); do
    inside admin sh "$stick/target-setup" all --skip-verify >"$work/interrupted" 2>&1 &
    background=$!
    # Any moment will do: each is another state that the next run finds.
    sleep "$((RANDOM % 8)).$((RANDOM % 10))"
    if [[ $extent == full && $((round % 2)) == 0 ]]; then
      power_cut admin
      start_admin --bind-ro="$second:/media/second" || return 0
    else
      on_admin sh -c 'for process in /proc/[0-9]*; do
        case $(tr "\0" " " 2>/dev/null <"$process/cmdline") in *target-setup*all*) kill -KILL "${process#/proc/}" ;; esac
      done' 2>/dev/null || true
    fi
    wait "$background" 2>/dev/null || true
  done
  run on_admin sh -c "cd $stick && sh ./setup-all.sh"
  check "the run after $count interruptions succeeds" exits 0
  served
}

# The disk of the registry is too small for the images.
full_disk() {
  run target_setup undo load-push
  run target_setup undo registry
  on_admin sh -c 'rm -rf /var/lib/registry && mkdir -p /var/lib/registry && mount -t tmpfs -o size=20m tmpfs /var/lib/registry'
  run target_setup registry load-push
  check "a full disk: exit status 1" exits 1
  check "a full disk: it is told" says "[Nn]o space|full"
  on_admin systemctl stop kubespray-offline-registry
  on_admin umount -l /var/lib/registry
  run on_admin sh -c "cd $stick && sh ./setup-all.sh --skip-verify"
  check "a full disk: the run after room was made succeeds" exits 0
  check "a full disk: then the registry has every image" from_admin "$here/check-registry" 127.0.0.1:35000 "$images_made"
}
