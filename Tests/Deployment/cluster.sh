# The machines of a deployment, and what is typed on them. Sourced by run.

# shellcheck shell=bash disable=SC2154,SC2034 # what is defined in the scripts that source this

members=(node1)
# What the stand-ins carry a cluster to: nodes prepared, container engine, every file and image of it, etcd.
play_options=${PLAY_OPTIONS---tags facts,bootstrap_os,bootstrap-os,preinstall,container-engine,download,etcd}
declare -A member_address=([node1]=10.77.0.11)

# boot_cluster: the admin host and the nodes, each with the recorder as its router and name server.
boot_cluster() {
  local name
  # Of the first one come what the nodes have before kubespray comes.
  bundle=$bundles/$(version_of_tree "${trees[0]}")
  check "the router and name server that leads nowhere" start_recorder
  check "an admin host" create_node admin base
  check "the admin host boots" start_member admin "$admin_address" --bind="$bundles:/root/bundles"
  for name in "${members[@]}"; do
    check "$name: a minimal system with Python and an SSH server" create_member "$name"
    check "$name boots" start_member "$name" "${member_address[$name]}"
  done
  recorder_records "${members[0]}"
}
create_member() { create_node "$1" base && with_python_and_ssh "$1"; }
# start_member NAME ADDRESS [NSPAWN-OPTION...]: boots it on the bridge. What this machine's kernel has built in is told as a
# distribution's kernel would tell it, since kubespray loads modules.
start_member() {
  local name=$1 address=$2 root=$nodes/$1/root module
  shift 2
  mkdir -p "$root/lib/modules/$(uname -r)"
  for module in br_netfilter dummy ip_vs ip_vs_rr ip_vs_wrr ip_vs_sh ip_vs_wlc ip_vs_lc nf_conntrack overlay; do
    echo "kernel/$module.ko"
  done >"$root/lib/modules/$(uname -r)/modules.builtin"
  boot "$name" --network-bridge=nodes --resolv-conf=off "$@" && join "$name" "$address" && lead_to_recorder "$name"
}

# deploy NUMBER: the bundle of that tree is set up, and what is printed then is typed.
deploy() {
  local version before
  version=$(version_of_tree "${trees[$1]}")
  before=$(outside_attempts | wc -l)
  run on_admin sh -c "cd /root/bundles/$version && TARGET_ADDRESS=$admin_address sh ./target-setup all"
  cp "$work/err" "$work/all-$version.log"
  check "$version: target-setup all" exits 0
  sed -n '/^ *Next:$/,/^[^ ]/p' "$work/out" "$work/err" | sed -n 's/^  *//p' | grep -v '^Next:$' >"$work/next-$version"
  check "$version: it says what to type next" test -s "$work/next-$version"
  [[ $1 != 0 ]] || check "one machine logs in to the others" make_logins
  follow "$version"
  check "$version: nobody outside was asked for anything" test "$(outside_attempts | wc -l)" == "$before"
}
make_logins() {
  local name
  on_admin sh -c 'command -v ssh || apt-get install -y --no-install-recommends openssh-client' &&
    on_admin ssh-keygen -q -t ed25519 -N '' -f /root/.ssh/id_ed25519 || return 1
  for name in "${members[@]}"; do
    install -D -m 600 "$nodes/admin/root/root/.ssh/id_ed25519.pub" "$nodes/$name/root/root/.ssh/authorized_keys"
    on_admin ssh -o StrictHostKeyChecking=accept-new "root@${member_address[$name]}" true || return 1
  done
}

# follow VERSION: types the lines, each as it stands there. Comments are for people, and "vi" is what somebody does.
follow() {
  local version=$1 line script=$nodes/admin/root/root/typed.sh
  printf 'set -e\ncd /root/bundles/%s\nexport ANSIBLE_NOCOLOR=1\n' "$version" >"$script"
  while read -r line; do
    case $line in
      '#'*) ;;
      'vi '*)
        read -r _ file _ <<<"$line"
        check "$version: $file is there to be written" test -e "$nodes/admin/root$file"
        write_nodes >"$nodes/admin/root$file"
        ;;
      *)
        printf '%s\n' "date '+%T + ${line//\'/}'" "$line" >>"$script"
        [[ $line != *cluster.yml ]] || sed -i "\$s/\$/ $play_options/" "$script"
        # This kernel has no modules and therefore no list of those that are loaded.
        [[ $line != *"target-setup ansible"* ]] ||
          echo "sed -i 's,/proc/modules,/dev/null,' /opt/kubespray-*-venv/lib/python3*/site-packages/ansible_collections/community/general/plugins/modules/modprobe.py" >>"$script"
        ;;
    esac
  done <"$work/next-$version"
  run on_admin bash /root/typed.sh
  cp "$work/out" "$work/typed-$version.log"
  cat "$work/err" >>"$work/typed-$version.log"
  check "$version: all that it says to type succeeds" exits 0
}
write_nodes() {
  local name group
  for name in "${members[@]}"; do
    echo "$name ansible_host=${member_address[$name]} ip=${member_address[$name]} ansible_user=root ansible_python_interpreter=/usr/bin/python3"
  done
  for group in kube_control_plane etcd kube_node; do printf '\n[%s]\n%s\n' "$group" "${members[0]}"; done
}

# other_images: pulls of what is not in the bundle, by all kinds of names.
other_images() {
  local image before node=${members[0]}
  before=$(outside_attempts | wc -l)
  for image in docker.io/library/absent:1 registry.k8s.io/absent:1 mcr.microsoft.com/absent/image:1 \
    registry.example.com/absent/image:1 "$admin_address:35000/absent:1"; do
    run inside "$node" /usr/local/bin/nerdctl -n k8s.io pull "$image"
    check "$image, which is not in the bundle: not found" says 'not found'
  done
  check "and nobody outside was asked for it" test "$(outside_attempts | wc -l)" == "$before"
}

# report: what happened, in figures.
report() {
  local log
  for log in "$work"/typed-*.log; do
    echo "== $(basename "$log" .log)"
    grep -E '^[0-9:]+ \+ |^PLAY RECAP|^[a-z0-9]+ +: ok=|^Playbook run took|^(real|fatal:)' "$log" || true
  done
  echo "== images on ${members[0]}"
  inside "${members[0]}" ctr -n k8s.io images list | awk '{ print $1, $3 }' | grep -v '^sha256:' || true
  echo "== answered 404 by the web server"
  on_admin sh -c "journalctl -u kubespray-offline-nginx -o cat" | grep -E '" 404 ' | awk '{ print $1, $6, $7 }' | sort | uniq -c | head -n 40 || true
  echo "== attempts to reach anything outside: $(outside_attempts | wc -l)"
  outside_attempts | head -n 40
}
