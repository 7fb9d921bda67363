# One bundle for machines of two architectures: its files, and the offline.yml that serves both. Sourced by run.

# shellcheck shell=bash disable=SC2154 # what is defined in run

both=linux/amd64,linux/arm64

architectures() {
  local folder=$work/both source=$work/both-tree
  # As it was at first, so that the files of the first architecture are made with the bytes that they have already.
  cp -R "$tree" "$source"
  run files --platforms "$both" --layout kubespray-offline --kubespray-source "$source"
  check "architectures: a layout without room for two is exit status 2" exits 2
  check "architectures: the error names both settings" says '"files.layout" is kubespray-offline.*"platforms" \(--platforms\)'
  run plan --json --platforms "$both" --kubespray-source "$source" files
  cp "$work/out" "$work/plan-both.json"
  check "architectures: their files can be planned" \
    "$here/make-origin" "$work/plan-both.json" "$origin" "$source" "$work/expected-both" "/kubelet=$big_size"
  run precheck py kubespray files --platforms "$both" --kubespray-source "$source" --outputs "$folder"
  check "architectures: the run for two succeeds" exits 0
  check "architectures: the layout is chosen for them" test -d "$folder/files/dl.k8s.io"
  check "architectures: each has its kubelet" both_have_kubelet "$folder/files"
  check "architectures: every file has the bytes that kubespray expects" expected_of_both "$folder"
  check "architectures: bundle.json lists exactly what is there" "$here/check-bundle" "$folder"
  check "architectures: bundle.json names both platforms" names_platforms "$folder/bundle.json"
  check "architectures: one offline.yml serves both" "$here/check-offline" "$source" "$folder" \
    "$(dirname "$(venv_python)")/ansible-playbook" x86_64 aarch64
  run files --platforms "$both" --kubespray-source "$source" --outputs "$folder"
  check "architectures: a rerun finds all of it whole" nothing_fetched
}
expected_of_both() { (cd "$1" && sha256sum --check --strict --quiet "$work/expected-both"); }
both_have_kubelet() { [[ $(find "$1" -path '*/amd64/kubelet' -o -path '*/arm64/kubelet' | wc -l) == 2 ]]; }
names_platforms() {
  python3 -c 'import json, sys; sys.exit(json.load(open(sys.argv[1]))["platforms"] != ["linux/amd64", "linux/arm64"])' "$1"
}
