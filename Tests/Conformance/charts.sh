# Stand-ins of the two chart repositories that kubespray's roles ask, with charts of the versions that a tree wants.
# Sourced by prove and contrib; $work and $charts, the folder with one folder a host, come from there.

# shellcheck shell=bash disable=SC2034,SC2154

chart_hosts=(helm.cilium.io postfinance.github.io)
# The images that charts bring: all but Cilium's, to which kubespray gives its images.
chart_images=()

# make_chart HOST/PATH NAME VERSION: a chart, and its line in the repository's index.
make_chart() {
  local folder=$charts/$1 name=$2 version=$3
  [[ -n $version ]] || return 0
  [[ $name == cilium ]] || chart_images+=("docker.io/example/$name:v$version")
  mkdir -p "$folder" "$work/chart/$name"
  printf 'apiVersion: v2\nname: %s\nversion: %s\nappVersion: v%s\n' "$name" "$version" "$version" >"$work/chart/$name/Chart.yaml"
  printf 'image:\n  repository: example/%s\n  tag: ""\n' "$name" >"$work/chart/$name/values.yaml"
  tar -czf "$folder/$name-$version.tgz" -C "$work/chart" "$name"
  [[ -e $folder/index.yaml ]] || printf 'apiVersion: v1\nentries:\n  %s:\n' "$name" >"$folder/index.yaml"
  printf '  - version: %s\n    digest: %s\n    urls: [%s]\n' "$version" \
    "$(sha256sum "$folder/$name-$version.tgz" | cut -d ' ' -f 1)" "$name-$version.tgz" >>"$folder/index.yaml"
}

# make_charts TREE: the charts that a kubespray tree asks for by default.
make_charts() {
  local tree=$1
  make_chart helm.cilium.io cilium "$(sed -nE 's/^cilium_version: "?([0-9][0-9.]*)"?$/\1/p' \
    "$tree/roles/kubespray_defaults/defaults/main/download.yml" | head -n 1)"
  make_chart postfinance.github.io/kubelet-csr-approver kubelet-csr-approver "$(
    sed -nE 's/^kubelet_csr_approver_chart_version: *//p' "$tree/roles/kubernetes-apps/kubelet-csr-approver/defaults/main.yml"
  )"
}
