# Sourced (BASH_ENV) by the bash that runs kubespray's generate_list.sh, which passes its arguments on unquoted: those of
# Ansible come from a file instead, each ended by a NUL, and so reach it as they are.

# shellcheck shell=bash
ansible-playbook() {
  local arguments
  mapfile -d '' -t arguments <"${KUBESPRAY_OFFLINE_ARGUMENTS:?}"
  BASH_ENV='' command ansible-playbook "${arguments[@]}" "$@"
}
