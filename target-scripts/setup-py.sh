#!/bin/sh
# Installs the Python that Ansible needs. The same as: ./target-setup python
exec sh "$(dirname "$0")/target-setup" python "$@"
