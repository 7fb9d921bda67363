# Several kubespray releases by one command. Sourced by run.

# shellcheck shell=bash disable=SC2154 # what is defined in the script that sources this

several_releases() {
  local mark release both="$next_version,$version" bundles=$work/bundles
  run --kubespray-version "$both" --outputs "$bundles" plan files
  check "several releases: plan succeeds" exits 0
  check "several releases: plan says what the later one adds" says "$next_version adds 2 files, 0 images"
  mark=$(log_mark)
  run --kubespray-version "$both" --outputs "$bundles" precheck py kubespray files
  check "several releases: the run succeeds" exits 0
  for release in "$version" "$next_version"; do
    check "several releases: $release has its files" expected_files_in "$bundles/$release" "$release"
    check "several releases: $release has its offline.yml" test -s "$bundles/$release/offline.yml"
  done
  check "several releases: what both have is fetched once" fetched_once "$mark"
  check "several releases: and lies on the disk once" lies_once "$bundles" "$(path_of '/kubelet')"
  check "several releases: what only the other one has is not told as removed" fails says 'removed files/'
  mark=$(log_mark)
  run --kubespray-version "$both" --outputs "$bundles" precheck py kubespray files
  check "several releases: a second run succeeds" exits 0
  check "several releases: a second run downloads nothing" no_download_since "$mark"
  run --kubespray-version "$both" --outputs "$bundles" verify
  check "several releases: verify reads both" exits 0
  check "several releases: verify names both" says "$bundles/$next_version is intact"
  run --kubespray-version "$both" files
  check "several releases: a bundle of one release is not mixed with them" exits 1
  check "several releases: it is told what to do" says '--outputs bundles'
  rm -rf "$bundles"
}
expected_files_in() { (cd "$1" && sha256sum --check --strict --quiet "$work/expected-$2"); }
fetched_once() {
  log_since "$1" | grep -E '^(200|206) GET' | awk '{ print $3 }' | sort | uniq -d | grep -v '/kubespray/' >"$work/twice" || true
  [[ ! -s $work/twice ]] || { cat "$work/twice"; return 1; }
}
lies_once() { [[ $(stat -c %i "$1/$version/$2") == $(stat -c %i "$1/$next_version/$2") ]] || is_reflink_file_system "$1"; }
is_reflink_file_system() { [[ $(stat -f -c %T "$1") =~ ^(btrfs|xfs|zfs)$ ]]; }
