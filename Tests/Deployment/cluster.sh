# The machines of a deployment, and what is typed on them. Sourced by run.

# shellcheck shell=bash disable=SC2154,SC2034 # what is defined in the scripts that source this

play_options=${PLAY_OPTIONS-}
declare -A member_address=([node1]=10.77.0.11 [node2]=10.77.0.12 [node3]=10.77.0.13 [node4]=10.77.0.14)
declare -A member_variables=()
declare -A member_system=() # of those that do not run this machine's release

# lay_out LAYOUT: the machines of the inventory, and what each is. Machines that are lost are in "lost".
lay_out() {
  local name
  lost=()
  member_system=()
  case $1 in
    one)
      members=(node1) control_planes=(node1) etcds=(node1) workers=(node1)
      ;;
    ha)
      members=(node1 node2 node3) control_planes=(node1 node2) etcds=(node1 node2 node3) workers=(node3)
      # As kubespray's sample inventory asks for it, and its recovery of a control plane needs it.
      for name in node1 node2 node3 node4; do member_variables[$name]="etcd_member_name=etcd${name#node}"; done
      ;;
    systems)
      members=(node1 node2 node3) control_planes=(node1) etcds=(node1) workers=(node1 node2 node3)
      member_system=([node2]=debian-11 [node3]=debian-13)
      # Without their packages in the bundle these nodes would get no SSH server.
      SYSTEMS=${SYSTEMS:-debian-11 debian-13}
      ;;
    *)
      echo "error: LAYOUT is \"one\", \"ha\" or \"systems\", not \"$1\"" >&2
      return 1
      ;;
  esac
}
lay_out "${LAYOUT:-one}"

# boot_cluster: the admin host and the nodes, each with the recorder as its router and name server.
boot_cluster() {
  local name
  # Of the first one come what the nodes have before kubespray comes.
  bundle=$bundles/$(version_of_tree "${trees[0]}")
  check "the router and name server that leads nowhere" start_recorder
  check "an admin host" create_machine admin
  check "the admin host boots" start_member admin "$admin_address" --bind="$bundles:/root/bundles"
  for name in "${members[@]}"; do boot_member "$name"; done
}
boot_member() {
  check "$1: a minimal system with Python and an SSH server" create_member "$1"
  cp -R "$nodes/$1/root/etc/apt" "$work/$1-apt"
  check "$1 boots" start_member "$1" "${member_address[$1]}"
}
create_member() {
  create_machine "$1" && with_python_and_ssh "$1" "${member_system[$1]-local}" || return 1
  [[ ${member_system[$1]-} != debian-11 ]] || preload_libraries "$nodes/$1/root"
}
# create_machine NAME: these machines are thrown away, so dpkg need not wait until each file is on the disk.
create_machine() {
  create_node "$1" "${member_system[$1]-base}" && echo force-unsafe-io >"$nodes/$1/root/etc/dpkg/dpkg.cfg.d/tests"
}
# start_member NAME ADDRESS [NSPAWN-OPTION...]: boots it on the bridge. What this machine's kernel has built in is told as a
# distribution's kernel would tell it, since kubespray loads modules.
start_member() {
  local name=$1 address=$2 root=$nodes/$1/root module
  shift 2
  mkdir -p "$root/lib/modules/$(uname -r)"
  for module in br_netfilter dummy ip_vs ip_vs_rr ip_vs_wrr ip_vs_sh ip_vs_wlc ip_vs_lc nf_conntrack overlay vhost_net vhost_vsock; do
    echo "kernel/$module.ko"
  done >"$root/lib/modules/$(uname -r)/modules.builtin"
  boot "$name" --network-bridge=nodes --resolv-conf=off "$@" && join "$name" "$address" && lead_to_recorder "$name"
}

# set_up NUMBER: the bundle of that tree; what is to be typed then is in $next.
set_up() {
  version=$(version_of_tree "${trees[$1]}")
  next=$work/next-$version
  run on_admin sh -c "cd /root/bundles/$version && TARGET_ADDRESS=$admin_address sh ./target-setup all"
  cat "$work/out" "$work/err" >"$work/all-$version.log"
  check "$version: target-setup all" exits 0
  sed -n '/^ *Next:$/,/^[^ ]/p' "$work/out" "$work/err" | sed -n 's/^  *//p' | grep -v '^Next:$' >"$next"
  check "$version: it says what to type next" test -s "$next"
}

