#!/usr/bin/env bash
# A base image where no registry is at hand: a Debian root file system with Python, by mmdebstrap, imported into buildah's store.
#   debian-base.sh CACHE STORE    prints the image's name
set -euo pipefail
cache="$1" store="$2" suite="${SUITE:-bookworm}"
command -v mmdebstrap >/dev/null || { echo "no mmdebstrap on the PATH, and no BASE given" >&2; exit 2; }
mkdir -p "$cache"
if [ ! -e "$cache/$suite.tar" ]; then
  mmdebstrap --quiet --variant=essential --include=python3,python3-venv,libstdc++6,ca-certificates \
    --aptopt='APT::Install-Recommends "false"' --dpkgopt='path-exclude=/usr/share/man/*' \
    --dpkgopt='path-exclude=/usr/share/locale/*' --dpkgopt='path-exclude=/usr/share/doc/*' \
    --dpkgopt='path-include=/usr/share/doc/*/copyright' \
    --customize-hook='find "$1" -xdev -type f -perm /6000 -exec chmod a-s {} +' \
    "$suite" "$cache/$suite.part.tar" "${MIRROR:-http://deb.debian.org/debian}" >&2
  mv "$cache/$suite.part.tar" "$cache/$suite.tar"
fi
images() { buildah --root "$store/root" --runroot "$store/run" --storage-driver vfs "$@"; }
made="$(images from scratch)"
images add --quiet "$made" "$cache/$suite.tar" / >&2
images config --created-by "debian-base.sh $suite" "$made"
images commit --quiet --rm --timestamp "${SOURCE_DATE_EPOCH:-0}" "$made" "lineledger-base:$suite" >&2
echo "localhost/lineledger-base:$suite"
