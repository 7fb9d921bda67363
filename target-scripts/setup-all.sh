#!/bin/sh
# All steps, from the check of the bundle to the extracted kubespray. The same as: ./target-setup all
exec sh "$(dirname "$0")/target-setup" all "$@"
