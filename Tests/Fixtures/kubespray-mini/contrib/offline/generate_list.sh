#!/bin/bash
# Lists what this tree downloads, in temp/files.list and temp/images.list. Arguments go to ansible-playbook.
# Without quotes, as in kubespray's own:
# shellcheck disable=SC2046,SC2048,SC2086
set -eo pipefail

here=$(cd $(dirname $0); pwd)
top=${here%/contrib/offline}
defaults=$top/roles/kubespray_defaults/defaults/main/download.yml
mkdir -p $here/temp

awk '/download_url:/ { sub(/^[^:]*: /, ""); gsub(/"/, ""); print }' $defaults > $here/temp/files.list.template
awk '
  /^downloads:/ { inside = 1 }
  /^download_defaults:/ { inside = 0 }
  inside && $1 == "repo:" { sub(/^ *repo: /, ""); gsub(/"/, ""); repo = $0 }
  inside && $1 == "tag:" { sub(/^ *tag: /, ""); gsub(/"/, ""); print repo ":" $0 }
' $defaults > $here/temp/images.list.template
for name in kube-apiserver kube-controller-manager kube-scheduler kube-proxy; do
    echo "{{ kube_image_repo }}/$name:v{{ kube_version }}" >> $here/temp/images.list.template
done

cp $here/generate_list.yml $top
(cd $top && ansible-playbook $* generate_list.yml && rm generate_list.yml) || exit 1
