# The life of a cluster after it was deployed, and what is looked at after each play. Sourced by run.

# shellcheck shell=bash disable=SC2154,SC2034 # what is defined in the scripts that source this

objects=var/log/stand-in-objects.jsonl # on each control plane: what its API server was ever given
kubectl() { inside "${control_planes[0]}" /usr/local/bin/kubectl --kubeconfig /etc/kubernetes/admin.conf "$@"; }

# live: the first tree is deployed, and what LIFE names comes after it; then the nodes are given back.
declare -A whole_life=([one]="again ordinary_user second_node add_ons upgrade" [ha]="again recover upgrade" [systems]="again keep_time upgrade")
live() {
  local part
  deploy 0
  [[ -z $play_options ]] || return 0
  judge_cluster
  for part in ${LIFE-${whole_life[${LAYOUT:-one}]}}; do "$part"; done
  other_images
  [[ " ${members[*]} " != *" node2 "* || ${LAYOUT:-one} != one ]] || remove_second_node
  reset_cluster
  give_back
}
upgrade() {
  local number
  for ((number = 1; number < ${#trees[@]}; number++)); do
    deploy "$number"
    judge_cluster
  done
}

# judge_cluster: what the cluster is after a play.
judge_cluster() {
  local name
  check "$version: every node is ready and of the release's Kubernetes" wait_until nodes_are_ready
  check "$version: every pod has its images" wait_until pods_run
  check "$version: etcd has ${#etcds[@]} members, and each is healthy" etcd_is_whole
  for name in "${workers[@]}"; do
    [[ " ${control_planes[*]} " == *" $name "* ]] ||
      check "$version: $name reaches the API servers by a proxy of its own, which knows them" has_proxy "$name"
  done
  all_objects >"$work/objects.jsonl"
  run from_admin "$deployment/check-objects" "$work/objects.jsonl" 127.0.0.1:35000 "$admin_address:35000"
  cp "$work/out" "$work/objects-$version.txt"
  check "$version: $(tail -n 1 "$work/out")" exits 0
  for name in "${members[@]}"; do
    run judge_images "$name"
    cp "$work/out" "$work/images-$version-$name.txt"
    check "$version: $(tail -n 1 "$work/out")" exits 0
  done
}
has_proxy() {
  local name root=$nodes/$1/root
  grep -F 'server: https://localhost:6443' "$root/etc/kubernetes/kubelet.conf" || return 1
  for name in "${control_planes[@]}"; do grep -F " ${member_address[$name]}:6443" "$root/etc/nginx/nginx.conf" || return 1; done
}
# all_objects: what the API servers were given, those of machines that are lost too.
all_objects() {
  local name
  for name in "${control_planes[@]}"; do
    if [[ -e $nodes/$name/root/$objects ]]; then
      cat "$nodes/$name/root/$objects"
    else # What is looked at before says so; the report is to come all the same.
      echo "note: the API server of $name was given nothing" >&2
    fi
  done
  cat "$work"/lost-*.jsonl 2>/dev/null || true
}
# etcd_is_whole: as each member says by the real etcdctl.
etcd_is_whole() {
  local name
  for name in "${etcds[@]}"; do
    etcdctl "$name" member list | tee "$work/etcd-members" && etcdctl "$name" endpoint health --cluster 2>&1 | tee "$work/etcd-health" &&
      [[ $(grep -c ', started, ' "$work/etcd-members") == "${#etcds[@]}" && $(wc -l <"$work/etcd-members") == "${#etcds[@]}" ]] &&
      [[ $(grep -c ' is healthy' "$work/etcd-health") == "${#etcds[@]}" ]] || return 1
  done
}
# etcdctl NAME ARGUMENT...: on that machine, with kubespray's certificates.
etcdctl() {
  local name=$1 place=/etc/ssl/etcd/ssl
  shift
  inside "$name" env ETCDCTL_API=3 ETCDCTL_ENDPOINTS="https://${member_address[$name]}:2379" ETCDCTL_CACERT=$place/ca.pem \
    ETCDCTL_CERT="$place/admin-$name.pem" ETCDCTL_KEY="$place/admin-$name-key.pem" /usr/local/bin/etcdctl "$@"
}
nodes_are_ready() {
  local wanted
  wanted=$(find "$bundles/$version/files" -name kubelet | grep -oE 'v[0-9]+\.[0-9]+\.[0-9]+' | head -n 1)
  kubectl get nodes -o jsonpath='{range .items[*]}{.metadata.name} {.status.nodeInfo.kubeletVersion} {.status.conditions[?(@.type=="Ready")].status} {.spec.unschedulable}{"\n"}{end}' |
    sort | tee "$work/ready" | diff - <(printf "%s $wanted True \n" "${members[@]}" | sort)
}
pods_run() {
  kubectl get pods -A -o jsonpath='{range .items[*]}{.status.phase} {.metadata.namespace}/{.metadata.name} {.status.containerStatuses[*].state.waiting.message}{"\n"}{end}' >"$work/pods"
  [[ -s $work/pods ]] && ! grep -v '^Running ' "$work/pods"
}
# judge_images NAME: each image on the node has the digest that a bundle records for it.
judge_images() {
  if [[ -e $nodes/$1/root/usr/local/bin/crio ]]; then
    inside "$1" cat /var/lib/stand-in-images/list >"$work/on-$1" || return 1
  else
    inside "$1" /usr/local/bin/ctr -n k8s.io images list >"$work/on-$1" || return 1
  fi
  "$deployment/check-node-images" "$1" "$work/on-$1" "$admin_address:35000" "$bundles"/*/bundle.json
}

# second_node: joins by scale.yml; the admin host's services are restarted when its first file has been asked for.
second_node() {
  members+=(node2) workers+=(node2)
  boot_member node2
  check "one machine logs in to node2" log_in_to node2
  write_nodes
  play offline-repo.yml --limit node2
  restart_in_mid_play &
  local restarts=$!
  play scale.yml --limit node2
  kill "$restarts" 2>/dev/null || true
  wait "$restarts" || true
  check "the web server and the registry were restarted meanwhile" test "$(grep -c restarted "$work/restarts")" -ge 2
  judge_cluster
}
# late_joiner: the next bundle is set up, nobody has upgraded yet, and a second node joins in the release that runs.
late_joiner() {
  local running=$version typed=$next
  set_up 1
  version=$running next=$typed
  second_node
}
restart_in_mid_play() {
  local round asked
  : >"$work/restarts"
  for round in 1 2 3; do
    asked=$(requests_of node2)
    until [[ $(requests_of node2) -gt $((asked + 1)) ]]; do sleep 1; done
    on_admin systemctl restart kubespray-offline-nginx kubespray-offline-registry && echo "restarted ($round)" >>"$work/restarts"
  done
}
# requests_of NAME: how many files the web server has given it.
requests_of() {
  on_admin journalctl -u kubespray-offline-nginx -o cat | grep -cE "^${member_address[$1]} .*\"GET /(files|releases)/[^\"]*\" 200 " || true
}

# again: the same play once more, and what of a node comes from the bundle.
again() {
  local name before after
  for name in "${members[@]}"; do from_bundle "$name" >"$work/before-$name"; done
  before=$(requests_of "${members[0]}")
  play offline-repo.yml
  check "$version: offline-repo.yml changes nothing the second time" says "^${members[0]} +: ok=[0-9]+ +changed=0 "
  play cluster.yml
  after=$(requests_of "${members[0]}")
  for name in "${members[@]}"; do
    from_bundle "$name" >"$work/after-$name"
    check "$version: cluster.yml again: no program, source of packages or registry of $name is changed" diff "$work/before-$name" "$work/after-$name"
  done
  check "$version: cluster.yml again: no file is fetched ($((after - before)))" test "$before" == "$after"
}
from_bundle() {
  (cd "$nodes/$1/root" && find etc/apt etc/containerd etc/pip.conf usr/local/bin opt/cni/bin -type f -exec sha256sum {} + 2>/dev/null) |
    grep -v kubectl.sh | sort -k 2
}

# ordinary_user: the same plays by somebody who is not root on the nodes and whose sudo asks for a password, which is given when
# Ansible asks for it.
ordinary_user() {
  local name before after playbook line
  for name in "${members[@]}"; do check "$name has an ordinary user, whose sudo asks for a password" make_deployer "$name"; done
  line=$(grep 'cluster\.yml$' "$next" | tail -n 1)
  before=$(requests_of "${members[0]}")
  for playbook in offline-repo.yml cluster.yml; do
    # Without a terminal Ansible reads the answer from its input.
    type_lines "$(grep '^cd ' "$next")" "setsid --wait ${line% *} $playbook -e ansible_user=deployer --ask-become-pass <<<swordfish"
    check "$version: $playbook by an ordinary user with a password for sudo" exits 0
    [[ $playbook != offline-repo.yml ]] || check "$version: it changes nothing" says "^${members[0]} +: ok=[0-9]+ +changed=0 "
  done
  after=$(requests_of "${members[0]}")
  check "$version: no file is fetched again ($((after - before)))" test "$before" == "$after"
  judge_cluster
}
make_deployer() {
  # shellcheck disable=SC2016 # of the shell there
  inside "$1" sh -ec '
    useradd --create-home --shell /bin/bash deployer
    echo deployer:swordfish | chpasswd
    echo "deployer ALL=(ALL) ALL" >/etc/sudoers.d/deployer
    install -d -o deployer -g deployer -m 700 /home/deployer/.ssh
    install -o deployer -g deployer -m 600 /root/.ssh/authorized_keys /home/deployer/.ssh/authorized_keys
  ' && fails on_admin ssh "deployer@${member_address[$1]}" sudo -n true && on_admin ssh "deployer@${member_address[$1]}" true
}

# recover: the machine of the second control plane is lost, and a new one comes in its place.
recover() {
  local gone=${control_planes[1]} new=node4
  cp "$nodes/$gone/root/$objects" "$work/lost-$gone.jsonl"
  power_cut "$gone"
  check "$gone is lost; the API server of ${control_planes[0]} answers all the same" wait_until kubectl get nodes
  lost=("$gone") members=("${control_planes[0]}" node3 "$new") control_planes=("${control_planes[0]}" "$new")
  etcds=("${control_planes[0]}" node3 "$new")
  boot_member "$new"
  check "one machine logs in to $new" log_in_to "$new"
  write_nodes
  play offline-repo.yml --limit "$new"
  # This playbook takes the addresses of all machines from what earlier plays have kept of them, and a new one was in none.
  play playbooks/facts.yml --limit "$new"
  play recover-control-plane.yml --limit etcd,kube_control_plane -e etcd_retries=10
  lost=()
  write_nodes
  judge_cluster
}

# add_ons: what is switched on beside the inventory, and deployed.
add_ons() {
  local file
  file=$nodes/admin/root$(dirname "$inventory")/group_vars/k8s_cluster/zz-add-ons.yml
  cp "$deployment/add-ons.yml" "$file"
  play cluster.yml --skip-tags bootstrap_os,preinstall,container-engine,etcd
  judge_cluster
}

# remove_second_node, reset_cluster, give_back: to the end.
remove_second_node() {
  play remove-node.yml -e node=node2 -e skip_confirmation=true
  check "node2 is no node any more" fails kubectl get node node2
  lay_out one
  write_nodes
}
reset_cluster() {
  local name
  play reset.yml -e reset_confirmation=true
  for name in "${members[@]}"; do
    # The brackets keep it from finding the shell that asks.
    check "nothing of Kubernetes runs on $name" fails inside "$name" sh -c 'pgrep -af "[k]ube" || pgrep -x etcd'
  done
}
give_back() {
  local name
  # From here on systemd-timesyncd asks whom it asked before, which is somebody outside.
  for name in "${members[@]}"; do rm -rf "$nodes/$name/root/etc/systemd/system/systemd-timesyncd.service.d"; done
  play offline-repo.yml -e offline_repo_state=absent
  for name in "${members[@]}"; do
    check "the sources of packages of $name are as they were" sources_as_before "$name"
    [[ -z ${time_is_kept-} ]] || check "$name: nothing is left of the time" no_time_any_more "$name"
  done
}
# sources_as_before NAME: but for what packages have brought that kubespray has installed.
sources_as_before() {
  local file now=$work/$1-apt-now
  cp -R "$nodes/$1/root/etc/apt" "$now"
  while read -r file; do
    [[ -e $work/$1-apt/$file ]] || ! inside "$1" dpkg --search "/etc/apt/$file" || rm "${now:?}/$file"
  done < <(cd "$now" && find . -type f -printf '%P\n')
  diff -r "$work/$1-apt" "$now"
}

# report: what happened, in figures; REPORT names a document that takes it, between marks
# that name the layout.
report() {
  local log mark
  {
    echo "$(date '+%-d %B %Y'), $(nproc) cores, $passed checks passed, $failed failed. Seconds are those of a machine that others use too."
    echo
    "$deployment/report" "$work/typed.log" "$attempts"
    echo
    for log in "$work"/objects-*.txt "$work"/images-*.txt; do
      [[ ! -e $log ]] || echo "- $(basename "$log" .txt | cut -d - -f 2): $(tail -n 1 "$log")"
    done
    echo "- Attempts to reach anything outside, all machines, from the first boot on: **$(outside_attempts | wc -l)**."
    echo "- What the web server answered with 404:"
    echo
    refused | sed 's/^/      /'
  } >"$work/report.md"
  cat "$work/report.md"
  outside_attempts | head -n 40
  mark="from the run${LAYOUT:+ ($LAYOUT)}"
  [[ -z ${REPORT-} ]] || sed -i -e "/$mark: begin -->/,/$mark: end -->/{//!d}" -e "/$mark: begin -->/r $work/report.md" "$REPORT"
}
# refused: how often, who, what.
refused() {
  refused_lines | awk '{ print $1, $6, $7 }' | sort | uniq -c | head -n 40
}
refused_lines() { on_admin journalctl -u kubespray-offline-nginx -o cat | grep -E '" 404 ' || true; }
