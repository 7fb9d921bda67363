#!/bin/sh
# Extracts kubespray beside its offline.yml. The same as: ./target-setup extract
exec sh "$(dirname "$0")/target-setup" extract "$@"