# deploy NUMBER: the bundle of that tree is set up, and what is printed then is typed.
deploy() {
  local before
  before=$(outside_attempts | wc -l)
  set_up "$1"
  [[ $1 != 0 ]] || check "one machine logs in to the others" make_logins
  follow
  check "$version: nobody outside was asked for anything" test "$(outside_attempts | wc -l)" == "$before"
}
make_logins() {
  local name
  on_admin sh -c 'command -v ssh || apt-get install -y --no-install-recommends openssh-client' &&
    on_admin sh -c "test -e /root/.ssh/id_ed25519 || ssh-keygen -q -t ed25519 -N '' -f /root/.ssh/id_ed25519" || return 1
  for name in "${members[@]}"; do log_in_to "$name" || return 1; done
}
log_in_to() {
  install -D -m 600 "$nodes/admin/root/root/.ssh/id_ed25519.pub" "$nodes/$1/root/root/.ssh/authorized_keys" &&
    on_admin ssh -o StrictHostKeyChecking=accept-new "root@${member_address[$1]}" true
}

# follow: types the lines of $next, each as it stands there. Comments are for people, and "vi" is what somebody does.
follow() {
  local line typed=()
  while read -r line; do
    case $line in
      '#'*) ;;
      'vi '*)
        read -r _ inventory _ <<<"$line"
        check "$version: $inventory is there to be written" test -e "$nodes/admin/root$inventory"
        write_nodes
        ;;
      *cluster.yml) typed+=("$line $play_options") ;;
      *) typed+=("$line") ;;
    esac
  done <"$next"
  [[ ${#typed[@]} -gt 0 ]] || return 0
  type_lines "${typed[@]}"
  check "$version: all that it says to type succeeds" exits 0
}
# play PLAYBOOK [OPTION...]: another playbook, typed as the last one was.
play() {
  local line
  line=$(grep 'cluster\.yml$' "$next" | tail -n 1)
  type_lines "$(grep '^cd ' "$next")" "${line% *} $*"
  check "$version: $*" exits 0
}
# type_lines LINE...: in one shell on the admin host. Each is told with its time, for the report.
type_lines() {
  local line script=$nodes/admin/root/root/typed.sh
  {
    printf 'set -e\ncd /root/bundles/%s\nexport ANSIBLE_NOCOLOR=1\n' "$version"
    for line in "$@"; do
      # shellcheck disable=SC2001 # of any number of quotes
      printf "date '+@@ %%s %s %s'\n%s\n" "$version" "$(sed "s/'//g; s/%/%%/g" <<<"$line")" "$line"
      # This kernel has no modules and therefore no list of those that are loaded.
      [[ $line != *"target-setup ansible"* ]] ||
        echo "sed -i 's,/proc/modules,/dev/null,' /opt/kubespray-*-venv/lib/python3*/site-packages/ansible_collections/community/general/plugins/modules/modprobe.py"
    done
  } >"$script"
  run on_admin bash -c 'bash /root/typed.sh; status=$?; date "+@@ %s"; exit $status'
  cat "$work/out" "$work/err" >>"$work/typed.log"
}
# write_nodes: the inventory.
write_nodes() {
  local name
  {
    for name in "${members[@]}" ${lost[@]+"${lost[@]}"}; do
      echo "$name ansible_host=${member_address[$name]} ip=${member_address[$name]} ansible_user=root ansible_python_interpreter=/usr/bin/python3 ${member_variables[$name]-}"
    done
    printf '\n[%s]\n' kube_control_plane && printf '%s\n' "${control_planes[@]}"
    printf '\n[%s]\n' etcd && printf '%s\n' "${etcds[@]}"
    printf '\n[%s]\n' kube_node && printf '%s\n' "${workers[@]}"
    [[ ${#lost[@]} == 0 ]] || printf '\n[%s]\n%s\n' broken_etcd "${lost[0]}" broken_kube_control_plane "${lost[0]}"
  } >"$nodes/admin/root$inventory"
}

# other_images: pulls of what is not in the bundle, by all kinds of names.
other_images() {
  local image before node=${members[0]} images
  images=(docker.io/library/absent:1 registry.k8s.io/absent:1 mcr.microsoft.com/absent/image:1 "$admin_address:35000/absent:1")
  # CRI-O has no entry for all registries: one that the bundle has no image of is asked itself.
  [[ -e $nodes/$node/root/usr/local/bin/crio ]] || images+=(registry.example.com/absent/image:1)
  before=$(outside_attempts | wc -l)
  for image in "${images[@]}"; do
    run inside "$node" /usr/local/bin/crictl pull "$image"
    check "$image, which is not in the bundle: not found" says 'not found|(manifest|name) unknown'
  done
  check "and nobody outside was asked for it" test "$(outside_attempts | wc -l)" == "$before"
}
